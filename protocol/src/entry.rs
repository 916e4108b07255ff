//! What streams hold. Everything that somebody must not miss is an entry.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    id::{EntryId, RoomId, Seq, StreamId, UserId},
    model::{Marker, Role, Room, RoomKind, Session, User},
};

/// One line of a stream's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Entry {
    /// The stream.
    pub stream: StreamId,
    /// Its place: 1, 2, 3 … without gaps.
    pub seq: Seq,
    /// Its name.
    pub id: EntryId,
    /// When it was committed.
    #[ts(type = "number")]
    pub at: i64,
    /// Whose act it is.
    pub sender: UserId,
    /// The sender's idempotency key, where the act has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub key: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub body: EntryBody,
}

/// What happened, one kind each; a client passes over kinds that it does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryBody {
    /// In a room: a message.
    Message {
        /// The text as it was sent; empty once the message was recalled.
        text: String,
        /// The message it answers, in the same room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        reply_to: Option<Seq>,
    },
    /// In a room: the author gave a message another text.
    Edit {
        /// The message.
        target: Seq,
        /// Its new text; empty once the message was recalled.
        text: String,
    },
    /// In a room: a message was taken back; its text is gone everywhere.
    Recall {
        /// The message.
        target: Seq,
    },
    /// In a room, its first entry: the sender made it.
    RoomCreated {
        /// What it is.
        room_kind: RoomKind,
        /// What it is called.
        name: String,
    },
    /// In a room: it is called otherwise, or about something else.
    RoomUpdated {
        /// What it is called now.
        name: String,
        /// What it is about now.
        topic: String,
    },
    /// In a room: the sender came in.
    MemberJoined {
        /// The sender, as others see it.
        user: User,
    },
    /// In a room: the sender brought someone in.
    MemberAdded {
        /// Who.
        user: User,
    },
    /// In a room: the sender left.
    MemberLeft {
        /// The sender, as others see it.
        user: User,
    },
    /// In a room: the sender put someone out. It is the last entry that person gets.
    MemberRemoved {
        /// Who.
        user: User,
    },
    /// In a room: the sender gave someone another role.
    RoleChanged {
        /// Who.
        user: UserId,
        /// The role now.
        role: Role,
    },
    /// In a user's own stream: they are in a room now; its entries follow from `room.head` on.
    RoomJoined {
        /// The room, as they see it.
        room: Box<Room>,
    },
    /// In a user's own stream: they are out of a room now.
    RoomLeft {
        /// The room.
        room: RoomId,
        /// Whether someone else put them out.
        removed: bool,
    },
    /// In a user's own stream: one of their devices read on.
    MarkerMoved {
        /// The room.
        room: RoomId,
        /// How far, and how many messages were after it then.
        marker: Marker,
    },
    /// In a user's own stream: a device logged in.
    SessionStarted {
        /// The login.
        session: Session,
    },
    /// In a user's own stream: their name changed.
    ProfileChanged {
        /// As others see them now.
        user: User,
    },
}

impl EntryBody {
    /// The word of the kind, as SQL and the wire hold it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Message { .. } => "message",
            Self::Edit { .. } => "edit",
            Self::Recall { .. } => "recall",
            Self::RoomCreated { .. } => "room_created",
            Self::RoomUpdated { .. } => "room_updated",
            Self::MemberJoined { .. } => "member_joined",
            Self::MemberAdded { .. } => "member_added",
            Self::MemberLeft { .. } => "member_left",
            Self::MemberRemoved { .. } => "member_removed",
            Self::RoleChanged { .. } => "role_changed",
            Self::RoomJoined { .. } => "room_joined",
            Self::RoomLeft { .. } => "room_left",
            Self::MarkerMoved { .. } => "marker_moved",
            Self::SessionStarted { .. } => "session_started",
            Self::ProfileChanged { .. } => "profile_changed",
        }
    }
}
