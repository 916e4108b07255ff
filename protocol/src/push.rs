//! What the server says unasked: JSON-RPC notifications.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    entry::Entry,
    id::{RoomId, Seq, UserId},
    model::{Draft, Presence, SessionEnd},
};

/// A notification from the server, by its `method`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "method", content = "params", rename_all = "snake_case")]
pub enum Push {
    /// An entry of a stream that the connection follows, in the order of its stream.
    Entry(Entry),
    /// Something that may be missed: it has no seq and is not repeated.
    Signal(Signal),
    /// The session is over; the close frame that follows carries the same reason.
    #[serde(rename = "session.ended")]
    SessionEnded(SessionEnd),
}

/// Something that may be missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Signal {
    /// Someone is writing; show it for 5 s.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
    },
    /// Another member has read on; sent in rooms of at most 50 members.
    Read {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// The newest entry they have read.
        seq: Seq,
    },
    /// A draft of your own changed on another device; an empty text is none.
    Draft {
        /// The draft.
        draft: Draft,
    },
    /// Someone came online, went offline, or changed how; sent to who shares a room of at most 250 members with them.
    Presence {
        /// How they are now.
        presence: Presence,
    },
}
