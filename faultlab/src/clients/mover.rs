//! Logging in anew, and then trying to write in the session that is over.

use std::time::Duration;

use hubbub_client::{Connection, http::HttpClient};
use hubbub_protocol::{
    http::LogIn,
    id::SessionId,
    model::{Device, DeviceClass},
};
use tokio::time::{Instant, sleep, timeout};

use super::{Live, PASSWORD, Person, Phase, Ticket, options, until, voice};
use crate::{history::Event, rng::Rng};

/// Time between two messages of a session that is over.
const STALE_PACE: Duration = Duration::from_millis(25);
/// How long it is tried.
const STALE_FOR: Duration = Duration::from_secs(6);
/// Longest wait for an answer to a login.
const LOGIN_LIMIT: Duration = Duration::from_secs(8);

/// Logs in anew from time to time, and whenever the session was lost.
pub(super) async fn run(person: Person, after: (Duration, Duration)) {
    let mut rng = person.rng("mover");
    person.world.reached(Phase::Busy).await;
    loop {
        let wait = rng.within(as_ms(after.0), as_ms(after.1));
        tokio::select! {
            () = until(&person.ended, |ended| *ended) => {}
            () = sleep(Duration::from_millis(wait)) => {
                // Nobody leaves while the last entries are waited for, but who was put out comes back.
                if person.world.phase() >= Phase::Settle {
                    tokio::select! {
                        () = until(&person.ended, |ended| *ended) => {}
                        () = person.world.reached(Phase::Over) => return,
                    }
                }
            }
            () = person.world.reached(Phase::Over) => return,
        }
        let old = (person.ticket.borrow().clone(), person.live.borrow().clone());
        if let Some(session) = log_in(&person, &mut rng).await {
            person.ended.send_replace(false);
            tokio::spawn(write_stale(person.clone(), old.0, old.1, session, rng.bits()));
        } else {
            sleep(Duration::from_millis(rng.within(100, 500))).await;
        }
    }
}

fn as_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// One login; the session when it was answered.
async fn log_in(person: &Person, rng: &mut Rng) -> Option<SessionId> {
    let world = &person.world;
    let login = world.number();
    let http = HttpClient::new(world.nodes[rng.index(world.nodes.len())].clone());
    let name = format!("device {login}");
    let wish = LogIn {
        username: person.account.user.username.clone(),
        password: PASSWORD.to_owned(),
        device: Device { id: name.clone(), class: DeviceClass::Desktop, name },
    };
    world.history.note(Event::LogIn { t: world.history.now(), person: person.number, login });
    let answer = timeout(LOGIN_LIMIT, http.log_in(&wish)).await;
    let t = world.history.now();
    let (session, why) = match answer {
        Ok(Ok(logged_in)) => {
            let ticket = Ticket { session: logged_in.session.id, token: logged_in.access_token };
            let session = ticket.session;
            // Written down before anyone can act on it.
            note(person, t, login, Some(session), None);
            person.ticket.send_replace(ticket);
            return Some(session);
        }
        Ok(Err(error)) => (None, error.to_string()),
        Err(_) => (None, "no answer".to_owned()),
    };
    note(person, t, login, session, Some(why));
    None
}

fn note(person: &Person, t: u64, login: u64, session: Option<SessionId>, why: Option<String>) {
    person.world.history.note(Event::LoggedIn { t, person: person.number, login, session, why });
}

/// Writes in the old session, over its connection and over a new one: nothing of it may be acknowledged.
async fn write_stale(person: Person, old: Ticket, live: Option<Live>, new: SessionId, chance: u64) {
    let deadline = Instant::now() + STALE_FOR;
    let mut rng = Rng::new(chance);
    let mut lives: Vec<Live> = live.into_iter().filter(|live| live.session == old.session).collect();
    let (mut count, mut knocked) = (0, false);
    while Instant::now() < deadline && person.world.phase() < Phase::Over {
        for live in &lives {
            count += 1;
            let room = person.rooms[rng.index(person.rooms.len())];
            let key = format!("stale-{new}-{count}");
            let _ =
                timeout(deadline - Instant::now(), voice::send(&person, live, room, &key, 1, Duration::MAX))
                    .await;
        }
        if !knocked {
            // At once on the old connection; only then, which takes longer, on a new one.
            knocked = true;
            lives.extend(knock(&person, &old, &mut rng).await);
        }
        lives.retain(|live| live.connection.ended().is_none());
        if lives.is_empty() {
            return;
        }
        sleep(STALE_PACE).await;
    }
}

/// Tries to begin anew in the session that is over.
async fn knock(person: &Person, old: &Ticket, rng: &mut Rng) -> Option<Live> {
    let node = rng.index(person.world.nodes.len());
    let (connection, mut pushes) = Connection::open(&person.world.nodes[node], &options()).await.ok()?;
    connection.start(&old.token, std::collections::BTreeMap::new()).await.ok()?;
    tokio::spawn(async move { while pushes.next().await.is_some() {} });
    Some(Live { connection, session: old.session, number: person.world.number() })
}
