//! What nodes tell each other about the people connected to them.

use hubbub_protocol::id::UserId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::person::Person;

/// One run of a node; a node that was started again is another.
pub(super) type NodeId = Uuid;

/// A word on the presence topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "presence", rename_all = "snake_case")]
pub(super) enum Word {
    /// Some people came, went or changed.
    Changed {
        /// Where.
        node: NodeId,
        /// What.
        #[serde(flatten)]
        announcement: Announcement,
    },
    /// The node lives, and has made so many changes.
    Beat {
        /// Which.
        node: NodeId,
        /// The number of its newest change.
        number: u64,
    },
    /// The node has stopped; its people come back elsewhere in a moment, or not.
    Bye {
        /// Which.
        node: NodeId,
    },
}

/// Changes of one node's roster, numbered one by one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Announcement {
    /// The number of the first of them.
    pub(super) from: u64,
    /// At least one.
    pub(super) changes: Vec<Change>,
}

impl Announcement {
    /// The number of the last change.
    pub(super) fn last(&self) -> u64 {
        self.from + self.changes.len().saturating_sub(1) as u64
    }
}

/// How someone is online on a node from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    /// Who.
    #[serde(rename = "u")]
    pub(super) user: UserId,
    /// How; `None` when not any more.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(super) person: Option<Person>,
    /// When their last connection ended, for who is not online any more.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub(super) left_at: Option<i64>,
}
