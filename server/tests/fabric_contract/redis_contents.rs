//! What may be in Redis, or not: nothing more, too much, garbage, and what was gone.

use hubbub_server::fabric::{BusEvent, FabricError, Key, Publication, Raised, Tail, Topic};
use metrics::LocalRecorderGuard;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use uuid::Uuid;

use super::redis_server::RedisServer;
use super::{LONG, append, connected, entry, eventually, message, next, refill, tail_of, text_of};

/// What is measured on this thread from now on.
struct Measured {
    handle: PrometheusHandle,
    _guard: LocalRecorderGuard<'static>,
}

fn measured() -> Measured {
    let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
    let (handle, guard) = (recorder.handle(), metrics::set_default_local_recorder(recorder));
    Measured { handle, _guard: guard }
}

impl Measured {
    /// The sum of the series that begin so.
    fn sum(&self, series: &str) -> u64 {
        let text = self.handle.render();
        let of_this = text.lines().filter(|line| line.starts_with(series));
        of_this.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
    }
}

#[tokio::test]
async fn an_emptied_redis_is_filled_again() {
    let redis = RedisServer::start();
    let fabric = connected(&redis).await;
    let mut events = fabric.incoming();
    let (user, stream) = (Uuid::now_v7(), Uuid::now_v7());
    let session = Key::active_session(user);
    fabric.follow(&[Topic::Stream(stream)]).await.unwrap();
    for round in 1..=3 {
        refill(&fabric, stream, 3).await;
        fabric.raise(&session, round, "x", LONG).await.unwrap();
        fabric.set(&Key::profile(user), "x", LONG).await.unwrap();
        let lease = fabric.lease_tail(stream, LONG).await.unwrap().unwrap();
        assert_eq!(redis.tell("FLUSHALL"), "+OK");
        assert_eq!(fabric.tail(stream).await.unwrap(), None);
        assert_eq!(fabric.get(&Key::profile(user)).await.unwrap(), None);
        assert_eq!(fabric.ranked(&session).await.unwrap(), None);
        assert!(!fabric.refill(stream, &lease, 3, &[text_of(3)]).await.unwrap(), "the lease went too");
        assert_eq!(append(&fabric, stream, 4).await, Tail::Cold);
        assert_eq!(
            next(&mut events).await,
            message(Topic::Stream(stream), &text_of(4)),
            "nothing was missed"
        );
    }
    assert!(fabric.is_up() && fabric.is_hearing());
}

#[tokio::test]
async fn a_full_redis_stops_caching_and_nothing_else() {
    let measured = measured();
    let redis = RedisServer::start();
    let fabric = connected(&redis).await;
    let mut events = fabric.incoming();
    let [stream, quiet] = [Uuid::now_v7(), Uuid::now_v7()];
    let (key, hash) = (Key::profile(Uuid::now_v7()), Key::drafts(Uuid::now_v7()));
    fabric.follow(&[Topic::Stream(stream), Topic::Control]).await.unwrap();
    refill(&fabric, stream, 3).await;
    refill(&fabric, quiet, 3).await;
    let lease = fabric.lease_tail(quiet, LONG).await.unwrap().unwrap();
    fabric.set(&key, "old", LONG).await.unwrap();
    fabric.hash_set(&hash, "field", "old", LONG).await.unwrap();
    assert_eq!(redis.ask(&[b"CONFIG", b"SET", b"maxmemory", b"1"]), "+OK");

    fabric.set(&key, "new", LONG).await.unwrap();
    assert_eq!(fabric.get(&key).await.unwrap(), None, "the older value must not stay");
    fabric.hash_set(&hash, "field", "new", LONG).await.unwrap();
    assert!(fabric.hash_read(&hash).await.unwrap().is_empty());
    assert_eq!(append(&fabric, stream, 4).await, Tail::Full);
    assert_eq!(fabric.tail(stream).await.unwrap(), None);
    assert_eq!(next(&mut events).await, message(Topic::Stream(stream), &text_of(4)));
    assert!(!fabric.refill(quiet, &lease, 3, &[text_of(3)]).await.unwrap());
    assert_eq!(fabric.tail(quiet).await.unwrap(), None);
    assert_eq!(fabric.lease_tail(stream, LONG).await.unwrap(), None);
    assert!(matches!(fabric.raise(&key, 1, "x", LONG).await, Err(FabricError::Full(_))));
    assert!(matches!(fabric.set_if_absent(&key, "x", LONG).await, Err(FabricError::Full(_))));
    fabric.publish(Topic::Control, &"hello".into()).await.unwrap();
    assert_eq!(next(&mut events).await, message(Topic::Control, "hello"));
    assert!(fabric.is_up(), "a full Redis is not a lost one");
    assert!(measured.sum("hubbub_dep_errors_total{dep=\"redis\",op=\"set\"}") >= 1);
    assert!(measured.sum("hubbub_dep_errors_total{dep=\"redis\",op=\"hash_set\"}") >= 1);

    assert_eq!(redis.ask(&[b"CONFIG", b"SET", b"maxmemory", b"0"]), "+OK");
    fabric.set(&key, "new", LONG).await.unwrap();
    assert_eq!(fabric.get(&key).await.unwrap().as_deref(), Some("new"));
}

/// A Redis that cannot save, or has too few replicas, refuses even to delete.
#[tokio::test]
async fn a_redis_that_refuses_every_write_passes_words_on() {
    let redis = RedisServer::start();
    let fabric = connected(&redis).await;
    let mut events = fabric.incoming();
    let stream = Uuid::now_v7();
    fabric.follow(&[Topic::Stream(stream)]).await.unwrap();
    refill(&fabric, stream, 3).await;
    assert_eq!(redis.tell("CONFIG SET min-replicas-to-write 1"), "+OK");
    let recall = Publication { drop_tail: true, ..entry(stream, 4) };
    assert!(matches!(fabric.append(&[recall]).await, Err(FabricError::Full(_))));
    assert_eq!(next(&mut events).await, message(Topic::Stream(stream), &text_of(4)));
    assert!(fabric.is_up() && fabric.set(&Key::profile(stream), "x", LONG).await.is_err());
    assert_eq!(redis.tell("CONFIG SET min-replicas-to-write 0"), "+OK");
    eventually("what was recalled goes", async || fabric.tail(stream).await.unwrap().is_none()).await;
}

/// A recall that a promoted replica never heard of.
#[tokio::test]
async fn a_tail_that_comes_back_from_the_past_goes_again() {
    let redis = RedisServer::start();
    let fabric = connected(&redis).await;
    let stream = Uuid::now_v7();
    let tail = format!("hubbub:stream:{{{stream}}}:tail");
    refill(&fabric, stream, 1).await;
    let sealed = redis.ask(&[b"LINDEX", tail.as_bytes(), b"0"]);
    let recall = Publication { drop_tail: true, ..entry(stream, 2) };
    assert_eq!(fabric.append(&[recall]).await.unwrap(), [Tail::Dropped]);
    redis.ask(&[b"RPUSH", tail.as_bytes(), sealed.as_bytes()]);
    assert!(fabric.tail(stream).await.unwrap().is_some());
    redis.tell("CLIENT KILL TYPE normal");
    eventually("it is dropped again", async || fabric.tail(stream).await == Ok(None)).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_a_miss() {
    let measured = measured();
    let redis = RedisServer::start();
    let fabric = connected(&redis).await;
    let (user, stream) = (Uuid::now_v7(), Uuid::now_v7());
    let tail = format!("hubbub:stream:{{{stream}}}:tail");
    let profile = format!("hubbub:profile:{{{user}}}");
    let drafts = format!("hubbub:drafts:{{{user}}}");

    redis.ask(&[b"SET", profile.as_bytes(), b"\xff\xfe"]);
    assert_eq!(fabric.get(&Key::profile(user)).await.unwrap(), None);
    redis.ask(&[b"RPUSH", drafts.as_bytes(), b"x"]);
    assert_eq!(fabric.get(&Key::drafts(user)).await.unwrap(), None);
    assert!(fabric.hash_read(&Key::drafts(user)).await.unwrap().is_empty());
    assert!(!fabric.hash_delete(&Key::drafts(user), "f").await.unwrap());
    fabric.hash_set(&Key::drafts(user), "f", "v", LONG).await.unwrap();
    assert_eq!(fabric.hash_read(&Key::drafts(user)).await.unwrap()["f"], "v");
    let session = format!("hubbub:active:{{{user}}}");
    for broken in ["SET {} no-rank", "SET {} 99999999999999999999:x", "RPUSH {} x"] {
        redis.tell(&format!("DEL {session}"));
        redis.tell(&broken.replace("{}", &session));
        assert_eq!(fabric.ranked(&Key::active_session(user)).await.unwrap(), None, "{broken}");
    }
    assert_eq!(fabric.raise(&Key::active_session(user), 1, "x", LONG).await.unwrap(), Raised::Set(None));
    for broken in ["SET {} x", "RPUSH {} x"] {
        let (rate, fence) = (format!("hubbub:rate:send:{{{user}}}"), "hubbub:lock:{announcer}:fence");
        redis.tell(&format!("DEL {rate} {fence}"));
        redis.tell(&broken.replace("{}", &rate));
        redis.tell(&broken.replace("{}", fence));
        assert_eq!(fabric.count(&Key::rate("send", user), LONG).await, Ok(1), "{broken}");
        assert!(redis.tell(&format!("PTTL {rate}")).trim_start_matches(':').parse::<i64>().unwrap() > 0);
        let lock = fabric.lock(&Key::lock("announcer"), LONG).await.unwrap().unwrap();
        assert!(fabric.unlock(lock).await.unwrap());
    }
    assert!(measured.sum("hubbub_cache_corrupt_total") >= 9);

    for broken in [&b"\xff\xfe"[..], b"3:0000000000000000:entry 3", b"no number", b""] {
        refill(&fabric, stream, 3).await;
        redis.ask(&[b"LSET", tail.as_bytes(), b"-1", broken]);
        assert_eq!(fabric.tail(stream).await.unwrap(), None, "{broken:?}");
        assert_eq!(redis.ask(&[b"EXISTS", tail.as_bytes()]), ":0", "it is dropped");
        refill(&fabric, stream, 3).await;
        redis.ask(&[b"LSET", tail.as_bytes(), b"-1", broken]);
        append(&fabric, stream, 4).await;
        assert_eq!(fabric.tail(stream).await.unwrap(), None, "{broken:?}");
        fabric.drop_tail(stream).await.unwrap();
    }
    // A hole, though each entry is intact.
    refill(&fabric, stream, 3).await;
    let first = redis.ask(&[b"LINDEX", tail.as_bytes(), b"0"]);
    redis.ask(&[b"LREM", tail.as_bytes(), b"1", first.as_bytes()]);
    assert_eq!(fabric.tail(stream).await.unwrap(), Some(tail_of(2..=3)));
    redis.ask(&[b"LSET", tail.as_bytes(), b"0", first.as_bytes()]);
    assert_eq!(fabric.tail(stream).await.unwrap(), None);
    // Another kind of value under the name of a tail.
    redis.ask(&[b"SET", tail.as_bytes(), b"x"]);
    assert_eq!(fabric.tail(stream).await.unwrap(), None);
    assert_eq!(append(&fabric, stream, 4).await, Tail::Dropped);
    assert!(fabric.is_up());
}

#[tokio::test]
async fn a_publication_that_cannot_be_read_counts_as_lost() {
    let redis = RedisServer::start();
    let fabric = connected(&redis).await;
    let mut events = fabric.incoming();
    fabric.follow(&[Topic::Control]).await.unwrap();
    redis.ask(&[b"PUBLISH", b"hubbub:topic:control", b"not sealed"]);
    assert_eq!(next(&mut events).await, BusEvent::Resync);
}

#[tokio::test]
async fn tokens_grow_also_when_redis_forgot_them() {
    let redis = RedisServer::start();
    let fabric = connected(&redis).await;
    let key = Key::lock("announcer");
    let mut last = 0;
    for _ in 0..3 {
        let lock = fabric.lock(&key, LONG).await.unwrap().unwrap();
        assert!(lock.token > last);
        last = lock.token;
        redis.ask(&[b"FLUSHALL"]);
        redis.ask(&[b"SCRIPT", b"FLUSH"]);
    }
}

#[tokio::test]
async fn everything_has_a_time_to_live() {
    let redis = RedisServer::start();
    let fabric = connected(&redis).await;
    let (user, stream) = (Uuid::now_v7(), Uuid::now_v7());
    refill(&fabric, stream, 3).await;
    append(&fabric, stream, 4).await;
    fabric.lease_tail(stream, LONG).await.unwrap();
    fabric.set(&Key::profile(user), "x", LONG).await.unwrap();
    fabric.hash_set(&Key::drafts(user), "f", "x", LONG).await.unwrap();
    fabric.raise(&Key::active_session(user), 1, "x", LONG).await.unwrap();
    fabric.count(&Key::rate("send", user), LONG).await.unwrap();
    fabric.lock(&Key::lock("announcer"), LONG).await.unwrap();
    let info = redis.ask(&[b"INFO", b"keyspace"]);
    assert!(info.contains("keys=8,expires=8"), "{info}");
}
