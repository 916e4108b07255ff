//! What a person may do in rooms: authorise, order the steps, say what happened.
//!
//! | file | does |
//! |---|---|
//! | `activity` | where and by whom most is written |
//! | `access` | one question for every door: may this person do this here |
//! | `send` | messages: send, edit, recall |
//! | `rooms` | make, change, find rooms |
//! | `members` | join, leave, add, remove, roles |
//! | `invites` | links that let people in |
//! | `history` | reading: the log, the timeline, single messages |
//! | `markers` | how far someone has read |
//! | `drafts` | texts not sent yet |
//! | `people` | profiles |
//! | `presence` | who is online |
//! | `text` | what texts and names may be |

mod access;
mod activity;
mod drafts;
mod history;
mod invites;
mod markers;
mod members;
mod people;
mod presence;
mod rooms;
mod send;
mod start;
mod text;

use std::{sync::Arc, time::Duration};

use hubbub_protocol::id::{RoomId, UserId};
use moka::sync::Cache;

use crate::{
    accounts::Accounts, counters::Counters, fabric::Fabric, presence::Presence, store::Db, streams::Streams,
};

pub use start::{Pace, Started};

/// How often it is passed on that someone is writing in a room.
const TYPING_EVERY: Duration = Duration::from_secs(2);
/// People and rooms that this is remembered of.
const TYPING_KEPT: u64 = 100_000;

/// How chat behaves.
#[derive(Clone, Debug)]
pub struct ChatSettings {
    /// How long a draft stays in the fabric without being changed; SQL keeps it for ever.
    pub draft_ttl: Duration,
    /// How long a draft waits before it is written to SQL.
    pub draft_delay: Duration,
}

/// Rooms, messages and what belongs to them. Clones are the same.
#[derive(Clone)]
pub struct Chat(Arc<Inner>);

struct Inner {
    db: Db,
    fabric: Fabric,
    streams: Streams,
    accounts: Accounts,
    presence: Presence,
    counters: Counters,
    online_counts: presence::Counts,
    drafts: drafts::WriteBehind,
    /// Who was shown to be writing, a moment ago.
    typing: Cache<(UserId, RoomId), ()>,
    settings: ChatSettings,
}

impl Chat {
    /// Over these streams and accounts, what is known of who is online, and what is counted.
    pub fn new(
        db: Db,
        fabric: Fabric,
        streams: Streams,
        accounts: Accounts,
        presence: Presence,
        counters: Counters,
        settings: ChatSettings,
    ) -> Self {
        let online_counts = presence::counts();
        let drafts = drafts::WriteBehind::default();
        let typing = Cache::builder().max_capacity(TYPING_KEPT).time_to_live(TYPING_EVERY).build();
        Self(Arc::new(Inner {
            db,
            fabric,
            streams,
            accounts,
            presence,
            counters,
            online_counts,
            drafts,
            typing,
            settings,
        }))
    }
}
