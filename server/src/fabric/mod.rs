//! The small set of atomic operations everything above is built on, with two implementations: Redis, for a cluster
//! of nodes, and this process' own memory, for a server that runs alone. One contract test suite holds both to the
//! same meaning.
//!
//! Whatever is in the fabric may vanish at any moment: SQL is the truth, this is speed. So every write has a time to
//! live, an error means "not known", and every caller has a way to go on without it. No operation waits for Redis
//! longer than [`RedisSettings::command_timeout`], and none waits at all while Redis is known to be down.
//!
//! Only the fabric spells a Redis command, a key ([`Key`]) or a topic ([`Topic`]).

mod inbox;
mod local;
mod many;
mod redis;
mod topic;
mod types;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use self::local::Local;
pub use self::local::LocalSettings;
use self::redis::Redis;
pub use self::redis::RedisSettings;
pub use self::topic::{Key, Topic};
pub use self::types::{
    BusEvent, CachedTail, FabricError, HashOf, LeaseToken, Lock, Payload, Publication, Raised, Ranked,
    Scores, Tail,
};
use crate::mutant::{self, Mutant};

/// Most entries kept of one stream's tail: what a client that was away for a moment asks for.
const TAIL_KEPT: usize = 200;
/// How long a tail stays after its last append.
const TAIL_TTL: Duration = Duration::from_hours(1);
/// Most bus events waiting for their reader; with entries of half a kilobyte, 4 MiB.
const INBOX: usize = 8192;
/// How long the last token of a lock is remembered after the lock's own time to live.
const FENCE_KEPT: Duration = Duration::from_hours(24);

/// The result of an operation on the fabric.
pub type Result<T, E = FabricError> = std::result::Result<T, E>;

/// The fabric of this node. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Fabric(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Local(Arc<Local>),
    Redis(Arc<Redis>),
}

impl Fabric {
    /// A fabric in this process' memory, for a server that runs alone.
    pub fn local() -> Self {
        Self::local_with(LocalSettings::default())
    }

    /// The same with bounds of its own.
    pub fn local_with(settings: LocalSettings) -> Self {
        Self(Inner::Local(Arc::new(Local::new(settings))))
    }

    /// A fabric shared by all nodes through Redis.
    ///
    /// Waits at most [`RedisSettings::connect_timeout`] for the first connection and then returns in any case: while
    /// Redis is down the fabric is degraded and goes on connecting. Call it within a tokio runtime; its tasks end
    /// with [`close`](Self::close), or when the last handle is dropped.
    ///
    /// # Errors
    /// [`FabricError::Url`]: the address is not one of Redis.
    pub async fn redis(settings: &RedisSettings) -> Result<Self> {
        Ok(Self(Inner::Redis(Arc::new(Redis::start(settings).await?))))
    }

    /// Ends the fabric's own tasks and connections; afterwards every operation is [`FabricError::Down`] with Redis.
    pub async fn close(&self) {
        match &self.0 {
            Inner::Local(_) => {}
            Inner::Redis(redis) => redis.close().await,
        }
    }

    /// Whether operations are worth trying: connected, and not failing one after the other. Always true in process.
    pub fn is_up(&self) -> bool {
        match &self.0 {
            Inner::Local(_) => true,
            Inner::Redis(redis) => redis.is_up(),
        }
    }

    /// Whether the bus is heard: everything followed is subscribed to, and this node heard its own voice, which it
    /// raises every second through the bus, in the last 3 seconds. While false, ask SQL for what is new.
    pub fn is_hearing(&self) -> bool {
        match &self.0 {
            Inner::Local(_) => true,
            Inner::Redis(redis) => redis.is_hearing(),
        }
    }

    /// One round trip, to see whether there is an answer.
    pub async fn ping(&self) -> Result<()> {
        match &self.0 {
            Inner::Local(_) => Ok(()),
            Inner::Redis(redis) => redis.ping().await,
        }
    }
}

/// Values. All of them are texts and have a time to live (to the millisecond).
///
/// A value that cannot be read (written by something else, not UTF-8) is as good as absent, and counted.
impl Fabric {
    /// The value of a key.
    pub async fn get(&self, key: &Key) -> Result<Option<String>> {
        match &self.0 {
            Inner::Local(local) => Ok(local.get(key)),
            Inner::Redis(redis) => redis.get(key).await,
        }
    }

    /// Stores a value, whatever was there. When the fabric is full it stores nothing, removes what was there and
    /// says nothing: a cache without the value is right, one with an older value is not.
    pub async fn set(&self, key: &Key, value: &str, ttl: Duration) -> Result<()> {
        match &self.0 {
            Inner::Local(local) => {
                local.set(key, value, ttl);
                Ok(())
            }
            Inner::Redis(redis) => redis.set(key, value, ttl).await,
        }
    }

    /// Stores a value where there is none; true when it did.
    pub async fn set_if_absent(&self, key: &Key, value: &str, ttl: Duration) -> Result<bool> {
        match &self.0 {
            Inner::Local(local) => Ok(local.set_if_absent(key, value, ttl)),
            Inner::Redis(redis) => redis.set_if_absent(key, value, ttl).await,
        }
    }

    /// Removes a value, a hash or a sorted set; true when there was one.
    pub async fn delete(&self, key: &Key) -> Result<bool> {
        match &self.0 {
            Inner::Local(local) => Ok(local.delete(key) | local.delete_set(key)),
            Inner::Redis(redis) => redis.delete(key).await,
        }
    }

    /// Removes a value if it still is `expected`; true when it did. A late release never frees another's value.
    pub async fn compare_and_delete(&self, key: &Key, expected: &str) -> Result<bool> {
        match &self.0 {
            Inner::Local(local) => Ok(local.compare_and_delete(key, expected)),
            Inner::Redis(redis) => redis.compare_and_delete(key, expected).await,
        }
    }

    /// Gives a value a new time to live if it still is `expected`; true when it did.
    pub async fn compare_and_touch(&self, key: &Key, expected: &str, ttl: Duration) -> Result<bool> {
        match &self.0 {
            Inner::Local(local) => Ok(local.compare_and_touch(key, expected, ttl)),
            Inner::Redis(redis) => redis.compare_and_touch(key, expected, ttl).await,
        }
    }

    /// Gives a value or a hash a new time to live; false when it is not there.
    pub async fn touch(&self, key: &Key, ttl: Duration) -> Result<bool> {
        match &self.0 {
            Inner::Local(local) => Ok(local.touch(key, ttl)),
            Inner::Redis(redis) => redis.touch(key, ttl).await,
        }
    }

    /// Stores a value under a rank, unless one of the same or a higher rank is there: an order that came late never
    /// undoes a newer one. Ranks are compared exactly up to ±2⁵³.
    pub async fn raise(&self, key: &Key, rank: i64, value: &str, ttl: Duration) -> Result<Raised> {
        let new = Ranked { rank, value: value.to_owned() };
        match &self.0 {
            Inner::Local(local) => Ok(local.raise(key, &new, ttl)),
            Inner::Redis(redis) => redis.raise(key, &new, ttl).await,
        }
    }

    /// The value [`raise`](Self::raise) stored.
    pub async fn ranked(&self, key: &Key) -> Result<Option<Ranked>> {
        let Some(text) = self.get(key).await? else { return Ok(None) };
        let ranked = Ranked::decode(&text);
        if ranked.is_none() {
            self::redis::corrupt();
        }
        Ok(ranked)
    }

    /// Removes what [`raise`](Self::raise) stored if it still is this value of this rank; true when it did.
    pub async fn compare_and_delete_ranked(&self, key: &Key, rank: i64, value: &str) -> Result<bool> {
        self.compare_and_delete(key, &Ranked { rank, value: value.to_owned() }.encode()).await
    }

    /// Gives what [`raise`](Self::raise) stored a new time to live if it still is this value of this rank.
    pub async fn compare_and_touch_ranked(
        &self,
        key: &Key,
        rank: i64,
        value: &str,
        ttl: Duration,
    ) -> Result<bool> {
        self.compare_and_touch(key, &Ranked { rank, value: value.to_owned() }.encode(), ttl).await
    }

    /// Sets one field of a hash, and the time to live of all of it. Full: as [`set`](Self::set).
    pub async fn hash_set(&self, key: &Key, field: &str, value: &str, ttl: Duration) -> Result<()> {
        match &self.0 {
            Inner::Local(local) => {
                local.hash_set(key, field, value, ttl);
                Ok(())
            }
            Inner::Redis(redis) => redis.hash_set(key, field, value, ttl).await,
        }
    }

    /// Removes one field of a hash; true when there was one.
    pub async fn hash_delete(&self, key: &Key, field: &str) -> Result<bool> {
        match &self.0 {
            Inner::Local(local) => Ok(local.hash_delete(key, field)),
            Inner::Redis(redis) => redis.hash_delete(key, field).await,
        }
    }

    /// All fields of a hash; none when it is not there.
    pub async fn hash_read(&self, key: &Key) -> Result<HashMap<String, String>> {
        match &self.0 {
            Inner::Local(local) => Ok(local.hash_read(key)),
            Inner::Redis(redis) => redis.hash_read(key).await,
        }
    }

    /// Counts one more and says how many there are in the window, which begins with the first.
    pub async fn count(&self, key: &Key, window: Duration) -> Result<u64> {
        match &self.0 {
            Inner::Local(local) => Ok(local.count(key, window)),
            Inner::Redis(redis) => redis.count(key, window).await,
        }
    }
}

/// Locks: for efficiency, never for correctness. A holder that is paused past the time to live does not know it.
impl Fabric {
    /// Takes a lock that is free; `None` when somebody holds it.
    pub async fn lock(&self, key: &Key, ttl: Duration) -> Result<Option<Lock>> {
        match &self.0 {
            Inner::Local(local) => Ok(local.lock(key, ttl)),
            Inner::Redis(redis) => redis.lock(key, ttl).await,
        }
    }

    /// Takes a lock, waiting for it at most `wait`. Waiters ask again at growing intervals up to 250 ms.
    pub async fn lock_within(&self, key: &Key, ttl: Duration, wait: Duration) -> Result<Option<Lock>> {
        let deadline = Instant::now() + wait;
        let mut pause = Duration::from_millis(10);
        loop {
            if let Some(lock) = self.lock(key, ttl).await? {
                return Ok(Some(lock));
            }
            if timeout_at(deadline, sleep(pause)).await.is_err() {
                return Ok(None);
            }
            pause = (pause * 2).min(Duration::from_millis(250));
        }
    }

    /// Holds a lock for longer; false when it was lost.
    pub async fn renew(&self, lock: &Lock, ttl: Duration) -> Result<bool> {
        self.compare_and_touch(&lock.key, &lock.token.to_string(), ttl).await
    }

    /// Gives a lock back; false when it was lost before.
    pub async fn unlock(&self, lock: Lock) -> Result<bool> {
        if mutant::active(Mutant::UnlockWithoutCompare) {
            return self.delete(&lock.key).await;
        }
        self.compare_and_delete(&lock.key, &lock.token.to_string()).await
    }
}

/// Cached tails of streams, and telling the nodes about an append.
///
/// A cached tail is never wrong, only absent or not the newest: it has no holes and its last entry is its head.
impl Fabric {
    /// For each committed entry, in one round trip for all: extends the cached tail of its stream if the entry
    /// continues it, else drops it; voids a refill that is under way; publishes the payload on the stream's topic,
    /// whatever became of the tail.
    ///
    /// What became of each tail, in the order given. The entries are in the database already, so callers count an
    /// error and go on: the fabric drops the tails it could not extend as soon as it can.
    pub async fn append(&self, publications: &[Publication]) -> Result<Vec<Tail>> {
        match &self.0 {
            Inner::Local(local) => Ok(publications.iter().map(|entry| local.append(entry)).collect()),
            Inner::Redis(redis) => redis.append(publications).await,
        }
    }

    /// The cached tail of a stream.
    pub async fn tail(&self, stream: Uuid) -> Result<Option<CachedTail>> {
        self.tail_newest(stream, usize::MAX).await
    }

    /// The cached tail of a stream, at most its `newest` entries.
    pub async fn tail_newest(&self, stream: Uuid, newest: usize) -> Result<Option<CachedTail>> {
        match &self.0 {
            Inner::Local(local) => Ok(local.tail(stream, newest)),
            Inner::Redis(redis) => redis.tail(stream, newest).await,
        }
    }

    /// The right to refill a stream's tail: take it, then read SQL, then [`refill`](Self::refill). `None` when
    /// somebody else has it.
    pub async fn lease_tail(&self, stream: Uuid, ttl: Duration) -> Result<Option<LeaseToken>> {
        match &self.0 {
            Inner::Local(local) => Ok(local.lease_tail(stream, ttl)),
            Inner::Redis(redis) => redis.lease_tail(stream, ttl).await,
        }
    }

    /// Stores what was read from SQL under the lease: the head, and the newest entries up to it, oldest first. False,
    /// and nothing stored, when the lease is no longer mine: something was appended since, or it expired.
    pub async fn refill(
        &self,
        stream: Uuid,
        lease: &LeaseToken,
        head: u64,
        payloads: &[Payload],
    ) -> Result<bool> {
        match &self.0 {
            Inner::Local(local) => Ok(local.refill(stream, lease, head, payloads)),
            Inner::Redis(redis) => redis.refill(stream, lease, head, payloads).await,
        }
    }

    /// Drops a stream's tail within a second, or as soon as Redis can be reached, without waiting for it: for an entry
    /// that was committed and could not be handed to [`append`](Self::append).
    pub fn drop_tail_soon(&self, stream: Uuid) {
        match &self.0 {
            Inner::Local(local) => local.drop_tail(stream),
            Inner::Redis(redis) => redis.drop_tail_soon(stream),
        }
    }

    /// Drops a stream's tail and voids a refill that is under way.
    pub async fn drop_tail(&self, stream: Uuid) -> Result<()> {
        match &self.0 {
            Inner::Local(local) => {
                local.drop_tail(stream);
                Ok(())
            }
            Inner::Redis(redis) => redis.drop_tail(stream).await,
        }
    }
}

/// The bus: what one node says, every node that follows the topic hears; at most once.
impl Fabric {
    /// Tells everyone who follows a topic. What is said of one topic is heard in its order; of two, in any.
    pub async fn publish(&self, topic: Topic, payload: &Payload) -> Result<()> {
        match &self.0 {
            Inner::Local(local) => {
                local.publish(topic, payload);
                Ok(())
            }
            Inner::Redis(redis) => redis.publish(topic, payload).await,
        }
    }

    /// Hears what is published under these topics from now on: after `Ok`, nothing published later is missed without
    /// a [`BusEvent::Resync`]. A set, so following twice is following once.
    ///
    /// # Errors
    /// The topics are remembered all the same, and followed as soon as Redis can be reached; then comes a `Resync`.
    pub async fn follow(&self, topics: &[Topic]) -> Result<()> {
        match &self.0 {
            Inner::Local(local) => {
                local.follow(topics);
                Ok(())
            }
            Inner::Redis(redis) => redis.follow(topics).await,
        }
    }

    /// Stops hearing these topics. A message already under way may still come.
    pub fn unfollow(&self, topics: &[Topic]) {
        match &self.0 {
            Inner::Local(local) => local.unfollow(topics),
            Inner::Redis(redis) => redis.unfollow(topics),
        }
    }

    /// What the bus has to say, for the one task that listens; a later call takes over from an earlier one. The
    /// queue is bounded: a reader that falls behind loses messages and gets a [`BusEvent::Resync`] in their place.
    pub fn incoming(&self) -> mpsc::Receiver<BusEvent> {
        match &self.0 {
            Inner::Local(local) => local.inbox.open(),
            Inner::Redis(redis) => redis.incoming(),
        }
    }
}
