//! Writing: each message has a key of its own and is sent again, on whichever connection there is, until it is known
//! what became of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hubbub_client::AskError;
use hubbub_protocol::{command::MessageSendParams, error::Reason, id::RoomId};
use tokio::time::{sleep, timeout};

use super::{Live, Person, Phase};
use crate::{
    history::{Event, Outcome},
    rng::Rng,
};

/// Acknowledged messages that are sent once more, of a thousand.
const REPEATED: u64 = 30;
/// Attempts that are not waited for, of a thousand: the next one meets the first on its way.
const IMPATIENT: u64 = 20;
/// Unknown outcomes that are left so, of a thousand.
const GIVEN_UP: u64 = 30;

/// A command is answered or given up by the server within this time.
const COMMAND_LIMIT: Duration = Duration::from_secs(5);

/// Writes while the run is busy.
pub(super) async fn run(person: Person, pace: Duration) {
    let mut rng = person.rng("voice");
    person.world.reached(Phase::Busy).await;
    let mut count = 0_u64;
    while person.world.phase() == Phase::Busy {
        let pace_us = u64::try_from(pace.as_micros()).unwrap_or(u64::MAX);
        sleep(Duration::from_micros(rng.within(pace_us / 2, pace_us * 3 / 2))).await;
        count += 1;
        let room = person.rooms[rng.index(person.rooms.len())];
        let key = format!("p{}-{count}", person.number);
        // Counted before the look at the phase, so that who waits for the last message sees this one.
        let under_way = UnderWay::begin(&person);
        if person.world.phase() != Phase::Busy {
            return;
        }
        if message(&person, room, &key, &mut rng).await == Told::GivenUp {
            // The server may still be at it.
            tokio::spawn(async move {
                sleep(COMMAND_LIMIT).await;
                drop(under_way);
            });
        }
    }
}

/// A message that is under way, as long as this lives.
struct UnderWay(Arc<AtomicU64>);

impl UnderWay {
    fn begin(person: &Person) -> Self {
        person.world.under_way.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(&person.world.under_way))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether a sender learned what became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Fate,
    GivenUp,
}

/// Sends one message until its fate is known, or the run is over, or, sometimes, it is given up.
async fn message(person: &Person, room: RoomId, key: &str, rng: &mut Rng) -> Told {
    let mut attempt = 0;
    loop {
        let Some(live) = connected(person).await else { return Told::GivenUp };
        attempt += 1;
        let patience =
            if rng.chance(IMPATIENT) { Duration::from_millis(rng.within(0, 8)) } else { Duration::MAX };
        match send(person, &live, room, key, attempt, patience).await {
            Sent::Known(Outcome::Ok { .. }) if attempt == 1 && rng.chance(REPEATED) => {}
            Sent::Known(_) => return Told::Fate,
            Sent::Unknown if rng.chance(GIVEN_UP) => return Told::GivenUp,
            Sent::Unknown => sleep(Duration::from_millis(rng.within(0, 100))).await,
            Sent::Later(pause) => sleep(pause).await,
        }
    }
}

/// What an attempt came to, for the sender.
pub(super) enum Sent {
    /// It is known.
    Known(Outcome),
    /// It is not.
    Unknown,
    /// It is not, and the server says when to try again.
    Later(Duration),
}

/// One attempt, written down before and after.
pub(super) async fn send(
    person: &Person,
    live: &Live,
    room: RoomId,
    key: &str,
    attempt: u32,
    patience: Duration,
) -> Sent {
    let history = &person.world.history;
    history.note(Event::Invoke {
        t: history.now(),
        person: person.number,
        key: key.to_owned(),
        attempt,
        room,
        session: live.session,
        connection: live.number,
    });
    let params = MessageSendParams { room, key: key.to_owned(), text: text(key), reply_to: None };
    let answer = timeout(patience, live.connection.ask(params)).await;
    let (outcome, sent) = judge(answer.unwrap_or(Err(AskError::TimedOut)));
    history.note(Event::Done { t: history.now(), key: key.to_owned(), attempt, outcome });
    sent
}

/// What is said under a key.
pub(crate) fn text(key: &str) -> String {
    format!("said under {key}")
}

fn judge(answer: Result<hubbub_protocol::command::Sent, AskError>) -> (Outcome, Sent) {
    let known = |outcome: Outcome| (outcome.clone(), Sent::Known(outcome));
    match answer {
        Ok(sent) => known(Outcome::Ok { seq: sent.seq, id: sent.id }),
        Err(AskError::Refused(error)) => {
            let reason = error.data.reason;
            let pause = Duration::from_millis(error.data.retry_after_ms.unwrap_or(200).min(2_000));
            match reason {
                // Nothing was done, or it is not known.
                Reason::Unavailable | Reason::Internal => {
                    (Outcome::Unknown(reason.to_string()), Sent::Later(pause))
                }
                Reason::TooFrequent => (Outcome::Refused(reason.to_string()), Sent::Later(pause)),
                // The session of this connection is over; the message may go through the next one.
                Reason::SessionEnded | Reason::Unauthenticated => {
                    (Outcome::Refused(reason.to_string()), Sent::Later(Duration::from_millis(50)))
                }
                other => known(Outcome::Refused(other.to_string())),
            }
        }
        Err(error) => (Outcome::Unknown(error.to_string()), Sent::Unknown),
    }
}

/// The connection of now, once there is one; `None` when the run is over first.
async fn connected(person: &Person) -> Option<Live> {
    let mut live = person.live.subscribe();
    tokio::select! {
        found = live.wait_for(Option::is_some) => found.ok()?.clone(),
        () = person.world.reached(Phase::Over) => None,
    }
}
