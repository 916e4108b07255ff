//! Bodies of the HTTP API.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    id::RoomId,
    model::{Device, RoomKind, Session, User},
};

/// `POST /v1/accounts`: sign up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct SignUp {
    /// 2 to 32 letters, digits, `.`, `_`, `-`; kept in lower case.
    pub username: String,
    /// 8 to 256 characters.
    pub password: String,
    /// What others read, 1 to 64 characters; the username when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub display_name: Option<String>,
}

/// The new account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Account {
    /// As others see it.
    pub user: User,
}

/// `POST /v1/sessions`: log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct LogIn {
    /// In any case.
    pub username: String,
    /// The password.
    pub password: String,
    /// What logs in.
    pub device: Device,
}

/// A login, or a refreshed one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct LoggedIn {
    /// Who.
    pub user: User,
    /// The session.
    pub session: Session,
    /// Opaque; for `session.start` and `Authorization: Bearer`. Never in a URL.
    pub access_token: String,
    /// How long the access token lives without being used, in seconds; each use begins it anew.
    #[ts(as = "u32")]
    pub expires_in_s: u64,
    /// Opaque, for one use with `POST /v1/sessions/refresh`.
    pub refresh_token: String,
    /// How long the refresh token lives, in seconds.
    #[ts(as = "u32")]
    pub refresh_expires_in_s: u64,
}

/// `POST /v1/sessions/refresh`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Refresh {
    /// The newest refresh token of the session.
    pub refresh_token: String,
}

/// `GET /v1/sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Sessions {
    /// The account's live sessions, newest first.
    pub sessions: Vec<Session>,
}

/// `GET /v1/server`: what a client needs before anyone signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ServerInfo {
    /// What this server is called.
    pub name: String,
    /// The version of the program.
    pub version: String,
    /// Whether people may sign up.
    pub sign_up: bool,
    /// Ways to sign in.
    pub sign_in: Vec<SignInWay>,
    /// What a new login does to the one before.
    pub session_policy: SessionPolicy,
    /// What counts as one place to be logged in at.
    pub session_scope: SessionScope,
    /// Rules for passwords.
    pub password: PasswordRules,
}

/// A way to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum SignInWay {
    /// Username and password.
    Password,
}

/// What a new login does to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum SessionPolicy {
    /// It ends it.
    Takeover,
}

/// What counts as one place to be logged in at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum SessionScope {
    /// One session for an account.
    Account,
}

/// Rules for passwords, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PasswordRules {
    /// Fewest.
    #[ts(as = "u32")]
    pub least: u64,
    /// Most.
    #[ts(as = "u32")]
    pub most: u64,
}

/// `GET /v1/invites/{code}`: what an invitation opens, for someone who may not be in yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct InviteInfo {
    /// What the room is called.
    pub room_name: String,
    /// How many people are in it.
    #[ts(as = "u32")]
    pub member_count: u64,
    /// Who invites.
    pub invited_by: User,
    /// When it ends.
    #[ts(type = "number")]
    pub expires_at: i64,
}

/// `GET /v1/activity`: what went on in public channels and in the asker's own rooms. Days are those of UTC; a message
/// counts on the day it was sent, also when it was recalled since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Activity {
    /// Each day asked for, the oldest first; today is the last.
    pub days: Vec<ActivityDay>,
    /// Public channels and the asker's own rooms with the most messages in these days, the most active first.
    pub rooms: Vec<ActiveRoom>,
    /// People who wrote the most messages into public channels in these days, the most active first. What they
    /// write into other rooms is counted for nobody, the asker included.
    pub people: Vec<ActivePerson>,
    /// When this was counted.
    #[ts(type = "number")]
    pub as_of: i64,
    /// Whether everything sent up to half a minute before `as_of` is in it. False for a while after the counts were
    /// lost: what is missing is being counted again.
    pub complete: bool,
}

/// A day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ActivityDay {
    /// Its date in UTC, `YYYY-MM-DD`.
    pub day: String,
    /// Messages in public channels and in the asker's own rooms.
    #[ts(as = "u32")]
    pub messages: u64,
}

/// A room and its messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ActiveRoom {
    /// The room.
    pub room: RoomId,
    /// What it is.
    pub kind: RoomKind,
    /// What it is called; empty for a direct room.
    pub name: String,
    /// Whether the asker is in it.
    pub joined: bool,
    /// Messages in these days.
    #[ts(as = "u32")]
    pub messages: u64,
}

/// A person and their messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ActivePerson {
    /// Who.
    pub user: User,
    /// Messages in public channels in these days.
    #[ts(as = "u32")]
    pub messages: u64,
}

/// `GET /readyz`: whether this node takes new clients, and why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Readiness {
    /// Whether it does.
    pub ready: bool,
    /// One word a reason: `draining` it is being stopped; `database` it does not answer or is read-only; `deaf` this node
    /// does not hear the other ones.
    pub why_not: Vec<String>,
    /// What does not work without being a reason to go elsewhere: `redis`, without which everything is slower.
    pub degraded: Vec<String>,
}
