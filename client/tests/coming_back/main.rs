//! A client that comes back, against a server that does exactly what each test wants.

mod script;

use std::{collections::BTreeMap, time::Duration};

use hubbub_client::{
    AskError, Client,
    ask::LeaveRoom,
    connection::{Connection, Options, Pushes},
    reconnect::{Event, Events, Settings, Stop},
};
use hubbub_protocol::{
    close::{CloseCode, EndReason},
    command::{MessageSendParams, Resume, Sent},
    error::{ErrorObject, Reason},
    id::{EntryId, RoomId, Seq, StreamId, UserId},
    model::SessionEnd,
    push::Push,
};
use tokio::time::timeout;

use script::{Peer, Server, message, started};

/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(30);

async fn event(events: &mut Events) -> Option<Event> {
    timeout(PATIENCE, events.next()).await.expect("an event in time")
}

/// The next event that is not of the connection's coming and going.
async fn entry_seq(events: &mut Events) -> u64 {
    loop {
        match event(events).await {
            Some(Event::Entry(entry)) => return entry.seq.0,
            Some(Event::Started(_) | Event::Lost { .. }) => {}
            other => panic!("expected an entry, got {other:?}"),
        }
    }
}

fn send(room: RoomId, key: &str) -> MessageSendParams {
    MessageSendParams { room, key: key.to_owned(), text: "hello".to_owned(), reply_to: None }
}

fn sent(seq: u64) -> Sent {
    Sent { seq: Seq(seq), id: EntryId::generate(), at: 1 }
}

/// A client on this server, with its session started in this room.
async fn connected(server: &Server, room: RoomId, head: u64) -> (Client, Events, Peer) {
    let mut settings = Settings::new(vec![server.address()], "token-1");
    settings.refresh_token = Some("refresh-1".to_owned());
    let (client, mut events) = Client::start(settings);
    let mut peer = server.accept().await;
    let start = peer.request("session.start").await;
    assert_eq!(start.params["token"], "token-1");
    peer.reply(&start, &started(UserId::generate(), &[(room, head)])).await;
    assert!(matches!(event(&mut events).await, Some(Event::Started(_))));
    (client, events, peer)
}

/// A bare connection to this server.
async fn open(server: &Server, options: &Options) -> (Connection, Pushes, Peer) {
    let address = server.address();
    let (opened, peer) = tokio::join!(Connection::open(&address, options), server.accept());
    let (connection, pushes) = opened.expect("a connection");
    (connection, pushes, peer)
}

#[tokio::test]
async fn after_a_drain_it_resumes_where_it_was_and_drops_repeats() {
    let (server, room) = (Server::listen().await, RoomId::generate());
    let stream = StreamId::Room(room);
    let (_client, mut events, mut peer) = connected(&server, room, 5).await;
    for seq in [6, 7] {
        peer.push(&message(stream, seq)).await;
        assert_eq!(entry_seq(&mut events).await, seq);
    }
    peer.close(CloseCode::Drain).await;

    let mut peer = server.accept().await;
    let start = peer.request("session.start").await;
    assert_eq!(start.params["cursors"][stream.to_string()]["seq"], 7);
    let mut answer = started(UserId::generate(), &[(room, 9)]);
    answer.resumed = BTreeMap::from([(stream, Resume::Following { head: Seq(9) })]);
    peer.reply(&start, &answer).await;
    for seq in [7, 8, 9] {
        peer.push(&message(stream, seq)).await;
    }
    assert_eq!((entry_seq(&mut events).await, entry_seq(&mut events).await), (8, 9));
}

#[tokio::test]
async fn what_was_not_answered_is_sent_again_under_its_key() {
    let (server, room) = (Server::listen().await, RoomId::generate());
    let (client, _events, mut peer) = connected(&server, room, 0).await;
    let ask = |key: &'static str| {
        let client = client.clone();
        tokio::spawn(async move { client.ask(send(room, key)).await })
    };
    let (asking_first, asking_second) = (ask("k1"), ask("k2"));
    let (first, second) = (peer.request("message.send").await, peer.request("message.send").await);
    assert_eq!((&first.params["key"], &second.params["key"]), (&"k1".into(), &"k2".into()));
    peer.reply(&first, &sent(1)).await;
    assert_eq!(asking_first.await.expect("no panic").expect("sent").seq, Seq(1));
    // The second may have been committed; nobody knows.
    peer.cut();

    let mut peer = server.accept().await;
    let start = peer.request("session.start").await;
    peer.reply(&start, &started(UserId::generate(), &[(room, 0)])).await;
    let again = peer.request("message.send").await;
    assert_eq!(again.params, second.params);
    peer.reply(&again, &sent(2)).await;
    assert_eq!(asking_second.await.expect("no panic").expect("sent").seq, Seq(2));
}

#[tokio::test]
async fn what_must_not_be_done_twice_is_given_up() {
    let (server, room) = (Server::listen().await, RoomId::generate());
    let (client, mut events, mut peer) = connected(&server, room, 0).await;
    let asking = tokio::spawn(async move { client.ask(LeaveRoom(room)).await });
    peer.request("room.leave").await;
    peer.cut();
    let outcome = asking.await.expect("no panic");
    assert!(matches!(outcome, Err(AskError::Closed(ref closed)) if closed.code == 1006), "{outcome:?}");
    assert!(matches!(event(&mut events).await, Some(Event::Lost { .. } | Event::Stopped(Stop::Dropped))));
}

#[tokio::test]
async fn after_a_displacement_it_stops() {
    let (server, room) = (Server::listen().await, RoomId::generate());
    let (client, mut events, mut peer) = connected(&server, room, 0).await;
    let end = SessionEnd { reason: EndReason::Displaced, device: None, place: None, at: 7 };
    peer.push(&Push::SessionEnded(end.clone())).await;
    peer.close(CloseCode::Displaced).await;
    assert!(matches!(event(&mut events).await, Some(Event::Stopped(Stop::Ended(told))) if told == end));
    assert!(event(&mut events).await.is_none());
    assert!(matches!(client.ask(send(room, "k")).await, Err(AskError::Closed(_))));
}

#[tokio::test]
async fn every_code_that_says_stop_stops() {
    for code in CloseCode::ALL.iter().filter(|code| (4400..4500).contains(&code.code())) {
        let (server, room) = (Server::listen().await, RoomId::generate());
        let (_client, mut events, mut peer) = connected(&server, room, 0).await;
        peer.close(*code).await;
        let stopped = event(&mut events).await;
        assert!(matches!(&stopped, Some(Event::Stopped(Stop::Closed(closed))) if closed.code == code.code()));
        assert!(event(&mut events).await.is_none());
    }
}

#[tokio::test]
async fn a_session_that_has_ended_is_not_tried_again() {
    let server = Server::listen().await;
    let (_client, mut events) = Client::start(Settings::new(vec![server.address()], "token-1"));
    let mut peer = server.accept().await;
    let start = peer.request("session.start").await;
    let end = SessionEnd { reason: EndReason::Banned, device: None, place: None, at: 7 };
    let mut error = ErrorObject::new(Reason::SessionEnded);
    error.data.end = Some(Box::new(end.clone()));
    peer.refuse(&start, &error).await;
    assert!(matches!(event(&mut events).await, Some(Event::Stopped(Stop::Ended(told))) if told == end));
    assert!(event(&mut events).await.is_none());
}

#[tokio::test]
async fn an_expired_token_is_refreshed() {
    let (server, room) = (Server::listen().await, RoomId::generate());
    let (_client, mut events, mut peer) = connected(&server, room, 3).await;
    peer.close(CloseCode::TokenExpired).await;
    let body = server.answer_refresh("token-2", "refresh-2").await;
    assert_eq!(body["refresh_token"], "refresh-1");
    assert!(matches!(
        event(&mut events).await,
        Some(Event::Refreshed(logged_in)) if logged_in.refresh_token == "refresh-2"
    ));
    let mut peer = server.accept().await;
    let start = peer.request("session.start").await;
    assert_eq!(start.params["token"], "token-2");
    assert_eq!(start.params["cursors"][StreamId::Room(room).to_string()]["seq"], 3);
}

#[tokio::test]
async fn a_hole_is_a_reason_to_come_back() {
    let (server, room) = (Server::listen().await, RoomId::generate());
    let stream = StreamId::Room(room);
    let (_client, mut events, mut peer) = connected(&server, room, 5).await;
    peer.push(&message(stream, 6)).await;
    peer.push(&message(stream, 8)).await;
    assert_eq!(entry_seq(&mut events).await, 6);
    let mut peer = server.accept().await;
    let start = peer.request("session.start").await;
    assert_eq!(start.params["cursors"][stream.to_string()]["seq"], 6);
}

#[tokio::test]
async fn streams_that_break_off_are_told() {
    let (server, room, lost) = (Server::listen().await, RoomId::generate(), RoomId::generate());
    let (_client, mut events, mut peer) = connected(&server, room, 5).await;
    peer.close(CloseCode::SlowConsumer).await;
    let mut peer = server.accept().await;
    let start = peer.request("session.start").await;
    let mut answer = started(UserId::generate(), &[(room, 90)]);
    let reload = Resume::Reload { head: Seq(90), why: "too_far".to_owned() };
    answer.resumed = BTreeMap::from([(StreamId::Room(room), reload), (StreamId::Room(lost), Resume::Gone)]);
    peer.reply(&start, &answer).await;
    let (mut reloaded, mut gone) = (false, false);
    while !(reloaded && gone) {
        match event(&mut events).await {
            Some(Event::Reload { stream, head, why }) => {
                assert_eq!((stream, head, why.as_str()), (StreamId::Room(room), Seq(90), "too_far"));
                reloaded = true;
            }
            Some(Event::Gone(stream)) => {
                assert_eq!(stream, StreamId::Room(lost));
                gone = true;
            }
            Some(Event::Lost { .. } | Event::Started(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    // Live entries go on from the new head.
    peer.push(&message(StreamId::Room(room), 91)).await;
    assert_eq!(entry_seq(&mut events).await, 91);
}

#[tokio::test]
async fn what_is_unavailable_is_asked_again() {
    let (server, room) = (Server::listen().await, RoomId::generate());
    let (client, _events, mut peer) = connected(&server, room, 0).await;
    let asking = tokio::spawn(async move { client.ask(send(room, "k1")).await });
    for _ in 0..3 {
        let request = peer.request("message.send").await;
        let mut error = ErrorObject::new(Reason::Unavailable);
        error.data.retry_after_ms = Some(5);
        peer.refuse(&request, &error).await;
    }
    let request = peer.request("message.send").await;
    assert_eq!(request.params["key"], "k1");
    peer.reply(&request, &sent(4)).await;
    assert_eq!(asking.await.expect("no panic").expect("sent").seq, Seq(4));
}

#[tokio::test]
async fn a_refusal_is_handed_on() {
    let (server, room) = (Server::listen().await, RoomId::generate());
    let (client, _events, mut peer) = connected(&server, room, 0).await;
    let asking = tokio::spawn(async move { client.ask(send(room, "k1")).await });
    let request = peer.request("message.send").await;
    peer.refuse(&request, &ErrorObject::new(Reason::KeyConflict)).await;
    let outcome = asking.await.expect("no panic");
    assert_eq!(outcome.expect_err("refused").reason(), Some(Reason::KeyConflict));
}

#[tokio::test]
async fn it_beats_and_gives_up_on_a_server_that_falls_silent() {
    let (server, room) = (Server::listen().await, RoomId::generate());
    let (connection, _pushes, mut peer) = open(&server, &Options::default()).await;
    let (outcome, ()) = tokio::join!(connection.start("token-1", BTreeMap::new()), async {
        let start = peer.request("session.start").await;
        let mut answer = started(UserId::generate(), &[(room, 0)]);
        answer.heartbeat_ms = 200;
        peer.reply(&start, &answer).await;
    });
    outcome.expect("a session");
    peer.request("ping").await;
    // Nobody answers it.
    let closed = timeout(PATIENCE, connection.closed()).await.expect("the end in time");
    assert_eq!((closed.code, closed.reason.as_str()), (1006, "silence"));
}

#[tokio::test]
async fn a_command_without_an_answer_times_out() {
    let (server, room) = (Server::listen().await, RoomId::generate());
    let options = Options { answer_limit: Duration::from_millis(50), ..Options::default() };
    let (connection, _pushes, _peer) = open(&server, &options).await;
    assert_eq!(connection.ask(send(room, "k")).await, Err(AskError::TimedOut));
}

#[tokio::test]
async fn pushes_that_nobody_reads_are_bounded() {
    const PUSHES: u64 = 2_000;
    let (server, room) = (Server::listen().await, RoomId::generate());
    let options = Options { unasked_waiting: 4, receive_buffer_bytes: Some(4_096), ..Options::default() };
    let (connection, mut pushes, mut peer) = open(&server, &options).await;
    let pushing = tokio::spawn(async move {
        for seq in 1..=PUSHES {
            peer.push(&message(StreamId::Room(room), seq)).await;
        }
        peer
    });
    // The first are here, the rest waits in the sockets: no more than the bound was taken from there.
    let first = timeout(PATIENCE, pushes.next()).await.expect("a push in time");
    assert!(first.is_some());
    assert!(connection.pushes_received() <= 6, "{} were taken", connection.pushes_received());
    for _ in 1..PUSHES {
        assert!(timeout(PATIENCE, pushes.next()).await.expect("a push in time").is_some());
    }
    pushing.await.expect("no panic");
}
