//! Close codes: the connection ends, and the range says what a client does next.
//!
//! | range | a client |
//! |---|---|
//! | 1001, 1006, 1011, 1012 | reconnects with jitter and resumes with its cursors |
//! | 4000–4099 | reconnects at once, with jitter, and resumes with its cursors |
//! | 4100–4199 | reconnects after its back-off |
//! | 4200–4299 | refreshes its token, then reconnects |
//! | 4400–4499 | stops: no automatic reconnect, whatever it holds |
//! | 1002, 1003, 1007, 1009 | has a fault of its own; reconnects after its back-off |

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a client does after a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Reconnect at once, with jitter, and resume with cursors.
    Resume,
    /// Reconnect after the back-off.
    BackOff,
    /// Refresh the token, then reconnect.
    Refresh,
    /// Do not come back without a new login by a person.
    Stop,
}

macro_rules! closes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $reason:literal, $text:literal;)+) => {
        /// Why the server ends a connection.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CloseCode { $(#[doc = concat!($text, ".")] $(#[$doc])* $name,)+ }

        impl CloseCode {
            /// Every close code that the server sends.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The number in the close frame.
            pub fn code(self) -> u16 {
                match self { $(Self::$name => $code,)+ }
            }

            /// The reason in the close frame: a stable word.
            pub fn reason(self) -> &'static str {
                match self { $(Self::$name => $reason,)+ }
            }

            /// What happened, in English.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

closes! {
    Normal = 1000, "bye", "the client closed the connection";
    ProtocolError = 1002, "protocol_error", "the frames break RFC 6455";
    InvalidUtf8 = 1007, "invalid_utf8", "a text frame is not UTF-8";
    TooBig = 1009, "too_big", "a message is larger than the server reads at all";
    Internal = 1011, "internal", "the server failed";
    Drain = 1012, "drain", "this node stops; another one has the connection's streams";
    SlowConsumer = 4000, "slow_consumer", "the client reads more slowly than its streams grow";
    HeartbeatMissed = 4001, "heartbeat_missed", "nothing was heard from the client in time";
    Overloaded = 4100, "overloaded", "the node sheds load";
    StartMissed = 4101, "start_missed", "no session.start in time";
    TokenExpired = 4200, "token_expired", "the access token timed out";
    Displaced = 4400, "displaced", "the account logged in on another device";
    LoggedOut = 4401, "logged_out", "the session was logged out";
    PasswordChanged = 4402, "password_changed", "the password was changed";
    Banned = 4403, "banned", "the account is suspended";
    AccountDeleted = 4404, "account_deleted", "the account was deleted";
    SessionExpired = 4405, "session_expired", "the session timed out";
    TokenReused = 4406, "token_reused", "a spent refresh token was used";
}

impl CloseCode {
    /// What a client does after this close.
    pub fn next(self) -> Next {
        next_after(self.code())
    }
}

/// What a client does after a close with this number, known or not.
pub fn next_after(code: u16) -> Next {
    match code {
        1000..=1001 | 1005..=1006 | 1011..=1012 | 4000..=4099 => Next::Resume,
        4200..=4299 => Next::Refresh,
        4400..=4499 => Next::Stop,
        _ => Next::BackOff,
    }
}

/// Why a session ended for good; each has a close code in 4400–4499.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The account logged in on another device.
    Displaced,
    /// Logged out, here or from another device.
    LoggedOut,
    /// The password was changed.
    PasswordChanged,
    /// The account is suspended.
    Banned,
    /// The account was deleted.
    AccountDeleted,
    /// Not used for longer than its time-out.
    Expired,
    /// A spent refresh token was used: the session may be in foreign hands.
    TokenReused,
}

impl EndReason {
    /// The close code of live connections of such a session.
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::Displaced => CloseCode::Displaced,
            Self::LoggedOut => CloseCode::LoggedOut,
            Self::PasswordChanged => CloseCode::PasswordChanged,
            Self::Banned => CloseCode::Banned,
            Self::AccountDeleted => CloseCode::AccountDeleted,
            Self::Expired => CloseCode::SessionExpired,
            Self::TokenReused => CloseCode::TokenReused,
        }
    }

    /// The word, as SQL and the wire hold it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Displaced => "displaced",
            Self::LoggedOut => "logged_out",
            Self::PasswordChanged => "password_changed",
            Self::Banned => "banned",
            Self::AccountDeleted => "account_deleted",
            Self::Expired => "expired",
            Self::TokenReused => "token_reused",
        }
    }

    /// The reason that has this word.
    pub fn parse(word: &str) -> Option<Self> {
        use EndReason::{
            AccountDeleted, Banned, Displaced, Expired, LoggedOut, PasswordChanged, TokenReused,
        };
        [Displaced, LoggedOut, PasswordChanged, Banned, AccountDeleted, Expired, TokenReused]
            .into_iter()
            .find(|reason| reason.as_str() == word)
    }
}
