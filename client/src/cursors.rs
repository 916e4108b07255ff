//! How far each stream was read.

use std::collections::BTreeMap;

use hubbub_protocol::{
    command::{Resume, SessionStartResult},
    entry::{Entry, EntryBody},
    id::{Cursor, Epoch, Seq, StreamId, UserId},
};

/// Cursors of all streams that a client follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursors {
    epoch: Option<Epoch>,
    me: Option<UserId>,
    seqs: BTreeMap<StreamId, Seq>,
}

/// What an entry is to someone who holds these cursors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The next one; the cursor stands behind it now.
    Fresh,
    /// Known already: pass over it.
    Repeat,
    /// Something before it is missing, which the server never leaves out: come back and resume from the cursor.
    Hole {
        /// The seq that should have come.
        expected: Seq,
    },
}

/// A stream that does not go on where the client was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Break {
    /// Forget what is kept of this stream, read its history, go on from `head`.
    Reload {
        /// The stream.
        stream: StreamId,
        /// The newest seq; live entries follow it.
        head: Seq,
        /// Why, in a word.
        why: String,
    },
    /// The stream is not, or no longer, the user's.
    Gone(StreamId),
}

/// Cursors as a program kept them.
impl From<BTreeMap<StreamId, Cursor>> for Cursors {
    fn from(kept: BTreeMap<StreamId, Cursor>) -> Self {
        let epoch = kept.values().next().map(|cursor| cursor.epoch);
        let seqs = kept.into_iter().map(|(stream, cursor)| (stream, cursor.seq)).collect();
        Self { epoch, me: None, seqs }
    }
}

impl Cursors {
    /// What `session.start` takes.
    pub fn to_send(&self) -> BTreeMap<StreamId, Cursor> {
        let Some(epoch) = self.epoch else { return BTreeMap::new() };
        self.seqs.iter().map(|(stream, seq)| (*stream, Cursor { epoch, seq: *seq })).collect()
    }

    /// How far a stream was read, if it is followed.
    pub fn get(&self, stream: StreamId) -> Option<Seq> {
        self.seqs.get(&stream).copied()
    }

    /// Takes in the answer to `session.start`; returns the streams that do not go on where the client was.
    pub fn start(&mut self, started: &SessionStartResult) -> Vec<Break> {
        self.epoch = Some(started.epoch);
        self.me = Some(started.user.id);
        let breaks =
            started.resumed.iter().filter_map(|(stream, resume)| self.resume(*stream, resume)).collect();
        self.seqs.entry(StreamId::User(started.user.id)).or_insert(started.head);
        for room in &started.rooms {
            self.seqs.entry(StreamId::Room(room.id)).or_insert(room.head);
        }
        breaks
    }

    fn resume(&mut self, stream: StreamId, resume: &Resume) -> Option<Break> {
        match resume {
            Resume::Following { .. } => None,
            Resume::Reload { head, why } => {
                self.seqs.insert(stream, *head);
                Some(Break::Reload { stream, head: *head, why: why.clone() })
            }
            Resume::Gone => {
                self.seqs.remove(&stream);
                Some(Break::Gone(stream))
            }
        }
    }

    /// Takes in an entry.
    pub fn take(&mut self, entry: &Entry) -> Taken {
        // A stream without a cursor begins wherever its first entry stands.
        if let Some(known) = self.get(entry.stream) {
            if entry.seq <= known {
                return Taken::Repeat;
            }
            if entry.seq != known.next() {
                return Taken::Hole { expected: known.next() };
            }
        }
        self.seqs.insert(entry.stream, entry.seq);
        self.follow(entry);
        Taken::Fresh
    }

    /// Joins and removals begin and end streams.
    fn follow(&mut self, entry: &Entry) {
        match &entry.body {
            EntryBody::RoomJoined { room } => {
                // Entries follow from the room's head on, so the client has everything before it.
                let before = Seq(room.head.0.saturating_sub(1));
                self.seqs.entry(StreamId::Room(room.id)).or_insert(before);
            }
            EntryBody::RoomLeft { room, .. } => {
                self.seqs.remove(&StreamId::Room(*room));
            }
            EntryBody::MemberLeft { user } | EntryBody::MemberRemoved { user }
                if Some(user.id) == self.me =>
            {
                self.seqs.remove(&entry.stream);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::{
        entry::{Entry, EntryBody},
        id::{EntryId, RoomId, Seq, StreamId, UserId},
        model::User,
    };

    use super::{Cursors, Taken};

    fn entry(stream: StreamId, seq: u64, body: EntryBody) -> Entry {
        let sender = UserId::generate();
        Entry { stream, seq: Seq(seq), id: EntryId::generate(), at: 0, sender, key: None, body }
    }

    fn message(stream: StreamId, seq: u64) -> Entry {
        entry(stream, seq, EntryBody::Message { text: "hello".to_owned(), reply_to: None })
    }

    #[test]
    fn repeats_and_holes_are_told_apart() {
        let room = StreamId::Room(RoomId::generate());
        let mut cursors = Cursors::default();
        assert_eq!(cursors.take(&message(room, 7)), Taken::Fresh);
        assert_eq!(cursors.take(&message(room, 8)), Taken::Fresh);
        assert_eq!(cursors.take(&message(room, 7)), Taken::Repeat);
        assert_eq!(cursors.take(&message(room, 10)), Taken::Hole { expected: Seq(9) });
        assert_eq!(cursors.take(&message(room, 9)), Taken::Fresh);
        assert_eq!(cursors.get(room), Some(Seq(9)));
    }

    #[test]
    fn a_room_that_one_left_has_no_cursor() {
        let me = User { id: UserId::generate(), username: "ann".to_owned(), display_name: "Ann".to_owned() };
        let (room, mine) = (RoomId::generate(), StreamId::User(me.id));
        let mut cursors = Cursors { me: Some(me.id), ..Cursors::default() };
        cursors.take(&message(StreamId::Room(room), 3));
        cursors.take(&entry(StreamId::Room(room), 4, EntryBody::MemberRemoved { user: me }));
        assert_eq!(cursors.get(StreamId::Room(room)), None);
        cursors.take(&message(StreamId::Room(room), 9));
        cursors.take(&entry(mine, 1, EntryBody::RoomLeft { room, removed: true }));
        assert_eq!(cursors.get(StreamId::Room(room)), None);
    }
}
