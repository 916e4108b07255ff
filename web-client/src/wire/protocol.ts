// Generated from the Rust crate `protocol`; do not edit.
// To renew it: cargo run -p hubbub-protocol --example generate

/* eslint-disable */

/** Names one account. A `UUIDv7` (RFC 9562 §5.7), so ids sort by creation to the millisecond; on the wire the hyphenated form. */
export type UserId = string;

/** Names one room. A `UUIDv7` (RFC 9562 §5.7), so ids sort by creation to the millisecond; on the wire the hyphenated form. */
export type RoomId = string;

/** Names one login; outlives sockets. A `UUIDv7` (RFC 9562 §5.7), so ids sort by creation to the millisecond; on the wire the hyphenated form. */
export type SessionId = string;

/** Names one entry of a stream. A `UUIDv7` (RFC 9562 §5.7), so ids sort by creation to the millisecond; on the wire the hyphenated form. */
export type EntryId = string;

/** Names the life of the database that cursors belong to; renewed when it is restored from a backup. A `UUIDv7` (RFC 9562 §5.7), so ids sort by creation to the millisecond; on the wire the hyphenated form. */
export type Epoch = string;

/** Names one stream: a room's, or a user's own. */
export type StreamId = `room:${string}` | `user:${string}`;

/** A place in a stream: 1, 2, 3 … without gaps; 0 is before the first entry. */
export type Seq = number;

/** How far a client has read a stream: it has every entry up to and including `seq`, in the life `epoch`. */
export type Cursor = {
  /** The `epoch` that `session.start` answered when the cursor was made. */
  epoch: Epoch;
  /** The newest seq the client has, 0 for none. */
  seq: Seq;
};

/** A person or a bot, as others see it. */
export type User = {
  /** The account. */
  id: UserId;
  /** The unique name: lower case letters, digits, `.`, `_`, `-`. */
  username: string;
  /** What others read. */
  display_name: string;
};

/** What a device is. */
export type DeviceClass = "desktop" | "phone" | "tablet" | "bot";

/** What logged in. */
export type Device = {
  /** Made once by the client and kept on the device; 1 to 100 characters. */
  id: string;
  /** What it is. */
  class: DeviceClass;
  /** What its owner calls it, such as "Firefox on Linux"; at most 100 characters. */
  name: string;
};

/** A login, as its owner sees it. */
export type Session = {
  /** The session. */
  id: SessionId;
  /** What logged in. */
  device: Device;
  /** Where from: the network address, coarse (the last part blanked). */
  place: string;
  /** When it logged in. */
  started_at: number;
  /** When it was last used, to the minute. */
  used_at: number;
  /** Whether this is the session that asks. */
  current: boolean;
};

/** Why, by which device, from where and when a session ended. */
export type SessionEnd = {
  /** Why. */
  reason: EndReason;
  /** The device that did it, where one did. */
  device?: Device;
  /** Where that device was, coarse. */
  place?: string;
  /** When. */
  at: number;
};

/** What a room is. */
export type RoomKind = "direct" | "group" | "channel";

/** What a member may do; each role may what those before it may. */
export type Role = "member" | "admin" | "owner";

/** How far a person has read a room, on whichever device. */
export type Marker = {
  /** The newest entry read, 0 for none. */
  seq: Seq;
  /** Messages after it, counted by the server. */
  unread: number;
};

/** The newest message of a room, for lists. */
export type Preview = {
  /** Its place. */
  seq: Seq;
  /** Who wrote it. */
  sender: UserId;
  /** Its first 120 characters; absent when it was recalled. */
  text?: string;
  /** When. */
  at: number;
};

/** A room as one of its members sees it. */
export type Room = {
  /** The room. */
  id: RoomId;
  /** What it is. */
  kind: RoomKind;
  /** What it is called; empty for a direct room, which is called by its `peer`. */
  name: string;
  /** What it is about. */
  topic: string;
  /** The reader's role. */
  role: Role;
  /** How many people are in it. */
  member_count: number;
  /** The other person of a direct room. */
  peer?: User;
  /** The newest seq of the room's stream. */
  head: Seq;
  /** How far the reader has read it. */
  marker: Marker;
  /** The newest message. */
  last?: Preview;
  /** When it was made. */
  created_at: number;
};

/** A public channel as someone who browses sees it. */
export type PublicRoom = {
  /** The room. */
  id: RoomId;
  /** What it is. */
  kind: RoomKind;
  /** What it is called. */
  name: string;
  /** What it is about. */
  topic: string;
  /** How many people are in it. */
  member_count: number;
  /** Whether the reader is in it. */
  joined: boolean;
};

/** Someone in a room. */
export type Member = {
  /** Who. */
  user: User;
  /** As what. */
  role: Role;
  /** Since when. */
  joined_at: number;
};

/** One line of a room's timeline with its present content: an `Entry` of a kind that stands in the timeline (everything but `edit` and `recall`), and what later edits and recalls made of it. */
export type TimelineItem = {
  /** When the text was last edited. */
  edited_at?: number;
  /** Who recalled it and when. */
  recalled?: Recalled;
  /** The stream. */
  stream: StreamId;
  /** Its place: 1, 2, 3 … without gaps. */
  seq: Seq;
  /** Its name. */
  id: EntryId;
  /** When it was committed. */
  at: number;
  /** Whose act it is. */
  sender: UserId;
  /** The sender's idempotency key, where the act has one. */
  key?: string;
} & EntryBody;

/** Who recalled a message, and when. */
export type Recalled = {
  /** Who: the author, or an admin. */
  by: UserId;
  /** When. */
  at: number;
};

/** A text that its author has not sent yet; the same on each of their devices. */
export type Draft = {
  /** Where it will go. */
  room: RoomId;
  /** The text so far. */
  text: string;
  /** The message it answers. */
  reply_to?: Seq;
  /** When it was last changed; the newer draft wins. */
  at: number;
};

/** Whether a person is online. */
export type Presence = {
  /** Who. */
  user: UserId;
  /** Whether any device of theirs is connected, or was until a few seconds ago. */
  online: boolean;
  /** Whether they are online, and every connection of theirs says that they are away from it. */
  away: boolean;
  /** What they are connected with; empty when offline. */
  devices: Array<DeviceClass>;
  /** Since when they are online; absent when they are not. */
  since?: number;
  /** When they were last online; absent while they are, and for who never was. */
  last_seen_at?: number;
};

/** Whether a person is at a connection. */
export type PresenceState = "active" | "away";

/** A link that lets people in. */
export type Invite = {
  /** The code; `room.join {code}` uses it. */
  code: string;
  /** The room it opens. */
  room: RoomId;
  /** When it ends. */
  expires_at: number;
  /** How often it may still be used; absent for without limit. */
  uses_left?: number;
};

/** Why a session ended for good; each has a close code in 4400–4499. */
export type EndReason = "displaced" | "logged_out" | "password_changed" | "banned" | "account_deleted" | "expired" | "token_reused";

/** One line of a stream's log. */
export type Entry = {
  /** The stream. */
  stream: StreamId;
  /** Its place: 1, 2, 3 … without gaps. */
  seq: Seq;
  /** Its name. */
  id: EntryId;
  /** When it was committed. */
  at: number;
  /** Whose act it is. */
  sender: UserId;
  /** The sender's idempotency key, where the act has one. */
  key?: string;
} & EntryBody;

/** What happened, one kind each; a client passes over kinds that it does not know. */
export type EntryBody = {
  "kind": "message";
  /** The text as it was sent; empty once the message was recalled. */
  text: string;
  /** The message it answers, in the same room. */
  reply_to?: Seq;
} | {
  "kind": "edit";
  /** The message. */
  target: Seq;
  /** Its new text; empty once the message was recalled. */
  text: string;
} | {
  "kind": "recall";
  /** The message. */
  target: Seq;
} | {
  "kind": "room_created";
  /** What it is. */
  room_kind: RoomKind;
  /** What it is called. */
  name: string;
} | {
  "kind": "room_updated";
  /** What it is called now. */
  name: string;
  /** What it is about now. */
  topic: string;
} | {
  "kind": "member_joined";
  /** The sender, as others see it. */
  user: User;
} | {
  "kind": "member_added";
  /** Who. */
  user: User;
} | {
  "kind": "member_left";
  /** The sender, as others see it. */
  user: User;
} | {
  "kind": "member_removed";
  /** Who. */
  user: User;
} | {
  "kind": "role_changed";
  /** Who. */
  user: UserId;
  /** The role now. */
  role: Role;
} | {
  "kind": "room_joined";
  /** The room, as they see it. */
  room: Room;
} | {
  "kind": "room_left";
  /** The room. */
  room: RoomId;
  /** Whether someone else put them out. */
  removed: boolean;
} | {
  "kind": "marker_moved";
  /** The room. */
  room: RoomId;
  /** How far, and how many messages were after it then. */
  marker: Marker;
} | {
  "kind": "session_started";
  /** The login. */
  session: Session;
} | {
  "kind": "profile_changed";
  /** As others see them now. */
  user: User;
};

/** A notification from the server, by its `method`. */
export type Push = {
  "method": "entry";
  "params": Entry
} | {
  "method": "signal";
  "params": Signal
} | {
  "method": "session.ended";
  "params": SessionEnd
};

/** Something that may be missed. */
export type Signal = {
  "type": "typing";
  /** Where. */
  room: RoomId;
  /** Who. */
  user: UserId;
} | {
  "type": "read";
  /** Where. */
  room: RoomId;
  /** Who. */
  user: UserId;
  /** The newest entry they have read. */
  seq: Seq;
} | {
  "type": "draft";
  /** The draft. */
  draft: Draft;
} | {
  "type": "presence";
  /** How they are now. */
  presence: Presence;
};

/** Why a command or a request failed. */
export type Reason = "malformed_json" | "invalid_request" | "unknown_method" | "invalid_params" | "internal" | "missing_parameter" | "too_frequent" | "unauthenticated" | "invalid_credentials" | "session_ended" | "already_started" | "not_allowed" | "not_a_member" | "foreign_origin" | "not_found" | "unknown_room" | "unknown_user" | "unknown_message" | "unknown_session" | "unknown_invite" | "key_conflict" | "username_taken" | "last_owner" | "recalled" | "too_large" | "method_not_allowed" | "unsupported_media_type" | "unavailable";

/** The error object of a JSON-RPC reply. */
export type ErrorObject = {
  /** The number of the catalogue. */
  code: number;
  /** A sentence that says what to do, in English. */
  message: string;
  /** What programs read. */
  data: ErrorData;
};

/** What programs read of an error. */
export type ErrorData = {
  /** The stable word of the catalogue. */
  reason: Reason;
  /** When trying again can help, in milliseconds from now. */
  retry_after_ms?: number;
  /** The parameter it is about. */
  field?: string;
  /** The limit that was passed, in the unit of that limit. */
  limit?: number;
  /** With `session_ended`: why, by which device, from where and when, as far as it is known. */
  end?: SessionEnd;
};

/** The body of a failed HTTP request: RFC 9457 problem+json. */
export type Problem = {
  /** `urn:hubbub:error:<reason>`. */
  type: string;
  /** The catalogue's short text. */
  title: string;
  /** The HTTP status. */
  status: number;
  /** A sentence that says what to do, in English. */
  detail: string;
  /** The number of the catalogue. */
  code: number;
  /** The stable word of the catalogue. */
  reason: Reason;
  /** When trying again can help, in milliseconds from now. */
  retry_after_ms?: number;
  /** The parameter it is about. */
  field?: string;
  /** The limit that was passed, in the unit of that limit. */
  limit?: number;
  /** With `session_ended`: why, by which device, from where and when, as far as it is known. */
  end?: SessionEnd;
};

/** Starts a session on a connection. */
export type SessionStartParams = {
  /** The access token. */
  token: string;
  /** How far the client has each stream it wants to resume; streams without a cursor start at their head. */
  cursors?: { [key in StreamId]: Cursor };
};

/** What a client needs to begin; missed entries follow as pushes. */
export type SessionStartResult = {
  /** Who this is. */
  user: User;
  /** The session. */
  session: Session;
  /** The life of the database; belongs into cursors. */
  epoch: Epoch;
  /** The newest seq of the user's own stream. */
  head: Seq;
  /** The user's rooms. */
  rooms: Array<Room>;
  /** What became of each cursor. */
  resumed: { [key in StreamId]: Resume };
  /** Texts not sent yet. */
  drafts: Array<Draft>;
  /** What this server allows. */
  limits: Limits;
  /** Send `ping` at least this often, in milliseconds. */
  heartbeat_ms: number;
  /** The server's clock. */
  now: number;
};

/** What became of a cursor at `session.start`. */
export type Resume = {
  "outcome": "following";
  /** The newest seq when the session started. */
  head: Seq;
} | {
  "outcome": "reload";
  /** The newest seq; live entries follow it. */
  head: Seq;
  /** Why, in a word: `epoch`, `too_far`, `ahead`. */
  why: string;
} | {
  "outcome": "gone"
};

/** What this server allows. */
export type Limits = {
  /** Largest frame, in bytes. */
  frame_bytes: number;
  /** Largest text, in bytes of UTF-8. */
  text_bytes: number;
  /** Commands a connection may send each second, on average. */
  commands_per_s: number;
  /** Commands it may send at once. */
  commands_burst: number;
};

/** Says that the client lives. */
export type PingParams = Record<symbol, never>;

/** The server lives too. */
export type PingResult = {
  /** The server's clock. */
  now: number;
};

/** Nothing more to say. */
export type Empty = Record<symbol, never>;

/** Names a room. */
export type RoomParams = {
  /** The room. */
  room: RoomId;
};

/** A new room. */
export type RoomCreateParams = {
  /** Idempotency key: the same key makes the same room once. 1 to 64 bytes. */
  key: string;
  /** What it is. */
  kind: RoomKind;
  /** What it is called; 1 to 80 characters, absent for a direct room. */
  name?: string;
  /** What it is about; at most 250 characters. */
  topic?: string;
  /** Who is in it from the start, beside its maker; exactly one for a direct room. */
  members?: Array<UserId>;
};

/** A room. */
export type RoomResult = {
  /** The room as the asker sees it. */
  room: Room;
};

/** Joins a room: exactly one of the two. */
export type RoomJoinParams = {
  /** A public channel. */
  room?: RoomId;
  /** The code of an invitation. */
  code?: string;
};

/** Where the change stands in the room's stream. */
export type SeqResult = {
  /** The seq of its last entry; the head where nothing had to change. */
  seq: Seq;
};

/** Brings people in. */
export type RoomAddParams = {
  /** The room. */
  room: RoomId;
  /** Who; at most 100. */
  users: Array<UserId>;
};

/** Puts a member out. */
export type RoomRemoveParams = {
  /** The room. */
  room: RoomId;
  /** Who. */
  user: UserId;
};

/** Gives a member a role. */
export type RoomRoleParams = {
  /** The room. */
  room: RoomId;
  /** Who. */
  user: UserId;
  /** As what. */
  role: Role;
};

/** Changes a room; what is absent stays. */
export type RoomUpdateParams = {
  /** The room. */
  room: RoomId;
  /** What it is called from now on. */
  name?: string;
  /** What it is about from now on. */
  topic?: string;
};

/** A new invitation. */
export type RoomInviteParams = {
  /** The room. */
  room: RoomId;
  /** How long it lasts, in seconds; 60 s to 30 days, 7 days when absent. */
  expires_in_s?: number;
  /** How often it may be used; without limit when absent. */
  max_uses?: number;
};

/** Looks for public channels. */
export type RoomListParams = {
  /** What their names begin with; all when absent. */
  query?: string;
  /** The last name of the page before. */
  after?: string;
  /** 1 to 200, 50 when absent. */
  limit?: number;
};

/** Public channels. */
export type RoomListResult = {
  /** By name. */
  rooms: Array<PublicRoom>;
};

/** Asks who is in a room. */
export type RoomMembersParams = {
  /** The room. */
  room: RoomId;
  /** The last user of the page before. */
  after?: UserId;
  /** 1 to 200, 50 when absent. */
  limit?: number;
};

/** Members, by user id. */
export type RoomMembersResult = {
  /** The members. */
  members: Array<Member>;
};

/** Asks for entries of a room. With `after` the page goes upward from there; with `before`, or neither, it holds the newest below that place. Always in ascending order. */
export type RoomReadParams = {
  /** The room. */
  room: RoomId;
  /** Only entries below this seq. */
  before?: Seq;
  /** Only entries above this seq. */
  after?: Seq;
  /** 1 to 200, 50 when absent. */
  limit?: number;
};

/** Entries, ascending and without holes. */
export type EntriesPage = {
  /** The life of the database. */
  epoch: Epoch;
  /** The entries. */
  entries: Array<Entry>;
  /** The newest seq of the stream when the page was read. */
  head: Seq;
};

/** Asks for a part of a room's timeline: the newest, or that before, after or around a seq (at most one of them). */
export type RoomHistoryParams = {
  /** The room. */
  room: RoomId;
  /** Only items below this seq. */
  before?: Seq;
  /** Only items above this seq. */
  after?: Seq;
  /** Half of the page below, half at and above this seq. */
  around?: Seq;
  /** Items; 1 to 200, 50 when absent. */
  limit?: number;
};

/** A part of a timeline, ascending. */
export type HistoryPage = {
  /** The items. Edits and recalls up to `head` are folded in. */
  items: Array<TimelineItem>;
  /** The newest seq of the stream when the page was read: entries above it are not folded in. */
  head: Seq;
  /** Whether nothing older exists. */
  start: boolean;
  /** Whether nothing newer exists. */
  end: boolean;
};

/** A new message. */
export type MessageSendParams = {
  /** The room. */
  room: RoomId;
  /** Idempotency key, made by the client when the person sends; the same key with the same content is one message, for ever. 1 to 64 bytes. */
  key: string;
  /** The text; 1 byte to 16 KiB of UTF-8. */
  text: string;
  /** The message it answers. */
  reply_to?: Seq;
};

/** A committed entry: the first answer to its key, and every later one. */
export type Sent = {
  /** Its place in the room's stream. */
  seq: Seq;
  /** Its name. */
  id: EntryId;
  /** When it was committed. */
  at: number;
};

/** Another text for a message. */
export type MessageEditParams = {
  /** The room. */
  room: RoomId;
  /** Idempotency key. 1 to 64 bytes. */
  key: string;
  /** The message. */
  seq: Seq;
  /** The text from now on; 1 byte to 16 KiB of UTF-8. */
  text: string;
};

/** Takes a message back. */
export type MessageRecallParams = {
  /** The room. */
  room: RoomId;
  /** Idempotency key. 1 to 64 bytes. */
  key: string;
  /** The message. */
  seq: Seq;
};

/** Asks for messages. */
export type MessageGetParams = {
  /** The room. */
  room: RoomId;
  /** Their places; at most 100. */
  seqs: Array<Seq>;
};

/** Messages, ascending; what is no message is left out. */
export type MessagesResult = {
  /** The messages. */
  messages: Array<TimelineItem>;
};

/** Moves the read marker; only forward. */
export type MarkerSetParams = {
  /** The room. */
  room: RoomId;
  /** The newest entry read. */
  seq: Seq;
};

/** Keeps a draft. */
export type DraftSetParams = {
  /** The room. */
  room: RoomId;
  /** The text so far; empty removes the draft. At most 16 KiB of UTF-8. */
  text: string;
  /** The message it answers. */
  reply_to?: Seq;
};

/** When the draft was kept. */
export type DraftResult = {
  /** The server's clock; the newer draft wins. */
  at: number;
};

/** Asks who is online: in a room, or of some people, or with neither how many in all. */
export type PresenceGetParams = {
  /** A room of the asker's. */
  room?: RoomId;
  /** People who share a room with the asker; at most 200. Others are left out, as if they did not exist. */
  users?: Array<UserId>;
};

/** Who is online. */
export type PresenceResult = {
  /** How many are: of the room, of the people asked for, or on the whole server. */
  online: number;
  /** Each member of a room of at most 250 members, or each of the people asked for; else empty. */
  people: Array<Presence>;
  /** Whether the node hears all others; while it does not, this is what it heard last. */
  current: boolean;
};

/** Says whether the person is at this connection; it is forgotten with the connection. */
export type PresenceSetParams = {
  /** `active`, as every connection begins, or `away`. */
  state: PresenceState;
};

/** Asks for people. */
export type UserGetParams = {
  /** Who; at most 100. */
  users: Array<UserId>;
};

/** Looks for people. */
export type UserFindParams = {
  /** What their username or display name begins with; 1 to 64 characters. */
  query: string;
  /** 1 to 200, 50 when absent. */
  limit?: number;
};

/** People. */
export type UsersResult = {
  /** The people. */
  users: Array<User>;
};

/** Changes the asker's own profile. */
export type UserUpdateParams = {
  /** What others read; 1 to 64 characters. */
  display_name: string;
};

/** A person. */
export type UserResult = {
  /** The person. */
  user: User;
};

/** `POST /v1/accounts`: sign up. */
export type SignUp = {
  /** 2 to 32 letters, digits, `.`, `_`, `-`; kept in lower case. */
  username: string;
  /** 8 to 256 characters. */
  password: string;
  /** What others read, 1 to 64 characters; the username when absent. */
  display_name?: string;
};

/** The new account. */
export type Account = {
  /** As others see it. */
  user: User;
};

/** `POST /v1/sessions`: log in. */
export type LogIn = {
  /** In any case. */
  username: string;
  /** The password. */
  password: string;
  /** What logs in. */
  device: Device;
};

/** A login, or a refreshed one. */
export type LoggedIn = {
  /** Who. */
  user: User;
  /** The session. */
  session: Session;
  /** Opaque; for `session.start` and `Authorization: Bearer`. Never in a URL. */
  access_token: string;
  /** How long the access token lives without being used, in seconds; each use begins it anew. */
  expires_in_s: number;
  /** Opaque, for one use with `POST /v1/sessions/refresh`. */
  refresh_token: string;
  /** How long the refresh token lives, in seconds. */
  refresh_expires_in_s: number;
};

/** `POST /v1/sessions/refresh`. */
export type Refresh = {
  /** The newest refresh token of the session. */
  refresh_token: string;
};

/** `GET /v1/sessions`. */
export type Sessions = {
  /** The account's live sessions, newest first. */
  sessions: Array<Session>;
};

/** `GET /v1/server`: what a client needs before anyone signs in. */
export type ServerInfo = {
  /** What this server is called. */
  name: string;
  /** The version of the program. */
  version: string;
  /** Whether people may sign up. */
  sign_up: boolean;
  /** Ways to sign in. */
  sign_in: Array<SignInWay>;
  /** What a new login does to the one before. */
  session_policy: SessionPolicy;
  /** What counts as one place to be logged in at. */
  session_scope: SessionScope;
  /** Rules for passwords. */
  password: PasswordRules;
};

/** A way to sign in. */
export type SignInWay = "password";

/** What a new login does to the one before. */
export type SessionPolicy = "takeover";

/** What counts as one place to be logged in at. */
export type SessionScope = "account";

/** Rules for passwords, in characters. */
export type PasswordRules = {
  /** Fewest. */
  least: number;
  /** Most. */
  most: number;
};

/** `GET /v1/invites/{code}`: what an invitation opens, for someone who may not be in yet. */
export type InviteInfo = {
  /** What the room is called. */
  room_name: string;
  /** How many people are in it. */
  member_count: number;
  /** Who invites. */
  invited_by: User;
  /** When it ends. */
  expires_at: number;
};

/** `GET /v1/activity`: what went on in public channels and in the asker's own rooms. Days are those of UTC; a message counts on the day it was sent, also when it was recalled since. */
export type Activity = {
  /** Each day asked for, the oldest first; today is the last. */
  days: Array<ActivityDay>;
  /** Public channels and the asker's own rooms with the most messages in these days, the most active first. */
  rooms: Array<ActiveRoom>;
  /** People who wrote the most messages into public channels in these days, the most active first. What they write into other rooms is counted for nobody, the asker included. */
  people: Array<ActivePerson>;
  /** When this was counted. */
  as_of: number;
  /** Whether everything sent up to half a minute before `as_of` is in it. False for a while after the counts were lost: what is missing is being counted again. */
  complete: boolean;
};

/** A day. */
export type ActivityDay = {
  /** Its date in UTC, `YYYY-MM-DD`. */
  day: string;
  /** Messages in public channels and in the asker's own rooms. */
  messages: number;
};

/** A room and its messages. */
export type ActiveRoom = {
  /** The room. */
  room: RoomId;
  /** What it is. */
  kind: RoomKind;
  /** What it is called; empty for a direct room. */
  name: string;
  /** Whether the asker is in it. */
  joined: boolean;
  /** Messages in these days. */
  messages: number;
};

/** A person and their messages. */
export type ActivePerson = {
  /** Who. */
  user: User;
  /** Messages in public channels in these days. */
  messages: number;
};

/** `GET /readyz`: whether this node takes new clients, and why not. */
export type Readiness = {
  /** Whether it does. */
  ready: boolean;
  /** One word a reason: `draining` it is being stopped; `database` it does not answer or is read-only; `deaf` this node does not hear the other ones. */
  why_not: Array<string>;
  /** What does not work without being a reason to go elsewhere: `redis`, without which everything is slower. */
  degraded: Array<string>;
};

/** The WebSocket subprotocol of this wire. */
export const SUBPROTOCOL = "hubbub.v1.json";

/** A command: what a client sends. */
export type Request<M extends MethodName = MethodName> = {
  jsonrpc: "2.0";
  id: number | string;
  method: M;
  params: Methods[M]["params"];
};

/** The answer to a command, found by its `id`; `id` is null where the request's could not be read. */
export type Reply<M extends MethodName = MethodName> =
  | { jsonrpc: "2.0"; id: number | string; result: Methods[M]["result"] }
  | { jsonrpc: "2.0"; id: number | string | null; error: ErrorObject };

/** What the server says unasked. Pass over methods, entry kinds and signal types that you do not know. */
export type Notification = { jsonrpc: "2.0" } & Push;

/** Every method, with what it is given and what it answers. */
export interface Methods {
  /** Starts the session on this connection; the first command, within 10 s. */
  "session.start": { params: SessionStartParams; result: SessionStartResult };
  /** Says that the client lives and keeps its session from timing out. */
  "ping": { params: PingParams; result: PingResult };
  /** Makes a room, or finds the direct room with a person. */
  "room.create": { params: RoomCreateParams; result: RoomResult };
  /** Joins a public channel by its id, or any room by the code of an invitation. */
  "room.join": { params: RoomJoinParams; result: RoomResult };
  /** Leaves a room. */
  "room.leave": { params: RoomParams; result: SeqResult };
  /** Brings people into a group or channel. */
  "room.add": { params: RoomAddParams; result: SeqResult };
  /** Puts a member out; admins and owners. */
  "room.remove": { params: RoomRemoveParams; result: SeqResult };
  /** Gives a member a role; admins up to admin, owners every role. */
  "room.role": { params: RoomRoleParams; result: SeqResult };
  /** Renames a room or changes its topic; admins and owners. */
  "room.update": { params: RoomUpdateParams; result: RoomResult };
  /** Makes an invitation: a code that lets people in. */
  "room.invite": { params: RoomInviteParams; result: Invite };
  /** One of your rooms as it is now. */
  "room.get": { params: RoomParams; result: RoomResult };
  /** Public channels, by name. */
  "room.list": { params: RoomListParams; result: RoomListResult };
  /** The members of a room. */
  "room.members": { params: RoomMembersParams; result: RoomMembersResult };
  /** Entries of a room's log as they were committed, without holes. */
  "room.read": { params: RoomReadParams; result: EntriesPage };
  /** The timeline of a room: messages with their present text, joins and removals. */
  "room.history": { params: RoomHistoryParams; result: HistoryPage };
  /** Sends a message. */
  "message.send": { params: MessageSendParams; result: Sent };
  /** Gives one of your messages another text. */
  "message.edit": { params: MessageEditParams; result: Sent };
  /** Takes a message back: yours, or as an admin anyone's. */
  "message.recall": { params: MessageRecallParams; result: Sent };
  /** Messages of a room by their seqs, with their present text. */
  "message.get": { params: MessageGetParams; result: MessagesResult };
  /** Moves your read marker forward. */
  "marker.set": { params: MarkerSetParams; result: Marker };
  /** Keeps a draft for all your devices; an empty text removes it. */
  "draft.set": { params: DraftSetParams; result: DraftResult };
  /** Shows the others in a room that you are writing, for 5 s. */
  "typing.set": { params: RoomParams; result: Empty };
  /** Who is online: in a room, of some people, or how many in all. */
  "presence.get": { params: PresenceGetParams; result: PresenceResult };
  /** Says whether the person is at this connection. */
  "presence.set": { params: PresenceSetParams; result: Empty };
  /** People by their ids; unknown ones are left out. */
  "user.get": { params: UserGetParams; result: UsersResult };
  /** People whose username or display name begins so. */
  "user.find": { params: UserFindParams; result: UsersResult };
  /** Changes what others read as your name. */
  "user.update": { params: UserUpdateParams; result: UserResult };
}

export type MethodName = keyof Methods;

export const METHODS: readonly MethodName[] = [
  "session.start",
  "ping",
  "room.create",
  "room.join",
  "room.leave",
  "room.add",
  "room.remove",
  "room.role",
  "room.update",
  "room.invite",
  "room.get",
  "room.list",
  "room.members",
  "room.read",
  "room.history",
  "message.send",
  "message.edit",
  "message.recall",
  "message.get",
  "marker.set",
  "draft.set",
  "typing.set",
  "presence.get",
  "presence.set",
  "user.get",
  "user.find",
  "user.update",
];

/** The catalogue of errors: number on both doors, HTTP status, and a sentence in English. */
export const ERRORS: Readonly<Record<Reason, { code: number; status: number; title: string }>> = {
  malformed_json: { code: -32700, status: 400, title: "not valid JSON, or nested too deeply" },
  invalid_request: { code: -32600, status: 400, title: "not a JSON-RPC 2.0 request" },
  unknown_method: { code: -32601, status: 404, title: "no such method" },
  invalid_params: { code: -32602, status: 400, title: "a parameter has the wrong type or value" },
  internal: { code: -32603, status: 500, title: "the server failed" },
  missing_parameter: { code: 4001, status: 400, title: "a required parameter is missing" },
  too_frequent: { code: 4004, status: 429, title: "too many at once" },
  unauthenticated: { code: 4010, status: 401, title: "no valid session" },
  invalid_credentials: { code: 4011, status: 401, title: "wrong username or password" },
  session_ended: { code: 4012, status: 401, title: "this session has ended" },
  already_started: { code: 4013, status: 409, title: "this connection has a session already" },
  not_allowed: { code: 4030, status: 403, title: "your role does not allow this" },
  not_a_member: { code: 4031, status: 403, title: "not a member of this room" },
  foreign_origin: { code: 4032, status: 403, title: "this origin is not allowed" },
  not_found: { code: 4040, status: 404, title: "nothing here" },
  unknown_room: { code: 4041, status: 404, title: "no such room" },
  unknown_user: { code: 4042, status: 404, title: "no such user" },
  unknown_message: { code: 4043, status: 404, title: "no such message" },
  unknown_session: { code: 4044, status: 404, title: "no such session" },
  unknown_invite: { code: 4045, status: 404, title: "this invitation does not exist or has ended" },
  key_conflict: { code: 4090, status: 409, title: "this idempotency key was used with other content" },
  username_taken: { code: 4091, status: 409, title: "this username is taken" },
  last_owner: { code: 4092, status: 409, title: "a room needs an owner" },
  recalled: { code: 4100, status: 410, title: "this message was recalled" },
  too_large: { code: 4130, status: 413, title: "too large" },
  method_not_allowed: { code: 4050, status: 405, title: "this address does not answer to this method" },
  unsupported_media_type: { code: 4150, status: 415, title: "send application/json" },
  unavailable: { code: 5030, status: 503, title: "temporarily unavailable, try again" },
};

/**
 * What a client does after a close: reconnect at once (with jitter) and resume; reconnect after its back-off; refresh
 * its token first; or stop until a person logs in again.
 */
export type Next = "resume" | "back_off" | "refresh" | "stop";

/** Every close code that the server sends. */
export const CLOSE_CODES = {
  bye: { code: 1000, next: "resume", text: "the client closed the connection" },
  protocol_error: { code: 1002, next: "back_off", text: "the frames break RFC 6455" },
  invalid_utf8: { code: 1007, next: "back_off", text: "a text frame is not UTF-8" },
  too_big: { code: 1009, next: "back_off", text: "a message is larger than the server reads at all" },
  internal: { code: 1011, next: "resume", text: "the server failed" },
  drain: { code: 1012, next: "resume", text: "this node stops; another one has the connection's streams" },
  slow_consumer: { code: 4000, next: "resume", text: "the client reads more slowly than its streams grow" },
  heartbeat_missed: { code: 4001, next: "resume", text: "nothing was heard from the client in time" },
  overloaded: { code: 4100, next: "back_off", text: "the node sheds load" },
  start_missed: { code: 4101, next: "back_off", text: "no session.start in time" },
  token_expired: { code: 4200, next: "refresh", text: "the access token timed out" },
  displaced: { code: 4400, next: "stop", text: "the account logged in on another device" },
  logged_out: { code: 4401, next: "stop", text: "the session was logged out" },
  password_changed: { code: 4402, next: "stop", text: "the password was changed" },
  banned: { code: 4403, next: "stop", text: "the account is suspended" },
  account_deleted: { code: 4404, next: "stop", text: "the account was deleted" },
  session_expired: { code: 4405, next: "stop", text: "the session timed out" },
  token_reused: { code: 4406, next: "stop", text: "a spent refresh token was used" },
} as const satisfies Record<string, { code: number; next: Next; text: string }>;

/** What a client does after a close with this number, known or not. */
export function nextAfter(code: number): Next {
  if (code >= 1000 && code <= 1001) return "resume";
  if (code >= 1005 && code <= 1006) return "resume";
  if (code >= 1011 && code <= 1012) return "resume";
  if (code >= 4000 && code <= 4099) return "resume";
  if (code >= 4200 && code <= 4299) return "refresh";
  if (code >= 4400 && code <= 4499) return "stop";
  return "back_off";
}

/** Every limit of the wire; the name ends in its unit. */
export const LIMITS = {
  /** Largest message a client may send, in bytes. Up to `frame_refused_bytes` a larger one is answered with `too_large`; beyond, the connection is closed with 1009. */
  frame_bytes: 65536,
  /** Largest message that is read at all, in bytes. */
  frame_refused_bytes: 131072,
  /** Largest body of an HTTP request, in bytes. */
  body_bytes: 65536,
  /** Largest text of a message or a draft, in bytes of UTF-8. */
  text_bytes: 16384,
  /** Deepest nesting of arrays and objects in a JSON text. */
  json_depth: 16,
  /** Longest idempotency key, in bytes. */
  key_bytes: 64,
  /** Longest `id` of a request, in bytes of its JSON text. */
  request_id_bytes: 64,
  /** Shortest and longest username, in characters; letters, digits, `.`, `_` and `-`. */
  username_chars: { least: 2, most: 32 },
  /** Longest display name, in characters. */
  display_name_chars: 64,
  /** Shortest and longest password, in characters. */
  password_chars: { least: 8, most: 256 },
  /** Longest name of a room, in characters. */
  room_name_chars: 80,
  /** Longest topic of a room, in characters. */
  room_topic_chars: 250,
  /** Most people named in one command. */
  users_per_command: 100,
  /** Most people named in one `presence.get`. */
  presence_users: 200,
  /** Most members of a room whose people are told of each other's presence; of larger rooms there is only a count. */
  presence_room_members: 250,
  /** Days that `GET /v1/activity` looks back, today included. */
  activity_days: { least: 1, most: 30 },
  /** Most rooms and most people that `GET /v1/activity` lists. */
  activity_limit: { least: 1, most: 50 },
  /** Most entries, messages, members or rooms in one page. */
  page_limit: 200,
  /** Entries, messages, members or rooms in a page when `limit` is absent. */
  page_default: 50,
  /** Most missed entries of one stream that a resume delivers; a client further behind is told to reload it. */
  resume_entries: 10000,
  /** Time a connection has for its `session.start`, in milliseconds. */
  start_deadline_ms: 10000,
  /** Commands of one connection that may be unanswered at once; the next is read when one is answered. */
  commands_in_flight: 64,
  /** Longest id or name of a device, in characters. */
  device_chars: 100,
} as const;
