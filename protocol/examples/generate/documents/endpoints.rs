//! The addresses of the HTTP API.

use hubbub_protocol::error::Reason::{
    self, InvalidCredentials, InvalidParams, NotAMember, NotAllowed, SessionEnded, Unauthenticated,
    UnknownInvite, UnknownRoom, UnknownSession, UsernameTaken,
};

/// One address of the HTTP API.
pub(super) struct Endpoint {
    /// The HTTP method, in lower case.
    pub(super) method: &'static str,
    /// The address.
    pub(super) path: &'static str,
    /// What specifications call it.
    pub(super) id: &'static str,
    /// What it does, in one line.
    pub(super) summary: &'static str,
    /// Whether it needs an access token.
    pub(super) signed_in: bool,
    /// The type of the body it is sent.
    pub(super) body: Option<&'static str>,
    /// What may stand behind `?`.
    pub(super) query: &'static [(&'static str, &'static str)],
    /// The status of an answer that is no error.
    pub(super) status: u16,
    /// The type of that answer.
    pub(super) answer: Option<&'static str>,
    /// What that answer is.
    pub(super) answer_text: &'static str,
    /// Errors of its own.
    pub(super) errors: &'static [Reason],
}

const BEFORE: (&str, &str) = ("before", "Only what is below this seq.");
const AFTER: (&str, &str) = ("after", "Only what is above this seq.");
const AROUND: (&str, &str) = ("around", "Half of the page below, half at and above this seq.");
const DAYS: (&str, &str) = ("days", "How many days back, today included.");
const LIMIT: (&str, &str) = ("limit", "Most that the page holds.");

/// Every address, in the order of the documentation.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: "get",
        path: "/v1/server",
        id: "serverInfo",
        summary: "What a client needs before anyone signs in.",
        signed_in: false,
        body: None,
        query: &[],
        status: 200,
        answer: Some("ServerInfo"),
        answer_text: "About this server.",
        errors: &[],
    },
    Endpoint {
        method: "post",
        path: "/v1/accounts",
        id: "signUp",
        summary: "Signs up.",
        signed_in: false,
        body: Some("SignUp"),
        query: &[],
        status: 201,
        answer: Some("Account"),
        answer_text: "The new account; log in next.",
        errors: &[UsernameTaken, NotAllowed],
    },
    Endpoint {
        method: "post",
        path: "/v1/sessions",
        id: "logIn",
        summary: "Logs in, and ends the session that the account had elsewhere.",
        signed_in: false,
        body: Some("LogIn"),
        query: &[],
        status: 201,
        answer: Some("LoggedIn"),
        answer_text: "The session and its tokens.",
        errors: &[InvalidCredentials],
    },
    Endpoint {
        method: "post",
        path: "/v1/sessions/refresh",
        id: "refresh",
        summary: "Exchanges a refresh token for new tokens; each works once.",
        signed_in: false,
        body: Some("Refresh"),
        query: &[],
        status: 200,
        answer: Some("LoggedIn"),
        answer_text: "The same session with new tokens.",
        errors: &[Unauthenticated, SessionEnded],
    },
    Endpoint {
        method: "get",
        path: "/v1/sessions",
        id: "listSessions",
        summary: "Lists the account's live sessions, newest first.",
        signed_in: true,
        body: None,
        query: &[],
        status: 200,
        answer: Some("Sessions"),
        answer_text: "The sessions.",
        errors: &[],
    },
    Endpoint {
        method: "delete",
        path: "/v1/sessions/{id}",
        id: "logOut",
        summary: "Logs out: this session (`current`) or another of the account's.",
        signed_in: true,
        body: None,
        query: &[],
        status: 204,
        answer: None,
        answer_text: "It has ended; its connections are closed with 4401.",
        errors: &[UnknownSession],
    },
    Endpoint {
        method: "get",
        path: "/v1/invites/{code}",
        id: "inviteInfo",
        summary: "Shows what an invitation opens.",
        signed_in: false,
        body: None,
        query: &[],
        status: 200,
        answer: Some("InviteInfo"),
        answer_text: "The invitation.",
        errors: &[UnknownInvite],
    },
    Endpoint {
        method: "get",
        path: "/v1/rooms/{room}/entries",
        id: "roomEntries",
        summary: "Reads a room's log, as `room.read`.",
        signed_in: true,
        body: None,
        query: &[BEFORE, AFTER, LIMIT],
        status: 200,
        answer: Some("EntriesPage"),
        answer_text: "Entries, ascending and without holes.",
        errors: &[InvalidParams, UnknownRoom, NotAMember],
    },
    Endpoint {
        method: "get",
        path: "/v1/rooms/{room}/messages",
        id: "roomMessages",
        summary: "Reads a room's timeline, as `room.history`.",
        signed_in: true,
        body: None,
        query: &[BEFORE, AFTER, AROUND, LIMIT],
        status: 200,
        answer: Some("HistoryPage"),
        answer_text: "A part of the timeline, ascending.",
        errors: &[InvalidParams, UnknownRoom, NotAMember],
    },
    Endpoint {
        method: "get",
        path: "/v1/activity",
        id: "activity",
        summary: "Counts messages: by day, the most active rooms, the most active people.",
        signed_in: true,
        body: None,
        query: &[DAYS, LIMIT],
        status: 200,
        answer: Some("Activity"),
        answer_text: "The counts.",
        errors: &[InvalidParams],
    },
    Endpoint {
        method: "get",
        path: "/livez",
        id: "live",
        summary: "Whether the process runs.",
        signed_in: false,
        body: None,
        query: &[],
        status: 200,
        answer: None,
        answer_text: "It runs.",
        errors: &[],
    },
    Endpoint {
        method: "get",
        path: "/readyz",
        id: "ready",
        summary: "Whether this node takes new clients.",
        signed_in: false,
        body: None,
        query: &[],
        status: 200,
        answer: Some("Readiness"),
        answer_text: "It does.",
        errors: &[],
    },
];
