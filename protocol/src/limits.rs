//! Every limit of the wire in one place, with its unit.

/// Largest message a client may send, in bytes. Up to [`FRAME_REFUSED_BYTES`] a larger one is answered with
/// `too_large`; beyond, the connection is closed with 1009.
pub const FRAME_BYTES: usize = 64 * 1024;
/// Largest message that is read at all, in bytes.
pub const FRAME_REFUSED_BYTES: usize = 128 * 1024;
/// Largest body of an HTTP request, in bytes.
pub const BODY_BYTES: usize = 64 * 1024;
/// Largest text of a message or a draft, in bytes of UTF-8.
pub const TEXT_BYTES: usize = 16 * 1024;
/// Deepest nesting of arrays and objects in a JSON text.
pub const JSON_DEPTH: usize = 16;
/// Longest idempotency key, in bytes.
pub const KEY_BYTES: usize = 64;
/// Longest `id` of a request, in bytes of its JSON text.
pub const REQUEST_ID_BYTES: usize = 64;
/// Shortest and longest username, in characters; letters, digits, `.`, `_` and `-`.
pub const USERNAME_CHARS: std::ops::RangeInclusive<usize> = 2..=32;
/// Longest display name, in characters.
pub const DISPLAY_NAME_CHARS: usize = 64;
/// Shortest and longest password, in characters.
pub const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=256;
/// Longest name of a room, in characters.
pub const ROOM_NAME_CHARS: usize = 80;
/// Longest topic of a room, in characters.
pub const ROOM_TOPIC_CHARS: usize = 250;
/// Most people named in one command.
pub const USERS_PER_COMMAND: usize = 100;
/// Most people named in one `presence.get`.
pub const PRESENCE_USERS: usize = 200;
/// Most members of a room whose people are told of each other's presence; of larger rooms there is only a count.
pub const PRESENCE_ROOM_MEMBERS: u64 = 250;
/// Days that `GET /v1/activity` looks back, today included.
pub const ACTIVITY_DAYS: std::ops::RangeInclusive<usize> = 1..=30;
/// Most rooms and most people that `GET /v1/activity` lists.
pub const ACTIVITY_LIMIT: std::ops::RangeInclusive<usize> = 1..=50;
/// Most entries, messages, members or rooms in one page.
pub const PAGE_LIMIT: u16 = 200;
/// Entries, messages, members or rooms in a page when `limit` is absent.
pub const PAGE_DEFAULT: u16 = 50;
/// Most missed entries of one stream that a resume delivers; a client further behind is told to reload it.
pub const RESUME_ENTRIES: u64 = 10_000;
/// Time a connection has for its `session.start`, in milliseconds.
pub const START_DEADLINE_MS: u64 = 10_000;
/// Commands of one connection that may be unanswered at once; the next is read when one is answered.
pub const COMMANDS_IN_FLIGHT: usize = 64;
/// Longest id or name of a device, in characters.
pub const DEVICE_CHARS: usize = 100;
