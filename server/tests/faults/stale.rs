//! G6: once a login is answered, nothing of the session that it displaced is accepted, whatever is broken.

use std::time::Duration;

use faultlab::proxy::Way;
use futures_util::future::join_all;
use hubbub_client::{AskError, http::HttpError};
use hubbub_protocol::error::Reason;
use tokio::time::Instant;

use crate::{
    lab::{Lab, PASSWORD, only_heavy_test},
    support::{
        Link,
        link::{message, texts},
        person::try_log_in_at,
    },
};

/// Sends as the displaced session until its connection is closed; nothing may be accepted.
async fn nothing_is_accepted(old: &Link, room: hubbub_protocol::id::RoomId) -> Duration {
    let began = Instant::now();
    loop {
        match old.ask(message(room, "stale")).await {
            Err(AskError::Refused(error)) => {
                assert!(
                    matches!(error.data.reason, Reason::SessionEnded | Reason::Unavailable),
                    "{:?}",
                    error.data.reason
                );
            }
            Err(AskError::Closed(closed)) => {
                assert_eq!(closed.code, 4400, "{closed:?}");
                return began.elapsed();
            }
            other => panic!("a stale command was accepted: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_node_that_is_cut_off_from_redis() {
    let lab = Lab::start(2).await;
    let [ann] = lab.people().await;
    let old = ann.connect_to(&lab.address(0)).await;
    let room = old.group(&[]).await;
    old.say(room, "before").await;
    lab.cluster.nodes[0].redis.black_hole(Way::Both);
    let new = try_log_in_at(&lab.address(1), &ann.user.username, "phone", PASSWORD).await.expect("a login");
    let closed = nothing_is_accepted(&old, room).await;
    assert_eq!(texts(&new.connect_to(&lab.address(1)).await.log(room).await), ["before"]);
    println!("cut off from Redis: 0 stale commands accepted, closed after {closed:?}");
    assert!(closed < Duration::from_secs(10), "{closed:?}");
}

#[tokio::test]
async fn a_node_that_stood_still() {
    let lab = Lab::start(2).await;
    let [ann] = lab.people().await;
    let old = ann.connect_to(&lab.address(0)).await;
    let room = old.group(&[]).await;
    old.say(room, "before").await;
    lab.cluster.nodes[0].pause().expect("the node runs");
    // Sent while nobody reads it; the node finds it in its socket when it runs on.
    let waiting = old.connection().submit(message(room, "stale")).await.expect("a connection");
    let new = try_log_in_at(&lab.address(1), &ann.user.username, "phone", PASSWORD).await.expect("a login");
    let new_link = new.connect_to(&lab.address(1)).await;
    new_link.say(room, "from the phone").await;
    lab.cluster.nodes[0].unpause().expect("the node runs");
    match waiting.await {
        Err(AskError::Refused(error)) => assert_eq!(error.data.reason, Reason::SessionEnded),
        Err(AskError::Closed(closed)) => assert_eq!(closed.code, 4400),
        other => panic!("a stale command was accepted: {other:?}"),
    }
    let (closed, _) = old.closed().await;
    assert_eq!(closed.code, 4400);
    assert!(new_link.heard(|heard| heard.closed.is_none()), "the newer session was ended");
    assert_eq!(texts(&new_link.log(room).await), ["before", "from the phone"]);
    println!("stood still: 0 stale commands accepted");
}

#[tokio::test]
async fn five_hundred_logins_at_once_leave_one_session() {
    const LOGINS: usize = 500;
    let _turn = only_heavy_test().await;
    let lab = Lab::start_with(2, &[("HUBBUB_ACCOUNTS_PASSWORD_THREADS", "2")]).await;
    let [ann] = lab.people().await;
    let began = Instant::now();
    let mut sessions = Vec::new();
    // In waves: each login costs a password hash, and who waits too long for one is told to try again.
    for wave in 0..10 {
        let logins = (0..LOGINS / 10).map(|number| {
            let (address, device) = (lab.address(number % 2), format!("device {wave} {number}"));
            let username = ann.user.username.clone();
            async move {
                loop {
                    match try_log_in_at(&address, &username, &device, PASSWORD).await {
                        Ok(person) => return person,
                        Err(HttpError::Refused(problem)) if problem.data.retry_after_ms.is_some() => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            }
        });
        sessions.extend(join_all(logins).await);
    }
    let mut alive = 0;
    for some in sessions.chunks(50) {
        let connections = some.iter().enumerate().map(|(number, person)| {
            let address = lab.address(number % 2);
            async move { person.try_connect_to(&address).await.is_ok() }
        });
        alive += join_all(connections).await.into_iter().filter(|alive| *alive).count();
    }
    println!("{LOGINS} logins of one account on two nodes in {:?}: {alive} session left", began.elapsed());
    assert_eq!(alive, 1);
}
