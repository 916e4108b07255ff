//! G6, one session; G11, explicit login wins, reconnecting never does.

use std::time::Duration;

use futures_util::future::join_all;
use hubbub_client::{
    AskError,
    http::HttpError,
    reconnect::{Event, Stop},
};
use hubbub_protocol::{
    close::EndReason,
    error::Reason,
    id::{RoomId, Seq},
};
use tokio::time::{Instant, sleep};

use crate::support::{
    Link, Node, PATIENCE, Person, TestCluster, eventually,
    link::{A_SECOND, Refusal, message, texts},
    on_both,
    person::{log_in, sign_up, try_log_in},
    within,
};

/// Logins of one account at once.
const LOGINS: usize = 100;

on_both!(
    a_hundred_logins_at_once_leave_one_session,
    a_displaced_connection_is_told_why_and_closed,
    no_write_of_a_displaced_session_is_accepted,
    tabs_of_one_session_live_side_by_side,
    a_client_that_was_displaced_never_comes_back,
    logging_in_again_on_the_same_device_ends_the_old_session_too,
    who_was_displaced_while_away_is_told_so,
);

fn is_dead(reason: Option<Reason>) -> bool {
    matches!(reason, Some(Reason::SessionEnded | Reason::Unauthenticated))
}

/// Logs in; a server that is busy with other logins may ask to come back.
async fn log_in_patiently(node: &Node, username: &str, device: &str) -> Person {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match try_log_in(node, username, device).await {
            Ok(person) => return person,
            Err(HttpError::Refused(problem))
                if problem.data.retry_after_ms.is_some() && Instant::now() < deadline =>
            {
                sleep(Duration::from_millis(problem.data.retry_after_ms.unwrap_or_default())).await;
            }
            Err(error) => panic!("{device} cannot log in: {error}"),
        }
    }
}

async fn a_hundred_logins_at_once_leave_one_session(cluster: TestCluster) {
    let username = sign_up(cluster.node(0)).await;
    let [peer] = cluster.people().await;
    let peer = peer.connect(cluster.node(0)).await;
    let logins = (0..LOGINS).map(|number| {
        let (cluster, username) = (&cluster, &username);
        async move {
            let person = log_in_patiently(cluster.node(number), username, &format!("device-{number}")).await;
            // Some connect in time and are displaced while connected, some come too late to connect.
            let link = person.try_connect(cluster.node(number + 1)).await;
            if let Err(refusal) = &link {
                let displaced =
                    matches!(refusal, Refusal::Start(AskError::Closed(closed)) if closed.code == 4400);
                assert!(displaced || is_dead(refusal.reason()), "device-{number}: {refusal:?}");
            }
            (person, link.ok())
        }
    });
    let people = join_all(logins).await;
    let room = peer.group(&[&people[0].0]).await;

    let mut winners = Vec::new();
    for (number, (person, link)) in people.iter().enumerate() {
        let writes = match link {
            Some(link) => link.ask(message(room, &format!("from {number}"))).await,
            None => write_on_a_new_connection(person, cluster.node(number), room, number).await,
        };
        let listed = cluster.node(number).http().sessions(&person.token).await;
        match (&writes, &listed) {
            (Ok(_), Ok(listed)) => {
                assert_eq!(listed.sessions.len(), 1, "the account has other sessions: {listed:?}");
                winners.push(number);
            }
            (Err(AskError::Refused(error)), Err(HttpError::Refused(problem))) => {
                assert!(is_dead(Some(error.data.reason)), "{error:?}");
                assert!(is_dead(Some(problem.data.reason)), "{problem:?}");
            }
            (Err(AskError::Closed(closed)), Err(HttpError::Refused(problem))) => {
                assert_eq!((closed.code, closed.reason.as_str()), (4400, "displaced"));
                assert!(is_dead(Some(problem.data.reason)), "{problem:?}");
            }
            other => panic!("device-{number} is neither alive nor dead: {other:?}"),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(texts(&peer.log(room).await), [format!("from {}", winners[0])]);
}

async fn write_on_a_new_connection(
    person: &Person,
    node: &Node,
    room: RoomId,
    number: usize,
) -> Result<hubbub_protocol::command::Sent, AskError> {
    match person.try_connect(node).await {
        Ok(link) => link.ask(message(room, &format!("from {number}"))).await,
        Err(Refusal::Start(error)) => Err(error),
        Err(refusal) => panic!("device-{number} cannot connect: {refusal:?}"),
    }
}

async fn a_displaced_connection_is_told_why_and_closed(cluster: TestCluster) {
    let username = sign_up(cluster.node(0)).await;
    let laptop = log_in(cluster.node(0), &username, "laptop").await;
    let tabs = [laptop.connect(cluster.node(0)).await, laptop.connect(cluster.node(1)).await];

    let phone = log_in(cluster.node(1), &username, "phone").await;
    let answered = Instant::now();
    for tab in &tabs {
        let (closed, at) = tab.closed().await;
        assert_eq!((closed.code, closed.reason.as_str()), (4400, "displaced"));
        assert!(
            at.saturating_duration_since(answered) < A_SECOND,
            "closed {:?} after the login",
            at - answered
        );
        let end = tab.heard(|heard| heard.ended.clone()).expect("told before the close");
        assert_eq!(end.reason, EndReason::Displaced);
        let device = end.device.clone().expect("the device is named");
        assert_eq!((device.id.as_str(), device.name.as_str()), ("phone", "phone of a test"));
        assert_eq!(end.place.as_deref(), Some("127.0.0.0"));
        let session =
            cluster.node(0).http().sessions(&phone.token).await.expect("the phone's session").sessions;
        assert!((end.at - session[0].started_at).abs() < 10_000, "{end:?}");
    }

    // Its tokens are dead on every node and every door.
    for node in cluster.nodes() {
        let refusal = laptop.try_connect(node).await.err().expect("no session");
        assert!(is_dead(refusal.reason()), "{refusal:?}");
        let refresh = node.http().refresh(&laptop.refresh_token).await;
        assert!(matches!(&refresh, Err(HttpError::Refused(problem)) if problem.status == 401), "{refresh:?}");
    }
    phone.connect(cluster.node(0)).await.round_trip().await;
}

async fn no_write_of_a_displaced_session_is_accepted(cluster: TestCluster) {
    const ROUNDS: usize = 5;
    let username = sign_up(cluster.node(0)).await;
    let mut current = log_in(cluster.node(0), &username, "device-0").await;
    let room = current.connect(cluster.node(0)).await.group(&[]).await;
    for round in 1..=ROUNDS {
        let old = current.connect(cluster.node(0)).await;
        let displacing = async {
            // In the thick of it: the login comes while the old device writes.
            let busy = old.head(room).await.0 + 20;
            old.until_seq(room, Seq(busy)).await;
            let new = log_in(cluster.node(1), &username, &format!("device-{round}")).await;
            let tab = new.connect(cluster.node(1)).await;
            (tab.head(room).await, new)
        };
        let (last_of_old, (head, new)) = tokio::join!(write_until_refused(&old, room), displacing);
        assert!(last_of_old <= head, "round {round}: {last_of_old} was accepted after the login, at {head}");
        current = new;
        let tab = current.connect(cluster.node(0)).await;
        let next = tab.say(room, "the new device").await;
        assert_eq!(next.seq, head.next(), "round {round}: something was written after the login");
    }
}

/// Writes as fast as it can; the last seq that was acknowledged.
async fn write_until_refused(link: &Link, room: RoomId) -> Seq {
    let mut last = Seq::ZERO;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let mut pending = Vec::new();
        for _ in 0..16 {
            match link.connection().submit(message(room, "the old device")).await {
                Ok(answer) => pending.push(answer),
                Err(_) => return last,
            }
        }
        for answer in pending {
            match answer.await {
                Ok(sent) => last = last.max(sent.seq),
                Err(AskError::Refused(error)) if error.data.reason == Reason::TooFrequent => {}
                Err(AskError::Refused(error)) => assert!(is_dead(Some(error.data.reason)), "{error:?}"),
                // An answer on its way when the door was shut; what it would have said is in the log.
                Err(AskError::Closed(closed)) => assert_eq!(closed.code, 4400),
                Err(error) => panic!("{error}"),
            }
        }
    }
    panic!("the displaced device could write for {PATIENCE:?}");
}

async fn tabs_of_one_session_live_side_by_side(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let (tab, other_tab) = (ann.connect(cluster.node(0)).await, ann.connect(cluster.node(1)).await);
    let room = tab.group(&[]).await;
    other_tab.joined(room).await;
    let first = tab.say(room, "from one tab").await;
    let second = other_tab.say(room, "from the other").await;
    assert_eq!(second.seq, first.seq.next());
    for tab in [&tab, &other_tab] {
        let heard = tab.until_seq(room, second.seq).await;
        assert_eq!(texts(&heard), ["from one tab", "from the other"]);
    }
    drop(tab);
    other_tab.say(room, "a closed tab takes nothing with it").await;
}

async fn a_client_that_was_displaced_never_comes_back(cluster: TestCluster) {
    let username = sign_up(cluster.node(0)).await;
    let laptop = log_in(cluster.node(0), &username, "laptop").await;
    let (client, mut events) = laptop.keep_connected(&cluster, 0);
    let started = within(PATIENCE, "a session", events.next()).await;
    assert!(matches!(started, Some(Event::Started(_))), "{started:?}");

    let phone = log_in(cluster.node(1), &username, "phone").await;
    let phone = phone.connect(cluster.node(1)).await;
    let stop = loop {
        match within(PATIENCE, "the end", events.next()).await {
            Some(Event::Stopped(stop)) => break stop,
            Some(Event::Entry(_)) => {}
            other => panic!("expected the end, got {other:?}"),
        }
    };
    assert!(matches!(&stop, Stop::Ended(end) if end.reason == EndReason::Displaced), "{stop:?}");
    assert!(events.next().await.is_none(), "nothing is tried any more");
    let room = phone.group(&[]).await;
    let refused = client.ask(message(room, "from the displaced")).await;
    assert!(matches!(refused, Err(AskError::Closed(_))), "{refused:?}");
    phone.say(room, "still here").await;
    assert!(phone.heard(|heard| heard.closed.is_none()));
}

async fn logging_in_again_on_the_same_device_ends_the_old_session_too(cluster: TestCluster) {
    let username = sign_up(cluster.node(0)).await;
    let first = log_in(cluster.node(0), &username, "laptop").await;
    let link = first.connect(cluster.node(0)).await;
    let second = log_in(cluster.node(1), &username, "laptop").await;
    assert_ne!(first.session, second.session);
    assert_eq!(link.closed().await.0.code, 4400);
    let listed = cluster.node(0).http().sessions(&second.token).await.expect("a list").sessions;
    assert_eq!(listed.iter().map(|session| session.id).collect::<Vec<_>>(), [second.session]);
    assert!(listed[0].current);

    // And what it is told by its own stream.
    let link = second.connect(cluster.node(0)).await;
    let third = log_in(cluster.node(0), &username, "tablet").await;
    eventually("the session is dead", async || {
        link.ask(hubbub_client::ask::GetRoom(RoomId::generate()))
            .await
            .err()
            .filter(|error| matches!(error, AskError::Closed(_)))
    })
    .await;
    drop(third);
}

async fn who_was_displaced_while_away_is_told_so(cluster: TestCluster) {
    let username = sign_up(cluster.node(0)).await;
    let laptop = log_in(cluster.node(0), &username, "laptop").await;
    let phone = log_in(cluster.node(1), &username, "phone").await;
    for node in cluster.nodes() {
        let over_http = match node.http().sessions(&laptop.token).await {
            Err(HttpError::Refused(problem)) => problem.data,
            other => panic!("expected a refusal, got {other:?}"),
        };
        let over_socket = match laptop.try_connect(node).await {
            Err(Refusal::Start(AskError::Refused(error))) => error.data,
            other => panic!("expected a refusal, got {:?}", other.err()),
        };
        for data in [over_http, over_socket] {
            assert_eq!(data.reason, Reason::SessionEnded);
            let end = data.end.expect("why it ended");
            assert_eq!(end.reason, EndReason::Displaced);
            assert_eq!(end.device.map(|device| device.id).as_deref(), Some("phone"));
        }
    }
    let (_client, mut events) = laptop.keep_connected(&cluster, 0);
    let stopped = within(PATIENCE, "the end", events.next()).await;
    assert!(
        matches!(&stopped, Some(Event::Stopped(Stop::Ended(end))) if end.reason == EndReason::Displaced),
        "{stopped:?}"
    );
    phone.connect(cluster.node(0)).await.round_trip().await;
}
