//! What a client may ask over the WebSocket, and what it is answered.
//!
//! Each method has one row in `methods!`; the enum, the decoder and the table that the specifications are generated
//! from all come from that row.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    entry::Entry,
    error::{ErrorObject, Reason},
    id::{Cursor, EntryId, Epoch, RoomId, Seq, StreamId, UserId},
    model::{
        Draft, Invite, Marker, Member, Presence, PresenceState, PublicRoom, Role, Room, RoomKind, Session,
        TimelineItem, User,
    },
};

/// One method, as the specifications show it.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// The `method` of the request.
    pub name: &'static str,
    /// The type of its `params`.
    pub params: &'static str,
    /// The type of the `result`.
    pub result: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
}

macro_rules! methods {
    ($($name:literal $variant:ident($params:ident) -> $result:ident, $summary:literal;)+) => {
        /// A request of a client, decoded.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Command { $(#[doc = $summary] $variant($params),)+ }

        // A result that is no type does not compile.
        $(const _: Option<$result> = None;)+

        /// Every method, in the order of the documentation.
        pub const METHODS: &[Method] = &[
            $(Method { name: $name, params: stringify!($params), result: stringify!($result), summary: $summary },)+
        ];

        impl Command {
            /// The command that `method` names, with its `params` (a JSON object; absent is an empty one).
            ///
            /// # Errors
            /// `unknown_method`, `missing_parameter` or `invalid_params`, saying what to change.
            pub fn decode(method: &str, params: Option<&str>) -> Result<Self, ErrorObject> {
                let params = params.unwrap_or("{}");
                match method {
                    $($name => decode_params(params).map(Self::$variant),)+
                    _ => Err(ErrorObject::with_message(
                        Reason::UnknownMethod,
                        "no such method; see METHODS in PROTOCOL.md",
                    )),
                }
            }

            /// The `method` of the request.
            pub fn method(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)+ }
            }

            /// The `params` of the request, as JSON.
            ///
            /// # Errors
            /// Never for values of these types.
            pub fn params(&self) -> serde_json::Result<serde_json::Value> {
                match self { $(Self::$variant(params) => serde_json::to_value(params),)+ }
            }
        }
    };
}

methods! {
    "session.start" SessionStart(SessionStartParams) -> SessionStartResult,
        "Starts the session on this connection; the first command, within 10 s.";
    "ping" Ping(PingParams) -> PingResult,
        "Says that the client lives and keeps its session from timing out.";
    "room.create" RoomCreate(RoomCreateParams) -> RoomResult,
        "Makes a room, or finds the direct room with a person.";
    "room.join" RoomJoin(RoomJoinParams) -> RoomResult,
        "Joins a public channel by its id, or any room by the code of an invitation.";
    "room.leave" RoomLeave(RoomParams) -> SeqResult,
        "Leaves a room.";
    "room.add" RoomAdd(RoomAddParams) -> SeqResult,
        "Brings people into a group or channel.";
    "room.remove" RoomRemove(RoomRemoveParams) -> SeqResult,
        "Puts a member out; admins and owners.";
    "room.role" RoomRole(RoomRoleParams) -> SeqResult,
        "Gives a member a role; admins up to admin, owners every role.";
    "room.update" RoomUpdate(RoomUpdateParams) -> RoomResult,
        "Renames a room or changes its topic; admins and owners.";
    "room.invite" RoomInvite(RoomInviteParams) -> Invite,
        "Makes an invitation: a code that lets people in.";
    "room.get" RoomGet(RoomParams) -> RoomResult,
        "One of your rooms as it is now.";
    "room.list" RoomList(RoomListParams) -> RoomListResult,
        "Public channels, by name.";
    "room.members" RoomMembers(RoomMembersParams) -> RoomMembersResult,
        "The members of a room.";
    "room.read" RoomRead(RoomReadParams) -> EntriesPage,
        "Entries of a room's log as they were committed, without holes.";
    "room.history" RoomHistory(RoomHistoryParams) -> HistoryPage,
        "The timeline of a room: messages with their present text, joins and removals.";
    "message.send" MessageSend(MessageSendParams) -> Sent,
        "Sends a message.";
    "message.edit" MessageEdit(MessageEditParams) -> Sent,
        "Gives one of your messages another text.";
    "message.recall" MessageRecall(MessageRecallParams) -> Sent,
        "Takes a message back: yours, or as an admin anyone's.";
    "message.get" MessageGet(MessageGetParams) -> MessagesResult,
        "Messages of a room by their seqs, with their present text.";
    "marker.set" MarkerSet(MarkerSetParams) -> Marker,
        "Moves your read marker forward.";
    "draft.set" DraftSet(DraftSetParams) -> DraftResult,
        "Keeps a draft for all your devices; an empty text removes it.";
    "typing.set" TypingSet(RoomParams) -> Empty,
        "Shows the others in a room that you are writing, for 5 s.";
    "presence.get" PresenceGet(PresenceGetParams) -> PresenceResult,
        "Who is online: in a room, of some people, or how many in all.";
    "presence.set" PresenceSet(PresenceSetParams) -> Empty,
        "Says whether the person is at this connection.";
    "user.get" UserGet(UserGetParams) -> UsersResult,
        "People by their ids; unknown ones are left out.";
    "user.find" UserFind(UserFindParams) -> UsersResult,
        "People whose username or display name begins so.";
    "user.update" UserUpdate(UserUpdateParams) -> UserResult,
        "Changes what others read as your name.";
}

fn decode_params<'a, P: Deserialize<'a>>(params: &'a str) -> Result<P, ErrorObject> {
    // serde would also take an array, and with it the order of our fields for a part of the wire.
    if !params.trim_start().starts_with('{') {
        return Err(ErrorObject::with_message(Reason::InvalidParams, "params must be an object"));
    }
    serde_json::from_str(params).map_err(|error| {
        // serde names what it misses; the position is of no use to someone who sent one frame.
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or_default().to_owned();
        let missing = text.starts_with("missing field");
        let field = text.split('`').nth(1).filter(|_| missing).map(str::to_owned);
        let reason = if missing { Reason::MissingParameter } else { Reason::InvalidParams };
        let mut object = ErrorObject::with_message(reason, text);
        object.data.field = field;
        object
    })
}

macro_rules! shape {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_attr:meta])* $field:ident: $type:ty,)* })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
        pub struct $name { $($(#[$field_attr])* pub $field: $type,)* }
    )+};
}

shape! {
    /// Starts a session on a connection.
    SessionStartParams {
        /// The access token.
        token: String,
        /// How far the client has each stream it wants to resume; streams without a cursor start at their head.
        #[serde(default)]
        #[ts(optional, as = "Option<_>")]
        cursors: BTreeMap<StreamId, Cursor>,
    }
    /// What a client needs to begin; missed entries follow as pushes.
    SessionStartResult {
        /// Who this is.
        user: User,
        /// The session.
        session: Session,
        /// The life of the database; belongs into cursors.
        epoch: Epoch,
        /// The newest seq of the user's own stream.
        head: Seq,
        /// The user's rooms.
        rooms: Vec<Room>,
        /// What became of each cursor.
        resumed: BTreeMap<StreamId, Resume>,
        /// Texts not sent yet.
        drafts: Vec<Draft>,
        /// What this server allows.
        limits: Limits,
        /// Send `ping` at least this often, in milliseconds.
        #[ts(as = "u32")]
        heartbeat_ms: u64,
        /// The server's clock.
        #[ts(type = "number")]
        now: i64,
    }
    /// What this server allows.
    Limits {
        /// Largest frame, in bytes.
        #[ts(as = "u32")]
        frame_bytes: u64,
        /// Largest text, in bytes of UTF-8.
        #[ts(as = "u32")]
        text_bytes: u64,
        /// Commands a connection may send each second, on average.
        commands_per_s: u32,
        /// Commands it may send at once.
        commands_burst: u32,
    }
    /// Says that the client lives.
    PingParams {}
    /// The server lives too.
    PingResult {
        /// The server's clock.
        #[ts(type = "number")]
        now: i64,
    }
    /// Nothing more to say.
    Empty {}
    /// Names a room.
    RoomParams {
        /// The room.
        room: RoomId,
    }
    /// A new room.
    RoomCreateParams {
        /// Idempotency key: the same key makes the same room once. 1 to 64 bytes.
        key: String,
        /// What it is.
        kind: RoomKind,
        /// What it is called; 1 to 80 characters, absent for a direct room.
        #[serde(default)]
        #[ts(optional, as = "Option<_>")]
        name: String,
        /// What it is about; at most 250 characters.
        #[serde(default)]
        #[ts(optional, as = "Option<_>")]
        topic: String,
        /// Who is in it from the start, beside its maker; exactly one for a direct room.
        #[serde(default)]
        #[ts(optional, as = "Option<_>")]
        members: Vec<UserId>,
    }
    /// A room.
    RoomResult {
        /// The room as the asker sees it.
        room: Room,
    }
    /// Joins a room: exactly one of the two.
    RoomJoinParams {
        /// A public channel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        room: Option<RoomId>,
        /// The code of an invitation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        code: Option<String>,
    }
    /// Where the change stands in the room's stream.
    SeqResult {
        /// The seq of its last entry; the head where nothing had to change.
        seq: Seq,
    }
    /// Brings people in.
    RoomAddParams {
        /// The room.
        room: RoomId,
        /// Who; at most 100.
        users: Vec<UserId>,
    }
    /// Puts a member out.
    RoomRemoveParams {
        /// The room.
        room: RoomId,
        /// Who.
        user: UserId,
    }
    /// Gives a member a role.
    RoomRoleParams {
        /// The room.
        room: RoomId,
        /// Who.
        user: UserId,
        /// As what.
        role: Role,
    }
    /// Changes a room; what is absent stays.
    RoomUpdateParams {
        /// The room.
        room: RoomId,
        /// What it is called from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        name: Option<String>,
        /// What it is about from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        topic: Option<String>,
    }
    /// A new invitation.
    RoomInviteParams {
        /// The room.
        room: RoomId,
        /// How long it lasts, in seconds; 60 s to 30 days, 7 days when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional, as = "Option<u32>")]
        expires_in_s: Option<u64>,
        /// How often it may be used; without limit when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional, as = "Option<u32>")]
        max_uses: Option<u64>,
    }
    /// Looks for public channels.
    RoomListParams {
        /// What their names begin with; all when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        query: Option<String>,
        /// The last name of the page before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        after: Option<String>,
        /// 1 to 200, 50 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        limit: Option<u16>,
    }
    /// Public channels.
    RoomListResult {
        /// By name.
        rooms: Vec<PublicRoom>,
    }
    /// Asks who is in a room.
    RoomMembersParams {
        /// The room.
        room: RoomId,
        /// The last user of the page before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        after: Option<UserId>,
        /// 1 to 200, 50 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        limit: Option<u16>,
    }
    /// Members, by user id.
    RoomMembersResult {
        /// The members.
        members: Vec<Member>,
    }
    /// Asks for entries of a room. With `after` the page goes upward from there; with `before`, or neither,
    /// it holds the newest below that place. Always in ascending order.
    RoomReadParams {
        /// The room.
        room: RoomId,
        /// Only entries below this seq.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        before: Option<Seq>,
        /// Only entries above this seq.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        after: Option<Seq>,
        /// 1 to 200, 50 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        limit: Option<u16>,
    }
    /// Entries, ascending and without holes.
    EntriesPage {
        /// The life of the database.
        epoch: Epoch,
        /// The entries.
        entries: Vec<Entry>,
        /// The newest seq of the stream when the page was read.
        head: Seq,
    }
    /// Asks for a part of a room's timeline: the newest, or that before, after or around a seq (at most one of them).
    RoomHistoryParams {
        /// The room.
        room: RoomId,
        /// Only items below this seq.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        before: Option<Seq>,
        /// Only items above this seq.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        after: Option<Seq>,
        /// Half of the page below, half at and above this seq.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        around: Option<Seq>,
        /// Items; 1 to 200, 50 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        limit: Option<u16>,
    }
    /// A part of a timeline, ascending.
    HistoryPage {
        /// The items. Edits and recalls up to `head` are folded in.
        items: Vec<TimelineItem>,
        /// The newest seq of the stream when the page was read: entries above it are not folded in.
        head: Seq,
        /// Whether nothing older exists.
        start: bool,
        /// Whether nothing newer exists.
        end: bool,
    }
    /// A new message.
    MessageSendParams {
        /// The room.
        room: RoomId,
        /// Idempotency key, made by the client when the person sends; the same key with the same content is one
        /// message, for ever. 1 to 64 bytes.
        key: String,
        /// The text; 1 byte to 16 KiB of UTF-8.
        text: String,
        /// The message it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        reply_to: Option<Seq>,
    }
    /// A committed entry: the first answer to its key, and every later one.
    Sent {
        /// Its place in the room's stream.
        seq: Seq,
        /// Its name.
        id: EntryId,
        /// When it was committed.
        #[ts(type = "number")]
        at: i64,
    }
    /// Another text for a message.
    MessageEditParams {
        /// The room.
        room: RoomId,
        /// Idempotency key. 1 to 64 bytes.
        key: String,
        /// The message.
        seq: Seq,
        /// The text from now on; 1 byte to 16 KiB of UTF-8.
        text: String,
    }
    /// Takes a message back.
    MessageRecallParams {
        /// The room.
        room: RoomId,
        /// Idempotency key. 1 to 64 bytes.
        key: String,
        /// The message.
        seq: Seq,
    }
    /// Asks for messages.
    MessageGetParams {
        /// The room.
        room: RoomId,
        /// Their places; at most 100.
        seqs: Vec<Seq>,
    }
    /// Messages, ascending; what is no message is left out.
    MessagesResult {
        /// The messages.
        messages: Vec<TimelineItem>,
    }
    /// Moves the read marker; only forward.
    MarkerSetParams {
        /// The room.
        room: RoomId,
        /// The newest entry read.
        seq: Seq,
    }
    /// Keeps a draft.
    DraftSetParams {
        /// The room.
        room: RoomId,
        /// The text so far; empty removes the draft. At most 16 KiB of UTF-8.
        text: String,
        /// The message it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        reply_to: Option<Seq>,
    }
    /// When the draft was kept.
    DraftResult {
        /// The server's clock; the newer draft wins.
        #[ts(type = "number")]
        at: i64,
    }
    /// Asks who is online: in a room, or of some people, or with neither how many in all.
    PresenceGetParams {
        /// A room of the asker's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        room: Option<RoomId>,
        /// People who share a room with the asker; at most 200. Others are left out, as if they did not exist.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        users: Option<Vec<UserId>>,
    }
    /// Who is online.
    PresenceResult {
        /// How many are: of the room, of the people asked for, or on the whole server.
        #[ts(as = "u32")]
        online: u64,
        /// Each member of a room of at most 250 members, or each of the people asked for; else empty.
        people: Vec<Presence>,
        /// Whether the node hears all others; while it does not, this is what it heard last.
        current: bool,
    }
    /// Says whether the person is at this connection; it is forgotten with the connection.
    PresenceSetParams {
        /// `active`, as every connection begins, or `away`.
        state: PresenceState,
    }
    /// Asks for people.
    UserGetParams {
        /// Who; at most 100.
        users: Vec<UserId>,
    }
    /// Looks for people.
    UserFindParams {
        /// What their username or display name begins with; 1 to 64 characters.
        query: String,
        /// 1 to 200, 50 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        limit: Option<u16>,
    }
    /// People.
    UsersResult {
        /// The people.
        users: Vec<User>,
    }
    /// Changes the asker's own profile.
    UserUpdateParams {
        /// What others read; 1 to 64 characters.
        display_name: String,
    }
    /// A person.
    UserResult {
        /// The person.
        user: User,
    }
}

/// What became of a cursor at `session.start`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Resume {
    /// Every entry after the cursor follows as a push, in order, then live ones.
    Following {
        /// The newest seq when the session started.
        head: Seq,
    },
    /// The cursor cannot be continued: forget what is kept of this stream, read its history, go on from `head`.
    Reload {
        /// The newest seq; live entries follow it.
        head: Seq,
        /// Why, in a word: `epoch`, `too_far`, `ahead`.
        why: String,
    },
    /// The stream is not, or no longer, the user's; nothing of it follows.
    Gone,
}
