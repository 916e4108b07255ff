//! Who is online: each node knows it of everyone, by itself, so that asking costs nothing.
//!
//! A node holds a lease in the fabric while it lives, and tells the others each change of its own roster. What they miss
//! they read from the fabric, where every roster stands whole. All of it may vanish: it is written again at the next
//! beat. While the fabric is away, what is known of other nodes stays as it is: nobody flickers.
//!
//! | file | does |
//! |---|---|
//! | `person` | how someone is online |
//! | `own` | who is connected here, with a time of grace |
//! | `roster` | who is connected to another node |
//! | `view` | both together: who is online |
//! | `word` | what nodes tell each other |
//! | `shelf` | rosters and leases in the fabric |
//! | `announce`, `hear` | telling and hearing |
//! | `keep` | the lease, the parts in the fabric, nodes that come and go |
//! | `push` | telling who shares a room |
//! | `seen` | when people were last online, written behind to SQL |

mod announce;
mod hear;
mod keep;
mod own;
mod person;
mod push;
mod roster;
mod seen;
mod shelf;
mod view;
mod word;

use std::{sync::Arc, time::Duration};

use hubbub_protocol::{id::UserId, model};
use parking_lot::Mutex;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use self::{seen::Seen, shelf::Shelf, view::View, word::NodeId};
use crate::{
    clock,
    fabric::Fabric,
    store::Db,
    streams::{Overheard, Streams},
};

/// How old the last look at the other nodes may be before what is known of them counts as not current.
const CURRENT_FOR: Duration = Duration::from_secs(5);

/// Who is online. Clones are the same.
#[derive(Clone)]
pub struct Presence(Arc<Inner>);

struct Inner {
    db: Db,
    fabric: Fabric,
    streams: Streams,
    /// This run of this node.
    node: NodeId,
    state: Mutex<State>,
    seen: Seen,
    stop: CancellationToken,
}

#[derive(Default)]
struct State {
    view: View,
    shelf: Shelf,
    /// When the other nodes were last looked at, with success.
    looked: Option<Instant>,
}

impl Presence {
    /// Starts telling, hearing and writing; all of it ends with `stop`.
    pub fn start(
        db: Db,
        fabric: Fabric,
        streams: Streams,
        overheard: mpsc::Receiver<Overheard>,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let (node, state, seen) = (Uuid::now_v7(), Mutex::default(), Seen::default());
        let presence = Self(Arc::new(Inner { db, fabric, streams, node, state, seen, stop }));
        tasks.spawn(hear::run(presence.clone(), overheard));
        tasks.spawn(announce::run(presence.clone()));
        tasks.spawn(keep::run(presence.clone()));
        tasks.spawn(push::run(presence.clone()));
        tasks.spawn(seen::run(presence.clone()));
        presence
    }

    /// How people are, as far as this node knows by itself: who left long ago was last seen at a time that SQL knows.
    pub fn of(&self, users: &[UserId]) -> Vec<model::Presence> {
        let state = self.0.state.lock();
        users.iter().map(|user| state.view.presence(*user)).collect()
    }

    /// How many of these people are online.
    pub fn count_among(&self, users: &[UserId]) -> u64 {
        let state = self.0.state.lock();
        users.iter().filter(|user| state.view.online(**user).is_some()).count() as u64
    }

    /// How many people are online, on all nodes.
    pub fn count(&self) -> u64 {
        self.0.state.lock().view.count() as u64
    }

    /// Whether this node knows of all others what they know now.
    pub fn is_current(&self) -> bool {
        let state = self.0.state.lock();
        state.looked.is_some_and(|looked| looked.elapsed() < CURRENT_FOR)
            && state.view.others.values().all(|other| other.roster.is_known())
    }
}

/// Both clocks.
fn now() -> (Instant, i64) {
    (Instant::now(), clock::now_ms())
}
