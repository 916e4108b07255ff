//! What only Redis can do to us: be away, be stopped, hang.

use std::time::{Duration, Instant};

use hubbub_server::fabric::{BusEvent, Fabric, FabricError, Key, Publication, RedisSettings, Tail, Topic};
use tokio::sync::mpsc::Receiver;
use uuid::Uuid;

use super::proxy::Proxy;
use super::redis_server::{RedisServer, free_port, settings_at};
use super::{
    LONG, append, connected, connected_to, entry, eventually, in_time, message, next, refill, text_of,
};

/// Operations end within this, whatever Redis does: 300 ms, and a little for a loaded machine.
pub(crate) const BOUND: Duration = Duration::from_millis(400);
/// "At once": nothing was waited for.
pub(crate) const AT_ONCE: Duration = Duration::from_millis(50);

/// How long one operation took, and its result.
pub(crate) async fn timed<T>(operation: impl Future<Output = T>) -> (Duration, T) {
    let began = Instant::now();
    let result = in_time("the operation", operation).await;
    (began.elapsed(), result)
}

pub(crate) async fn resync(events: &mut Receiver<BusEvent>) {
    while next(events).await != BusEvent::Resync {}
}

/// A reconnection may be told more than once; then the message must be next.
pub(crate) async fn heard(events: &mut Receiver<BusEvent>, topic: Topic, text: &str) {
    let mut event = next(events).await;
    while event == BusEvent::Resync {
        event = next(events).await;
    }
    assert_eq!(event, message(topic, text));
}

/// Fails one operation of each kind at once.
async fn everything_fails_at_once(fabric: &Fabric) {
    let (key, stream) = (Key::profile(Uuid::now_v7()), Uuid::now_v7());
    let began = Instant::now();
    assert_eq!(fabric.get(&key).await, Err(FabricError::Down));
    assert_eq!(fabric.set(&key, "x", LONG).await, Err(FabricError::Down));
    assert_eq!(fabric.raise(&key, 1, "x", LONG).await, Err(FabricError::Down));
    assert_eq!(fabric.count(&key, LONG).await, Err(FabricError::Down));
    assert_eq!(fabric.lock(&key, LONG).await, Err(FabricError::Down));
    assert_eq!(fabric.append(&[entry(stream, 1)]).await, Err(FabricError::Down));
    assert_eq!(fabric.tail(stream).await, Err(FabricError::Down));
    assert_eq!(fabric.publish(Topic::Control, &"x".into()).await, Err(FabricError::Down));
    assert_eq!(fabric.ping().await, Err(FabricError::Down));
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_wrong_address_is_an_error() {
    for url in ["", "localhost:6379", "http://localhost"] {
        assert!(matches!(Fabric::redis(&RedisSettings::new(url)).await, Err(FabricError::Url(_))), "{url}");
    }
}

#[tokio::test]
async fn a_node_starts_without_redis_and_finds_it_later() {
    let port = free_port();
    let (took, fabric) = timed(Fabric::redis(&settings_at(port))).await;
    let fabric = fabric.unwrap();
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(!fabric.is_up() && !fabric.is_hearing());
    everything_fails_at_once(&fabric).await;
    let mut events = fabric.incoming();
    let (took, followed) = timed(fabric.follow(&[Topic::Control])).await;
    assert!(followed.is_err() && took < AT_ONCE, "{took:?}");

    let _redis = RedisServer::start_at(port).expect("the port is still free");
    resync(&mut events).await;
    eventually("the fabric is up", async || fabric.is_up() && fabric.is_hearing()).await;
    fabric.publish(Topic::Control, &"hello".into()).await.unwrap();
    heard(&mut events, Topic::Control, "hello").await;
}

#[tokio::test]
async fn a_wrong_password_leaves_the_fabric_degraded() {
    let redis = RedisServer::start();
    let settings = RedisSettings {
        connect_timeout: Duration::from_millis(500),
        ..RedisSettings::new(format!("redis://:wrong@127.0.0.1:{}", redis.port))
    };
    let (took, fabric) = timed(Fabric::redis(&settings)).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    let fabric = fabric.unwrap();
    assert!(!fabric.is_up());
    everything_fails_at_once(&fabric).await;
}

#[tokio::test]
async fn a_restart_is_survived_again_and_again() {
    let mut redis = RedisServer::start();
    let (here, there) = (connected(&redis).await, connected(&redis).await);
    let stream = Uuid::now_v7();
    let topics = [Topic::Control, Topic::Stream(stream)];
    let mut events = here.incoming();
    here.follow(&topics).await.unwrap();
    for round in 1..=4 {
        redis.kill();
        eventually("the loss is noticed", async || !here.is_up() && !here.is_hearing()).await;
        everything_fails_at_once(&here).await;
        redis.restart();
        let back = Instant::now();
        resync(&mut events).await;
        assert!(back.elapsed() < Duration::from_secs(5), "heard again only after {:?}", back.elapsed());
        eventually("both are up", async || here.is_up() && there.is_up()).await;
        let text = format!("round {round}");
        there.publish(Topic::Control, &text.clone().into()).await.unwrap();
        heard(&mut events, Topic::Control, &text).await;
        // The scripts are gone too, and sent again.
        assert_eq!(append(&there, stream, round).await, Tail::Cold);
        heard(&mut events, Topic::Stream(stream), &text_of(round)).await;
    }
}

#[tokio::test]
async fn a_redis_that_hangs_is_waited_for_briefly_and_then_not_at_all() {
    let redis = RedisServer::start();
    let fabric = connected(&redis).await;
    let mut events = fabric.incoming();
    fabric.follow(&[Topic::Control]).await.unwrap();
    let (key, stream) = (Key::profile(Uuid::now_v7()), Uuid::now_v7());
    redis.signal("STOP");
    let hung = Instant::now();
    let mut waits = 0;
    while fabric.is_up() {
        let (took, result) = timed(fabric.get(&key)).await;
        assert!(result.is_err() && took < BOUND, "{took:?} {result:?}");
        let (took, result) = timed(fabric.append(&[entry(stream, 1)])).await;
        assert!(result.is_err() && took < BOUND, "{took:?} {result:?}");
        let (took, _) = timed(fabric.follow(&[Topic::Stream(Uuid::now_v7())])).await;
        assert!(took < BOUND, "{took:?}");
        waits += 1;
    }
    assert!(waits <= 5 && hung.elapsed() < Duration::from_secs(5), "{waits} rounds in {:?}", hung.elapsed());
    everything_fails_at_once(&fabric).await;
    eventually("deafness is noticed", async || !fabric.is_hearing()).await;

    redis.signal("CONT");
    eventually("it is up again", async || fabric.is_up() && fabric.is_hearing()).await;
    resync(&mut events).await;
    fabric.publish(Topic::Control, &"hello".into()).await.unwrap();
    heard(&mut events, Topic::Control, "hello").await;
}

#[tokio::test]
async fn a_way_to_redis_that_swallows_everything_is_waited_for_briefly_and_then_not_at_all() {
    let redis = RedisServer::start();
    let proxy = Proxy::before(redis.port).await;
    let fabric = connected_to(settings_at(proxy.port)).await;
    let mut events = fabric.incoming();
    fabric.follow(&[Topic::Control]).await.unwrap();
    proxy.swallow(true);
    let (cut, key) = (Instant::now(), Key::profile(Uuid::now_v7()));
    while fabric.is_up() {
        let (took, result) = timed(fabric.get(&key)).await;
        assert!(result.is_err() && took < BOUND, "{took:?} {result:?}");
    }
    assert!(cut.elapsed() < Duration::from_secs(5), "{:?}", cut.elapsed());
    everything_fails_at_once(&fabric).await;
    eventually("deafness is noticed", async || !fabric.is_hearing()).await;
    // Long enough for connections to be given up, and for new ones to be swallowed too.
    while cut.elapsed() < Duration::from_secs(5) {
        let (took, result) = timed(fabric.get(&key)).await;
        assert!(result.is_err() && took < AT_ONCE, "{took:?} {result:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    proxy.swallow(false);
    let healed = Instant::now();
    resync(&mut events).await;
    eventually("it is up again", async || fabric.is_up() && fabric.is_hearing()).await;
    println!("a black hole of 5 s: works again {:?} after it", healed.elapsed());
    assert!(healed.elapsed() < Duration::from_secs(8), "{:?}", healed.elapsed());
    fabric.publish(Topic::Control, &"hello".into()).await.unwrap();
    heard(&mut events, Topic::Control, "hello").await;
}

#[tokio::test]
async fn a_redis_that_sleeps_is_waited_for_briefly_and_found_again() {
    let redis = RedisServer::start_with(|_| ["--enable-debug-command", "yes"].map(str::to_owned).to_vec());
    let fabric = connected(&redis).await;
    let asleep = std::thread::spawn(move || {
        redis.tell("DEBUG SLEEP 2");
        redis
    });
    let key = Key::profile(Uuid::now_v7());
    let mut failed = 0;
    while failed < 3 {
        let (took, result) = timed(fabric.set(&key, "x", LONG)).await;
        assert!(took < BOUND, "{took:?} {result:?}");
        failed += u32::from(result.is_err());
    }
    let _redis = asleep.join().unwrap();
    eventually("it is up", async || fabric.is_up() && fabric.ping().await.is_ok()).await;
    assert!(fabric.get(&key).await.is_ok());
}

/// What the answer was to does not happen a second time when the connection broke before it came.
#[tokio::test]
async fn nothing_is_sent_twice() {
    let redis = RedisServer::start();
    let proxy = Proxy::before(redis.port).await;
    let fabric = connected_to(settings_at(proxy.port)).await;
    let user = Uuid::now_v7();
    let (key, name) = (Key::rate("send", user), format!("hubbub:rate:send:{{{user}}}"));
    assert_eq!(fabric.count(&key, LONG).await, Ok(1));
    for _ in 0..3 {
        proxy.cut_before_answers();
        assert!(fabric.count(&key, LONG).await.is_err());
        // Nobody can come to Redis now who would do it again.
        let counted: u64 = redis.tell(&format!("GET {name}")).parse().unwrap();
        proxy.pass_answers();
        eventually("it is up again", async || fabric.is_up()).await;
        assert_eq!(fabric.count(&key, LONG).await, Ok(counted + 1));
    }
}

#[tokio::test]
async fn many_callers_at_a_hanging_redis_all_end_in_time() {
    let redis = RedisServer::start();
    let fabric = connected(&redis).await;
    redis.signal("STOP");
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let fabric = fabric.clone();
        calls.spawn(async move { timed(fabric.append(&[entry(Uuid::now_v7(), 1)])).await });
    }
    for (took, result) in calls.join_all().await {
        assert!(result.is_err());
        assert!(took < Duration::from_secs(1), "{took:?}"); // all of them on one thread of a loaded machine
    }
    assert!(!fabric.is_up());
    redis.signal("CONT");
    eventually("it is up again", async || fabric.is_up()).await;
    fabric.ping().await.unwrap();
}

#[tokio::test]
async fn a_lost_listener_comes_back_and_says_so() {
    let redis = RedisServer::start();
    let fabric = connected(&redis).await;
    let mut events = fabric.incoming();
    fabric.follow(&[Topic::Control]).await.unwrap();
    for _ in 0..5 {
        redis.ask(&[b"CLIENT", b"KILL", b"TYPE", b"pubsub"]);
        resync(&mut events).await;
        fabric.publish(Topic::Control, &"hello".into()).await.unwrap();
        heard(&mut events, Topic::Control, "hello").await;
    }
}

#[tokio::test]
async fn a_listener_that_went_deaf_is_noticed_and_replaced() {
    let redis = RedisServer::start();
    let proxy = Proxy::before(redis.port).await;
    let fabric = Fabric::redis(&settings_at(proxy.port)).await.unwrap();
    let mut events = fabric.incoming();
    fabric.follow(&[Topic::Control]).await.unwrap();
    eventually("it hears", async || fabric.is_hearing()).await;
    proxy.silence_listeners();
    let deaf = Instant::now();
    fabric.publish(Topic::Control, &"unheard".into()).await.unwrap();
    eventually("deafness is noticed", async || !fabric.is_hearing()).await;
    assert!(deaf.elapsed() < Duration::from_secs(5), "{:?}", deaf.elapsed());
    assert!(fabric.is_up(), "commands are answered");
    resync(&mut events).await;
    assert!(deaf.elapsed() < Duration::from_secs(8), "{:?}", deaf.elapsed());
    fabric.publish(Topic::Control, &"hello".into()).await.unwrap();
    heard(&mut events, Topic::Control, "hello").await;
    eventually("it hears again", async || fabric.is_hearing()).await;
}

#[tokio::test]
async fn a_tail_that_missed_an_append_is_dropped_when_redis_is_back() {
    let redis = RedisServer::start();
    let (here, there) = (connected(&redis).await, connected(&redis).await);
    let stream = Uuid::now_v7();
    refill(&here, stream, 3).await;
    redis.signal("STOP");
    while here.is_up() {
        let _fails = here.ping().await;
    }
    let recall = Publication { drop_tail: true, ..entry(stream, 4) };
    assert_eq!(here.append(&[recall]).await, Err(FabricError::Down));
    redis.signal("CONT");
    eventually("both are up", async || here.is_up() && there.is_up()).await;
    assert_eq!(there.tail(stream).await.unwrap(), None);
}

#[tokio::test]
async fn connections_end_with_the_fabric() {
    let redis = RedisServer::start();
    let connections = || {
        let info = redis.ask(&[b"INFO", b"clients"]);
        let line = info.lines().find_map(|line| line.strip_prefix("connected_clients:")).unwrap();
        line.parse::<u32>().unwrap() - 1 // the one that asks
    };
    let fabric = connected(&redis).await;
    assert_eq!(connections(), 2);
    fabric.close().await;
    assert!(!fabric.is_up() && !fabric.is_hearing());
    everything_fails_at_once(&fabric).await;
    eventually("closing ends them", async || connections() == 0).await;

    drop(connected(&redis).await);
    eventually("dropping ends them", async || connections() == 0).await;
}
