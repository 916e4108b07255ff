//! Who is connected to this node, and which streams they follow.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use hubbub_protocol::{
    id::{RoomId, SessionId, StreamId, UserId},
    model::DeviceClass,
};
use parking_lot::{Mutex, RwLock};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    feed::Feed,
    listener::{Connection, Listener},
    outbox::{Close, Outbox},
};

/// Everything connected and followed here.
#[derive(Default)]
pub struct Hub {
    next_id: AtomicU64,
    feeds: RwLock<HashMap<StreamId, Arc<Feed>>>,
    sessions: RwLock<HashMap<SessionId, Vec<Listener>>>,
    /// Connections whose sessions have started, by person.
    people: RwLock<HashMap<UserId, Vec<Listener>>>,
    /// People whose connections changed since presence last looked, and whether one came.
    changed: Mutex<HashMap<UserId, bool>>,
}

impl Hub {
    /// Registers a connection; [`Hub::deregister`] takes it out again.
    pub fn register(&self, user: UserId, session: SessionId, class: DeviceClass, outbox: Outbox) -> Listener {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let listener = Arc::new(Connection {
            id,
            user,
            session,
            class,
            outbox,
            leave: CancellationToken::new(),
            follows: Mutex::default(),
            away: AtomicBool::new(false),
        });
        self.sessions.write().entry(session).or_default().push(Arc::clone(&listener));
        listener
    }

    /// Shows the person of a registered connection as online: its session has started.
    pub fn show(&self, listener: &Listener) {
        self.people.write().entry(listener.user).or_default().push(Arc::clone(listener));
        self.changed.lock().insert(listener.user, true);
    }

    /// Keeps whether somebody is at a connection.
    pub fn set_away(&self, listener: &Listener, away: bool) {
        if listener.away.swap(away, Ordering::Relaxed) != away {
            self.changed.lock().entry(listener.user).or_insert(false);
        }
    }

    /// The connections of a person whose sessions have started.
    pub fn of_user(&self, user: UserId) -> Vec<Listener> {
        self.people.read().get(&user).cloned().unwrap_or_default()
    }

    /// The people whose connections changed since the last call, and whether one came, which may be gone already.
    pub fn take_changed(&self) -> HashMap<UserId, bool> {
        std::mem::take(&mut self.changed.lock())
    }

    /// Takes a connection out, and out of every feed.
    pub fn deregister(&self, listener: &Listener) {
        let mut sessions = self.sessions.write();
        if let Some(connections) = sessions.get_mut(&listener.session) {
            connections.retain(|other| other.id != listener.id);
            if connections.is_empty() {
                sessions.remove(&listener.session);
            }
        }
        drop(sessions);
        let mut people = self.people.write();
        if let Some(connections) = people.get_mut(&listener.user) {
            connections.retain(|other| other.id != listener.id);
            if connections.is_empty() {
                people.remove(&listener.user);
            }
            self.changed.lock().entry(listener.user).or_insert(false);
        }
        drop(people);
        for stream in std::mem::take(&mut *listener.follows.lock()) {
            if let Some(feed) = self.feed(stream) {
                feed.remove(listener.id);
            }
        }
    }

    /// Closes every connection of a session.
    pub fn end_session(&self, session: SessionId, close: &Close) {
        let connections = self.sessions.read().get(&session).cloned().unwrap_or_default();
        for connection in connections {
            connection.outbox.close(close.clone());
        }
    }

    /// Every session that has a connection here.
    pub fn sessions(&self) -> Vec<SessionId> {
        self.sessions.read().keys().copied().collect()
    }

    /// Every connection with a session.
    pub fn connections(&self) -> Vec<Listener> {
        self.sessions.read().values().flatten().cloned().collect()
    }

    /// The feed of a stream that is followed here.
    pub fn feed(&self, stream: StreamId) -> Option<Arc<Feed>> {
        self.feeds.read().get(&stream).cloned()
    }

    /// The feed of a stream whose id alone is known: a room's or a user's, and at most one of them is followed.
    pub fn feed_of(&self, id: Uuid) -> Option<Arc<Feed>> {
        self.feed(StreamId::Room(RoomId(id))).or_else(|| self.feed(StreamId::User(UserId(id))))
    }

    /// Every feed.
    pub fn feeds(&self) -> Vec<Arc<Feed>> {
        self.feeds.read().values().cloned().collect()
    }

    /// The feeds of these streams with the connection among their followers, and those of them that are new and
    /// must be opened by the caller.
    pub fn add(&self, listener: &Listener, streams: &[StreamId]) -> (Vec<Arc<Feed>>, Vec<Arc<Feed>>) {
        let (mut all, mut new) = (Vec::with_capacity(streams.len()), Vec::new());
        // One lock for looking up and adding: the sweep must not find a feed deserted in between.
        let mut feeds = self.feeds.write();
        for stream in streams {
            let feed = feeds.entry(*stream).or_insert_with(|| {
                let feed = Arc::new(Feed::new(*stream));
                new.push(Arc::clone(&feed));
                feed
            });
            feed.add(listener);
            all.push(Arc::clone(feed));
        }
        drop(feeds);
        listener.follows.lock().extend(streams);
        (all, new)
    }

    /// Takes a connection out of a feed.
    pub fn remove(&self, listener: &Listener, stream: StreamId) {
        listener.follows.lock().remove(&stream);
        if let Some(feed) = self.feed(stream) {
            feed.remove(listener.id);
        }
    }

    /// Forgets a feed that could not be opened; those who wait for it are told.
    pub fn forget(&self, feed: &Feed) {
        self.feeds.write().remove(&feed.stream);
        feed.fail();
    }

    /// Forgets the feeds that nobody follows; `each` is told of them before anyone can open them anew.
    pub fn sweep(&self, mut each: impl FnMut(&[StreamId])) {
        let mut feeds = self.feeds.write();
        let deserted: Vec<_> =
            feeds.values().filter(|feed| feed.is_deserted()).map(|feed| feed.stream).collect();
        for stream in &deserted {
            feeds.remove(stream);
        }
        each(&deserted);
    }
}
