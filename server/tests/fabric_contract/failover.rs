//! A primary is killed while everybody is at work.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hubbub_server::fabric::{
    BusEvent, Fabric, FabricError, Key, Publication, Raised, RedisSettings, Tail, Topic,
};
use parking_lot::Mutex;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::redis_faults::{AT_ONCE, BOUND, timed};
use super::topology::{Cluster, Sentinel, until};
use super::{LONG, connected_to, entry, eventually, refill, text_of};

/// Enough for every primary of a cluster to have some.
const STREAMS: usize = 24;
/// From the loss until everything works again: 1.5 s until it is believed, an election, and our own way back, which is
/// longer from a primary that hangs: connections to it can still be made, and are given up only after 2 s each.
const RECOVERY: Duration = Duration::from_secs(15);

/// Two nodes, what one of them says, and what the other hears.
struct Scene {
    here: Fabric,
    there: Fabric,
    streams: Vec<Uuid>,
    /// The newest entry of each stream that was committed: the same seq for all.
    committed: AtomicU64,
    heard: Mutex<Heard>,
    load: Mutex<Load>,
}

#[derive(Default)]
struct Heard {
    newest: HashMap<Topic, String>,
    resyncs: u32,
}

#[derive(Default)]
struct Load {
    calls: u32,
    errors: BTreeMap<String, u32>,
    slowest: Duration,
    slowest_while_down: Duration,
    /// When an append last began that extended or published all; cleared by one that did not.
    whole_since: Option<Instant>,
}

impl Scene {
    async fn set(settings: &RedisSettings) -> (Arc<Self>, Receiver<BusEvent>) {
        let [here, there] = [connected_to(settings.clone()).await, connected_to(settings.clone()).await];
        let streams: Vec<Uuid> = (0..STREAMS).map(|_| Uuid::now_v7()).collect();
        let events = here.incoming();
        let topics: Vec<Topic> = streams.iter().map(|stream| Topic::Stream(*stream)).collect();
        here.follow(&topics).await.unwrap();
        here.follow(&[Topic::Control]).await.unwrap();
        for stream in &streams {
            refill(&there, *stream, 1).await;
        }
        let (committed, heard, load) = (AtomicU64::new(1), Mutex::default(), Mutex::default());
        (Arc::new(Self { here, there, streams, committed, heard, load }), events)
    }

    async fn listen(self: Arc<Self>, mut events: Receiver<BusEvent>) {
        while let Some(event) = events.recv().await {
            let mut heard = self.heard.lock();
            match event {
                BusEvent::Message { topic, payload } => drop(heard.newest.insert(topic, payload.to_string())),
                BusEvent::Resync => heard.resyncs += 1,
            }
        }
    }

    /// One entry for each stream, again and again; no error may be of another kind, or come later, than is promised.
    async fn work(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let seq = self.committed.fetch_add(1, Ordering::SeqCst) + 1;
            let batch: Vec<Publication> = self.streams.iter().map(|stream| entry(*stream, seq)).collect();
            let (known_down, began) = (!self.there.is_up(), Instant::now());
            let (took, result) = timed(self.there.append(&batch)).await;
            {
                let mut load = self.load.lock();
                load.calls += 1;
                load.slowest = load.slowest.max(took);
                if known_down && result == Err(FabricError::Down) {
                    load.slowest_while_down = load.slowest_while_down.max(took);
                }
                let whole = result.as_ref().is_ok_and(|tails| !tails.contains(&Tail::Failed));
                load.whole_since = if whole { load.whole_since.or(Some(began)) } else { None };
                if let Err(error) = result {
                    let kind = format!("{error:?}");
                    *load.errors.entry(kind.split('(').next().unwrap().to_owned()).or_default() += 1;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A tail may be gone, or behind; what it shows is what was committed, without a hole.
    async fn tails_are_right(&self) {
        for stream in &self.streams {
            let Ok(Some(tail)) = self.here.tail(*stream).await else { continue };
            assert!(tail.head <= self.committed.load(Ordering::SeqCst), "{tail:?}");
            for (seq, payload) in (tail.first_seq()..).zip(&tail.payloads) {
                assert_eq!(*payload, text_of(seq), "{tail:?}");
            }
        }
    }

    /// Whether all that is wanted works on both nodes, and did since `since`.
    fn works(&self, since: Instant) -> bool {
        let whole_since = self.load.lock().whole_since;
        self.here.is_up()
            && self.here.is_hearing()
            && self.there.is_up()
            && self.there.is_hearing()
            && whole_since.is_some_and(|whole| whole > since)
    }

    /// Every topic is heard, each by a word that was never said before.
    async fn nothing_is_deaf(&self, word: &str) {
        let topics = self.streams.iter().map(|stream| Topic::Stream(*stream)).chain([Topic::Control]);
        for topic in topics {
            eventually("a last word is heard", async || {
                let _said = self.there.publish(topic, &word.into()).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
                self.heard.lock().newest.get(&topic).is_some_and(|newest| newest == word)
            })
            .await;
        }
    }
}

/// Loses a primary under load; afterwards everything is as before.
async fn a_failover_is_survived(name: &str, settings: &RedisSettings, lose: impl FnOnce()) -> Arc<Scene> {
    let (scene, events) = Scene::set(settings).await;
    let (lock, key) = (Key::lock("announcer"), Key::active_session(Uuid::now_v7()));
    let held = scene.there.lock(&lock, LONG).await.unwrap().unwrap();
    scene.there.raise(&key, 5, "five", LONG).await.unwrap();
    tokio::spawn(Arc::clone(&scene).listen(events));
    let stop = CancellationToken::new();
    let load = tokio::spawn(Arc::clone(&scene).work(stop.clone()));
    eventually("the load is heard", async || scene.heard.lock().newest.len() >= STREAMS).await;
    eventually("the load is on its way", async || scene.load.lock().calls > 10).await;

    lose();
    let killed = Instant::now();
    let resyncs = scene.heard.lock().resyncs;
    eventually("the loss is noticed", async || scene.load.lock().whole_since.is_none()).await;
    eventually("everything works again", async || {
        scene.tails_are_right().await;
        scene.works(killed)
    })
    .await;
    let took = killed.elapsed();
    stop.cancel();
    load.await.unwrap();
    eventually("a Resync is told", async || scene.heard.lock().resyncs > resyncs).await;
    {
        let load = scene.load.lock();
        println!(
            "{name}: works again {took:?} after the loss; {} appends of {STREAMS} entries, errors {:?}, \
             slowest {:?}, slowest while down {:?}",
            load.calls, load.errors, load.slowest, load.slowest_while_down
        );
        assert!(took < RECOVERY, "{took:?}");
        assert!(load.slowest < BOUND, "{:?}", load.slowest);
        assert!(load.slowest_while_down < AT_ONCE, "{:?}", load.slowest_while_down);
        assert!(
            load.errors
                .keys()
                .all(|kind| ["Timeout", "Down", "Connection", "Reply"].contains(&kind.as_str()))
        );
    }
    scene.nothing_is_deaf("after the failover").await;
    scene.tails_are_right().await;
    for stream in &scene.streams {
        scene.there.drop_tail(*stream).await.unwrap();
        refill(&scene.there, *stream, 3).await;
        let next = scene.there.append(&[entry(*stream, 4)]).await.unwrap();
        assert_eq!(next, [Tail::Extended]);
    }
    // What was not replicated is forgotten; what is there goes on from where it was.
    match scene.here.raise(&key, 4, "four", LONG).await.unwrap() {
        Raised::Kept(kept) => assert_eq!(kept.rank, 5),
        Raised::Set(replaced) => assert_eq!(replaced, None),
    }
    assert!(matches!(scene.here.raise(&key, 6, "six", LONG).await.unwrap(), Raised::Set(_)));
    let token = held.token;
    if !scene.there.unlock(held).await.unwrap() {
        println!("{name}: the lock was forgotten");
    }
    assert!(scene.here.lock(&lock, LONG).await.unwrap().unwrap().token > token);
    scene
}

#[tokio::test]
async fn a_primary_watched_by_sentinels_is_killed_under_load() {
    let mut redis = Sentinel::start();
    let settings = redis.settings();
    let scene = a_failover_is_survived("Sentinel, kill -9", &settings, || redis.servers[0].kill()).await;
    // The old primary comes back empty, and becomes a replica.
    redis.servers[0].restart();
    let old = &redis.servers[0];
    eventually("it follows", async || old.tell("INFO replication").contains("master_link_status:up")).await;
    scene.nothing_is_deaf("after its return").await;
}

#[tokio::test]
async fn a_primary_of_a_cluster_is_killed_under_load() {
    let mut redis = Cluster::start(true);
    let settings = redis.settings();
    let scene = a_failover_is_survived("Cluster, kill -9", &settings, || redis.servers[0].kill()).await;
    redis.servers[0].restart();
    let old = &redis.servers[0];
    until("it follows", || old.tell("INFO replication").contains("master_link_status:up"));
    scene.nothing_is_deaf("after its return").await;
    // And back by hand: nothing breaks, the slots just move.
    let resyncs = scene.heard.lock().resyncs;
    until("it may be promoted", || old.tell("CLUSTER FAILOVER") == "+OK");
    eventually("it is promoted", async || old.tell("INFO replication").contains("role:master")).await;
    scene.nothing_is_deaf("after the way back").await;
    eventually("a Resync is told", async || scene.heard.lock().resyncs > resyncs).await;
    eventually("all is heard", async || scene.here.is_hearing() && scene.there.is_hearing()).await;
}

#[tokio::test]
async fn a_primary_watched_by_sentinels_hangs_under_load() {
    let redis = Sentinel::start();
    let old = &redis.servers[0];
    let scene = a_failover_is_survived("Sentinel, SIGSTOP", &redis.settings(), || old.signal("STOP")).await;
    old.signal("CONT");
    eventually("it follows", async || old.tell("INFO replication").contains("master_link_status:up")).await;
    scene.nothing_is_deaf("after its return").await;
}

#[tokio::test]
async fn a_primary_of_a_cluster_hangs_under_load() {
    let redis = Cluster::start(true);
    let old = &redis.servers[0];
    let scene = a_failover_is_survived("Cluster, SIGSTOP", &redis.settings(), || old.signal("STOP")).await;
    old.signal("CONT");
    eventually("it follows", async || old.tell("INFO replication").contains("master_link_status:up")).await;
    scene.nothing_is_deaf("after its return").await;
}
