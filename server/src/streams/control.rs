//! What all nodes must hear beside entries: the control topic.

use hubbub_protocol::{
    id::{Seq, SessionId},
    model::SessionEnd,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A word to every node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "control", rename_all = "snake_case")]
pub enum Control {
    /// A session is over: its connections close. A node that misses this finds out by asking SQL.
    SessionEnded {
        /// Which.
        session: SessionId,
        /// Why, and by whom.
        end: SessionEnd,
    },
    /// Streams that were written lately, and their heads: who is behind has lost a publication.
    Heads {
        /// The stream's id and its newest seq.
        heads: Vec<(Uuid, Seq)>,
    },
}
