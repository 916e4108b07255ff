//! All connections that listen: one, or in a cluster one at each primary, for the topics whose slots it has.
//!
//! In a cluster topics are shard channels: a publication goes to one primary (and its replicas), not through the whole
//! cluster. fred's cluster client does not tell when a channel went away with its slot, so each primary gets a
//! connection of its own, a voice of its own that must be heard, and a count of its channels every second. When slots
//! move, by hand or by a failover, their topics move to another ear, and a `Resync` follows.

use std::collections::HashSet;
use std::sync::Arc;

use fred::prelude::{ClusterInterface, Server};
use fred::types::cluster::ClusterRouting;
use metrics::gauge;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Duration, Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::channel;
use super::ear::{Ear, Post};
use super::link::{Link, PROBE_EVERY};
use crate::clock::every;
use crate::fabric::inbox::Inbox;
use crate::fabric::topic::Topic;
use crate::fabric::types::FabricError;

/// How long asking a cluster where its slots are may take.
const SURVEY: Duration = Duration::from_secs(2);
/// Voices tried until one belongs to a place: enough for a place with one slot.
const VOICES: usize = 200_000;

pub(super) struct Ears {
    link: Arc<Link>,
    pub(super) inbox: Arc<Inbox>,
    choir: Mutex<Choir>,
    /// An ear thinks that something is elsewhere by now.
    moved: Arc<Notify>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Who listens where.
#[derive(Default)]
struct Choir {
    slots: Slots,
    ears: Vec<Arc<Ear>>,
    /// Topics of slots that nobody has, as far as we know.
    homeless: HashSet<Topic>,
}

/// An ear and some topics for it.
type Share = (Arc<Ear>, Vec<Topic>);

/// The ranges of slots of a cluster with the primaries that have them, in order.
#[derive(Default, PartialEq)]
struct Slots(Vec<(u16, u16, Server)>);

impl Slots {
    fn of(routing: &ClusterRouting) -> Self {
        Self(routing.slots().iter().map(|range| (range.start, range.end, range.primary.clone())).collect())
    }

    /// The primary that has the slot of a channel.
    fn place(&self, channel: &str) -> Option<&Server> {
        let slot = ClusterRouting::hash_key(channel.as_bytes());
        let after = self.0.partition_point(|(first, _, _)| *first <= slot);
        let (_, last, server) = self.0.get(after.checked_sub(1)?)?;
        (slot <= *last).then_some(server)
    }

    fn places(&self) -> HashSet<&Server> {
        self.0.iter().map(|(_, _, server)| server).collect()
    }
}

impl Ears {
    pub(super) fn start(
        link: &Arc<Link>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Arc<Self>, FabricError> {
        let ears = Arc::new(Self {
            link: Arc::clone(link),
            inbox: Arc::new(Inbox::bounded(link.settings.inbox)),
            choir: Mutex::default(),
            moved: Arc::default(),
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        if !link.settings.is_clustered() {
            let only = ears.ear(None, Topic::Probe(Uuid::now_v7()))?;
            ears.choir.lock().ears.push(only);
        }
        Ok(ears)
    }

    /// An ear with its task.
    fn ear(&self, place: Option<Server>, voice: Topic) -> Result<Arc<Ear>, FabricError> {
        let (ear, connection) = Ear::start(Post {
            link: Arc::clone(&self.link),
            place,
            voice,
            inbox: Arc::clone(&self.inbox),
            moved: Arc::clone(&self.moved),
            stop: self.stop.child_token(),
        })?;
        self.tasks.spawn(Arc::clone(&ear).keep(connection));
        Ok(ear)
    }

    pub(super) async fn follow(&self, topics: &[Topic]) -> Result<(), FabricError> {
        let deadline = Instant::now() + self.link.settings.command_limit();
        let (wanting, all_have_a_home) = {
            let mut choir = self.choir.lock();
            let (shares, homeless) = choir.shares(topics, &self.link.settings.prefix);
            let wanting: Vec<_> = shares.into_iter().map(|(ear, share)| (ear.want(&share), ear)).collect();
            let all_have_a_home = homeless.is_empty();
            choir.homeless.extend(homeless);
            (wanting, all_have_a_home)
        };
        let mut result = if all_have_a_home { Ok(()) } else { Err(FabricError::Down) };
        for (version, ear) in wanting {
            result = ear.follows(version, deadline).await.and(result);
        }
        result
    }

    pub(super) fn unfollow(&self, topics: &[Topic]) {
        let mut choir = self.choir.lock();
        let (shares, homeless) = choir.shares(topics, &self.link.settings.prefix);
        for (ear, share) in shares {
            ear.want_no_more(&share);
        }
        for topic in homeless {
            choir.homeless.remove(&topic);
        }
    }

    pub(super) fn is_hearing(&self) -> bool {
        let choir = self.choir.lock();
        !choir.ears.is_empty() && choir.homeless.is_empty() && choir.ears.iter().all(|ear| ear.is_hearing())
    }

    fn is_open(&self) -> bool {
        let choir = self.choir.lock();
        !choir.ears.is_empty() && choir.ears.iter().all(|ear| ear.is_open())
    }

    /// Waits until the connections are there, at most `limit`.
    pub(super) async fn open_within(&self, limit: Duration) {
        let open = async {
            while !self.is_open() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let _in_time = timeout(limit, open).await;
    }

    /// Keeps an ear at each place until told to stop.
    pub(super) async fn keep(self: Arc<Self>) {
        let mut ticks = every(PROBE_EVERY);
        let mut reachable = self.link.breaker.watch();
        loop {
            let mut something_moved = false;
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.moved.notified() => something_moved = true,
                _ = reachable.changed() => {}
                _ = ticks.tick() => {}
            }
            if self.link.settings.is_clustered() {
                // While Redis is not reachable, fred asks by itself until it knows where everything is.
                if (something_moved || !self.is_open()) && self.link.breaker.is_closed() {
                    let _in_time = timeout(SURVEY, self.link.client().sync_cluster()).await;
                }
                self.rearrange();
            }
            let oldest = self.choir.lock().ears.iter().map(|ear| ear.age()).reduce(f64::max);
            gauge!("hubbub_pubsub_probe_age_seconds").set(oldest.unwrap_or(f64::INFINITY));
        }
    }

    /// Takes up where the slots are by now.
    fn rearrange(&self) {
        let Some(slots) = self.link.client().cached_cluster_state().map(|routing| Slots::of(&routing)) else {
            return;
        };
        let mut choir = self.choir.lock();
        if slots == choir.slots || slots.0.is_empty() {
            return;
        }
        let prefix = &self.link.settings.prefix;
        let topics: Vec<Topic> = choir.topics().into_iter().collect();
        choir.slots = slots;
        let Choir { slots, ears, .. } = &mut *choir;
        ears.retain(|ear| {
            let stays = slots.place(&channel(prefix, ear.voice)) == ear.place.as_ref();
            if !stays {
                ear.leave();
            }
            stays
        });
        for place in slots.places() {
            if ears.iter().all(|ear| ear.place.as_ref() != Some(place))
                && let Ok(ear) = self.ear(Some(place.clone()), slots.voice_at(place, prefix))
            {
                ears.push(ear);
            }
        }
        tracing::info!(primaries = ears.len(), "slots of the Redis cluster are arranged anew");
        let (shares, homeless) = choir.shares(&topics, prefix);
        choir.homeless = homeless;
        for (ear, share) in shares {
            ear.want_exactly(share.into_iter().collect());
        }
    }
}

impl Slots {
    /// A voice that belongs to a place.
    fn voice_at(&self, place: &Server, prefix: &str) -> Topic {
        let mut voices = (0..VOICES).map(|_| Topic::Probe(Uuid::now_v7()));
        let fits = |voice: &Topic| self.place(&channel(prefix, *voice)) == Some(place);
        voices.find(fits).unwrap_or(Topic::Probe(Uuid::nil()))
    }
}

impl Choir {
    fn topics(&self) -> HashSet<Topic> {
        let heard = self.ears.iter().flat_map(|ear| ear.topics());
        heard.chain(self.homeless.iter().copied()).collect()
    }

    /// For each ear its share of these topics, perhaps none; and those that no ear is there for.
    fn shares(&self, topics: &[Topic], prefix: &str) -> (Vec<Share>, HashSet<Topic>) {
        let mut shares: Vec<Share> = self.ears.iter().map(|ear| (Arc::clone(ear), Vec::new())).collect();
        let mut homeless = HashSet::new();
        for &topic in topics {
            let place = self.slots.place(&channel(prefix, topic));
            match shares.iter_mut().find(|(ear, _)| ear.place.as_ref() == place) {
                Some((_, share)) => share.push(topic),
                None => drop(homeless.insert(topic)),
            }
        }
        (shares, homeless)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slot_has_its_place() {
        let [one, two] = [7001, 7002].map(|port| Server::new("127.0.0.1", port));
        let slots =
            Slots(vec![(0, 99, one.clone()), (200, 8_000, two.clone()), (8_001, 16_383, one.clone())]);
        // The slot of `x` is 16287, of `b` 3300.
        let place = |name| slots.place(name);
        assert_eq!((place("x"), place("b")), (Some(&one), Some(&two)));
        let unowned = (0..100_000).map(|n| format!("key{n}"));
        let unowned: Vec<_> = unowned.filter(|name| slots.place(name).is_none()).collect();
        assert!(unowned.iter().all(|name| (100..200).contains(&ClusterRouting::hash_key(name.as_bytes()))));
        assert!(!unowned.is_empty());
        for server in slots.places() {
            let voice = slots.voice_at(server, "hubbub:");
            assert_eq!(slots.place(&channel("hubbub:", voice)), Some(server));
        }
    }
}
