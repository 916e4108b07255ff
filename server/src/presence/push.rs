//! Who shares a room with someone is told how they are.

use std::{collections::HashMap, time::Duration};

use hubbub_protocol::{
    frame::encode_push,
    id::{RoomId, StreamId, UserId},
    limits::PRESENCE_ROOM_MEMBERS,
    push::{Push, Signal},
};

use super::Presence;
use crate::{
    clock::every,
    store,
    streams::listener::{ConnectionId, Listener},
};

/// How long changes gather: who comes and goes within is no news.
const EVERY: Duration = Duration::from_millis(300);
/// People told of at once: one statement asks for their rooms.
const AT_ONCE: usize = 256;

/// Tells until the node stops.
pub(super) async fn run(presence: Presence) {
    let mut ticks = every(EVERY);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = presence.0.stop.cancelled() => return,
        }
        loop {
            let changed = presence.0.state.lock().view.take_changed(AT_ONCE);
            if changed.is_empty() {
                break;
            }
            if !presence.push(&changed).await {
                presence.0.state.lock().view.put_back(&changed);
                break;
            }
        }
    }
}

impl Presence {
    /// Tells everyone here who shares a small room with one of these people; false when their rooms are not known.
    async fn push(&self, users: &[UserId]) -> bool {
        let rooms = match store::members::small_rooms_of(&self.0.db, users, PRESENCE_ROOM_MEMBERS).await {
            Ok(rooms) => rooms,
            Err(error) => {
                tracing::debug!(%error, "nobody can be told of presence now");
                return false;
            }
        };
        let mut rooms_of: HashMap<UserId, Vec<RoomId>> = HashMap::new();
        for (user, room) in rooms {
            rooms_of.entry(user).or_default().push(room);
        }
        for (user, rooms) in rooms_of {
            let readers = self.readers(&rooms);
            if readers.is_empty() {
                continue;
            }
            let presence = self.0.state.lock().view.presence(user);
            let frame =
                encode_push(&Push::Signal(Signal::Presence { presence })).expect("a signal is plain data");
            let frame = bytes::Bytes::from(frame);
            let refused = readers.values().filter(|reader| !reader.outbox.offer(frame.clone())).count();
            metrics::counter!("hubbub_presence_pushes_total").increment((readers.len() - refused) as u64);
            metrics::counter!("hubbub_presence_dropped_total").increment(refused as u64);
        }
        true
    }

    /// Every connection here that follows one of these rooms, once.
    fn readers(&self, rooms: &[RoomId]) -> HashMap<ConnectionId, Listener> {
        let feeds = rooms.iter().filter_map(|room| self.0.streams.hub().feed(StreamId::Room(*room)));
        let mut readers = HashMap::new();
        for feed in feeds {
            feed.live(|listener| {
                readers.entry(listener.id).or_insert_with(|| listener.clone());
            });
        }
        readers
    }
}
