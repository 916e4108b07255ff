//! The contract of the fabric, held by both implementations: every test here runs on Redis and in process.

#![expect(clippy::unwrap_used, reason = "a test says what it shows by its name")]

#[path = "fabric_contract/failover.rs"]
mod failover;
#[path = "fabric_contract/interleavings.rs"]
mod interleavings;
#[path = "fabric_contract/many.rs"]
mod many;
#[path = "fabric_contract/proxy.rs"]
mod proxy;
#[path = "fabric_contract/redis_contents.rs"]
mod redis_contents;
#[path = "fabric_contract/redis_faults.rs"]
mod redis_faults;
#[path = "fabric_contract/redis_server.rs"]
mod redis_server;
#[path = "fabric_contract/topologies.rs"]
mod topologies;
#[path = "fabric_contract/topology.rs"]
mod topology;

use std::future::Future;
use std::time::{Duration, Instant};

use hubbub_server::fabric::{
    BusEvent, CachedTail, Fabric, Key, LocalSettings, Payload, Publication, Raised, Ranked, RedisSettings,
    Tail, Topic,
};
use proptest::test_runner::{Config, TestRunner};
use redis_server::RedisServer;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use uuid::Uuid;

/// Longer than any test.
const LONG: Duration = Duration::from_mins(5);
/// Long enough to look before it is over, short enough to wait for.
const SHORT: Duration = Duration::from_millis(400);
/// Entries kept of a tail in these tests.
const KEPT: usize = 100;
/// Events the inbox takes in these tests.
const INBOX: usize = 256;

/// Makes of each `async fn(Fabric)` one test in process and one with Redis, and of all together one that runs on
/// whatever else Redis can be.
macro_rules! contract {
    ($($name:ident)*) => {
        mod in_process {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::local()).await;
            })*
        }
        mod with_redis {
            $(#[tokio::test]
            async fn $name() {
                let redis = super::RedisServer::start();
                super::$name(super::connected(&redis).await).await;
            })*
        }
        pub(crate) async fn the_whole_contract(settings: &hubbub_server::fabric::RedisSettings) {
            use futures_util::{StreamExt as _, future::LocalBoxFuture, stream};
            let tests: Vec<LocalBoxFuture<'_, ()>> = vec![$(Box::pin(async {
                let prefix = format!("{}{}:", settings.prefix, stringify!($name));
                let settings = hubbub_server::fabric::RedisSettings { prefix, ..settings.clone() };
                let fabric = crate::connected_to(settings).await;
                $name(fabric.clone()).await;
                fabric.close().await;
                println!("{} holds", stringify!($name));
            })),*];
            stream::iter(tests).buffer_unordered(3).collect::<()>().await;
        }
    };
}
use contract;

contract! {
    a_value_is_stored_read_and_removed
    a_value_is_stored_only_where_there_is_none
    a_late_release_keeps_the_newer_value
    only_the_expected_value_gets_a_new_time_to_live
    everything_expires_and_touching_delays_it
    a_rank_never_goes_down
    the_highest_of_many_racing_ranks_stays
    a_hash_keeps_its_fields_apart
    a_count_begins_anew_with_each_window
    a_lock_has_one_holder_and_growing_tokens
    waiting_for_a_lock_ends
    a_tail_is_extended_only_by_what_continues_it
    a_tail_is_refilled_only_under_a_valid_lease
    a_tail_keeps_the_newest_entries
    a_stream_without_entries_has_a_tail
    what_is_followed_is_heard_and_nothing_else
    an_append_is_published_whatever_becomes_of_the_tail
    a_burst_is_delivered_whole_or_ends_in_a_resync
    a_reader_that_fell_behind_is_told
}

fn local() -> Fabric {
    Fabric::local_with(LocalSettings { tail_kept: KEPT, inbox: INBOX, ..LocalSettings::default() })
}

async fn connected(redis: &RedisServer) -> Fabric {
    connected_to(redis.settings()).await
}

async fn connected_to(settings: RedisSettings) -> Fabric {
    let settings = RedisSettings { tail_kept: KEPT, inbox: INBOX, ..settings };
    let fabric = Fabric::redis(&settings).await.unwrap();
    eventually("the fabric is up", async || fabric.is_up() && fabric.is_hearing()).await;
    fabric
}

/// Waits until it is so, and fails when it is not in 20 seconds.
async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.unwrap_or_else(|_| panic!("not in time: {what}"))
}

async fn next(events: &mut Receiver<BusEvent>) -> BusEvent {
    in_time("an event", events.recv()).await.expect("the bus is open")
}

fn message(topic: Topic, text: &str) -> BusEvent {
    BusEvent::Message { topic, payload: text.to_owned().into() }
}

fn entry(stream: Uuid, seq: u64) -> Publication {
    Publication { stream, seq, payload: text_of(seq), drop_tail: false }
}

fn text_of(seq: u64) -> Payload {
    format!("entry {seq}").into()
}

async fn append(fabric: &Fabric, stream: Uuid, seq: u64) -> Tail {
    fabric.append(&[entry(stream, seq)]).await.unwrap()[0]
}

async fn refill(fabric: &Fabric, stream: Uuid, head: u64) {
    let lease = fabric.lease_tail(stream, LONG).await.unwrap().unwrap();
    let payloads: Vec<Payload> = (1..=head).map(text_of).collect();
    assert!(fabric.refill(stream, &lease, head, &payloads).await.unwrap());
}

fn tail_of(seqs: std::ops::RangeInclusive<u64>) -> CachedTail {
    CachedTail { head: *seqs.end(), payloads: seqs.map(text_of).collect() }
}

async fn a_value_is_stored_read_and_removed(fabric: Fabric) {
    let (key, other) = (Key::profile(Uuid::now_v7()), Key::profile(Uuid::now_v7()));
    assert_eq!(fabric.get(&key).await.unwrap(), None);
    for value in ["first", "", "名前 :{}\r\n\0 7"] {
        fabric.set(&key, value, LONG).await.unwrap();
        assert_eq!(fabric.get(&key).await.unwrap().as_deref(), Some(value));
    }
    assert_eq!(fabric.get(&other).await.unwrap(), None);
    assert!(fabric.delete(&key).await.unwrap());
    assert!(!fabric.delete(&key).await.unwrap());
    assert_eq!(fabric.get(&key).await.unwrap(), None);
    fabric.ping().await.unwrap();
}

async fn a_value_is_stored_only_where_there_is_none(fabric: Fabric) {
    let key = Key::session(Uuid::now_v7());
    assert!(fabric.set_if_absent(&key, "first", SHORT).await.unwrap());
    assert!(!fabric.set_if_absent(&key, "second", LONG).await.unwrap());
    assert_eq!(fabric.get(&key).await.unwrap().as_deref(), Some("first"));
    eventually("it is absent again", async || fabric.set_if_absent(&key, "third", LONG).await.unwrap()).await;
    assert_eq!(fabric.get(&key).await.unwrap().as_deref(), Some("third"));
}

async fn a_late_release_keeps_the_newer_value(fabric: Fabric) {
    let key = Key::active_session(Uuid::now_v7());
    fabric.set(&key, "old session", LONG).await.unwrap();
    fabric.set(&key, "new session", LONG).await.unwrap();
    assert!(!fabric.compare_and_delete(&key, "old session").await.unwrap());
    assert_eq!(fabric.get(&key).await.unwrap().as_deref(), Some("new session"));
    assert!(fabric.compare_and_delete(&key, "new session").await.unwrap());
    assert!(!fabric.compare_and_delete(&key, "new session").await.unwrap());

    fabric.raise(&key, 4, "session", LONG).await.unwrap();
    assert!(!fabric.compare_and_delete_ranked(&key, 3, "session").await.unwrap());
    assert!(!fabric.compare_and_delete_ranked(&key, 4, "other").await.unwrap());
    assert!(fabric.compare_and_delete_ranked(&key, 4, "session").await.unwrap());
}

async fn only_the_expected_value_gets_a_new_time_to_live(fabric: Fabric) {
    let key = Key::active_session(Uuid::now_v7());
    assert!(!fabric.compare_and_touch(&key, "mine", LONG).await.unwrap());
    fabric.raise(&key, 1, "mine", SHORT).await.unwrap();
    assert!(!fabric.compare_and_touch_ranked(&key, 1, "other", LONG).await.unwrap());
    assert!(fabric.compare_and_touch_ranked(&key, 1, "mine", LONG).await.unwrap());
    tokio::time::sleep(SHORT * 2).await;
    assert!(fabric.ranked(&key).await.unwrap().is_some());
}

async fn everything_expires_and_touching_delays_it(fabric: Fabric) {
    let user = Uuid::now_v7();
    let (value, hash, touched) = (Key::profile(user), Key::drafts(user), Key::room(user));
    let (stream, other) = (Uuid::now_v7(), Uuid::now_v7());
    fabric.set(&value, "x", SHORT).await.unwrap();
    fabric.hash_set(&hash, "field", "x", SHORT).await.unwrap();
    fabric.set(&touched, "x", SHORT).await.unwrap();
    assert!(fabric.lease_tail(stream, SHORT).await.unwrap().is_some());
    assert!(fabric.touch(&touched, LONG).await.unwrap());
    assert!(!fabric.touch(&Key::profile(other), LONG).await.unwrap());
    assert!(
        fabric.get(&value).await.unwrap().is_some() && !fabric.hash_read(&hash).await.unwrap().is_empty()
    );
    eventually("the value expires", async || fabric.get(&value).await.unwrap().is_none()).await;
    eventually("the hash expires", async || fabric.hash_read(&hash).await.unwrap().is_empty()).await;
    eventually("the lease expires", async || fabric.lease_tail(stream, LONG).await.unwrap().is_some()).await;
    assert!(!fabric.touch(&value, LONG).await.unwrap());
    assert_eq!(fabric.get(&touched).await.unwrap().as_deref(), Some("x"));
}

async fn a_rank_never_goes_down(fabric: Fabric) {
    let key = Key::active_session(Uuid::now_v7());
    let ranked = |rank, value: &str| Ranked { rank, value: value.into() };
    let raise = async |rank, value| fabric.raise(&key, rank, value, LONG).await.unwrap();
    assert_eq!(fabric.ranked(&key).await.unwrap(), None);
    assert_eq!(raise(-2, "a:b").await, Raised::Set(None));
    assert_eq!(raise(10, "ten").await, Raised::Set(Some(ranked(-2, "a:b"))));
    assert_eq!(raise(9, "nine").await, Raised::Kept(ranked(10, "ten")));
    assert_eq!(raise(10, "other").await, Raised::Kept(ranked(10, "ten")));
    assert_eq!(fabric.ranked(&key).await.unwrap(), Some(ranked(10, "ten")));
    let high = 1 << 53;
    assert_eq!(raise(high, "high").await, Raised::Set(Some(ranked(10, "ten"))));
    assert_eq!(raise(high - 1, "lower").await, Raised::Kept(ranked(high, "high")));
    // What is not ranked is as good as absent.
    fabric.set(&key, "no rank", LONG).await.unwrap();
    assert_eq!(raise(1, "one").await, Raised::Set(None));
}

async fn the_highest_of_many_racing_ranks_stays(fabric: Fabric) {
    let key = Key::active_session(Uuid::now_v7());
    let mut tasks = tokio::task::JoinSet::new();
    for rank in [3, 14, 1, 59, 2, 65, 35, 8, 97, 93, 23, 84] {
        let (fabric, key) = (fabric.clone(), key.clone());
        tasks.spawn(async move { fabric.raise(&key, rank, &format!("session {rank}"), LONG).await.unwrap() });
    }
    tasks.join_all().await;
    let winner = Ranked { rank: 97, value: "session 97".into() };
    assert_eq!(fabric.ranked(&key).await.unwrap(), Some(winner));
}

async fn a_hash_keeps_its_fields_apart(fabric: Fabric) {
    let key = Key::drafts(Uuid::now_v7());
    assert!(fabric.hash_read(&key).await.unwrap().is_empty());
    for (field, value) in [("a", "1"), ("b", "2"), ("a", "3")] {
        fabric.hash_set(&key, field, value, LONG).await.unwrap();
    }
    let fields = fabric.hash_read(&key).await.unwrap();
    assert_eq!((fields.len(), fields["a"].as_str(), fields["b"].as_str()), (2, "3", "2"));
    assert!(fabric.hash_delete(&key, "a").await.unwrap());
    assert!(!fabric.hash_delete(&key, "a").await.unwrap());
    assert_eq!(fabric.hash_read(&key).await.unwrap().len(), 1);
    // The time to live is of the hash, not of the field.
    fabric.hash_set(&key, "c", "4", SHORT).await.unwrap();
    eventually("the hash expires", async || fabric.hash_read(&key).await.unwrap().is_empty()).await;
    // A hash is no value, and reading it as one is a miss.
    fabric.hash_set(&key, "d", "5", LONG).await.unwrap();
    assert_eq!(fabric.get(&key).await.unwrap(), None);
    assert!(!fabric.compare_and_delete(&key, "5").await.unwrap());
    fabric.set(&key, "value", LONG).await.unwrap();
    assert!(fabric.hash_read(&key).await.unwrap().is_empty());
}

async fn a_count_begins_anew_with_each_window(fabric: Fabric) {
    let key = Key::rate("send", Uuid::now_v7());
    for expected in 1..=3 {
        assert_eq!(fabric.count(&key, SHORT).await.unwrap(), expected);
    }
    let began = Instant::now();
    eventually("a new window", async || fabric.count(&key, SHORT).await.unwrap() == 1).await;
    assert!(began.elapsed() < SHORT * 4, "counting must not prolong the window");
}

async fn a_lock_has_one_holder_and_growing_tokens(fabric: Fabric) {
    let key = Key::lock("announcer");
    let first = fabric.lock(&key, SHORT).await.unwrap().unwrap();
    assert_eq!(fabric.lock(&key, LONG).await.unwrap(), None);
    assert!(fabric.renew(&first, SHORT).await.unwrap());
    let second = in_time("the lock expires", fabric.lock_within(&key, LONG, LONG)).await.unwrap().unwrap();
    assert!(second.token > first.token);
    // The first holder comes too late.
    assert!(!fabric.renew(&first, LONG).await.unwrap());
    assert!(!fabric.unlock(first).await.unwrap());
    assert_eq!(fabric.lock(&key, LONG).await.unwrap(), None);
    let token = second.token;
    assert!(fabric.unlock(second).await.unwrap());
    let third = fabric.lock(&key, LONG).await.unwrap().unwrap();
    assert!(third.token > token);
    assert!(fabric.lock(&Key::lock_of("announcer", Uuid::now_v7()), LONG).await.unwrap().is_some());
}

async fn waiting_for_a_lock_ends(fabric: Fabric) {
    let key = Key::lock("sweeper");
    let held = fabric.lock(&key, LONG).await.unwrap().unwrap();
    let began = Instant::now();
    assert_eq!(fabric.lock_within(&key, LONG, Duration::from_millis(100)).await.unwrap(), None);
    assert!(began.elapsed() >= Duration::from_millis(100) && began.elapsed() < Duration::from_secs(5));
    let waiter = {
        let (fabric, key) = (fabric.clone(), key.clone());
        tokio::spawn(async move { fabric.lock_within(&key, LONG, LONG).await })
    };
    assert!(fabric.unlock(held).await.unwrap());
    assert!(in_time("the waiter gets it", waiter).await.unwrap().unwrap().is_some());
}

async fn a_tail_is_extended_only_by_what_continues_it(fabric: Fabric) {
    let stream = Uuid::now_v7();
    assert_eq!(fabric.tail(stream).await.unwrap(), None);
    assert_eq!(append(&fabric, stream, 1).await, Tail::Cold);
    assert_eq!(fabric.tail(stream).await.unwrap(), None);
    refill(&fabric, stream, 2).await;
    assert_eq!(append(&fabric, stream, 3).await, Tail::Extended);
    assert_eq!(append(&fabric, stream, 2).await, Tail::Stale);
    assert_eq!(fabric.tail(stream).await.unwrap(), Some(tail_of(1..=3)));
    // 5 overtakes 4: the tail goes, and 4 does not bring back a part of it.
    assert_eq!(append(&fabric, stream, 5).await, Tail::Dropped);
    assert_eq!(append(&fabric, stream, 4).await, Tail::Cold);
    assert_eq!(fabric.tail(stream).await.unwrap(), None);
    refill(&fabric, stream, 5).await;
    // A batch is done in its order, each stream by itself.
    let other = Uuid::now_v7();
    let batch = [entry(stream, 6), entry(other, 1), entry(stream, 7), entry(stream, 9)];
    let expected = [Tail::Extended, Tail::Cold, Tail::Extended, Tail::Dropped];
    assert_eq!(fabric.append(&batch).await.unwrap(), expected);
    assert_eq!(fabric.append(&[]).await.unwrap(), []);
    refill(&fabric, stream, 9).await;
    let recall = Publication { drop_tail: true, ..entry(stream, 10) };
    assert_eq!(fabric.append(&[recall]).await.unwrap(), [Tail::Dropped]);
    assert_eq!(fabric.tail(stream).await.unwrap(), None);
}

async fn a_tail_is_refilled_only_under_a_valid_lease(fabric: Fabric) {
    let stream = Uuid::now_v7();
    let lease = fabric.lease_tail(stream, LONG).await.unwrap().unwrap();
    assert_eq!(fabric.lease_tail(stream, LONG).await.unwrap(), None);
    append(&fabric, stream, 2).await;
    assert!(!fabric.refill(stream, &lease, 1, &[text_of(1)]).await.unwrap(), "an append voids it");
    assert_eq!(fabric.tail(stream).await.unwrap(), None);

    let late = fabric.lease_tail(stream, Duration::from_millis(20)).await.unwrap().unwrap();
    let mut second = None;
    eventually("the lease expires", async || {
        second = fabric.lease_tail(stream, LONG).await.unwrap();
        second.is_some()
    })
    .await;
    assert!(!fabric.refill(stream, &late, 1, &[text_of(1)]).await.unwrap(), "it is somebody else's");
    let second = second.unwrap();
    assert!(fabric.refill(stream, &second, 2, &[text_of(1), text_of(2)]).await.unwrap());
    assert!(!fabric.refill(stream, &second, 1, &[text_of(1)]).await.unwrap(), "it is used up");
    assert_eq!(fabric.tail(stream).await.unwrap(), Some(tail_of(1..=2)));
    // A refill replaces what is there.
    refill(&fabric, stream, 4).await;
    assert_eq!(fabric.tail(stream).await.unwrap(), Some(tail_of(1..=4)));
    let dropped = fabric.lease_tail(stream, LONG).await.unwrap().unwrap();
    fabric.drop_tail(stream).await.unwrap();
    assert!(!fabric.refill(stream, &dropped, 1, &[text_of(1)]).await.unwrap(), "dropping voids it");
    assert_eq!(fabric.tail(stream).await.unwrap(), None);
    refill(&fabric, stream, 4).await;
    fabric.drop_tail_soon(stream);
    eventually("the tail goes", async || fabric.tail(stream).await.unwrap().is_none()).await;
}

async fn a_tail_keeps_the_newest_entries(fabric: Fabric) {
    let (stream, kept) = (Uuid::now_v7(), KEPT as u64);
    refill(&fabric, stream, kept + 20).await;
    assert_eq!(fabric.tail(stream).await.unwrap(), Some(tail_of(21..=kept + 20)));
    assert_eq!(append(&fabric, stream, kept + 21).await, Tail::Extended);
    assert_eq!(fabric.tail(stream).await.unwrap(), Some(tail_of(22..=kept + 21)));
    assert_eq!(fabric.tail_newest(stream, 3).await.unwrap(), Some(tail_of(kept + 19..=kept + 21)));
    assert_eq!(fabric.tail_newest(stream, usize::MAX).await.unwrap(), Some(tail_of(22..=kept + 21)));
    assert_eq!(fabric.tail_newest(stream, 3).await.unwrap().unwrap().first_seq(), kept + 19);
}

async fn a_stream_without_entries_has_a_tail(fabric: Fabric) {
    let (stream, only_head) = (Uuid::now_v7(), Uuid::now_v7());
    refill(&fabric, stream, 0).await;
    let tail = fabric.tail(stream).await.unwrap().unwrap();
    assert_eq!((tail.head, tail.first_seq(), tail.payloads.len()), (0, 1, 0));
    assert_eq!(append(&fabric, stream, 1).await, Tail::Extended);
    assert_eq!(fabric.tail(stream).await.unwrap(), Some(tail_of(1..=1)));
    // A head can be known without the entries before it.
    let lease = fabric.lease_tail(only_head, LONG).await.unwrap().unwrap();
    assert!(fabric.refill(only_head, &lease, 7, &[]).await.unwrap());
    assert_eq!(append(&fabric, only_head, 8).await, Tail::Extended);
    assert_eq!(fabric.tail(only_head).await.unwrap(), Some(tail_of(8..=8)));
}

async fn what_is_followed_is_heard_and_nothing_else(fabric: Fabric) {
    let [one, two] = [Topic::Stream(Uuid::now_v7()), Topic::Stream(Uuid::now_v7())];
    let mut events = fabric.incoming();
    fabric.follow(&[one, Topic::Control, one]).await.unwrap();
    fabric.follow(&[one]).await.unwrap();
    fabric.publish(two, &"not followed".into()).await.unwrap();
    fabric.publish(one, &"in order".into()).await.unwrap();
    fabric.publish(one, &"".into()).await.unwrap();
    assert_eq!(next(&mut events).await, message(one, "in order"));
    assert_eq!(next(&mut events).await, message(one, ""));
    fabric.publish(Topic::Control, &"名 1:2:\0".into()).await.unwrap();
    assert_eq!(next(&mut events).await, message(Topic::Control, "名 1:2:\0"));

    fabric.unfollow(&[one, two]);
    fabric.follow(&[two]).await.unwrap(); // whose answer also says that `one` is followed no more
    fabric.publish(one, &"no more".into()).await.unwrap();
    fabric.publish(two, &"now".into()).await.unwrap();
    assert_eq!(next(&mut events).await, message(two, "now"));
    // Following again after leaving, many at once.
    let many: Vec<Topic> = (0..1200).map(|_| Topic::Stream(Uuid::now_v7())).chain([one]).collect();
    fabric.follow(&many).await.unwrap();
    for topic in [many[600], one] {
        fabric.publish(topic, &"again".into()).await.unwrap();
        assert_eq!(next(&mut events).await, message(topic, "again"));
    }
}

async fn an_append_is_published_whatever_becomes_of_the_tail(fabric: Fabric) {
    let stream = Uuid::now_v7();
    let mut events = fabric.incoming();
    fabric.follow(&[Topic::Stream(stream)]).await.unwrap();
    append(&fabric, stream, 1).await;
    refill(&fabric, stream, 1).await;
    fabric.append(&[entry(stream, 2), entry(stream, 2), entry(stream, 4)]).await.unwrap();
    fabric.append(&[Publication { drop_tail: true, ..entry(stream, 5) }]).await.unwrap();
    for seq in [1, 2, 2, 4, 5] {
        assert_eq!(next(&mut events).await, message(Topic::Stream(stream), &text_of(seq)));
    }
}

async fn a_burst_is_delivered_whole_or_ends_in_a_resync(fabric: Fabric) {
    const BURST: u64 = 5000;
    let stream = Uuid::now_v7();
    let mut events = fabric.incoming();
    fabric.follow(&[Topic::Stream(stream)]).await.unwrap();
    let publisher = {
        let fabric = fabric.clone();
        tokio::spawn(async move {
            for first in (1..=BURST).step_by(250) {
                let batch: Vec<Publication> = (first..first + 250).map(|seq| entry(stream, seq)).collect();
                fabric.append(&batch).await.unwrap();
            }
        })
    };
    let last = message(Topic::Stream(stream), &text_of(BURST));
    let (mut expected, mut holes) = (1, 0);
    loop {
        match next(&mut events).await {
            BusEvent::Resync => {
                holes = 0;
                expected = 0; // anything may come next
            }
            BusEvent::Message { payload, .. } => {
                let seq: u64 = payload.strip_prefix("entry ").unwrap().parse().unwrap();
                holes += u64::from(expected != 0 && seq != expected);
                expected = seq + 1;
                if payload == text_of(BURST) {
                    break;
                }
            }
        }
        if expected == 0 && publisher.is_finished() && events.is_empty() {
            break; // the last one was lost, and we were told
        }
    }
    assert_eq!(holes, 0, "a hole that no Resync followed");
    publisher.await.unwrap();
    // Afterwards everything is as before.
    fabric.append(&[entry(stream, BURST)]).await.unwrap();
    while next(&mut events).await != last {}
}

async fn a_reader_that_fell_behind_is_told(fabric: Fabric) {
    let topic = Topic::Control;
    let mut events = fabric.incoming();
    fabric.follow(&[topic]).await.unwrap();
    for number in 0..INBOX * 2 {
        fabric.publish(topic, &number.to_string().into()).await.unwrap();
    }
    // Nobody read meanwhile: the first ones are there, then the sign that more came, and the queue stayed bounded.
    for number in 0..INBOX - 1 {
        assert_eq!(next(&mut events).await, message(topic, &number.to_string()));
    }
    assert_eq!(next(&mut events).await, BusEvent::Resync);
    eventually("what comes later is heard", async || {
        fabric.publish(topic, &"later".into()).await.unwrap();
        timeout(Duration::from_millis(200), events.recv())
            .await
            .is_ok_and(|event| event == Some(message(topic, "later")))
    })
    .await;
}

/// Many orders of events on one runtime and, with Redis, one server.
fn no_interleaving_makes_a_tail_wrong(
    cases: u32,
    fabric: impl AsyncFnOnce() -> (Fabric, Option<RedisServer>),
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (fabric, _redis) = runtime.block_on(fabric());
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
        .run(&interleavings::steps(), |steps| runtime.block_on(interleavings::check(&fabric, steps)))
        .unwrap();
}

#[test]
fn no_interleaving_makes_a_tail_in_process_wrong() {
    no_interleaving_makes_a_tail_wrong(2000, async || (local(), None));
}

#[test]
fn no_interleaving_makes_a_tail_in_redis_wrong() {
    no_interleaving_makes_a_tail_wrong(150, async || {
        let redis = RedisServer::start();
        (connected(&redis).await, Some(redis))
    });
}

#[tokio::test]
async fn in_process_memory_is_bounded() {
    let fabric =
        Fabric::local_with(LocalSettings { keys: 50, tail_bytes: 10_000, ..LocalSettings::default() });
    let keys: Vec<Key> = (0..200).map(|_| Key::profile(Uuid::now_v7())).collect();
    let streams: Vec<Uuid> = (0..200).map(|_| Uuid::now_v7()).collect();
    for (key, stream) in keys.iter().zip(&streams) {
        fabric.set(key, "x", LONG).await.unwrap();
        refill(&fabric, *stream, 5).await;
    }
    let (mut values, mut tails) = (0, 0);
    for (key, stream) in keys.iter().zip(&streams) {
        values += usize::from(fabric.get(key).await.unwrap().is_some());
        tails += usize::from(fabric.tail(*stream).await.unwrap().is_some());
    }
    assert!((1..=50).contains(&values) && (1..=25).contains(&tails), "{values} values, {tails} tails");
    assert!(fabric.get(&keys[199]).await.unwrap().is_some(), "the newest stays");
}
