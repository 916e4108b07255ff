//! Each command with the type of its answer, and why an answer is missing.

use std::fmt;

use hubbub_protocol::{
    close::{self, Next},
    command::{
        Command, DraftResult, DraftSetParams, Empty, EntriesPage, HistoryPage, MarkerSetParams,
        MessageEditParams, MessageGetParams, MessageRecallParams, MessageSendParams, MessagesResult,
        PingParams, PingResult, PresenceGetParams, PresenceResult, PresenceSetParams, RoomAddParams,
        RoomCreateParams, RoomHistoryParams, RoomInviteParams, RoomJoinParams, RoomListParams,
        RoomListResult, RoomMembersParams, RoomMembersResult, RoomParams, RoomReadParams, RoomRemoveParams,
        RoomResult, RoomRoleParams, RoomUpdateParams, Sent, SeqResult, SessionStartParams,
        SessionStartResult, UserFindParams, UserGetParams, UserResult, UserUpdateParams, UsersResult,
    },
    error::{ErrorObject, Reason},
    id::RoomId,
    model::{Invite, Marker},
};
use serde::de::DeserializeOwned;

/// A command that knows what it is answered.
pub trait Ask {
    /// The answer.
    type Answer: DeserializeOwned;

    /// The command as the wire knows it.
    fn into_command(self) -> Command;
}

macro_rules! asks {
    ($($params:ident => $variant:ident -> $answer:ident;)+) => {$(
        impl Ask for $params {
            type Answer = $answer;

            fn into_command(self) -> Command {
                Command::$variant(self)
            }
        }
    )+};
}

asks! {
    SessionStartParams => SessionStart -> SessionStartResult;
    PingParams => Ping -> PingResult;
    RoomCreateParams => RoomCreate -> RoomResult;
    RoomJoinParams => RoomJoin -> RoomResult;
    RoomAddParams => RoomAdd -> SeqResult;
    RoomRemoveParams => RoomRemove -> SeqResult;
    RoomRoleParams => RoomRole -> SeqResult;
    RoomUpdateParams => RoomUpdate -> RoomResult;
    RoomInviteParams => RoomInvite -> Invite;
    RoomListParams => RoomList -> RoomListResult;
    RoomMembersParams => RoomMembers -> RoomMembersResult;
    RoomReadParams => RoomRead -> EntriesPage;
    RoomHistoryParams => RoomHistory -> HistoryPage;
    MessageSendParams => MessageSend -> Sent;
    MessageEditParams => MessageEdit -> Sent;
    MessageRecallParams => MessageRecall -> Sent;
    MessageGetParams => MessageGet -> MessagesResult;
    MarkerSetParams => MarkerSet -> Marker;
    DraftSetParams => DraftSet -> DraftResult;
    PresenceGetParams => PresenceGet -> PresenceResult;
    PresenceSetParams => PresenceSet -> Empty;
    UserGetParams => UserGet -> UsersResult;
    UserFindParams => UserFind -> UsersResult;
    UserUpdateParams => UserUpdate -> UserResult;
}

macro_rules! room_asks {
    ($($(#[$doc:meta])* $name:ident => $variant:ident -> $answer:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub RoomId);

        impl Ask for $name {
            type Answer = $answer;

            fn into_command(self) -> Command {
                Command::$variant(RoomParams { room: self.0 })
            }
        }
    )+};
}

room_asks! {
    /// `room.get`: one of your rooms as it is now.
    GetRoom => RoomGet -> RoomResult;
    /// `room.leave`: leaves a room.
    LeaveRoom => RoomLeave -> SeqResult;
    /// `typing.set`: shows the others that you are writing.
    SetTyping => TypingSet -> Empty;
}

/// Why a command has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AskError {
    /// The server refused it; the connection lives.
    #[error("refused: {} ({})", .0.message, .0.data.reason)]
    Refused(ErrorObject),
    /// The connection ended before the answer: whether it was done is not known. Repeat it under the same key.
    #[error("the connection ended first: {0}")]
    Closed(Closed),
    /// No answer in time: whether it was done is not known. Repeat it under the same key.
    #[error("no answer in time")]
    TimedOut,
    /// The answer is not what this version of the client understands.
    #[error("the answer cannot be read: {0}")]
    Undecodable(String),
}

impl AskError {
    /// The catalogue's reason, when the server refused.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Refused(error) => Some(error.data.reason),
            _ => None,
        }
    }
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The close code; 1006 when the connection was lost without one.
    pub code: u16,
    /// The stable word that came with it.
    pub reason: String,
}

impl Closed {
    /// Lost without a close frame.
    pub(crate) fn lost(reason: &str) -> Self {
        Self { code: 1006, reason: reason.to_owned() }
    }

    /// What the table of close codes tells a client to do.
    pub fn next(&self) -> Next {
        close::next_after(self.code)
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.reason)
    }
}
