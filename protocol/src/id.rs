//! Names of things, and places in a stream.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ts_rs::TS;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// A `UUIDv7` (RFC 9562 §5.7), so ids sort by creation to the millisecond; on the wire the hyphenated form.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS,
        )]
        #[serde(transparent)]
        #[ts(as = "String")]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, made now.
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The bare UUID, as SQL columns hold it.
            pub fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// Names one account.
    UserId
);
id!(
    /// Names one room.
    RoomId
);
id!(
    /// Names one login; outlives sockets.
    SessionId
);
id!(
    /// Names one entry of a stream.
    EntryId
);
id!(
    /// Names the life of the database that cursors belong to; renewed when it is restored from a backup.
    Epoch
);

/// Names one stream: a room's, or a user's own. On the wire `room:<uuid>` or `user:<uuid>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StreamId {
    /// The stream of a room: messages, edits, recalls, joins, removals …
    Room(RoomId),
    /// A user's own stream: rooms joined and left, read markers, session notices …
    User(UserId),
}

impl StreamId {
    /// The bare UUID; unique over both kinds, as SQL holds it.
    pub fn as_uuid(self) -> Uuid {
        match self {
            Self::Room(room) => room.0,
            Self::User(user) => user.0,
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Room(room) => write!(f, "room:{room}"),
            Self::User(user) => write!(f, "user:{user}"),
        }
    }
}

/// A stream's name that is neither `room:<uuid>` nor `user:<uuid>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAStream;

impl fmt::Display for NotAStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stream is room:<uuid> or user:<uuid>")
    }
}

impl FromStr for StreamId {
    type Err = NotAStream;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, id) = text.split_once(':').ok_or(NotAStream)?;
        let id = Uuid::try_parse(id).map_err(|_| NotAStream)?;
        match kind {
            "room" => Ok(Self::Room(RoomId(id))),
            "user" => Ok(Self::User(UserId(id))),
            _ => Err(NotAStream),
        }
    }
}

impl Serialize for StreamId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StreamId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for StreamId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StreamId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(room|user):[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
            "description": "Names one stream: room:<uuid> or user:<uuid>."
        })
    }
}

impl TS for StreamId {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;

    fn docs() -> Option<String> {
        Some("/**\n * Names one stream: a room's, or a user's own.\n */\n".to_owned())
    }

    fn name(_: &ts_rs::Config) -> String {
        "StreamId".to_owned()
    }

    fn inline(_: &ts_rs::Config) -> String {
        "`room:${string}` | `user:${string}`".to_owned()
    }

    fn decl(config: &ts_rs::Config) -> String {
        format!("type StreamId = {};", Self::inline(config))
    }

    fn output_path() -> Option<std::path::PathBuf> {
        Some("StreamId.ts".into())
    }
}

/// A place in a stream: 1, 2, 3 … without gaps; 0 is before the first entry.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS,
)]
#[serde(transparent)]
#[ts(as = "u32")]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first entry.
    pub const ZERO: Self = Self(0);

    /// The place after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// As a SQL `BIGINT` holds it; what does not fit is after every entry.
    pub fn as_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// From a SQL `BIGINT`, which is never negative here.
    pub fn from_i64(value: i64) -> Self {
        Self(u64::try_from(value).unwrap_or(0))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a client has read a stream: it has every entry up to and including `seq`, in the life `epoch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Cursor {
    /// The `epoch` that `session.start` answered when the cursor was made.
    pub epoch: Epoch,
    /// The newest seq the client has, 0 for none.
    pub seq: Seq,
}
