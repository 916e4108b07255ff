//! Users, rooms, messages and sessions as every door shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    close::EndReason,
    entry::Entry,
    id::{RoomId, Seq, SessionId, UserId},
};

/// A person or a bot, as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct User {
    /// The account.
    pub id: UserId,
    /// The unique name: lower case letters, digits, `.`, `_`, `-`.
    pub username: String,
    /// What others read.
    pub display_name: String,
}

/// What a device is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeviceClass {
    /// A computer: a browser or a desktop application.
    #[default]
    Desktop,
    /// A telephone.
    Phone,
    /// A tablet.
    Tablet,
    /// A program.
    Bot,
}

impl DeviceClass {
    /// The word, as SQL and the wire hold it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Phone => "phone",
            Self::Tablet => "tablet",
            Self::Bot => "bot",
        }
    }

    /// The class that has this word; an unknown word is a desktop.
    pub fn parse(word: &str) -> Self {
        match word {
            "phone" => Self::Phone,
            "tablet" => Self::Tablet,
            "bot" => Self::Bot,
            _ => Self::Desktop,
        }
    }
}

/// What logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Device {
    /// Made once by the client and kept on the device; 1 to 100 characters.
    pub id: String,
    /// What it is.
    #[serde(default)]
    pub class: DeviceClass,
    /// What its owner calls it, such as "Firefox on Linux"; at most 100 characters.
    #[serde(default)]
    pub name: String,
}

/// A login, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// What logged in.
    pub device: Device,
    /// Where from: the network address, coarse (the last part blanked).
    pub place: String,
    /// When it logged in.
    #[ts(type = "number")]
    pub started_at: i64,
    /// When it was last used, to the minute.
    #[ts(type = "number")]
    pub used_at: i64,
    /// Whether this is the session that asks.
    pub current: bool,
}

/// Why, by which device, from where and when a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SessionEnd {
    /// Why.
    pub reason: EndReason,
    /// The device that did it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub device: Option<Device>,
    /// Where that device was, coarse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub place: Option<String>,
    /// When.
    #[ts(type = "number")]
    pub at: i64,
}

/// What a room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// Two people; one such room for each pair.
    Direct,
    /// People who were invited.
    Group,
    /// Everyone can find and join it.
    Channel,
}

impl RoomKind {
    /// The word, as SQL and the wire hold it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
            Self::Channel => "channel",
        }
    }

    /// The kind that has this word; an unknown word is a group, the most private that can be joined.
    pub fn parse(word: &str) -> Self {
        match word {
            "direct" => Self::Direct,
            "channel" => Self::Channel,
            _ => Self::Group,
        }
    }
}

/// What a member may do; each role may what those before it may.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads and writes, invites.
    Member,
    /// Also renames, removes members, recalls others' messages, names admins.
    Admin,
    /// Also names owners.
    Owner,
}

impl Role {
    /// The word, as SQL and the wire hold it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role that has this word; an unknown word is the least.
    pub fn parse(word: &str) -> Self {
        match word {
            "owner" => Self::Owner,
            "admin" => Self::Admin,
            _ => Self::Member,
        }
    }
}

/// How far a person has read a room, on whichever device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Marker {
    /// The newest entry read, 0 for none.
    pub seq: Seq,
    /// Messages after it, counted by the server.
    #[ts(as = "u32")]
    pub unread: u64,
}

/// The newest message of a room, for lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Preview {
    /// Its place.
    pub seq: Seq,
    /// Who wrote it.
    pub sender: UserId,
    /// Its first 120 characters; absent when it was recalled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<String>,
    /// When.
    #[ts(type = "number")]
    pub at: i64,
}

/// A room as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Room {
    /// The room.
    pub id: RoomId,
    /// What it is.
    pub kind: RoomKind,
    /// What it is called; empty for a direct room, which is called by its `peer`.
    pub name: String,
    /// What it is about.
    pub topic: String,
    /// The reader's role.
    pub role: Role,
    /// How many people are in it.
    #[ts(as = "u32")]
    pub member_count: u64,
    /// The other person of a direct room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub peer: Option<User>,
    /// The newest seq of the room's stream.
    pub head: Seq,
    /// How far the reader has read it.
    pub marker: Marker,
    /// The newest message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last: Option<Preview>,
    /// When it was made.
    #[ts(type = "number")]
    pub created_at: i64,
}

/// A public channel as someone who browses sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PublicRoom {
    /// The room.
    pub id: RoomId,
    /// What it is.
    pub kind: RoomKind,
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub topic: String,
    /// How many people are in it.
    #[ts(as = "u32")]
    pub member_count: u64,
    /// Whether the reader is in it.
    pub joined: bool,
}

/// Someone in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Member {
    /// Who.
    pub user: User,
    /// As what.
    pub role: Role,
    /// Since when.
    #[ts(type = "number")]
    pub joined_at: i64,
}

/// One line of a room's timeline with its present content: an [`Entry`] of a kind that stands in the timeline
/// (everything but `edit` and `recall`), and what later edits and recalls made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct TimelineItem {
    /// The entry; the text of a message is its present one, empty when it was recalled.
    #[serde(flatten)]
    pub entry: Entry,
    /// When the text was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub edited_at: Option<i64>,
    /// Who recalled it and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub recalled: Option<Recalled>,
}

/// Who recalled a message, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Recalled {
    /// Who: the author, or an admin.
    pub by: UserId,
    /// When.
    #[ts(type = "number")]
    pub at: i64,
}

/// A text that its author has not sent yet; the same on each of their devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Draft {
    /// Where it will go.
    pub room: RoomId,
    /// The text so far.
    pub text: String,
    /// The message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reply_to: Option<Seq>,
    /// When it was last changed; the newer draft wins.
    #[ts(type = "number")]
    pub at: i64,
}

/// Whether a person is online.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Presence {
    /// Who.
    pub user: UserId,
    /// Whether any device of theirs is connected, or was until a few seconds ago.
    pub online: bool,
    /// Whether they are online, and every connection of theirs says that they are away from it.
    pub away: bool,
    /// What they are connected with; empty when offline.
    pub devices: Vec<DeviceClass>,
    /// Since when they are online; absent when they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub since: Option<i64>,
    /// When they were last online; absent while they are, and for who never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub last_seen_at: Option<i64>,
}

/// Whether a person is at a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// They are.
    #[default]
    Active,
    /// The client runs, nobody looks at it.
    Away,
}

/// A link that lets people in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Invite {
    /// The code; `room.join {code}` uses it.
    pub code: String,
    /// The room it opens.
    pub room: RoomId,
    /// When it ends.
    #[ts(type = "number")]
    pub expires_at: i64,
    /// How often it may still be used; absent for without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, as = "Option<u32>")]
    pub uses_left: Option<u64>,
}
