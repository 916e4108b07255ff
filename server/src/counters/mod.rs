//! How many messages there are by day, room and person: kept in sorted sets in the fabric, made from SQL.
//!
//! A day's sets are written from SQL alone, under a lock, up to a moment ago: what they say they hold, they hold. What
//! was committed since is counted by each node as it commits, in *slices* of a few seconds, which are added when somebody
//! asks. So a count that was lost on its way, with a node or with Redis, is there half a minute later; and when Redis
//! was emptied the days are made again, the newest first.
//!
//! | file | does |
//! |---|---|
//! | `time` | days and slices |
//! | `sets` | the sorted sets, and what a day's marker says of them |
//! | `gather` | counting commits |
//! | `fold` | making days from SQL |
//! | `tell` | adding up what is asked for |

mod fold;
mod gather;
mod sets;
mod tell;
mod time;

use std::sync::Arc;

use hubbub_protocol::entry::Entry;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{gather::Gathered, tell::Told};
use crate::{fabric::Fabric, store::Db};

pub use tell::{Private, Public};
pub use time::date;

/// Counts of messages. Clones are the same.
#[derive(Clone)]
pub struct Counters(Arc<Inner>);

struct Inner {
    db: Db,
    fabric: Fabric,
    gathered: Gathered,
    told: Told,
}

impl Counters {
    /// Starts counting; it ends with `stop`.
    pub fn start(db: Db, fabric: Fabric, tasks: &TaskTracker, stop: CancellationToken) -> Self {
        let counters =
            Self(Arc::new(Inner { db, fabric, gathered: Gathered::default(), told: Told::default() }));
        let (gathering, folding, stopped) = (counters.clone(), counters.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! { () = gather::run(gathering) => {}, () = stop.cancelled() => {} }
        });
        tasks.spawn(async move {
            tokio::select! { () = fold::run(folding) => {}, () = stopped.cancelled() => {} }
        });
        counters
    }

    /// Counts what was committed. It never waits.
    pub fn committed(&self, entries: &[Entry]) {
        self.0.gathered.take_in(entries);
    }
}
