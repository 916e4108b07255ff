//! A connection as the hub and the feeds know it.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use hubbub_protocol::{
    id::{SessionId, StreamId, UserId},
    model::DeviceClass,
};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::outbox::Outbox;

/// Names a connection on this node.
pub type ConnectionId = u64;

/// What the hub knows of a connection. Clones are the same connection.
pub type Listener = Arc<Connection>;

/// A connection with a session.
#[derive(Debug)]
pub struct Connection {
    /// Which.
    pub id: ConnectionId,
    /// Whose.
    pub user: UserId,
    /// By which login.
    pub session: SessionId,
    /// From what.
    pub class: DeviceClass,
    /// Its way out.
    pub outbox: Outbox,
    /// Cancelled when it is to answer what is in flight and go to another node.
    pub leave: CancellationToken,
    pub(super) follows: Mutex<HashSet<StreamId>>,
    pub(super) away: AtomicBool,
}

impl Connection {
    /// Whether it says that nobody is at it.
    pub fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }
}
