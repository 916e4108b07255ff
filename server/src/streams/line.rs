//! An entry as the bus and the cache carry it: its seq, what it does to who follows, and its ready frame.
//!
//! The text is `<seq> <effect>\n<frame>`, so that no node parses JSON to pass an entry on. A signal is
//! `s <user to leave out, or ->\n<frame>`.

use bytes::Bytes;
use hubbub_protocol::{
    entry::{Entry, EntryBody},
    frame::{ENTRY_PREFIX, encode_entry},
    id::{RoomId, Seq, UserId},
};

/// What an entry does to who follows the stream, or another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// In a room: the entry is the last that this person gets.
    Leaves(UserId),
    /// In a user's own stream: their connections follow this room, from this seq on.
    Joins(RoomId, Seq),
    /// In a room: a text of an entry before it is gone, and whatever is kept in memory of those with it.
    Blanks,
}

impl Effect {
    fn of(body: &EntryBody) -> Self {
        match body {
            EntryBody::MemberLeft { user } | EntryBody::MemberRemoved { user } => Self::Leaves(user.id),
            EntryBody::RoomJoined { room } => Self::Joins(room.id, room.head),
            EntryBody::Recall { .. } => Self::Blanks,
            _ => Self::None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(':');
        match (words.next()?, words.next(), words.next()) {
            ("-", None, None) => Some(Self::None),
            ("b", None, None) => Some(Self::Blanks),
            ("l", Some(user), None) => user.parse().ok().map(Self::Leaves),
            ("j", Some(room), Some(seq)) => Some(Self::Joins(room.parse().ok()?, Seq(seq.parse().ok()?))),
            _ => None,
        }
    }
}

impl std::fmt::Display for Effect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("-"),
            Self::Leaves(user) => write!(f, "l:{user}"),
            Self::Joins(room, seq) => write!(f, "j:{room}:{seq}"),
            Self::Blanks => f.write_str("b"),
        }
    }
}

/// An entry, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its place.
    pub seq: Seq,
    /// What it does to who follows.
    pub effect: Effect,
    /// The WebSocket text frame, shared by all who get it.
    pub frame: Bytes,
}

impl Line {
    /// The line of an entry, and the text that the bus and the cache carry.
    pub fn of(entry: &Entry) -> (Self, String) {
        let effect = Effect::of(&entry.body);
        let frame = encode_entry(entry).expect("an entry is plain data");
        let text = format!("{} {effect}\n{frame}", entry.seq);
        (Self { seq: entry.seq, effect, frame: frame.into() }, text)
    }

    /// The entry that this line carries; `None` when the cache gave something else.
    pub fn entry(&self) -> Option<Entry> {
        let text = std::str::from_utf8(&self.frame).ok()?;
        serde_json::from_str(text.strip_prefix(ENTRY_PREFIX)?.strip_suffix('}')?).ok()
    }
}

/// What a stream's topic carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// An entry.
    Line(Line),
    /// Something that may be missed, and who does not get it.
    Signal(Option<UserId>, Bytes),
}

impl Heard {
    /// Reads what the bus or the cache carried; `None` for what is damaged.
    pub(super) fn parse(payload: &Bytes) -> Option<Self> {
        let header_end = payload.iter().position(|byte| *byte == b'\n')?;
        let header = std::str::from_utf8(&payload[..header_end]).ok()?;
        let frame = payload.slice(header_end + 1..);
        let (first, second) = header.split_once(' ')?;
        if first == "s" {
            return Some(Self::Signal(second.parse().ok(), frame));
        }
        Some(Self::Line(Line { seq: Seq(first.parse().ok()?), effect: Effect::parse(second)?, frame }))
    }
}

/// The text of a signal on a topic; `except` does not get it.
pub(super) fn signal_text(except: Option<UserId>, frame: &str) -> String {
    except.map_or_else(|| format!("s -\n{frame}"), |user| format!("s {user}\n{frame}"))
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::{
        entry::{Entry, EntryBody},
        id::{EntryId, RoomId, Seq, StreamId, UserId},
        model::User,
    };

    use super::{Effect, Heard, Line, signal_text};

    fn entry(body: EntryBody) -> Entry {
        Entry {
            stream: StreamId::Room(RoomId::generate()),
            seq: Seq(7),
            id: EntryId::generate(),
            at: 1,
            sender: UserId::generate(),
            key: None,
            body,
        }
    }

    #[test]
    fn a_line_survives_the_bus() {
        let id = UserId::generate();
        let user = User { id, username: "ann".into(), display_name: "Ann\nB".into() };
        let entry = entry(EntryBody::MemberRemoved { user });
        let (line, text) = Line::of(&entry);
        assert_eq!(line.effect, Effect::Leaves(id));
        assert_eq!(Heard::parse(&text.into()), Some(Heard::Line(line.clone())));
        assert_eq!(line.entry(), Some(entry));
    }

    #[test]
    fn a_recall_says_so_on_the_bus() {
        let (line, text) = Line::of(&entry(EntryBody::Recall { target: Seq(3) }));
        assert_eq!(line.effect, Effect::Blanks);
        assert_eq!(Heard::parse(&text.into()), Some(Heard::Line(line)));
    }

    #[test]
    fn a_signal_names_who_does_not_get_it() {
        let user = UserId::generate();
        let heard = Heard::parse(&signal_text(Some(user), "{}").into());
        assert_eq!(heard, Some(Heard::Signal(Some(user), "{}".into())));
        assert_eq!(Heard::parse(&signal_text(None, "{}").into()), Some(Heard::Signal(None, "{}".into())));
    }

    #[test]
    fn damage_is_a_miss() {
        for text in ["", "7", "7 -", "x -\n{}", "7 q\n{}", "7 l:zz\n{}", "7 j:1\n{}"] {
            assert_eq!(Heard::parse(&text.to_owned().into()), None, "{text}");
        }
    }
}
