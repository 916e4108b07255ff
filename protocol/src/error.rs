//! The catalogue of errors: a command or a request failed, the connection lives.
//!
//! Numbers and reasons are never reused. Over the WebSocket an error is a JSON-RPC error object, over HTTP it is
//! problem+json (RFC 9457) with the same number and reason.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::model::SessionEnd;

macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $reason:literal, $status:literal, $title:literal;)+) => {
        /// Why a command or a request failed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason { $(#[doc = concat!($title, ".")] $(#[$doc])* #[serde(rename = $reason)] $name,)+ }

        impl Reason {
            /// Every reason, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The number, on both doors.
            pub fn code(self) -> i32 {
                match self { $(Self::$name => $code,)+ }
            }

            /// The stable word, on both doors.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $reason,)+ }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// What happened, in English, for people who read logs and answers.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

catalogue! {
    /// The frame is not JSON, or not UTF-8, or nested deeper than 16.
    MalformedJson = -32700, "malformed_json", 400, "not valid JSON, or nested too deeply";
    /// Send an object with `jsonrpc`, `id`, `method` and `params`.
    InvalidRequest = -32600, "invalid_request", 400, "not a JSON-RPC 2.0 request";
    /// See the list of methods.
    UnknownMethod = -32601, "unknown_method", 404, "no such method";
    /// `data.field` names the field where it is known.
    InvalidParams = -32602, "invalid_params", 400, "a parameter has the wrong type or value";
    /// Our fault; it is logged with the time.
    Internal = -32603, "internal", 500, "the server failed";
    /// `data.field` names it.
    MissingParameter = 4001, "missing_parameter", 400, "a required parameter is missing";
    /// Wait `retry_after_ms`, then send again.
    TooFrequent = 4004, "too_frequent", 429, "too many at once";
    /// Start a session first, or with a valid token.
    Unauthenticated = 4010, "unauthenticated", 401, "no valid session";
    /// The same answer for an unknown name and a wrong password.
    InvalidCredentials = 4011, "invalid_credentials", 401, "wrong username or password";
    /// The session was displaced, logged out or expired; log in again.
    SessionEnded = 4012, "session_ended", 401, "this session has ended";
    /// A connection starts one session, once.
    AlreadyStarted = 4013, "already_started", 409, "this connection has a session already";
    /// Ask an admin or the owner of the room.
    NotAllowed = 4030, "not_allowed", 403, "your role does not allow this";
    /// Join the room, or ask to be invited.
    NotAMember = 4031, "not_a_member", 403, "not a member of this room";
    /// The request came from a page of another site.
    ForeignOrigin = 4032, "foreign_origin", 403, "this origin is not allowed";
    /// Nothing lives at this address.
    NotFound = 4040, "not_found", 404, "nothing here";
    /// No room has this id.
    UnknownRoom = 4041, "unknown_room", 404, "no such room";
    /// No account has this id or name.
    UnknownUser = 4042, "unknown_user", 404, "no such user";
    /// No message of this room has this seq.
    UnknownMessage = 4043, "unknown_message", 404, "no such message";
    /// None of your sessions has this id.
    UnknownSession = 4044, "unknown_session", 404, "no such session";
    /// The code is unknown, used up or past its end.
    UnknownInvite = 4045, "unknown_invite", 404, "this invitation does not exist or has ended";
    /// Use a new key for new content.
    KeyConflict = 4090, "key_conflict", 409, "this idempotency key was used with other content";
    /// Choose another.
    UsernameTaken = 4091, "username_taken", 409, "this username is taken";
    /// Hand the room to another owner first.
    LastOwner = 4092, "last_owner", 409, "a room needs an owner";
    /// A recalled message cannot be edited, answered or recalled again.
    Recalled = 4100, "recalled", 410, "this message was recalled";
    /// `data.limit` says how large it may be, in bytes.
    TooLarge = 4130, "too_large", 413, "too large";
    /// Only the methods in `Allow`.
    MethodNotAllowed = 4050, "method_not_allowed", 405, "this address does not answer to this method";
    /// Send `Content-Type: application/json`.
    UnsupportedMediaType = 4150, "unsupported_media_type", 415, "send application/json";
    /// Nothing was done or it is not known; repeat with the same key after `retry_after_ms`.
    Unavailable = 5030, "unavailable", 503, "temporarily unavailable, try again";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error object of a JSON-RPC reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ErrorObject {
    /// The number of the catalogue.
    pub code: i32,
    /// A sentence that says what to do, in English.
    pub message: String,
    /// What programs read.
    pub data: ErrorData,
}

/// What programs read of an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ErrorData {
    /// The stable word of the catalogue.
    pub reason: Reason,
    /// When trying again can help, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, as = "Option<u32>")]
    pub retry_after_ms: Option<u64>,
    /// The parameter it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub field: Option<String>,
    /// The limit that was passed, in the unit of that limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, as = "Option<u32>")]
    pub limit: Option<u64>,
    /// With `session_ended`: why, by which device, from where and when, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub end: Option<Box<SessionEnd>>,
}

impl ErrorObject {
    /// An error of the catalogue with its own title as message.
    pub fn new(reason: Reason) -> Self {
        Self::with_message(reason, reason.title())
    }

    /// An error of the catalogue with a message of its own.
    pub fn with_message(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            code: reason.code(),
            message: message.into(),
            data: ErrorData { reason, retry_after_ms: None, field: None, limit: None, end: None },
        }
    }
}

/// The body of a failed HTTP request: RFC 9457 problem+json.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Problem {
    /// `urn:hubbub:error:<reason>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The catalogue's short text.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A sentence that says what to do, in English.
    pub detail: String,
    /// The number of the catalogue.
    pub code: i32,
    /// Reason, `retry_after_ms`, `field` and `limit`, as in a JSON-RPC error.
    #[serde(flatten)]
    pub data: ErrorData,
}

impl From<ErrorObject> for Problem {
    fn from(error: ErrorObject) -> Self {
        let reason = error.data.reason;
        Self {
            kind: format!("urn:hubbub:error:{reason}"),
            title: reason.title().to_owned(),
            status: reason.status(),
            detail: error.message,
            code: error.code,
            data: error.data,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Reason;

    #[test]
    fn numbers_and_reasons_are_unique() {
        let numbers: HashSet<_> = Reason::ALL.iter().map(|r| r.code()).collect();
        let words: HashSet<_> = Reason::ALL.iter().map(|r| r.as_str()).collect();
        assert_eq!((numbers.len(), words.len()), (Reason::ALL.len(), Reason::ALL.len()));
    }
}
