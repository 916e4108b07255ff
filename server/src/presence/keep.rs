//! The lease of this node, its roster in the fabric, and the other nodes as they come and go.

use std::{collections::HashMap, time::Duration};

use hubbub_protocol::id::UserId;
use tokio::time::Instant;

use super::{
    Presence, now,
    shelf::{self, Lease},
    word::{NodeId, Word},
};
use crate::{
    clock::every,
    fabric::{self, Key},
};

/// How often something is done at all.
const EVERY: Duration = Duration::from_millis(500);
/// How often the lease is renewed.
const BEAT: Duration = Duration::from_secs(3);
/// How often the leases of the others are read.
const LOOK: Duration = Duration::from_secs(1);
/// How long a lease must not be there, by readings that succeed, before its node counts as dead: after an outage of the
/// fabric was emptied every node has that time to write its lease again.
const ABSENT: Duration = Duration::from_secs(10);
/// The same when a reading failed in the last minute: after an outage some nodes find the fabric again later than others.
const ABSENT_AFTER_OUTAGE: Duration = Duration::from_secs(19);
const OUTAGE_COUNTS_FOR: Duration = Duration::from_mins(1);
/// A roster larger than that is written only with a beat.
const SMALL: usize = 5_000;
/// Parts written with each beat though nothing changed, so that none expires.
const REFRESHED: usize = 2;

/// Keeps all that until the node stops; then it says so.
pub(super) async fn run(presence: Presence) {
    let mut ticks = every(EVERY);
    let mut keeper = Keeper { presence, beat: None, look: None, failed: None, listed: HashMap::new() };
    loop {
        tokio::select! {
            _ = ticks.tick() => keeper.tick().await,
            () = keeper.presence.0.stop.cancelled() => return keeper.say_goodbye().await,
        }
    }
}

fn count(of: usize) -> f64 {
    u32::try_from(of).unwrap_or(u32::MAX).into()
}

struct Keeper {
    presence: Presence,
    beat: Option<Instant>,
    look: Option<Instant>,
    /// When the leases of the others could not be read for the last time.
    failed: Option<Instant>,
    /// Nodes that are listed, without a lease and never heard of, and since when.
    listed: HashMap<NodeId, Instant>,
}

fn is_due(last: Option<Instant>, every: Duration) -> bool {
    last.is_none_or(|last| last.elapsed() >= every)
}

impl Keeper {
    async fn tick(&mut self) {
        let beats = is_due(self.beat, BEAT);
        if beats {
            self.beat = Some(Instant::now());
        }
        if let Err(error) = self.write(beats).await {
            tracing::debug!(%error, "the roster of this node is not written");
        }
        if beats {
            let number = self.presence.0.state.lock().view.own.announced();
            self.presence.tell(&Word::Beat { node: self.presence.0.node, number }).await;
        }
        if is_due(self.look, LOOK) {
            self.look = Some(Instant::now());
            self.look().await;
        }
        self.measure();
    }

    /// Writes what changed, with a beat also what might expire, and says how far it is written.
    async fn write(&mut self, beats: bool) -> fabric::Result<()> {
        let (fabric, node) = (&self.presence.0.fabric, self.presence.0.node);
        if beats {
            let held = fabric.get(&Key::node_lease(node)).await?;
            let mut state = self.presence.0.state.lock();
            if held.is_none() || held != state.shelf.lease() {
                state.shelf.forget(); // The fabric was emptied, or went back to an older state.
            }
            state.shelf.refresh(REFRESHED);
        }
        let parts = {
            let mut state = self.presence.0.state.lock();
            let waits = !beats && state.view.own.people().nth(SMALL).is_some();
            if waits || !state.shelf.is_dirty() {
                return Ok(());
            }
            let state = &mut *state;
            state.shelf.batch(node, &state.view.own)
        };
        let written = shelf::write(fabric, &parts).await;
        let lease = self.presence.0.state.lock().shelf.written(&parts, written.is_ok());
        written?;
        match lease {
            Some(lease) => shelf::hold_lease(fabric, node, &lease).await,
            None => Ok(()),
        }
    }

    /// Looks which nodes live, takes out those that do not, and reads the rosters that are stale.
    async fn look(&mut self) {
        let leases = match shelf::leases(&self.presence.0.fabric).await {
            Ok(leases) => leases,
            Err(error) => {
                self.failed = Some(Instant::now());
                // Nothing can be said of anybody: everyone stays, and absence is counted anew.
                tracing::debug!(%error, "the other nodes cannot be looked at");
                let mut state = self.presence.0.state.lock();
                return state.view.others.values_mut().for_each(|other| other.missing = None);
            }
        };
        let to_read = self.take_in(&leases);
        self.bury(&leases).await;
        let mut loaded = true;
        for node in to_read {
            loaded &= self.load(node).await;
        }
        let mut state = self.presence.0.state.lock();
        state.view.forget_left();
        if loaded || state.looked.is_some() {
            state.looked = Some(Instant::now());
        }
    }

    /// Takes in which leases are there; gives the nodes whose rosters must be read.
    fn take_in(&self, leases: &HashMap<NodeId, Option<Lease>>) -> Vec<NodeId> {
        let now = Instant::now();
        let mut state = self.presence.0.state.lock();
        for (node, lease) in leases {
            if let Some(lease) = lease.as_ref().filter(|_| *node != self.presence.0.node) {
                state.view.other(*node, now).roster.told(lease.number);
            }
        }
        let others = &mut state.view.others;
        for (_, other) in others.iter_mut().filter(|(node, _)| !matches!(leases.get(*node), Some(Some(_)))) {
            other.missing.get_or_insert(now);
        }
        others.iter().filter(|(_, other)| other.roster.is_stale()).map(|(node, _)| *node).collect()
    }

    /// Takes out the people of nodes that are gone.
    async fn bury(&mut self, leases: &HashMap<NodeId, Option<Lease>>) {
        let now = now();
        let had_outage = self.failed.is_some_and(|failed| failed.elapsed() < OUTAGE_COUNTS_FOR);
        let absent = if had_outage { ABSENT_AFTER_OUTAGE } else { ABSENT };
        let mut dead = Vec::new();
        {
            let mut state = self.presence.0.state.lock();
            let is_dead = |other: &super::view::Other| {
                let is_missing = other.missing.is_some_and(|since| now.0.duration_since(since) >= absent);
                (is_missing && other.alive.elapsed() >= absent) || other.leaves.is_some_and(|at| at <= now.0)
            };
            let gone: Vec<NodeId> =
                state.view.others.iter().filter(|(_, other)| is_dead(other)).map(|(node, _)| *node).collect();
            for node in gone {
                let silent =
                    state.view.others.get(&node).map(|other| other.alive.elapsed()).unwrap_or_default();
                let left_at = now.1 - i64::try_from(silent.as_millis()).unwrap_or(0);
                let offline = state.view.drop_node(node, left_at);
                tracing::info!(%node, offline = offline.len(), "a node is gone");
                // One of those that stay writes when they were last seen.
                if state.view.others.keys().all(|other| *other > self.presence.0.node) {
                    self.presence.0.seen.put(&offline);
                }
                dead.push(node);
            }
            let known = |node: &NodeId| *node == self.presence.0.node || state.view.others.contains_key(node);
            let unknown = leases.iter().filter(|(node, lease)| lease.is_none() && !known(node));
            let unknown: HashMap<NodeId, Instant> =
                unknown.map(|(node, _)| (*node, self.listed.get(node).copied().unwrap_or(now.0))).collect();
            self.listed = unknown;
            dead.extend(
                self.listed.iter().filter(|(_, since)| since.elapsed() >= absent).map(|(node, _)| *node),
            );
        }
        for node in dead {
            shelf::strike(&self.presence.0.fabric, node).await;
        }
    }

    /// Reads a roster whole; false when it cannot be read now.
    async fn load(&self, node: NodeId) -> bool {
        let result = match shelf::read(&self.presence.0.fabric, node).await {
            Ok(Some((number, people))) => {
                let mut state = self.presence.0.state.lock();
                if state.view.loaded(node, number, people, now().1) { "loaded" } else { "behind" }
            }
            Ok(None) => "incomplete",
            Err(error) => {
                tracing::debug!(%error, "a roster cannot be read");
                "failed"
            }
        };
        metrics::counter!("hubbub_presence_loads_total", "result" => result).increment(1);
        result == "loaded"
    }

    fn measure(&self) {
        let state = self.presence.0.state.lock();
        let (here, all) = (state.view.own.people().count(), state.view.count());
        let nodes = state.view.others.len() + 1;
        drop(state);
        metrics::gauge!("hubbub_presence_online", "scope" => "node").set(count(here));
        metrics::gauge!("hubbub_presence_online", "scope" => "cluster").set(count(all));
        metrics::gauge!("hubbub_presence_nodes").set(count(nodes));
    }

    async fn say_goodbye(&self) {
        let node = self.presence.0.node;
        self.presence.tell(&Word::Bye { node }).await;
        shelf::strike(&self.presence.0.fabric, node).await;
        let left: Vec<(UserId, i64)> = {
            let state = self.presence.0.state.lock();
            let at = now().1;
            state.view.own.people().map(|(user, _)| (user, at)).collect()
        };
        self.presence.0.seen.put(&left);
        self.presence.write_seen().await;
    }
}
