//! The WebSocket door: accept, shake hands, decode, call, encode.
//!
//! | file | does |
//! |---|---|
//! | `listener` | accepts sockets, with their limits, and gives each request to the WebSocket or to HTTP |
//! | `handshake` | subprotocol, origin, the 101 |
//! | `start` | how a connection gets its session |
//! | `connection` | one socket: two halves, one door out |
//! | `dispatch` | a command becomes a call, its outcome a reply |
//! | `echo` | the same socket for conformance tests |

mod connection;
mod dispatch;
mod echo;
mod handshake;
pub mod listener;
mod start;

use std::{sync::Arc, time::Duration};

pub use handshake::{ECHO_PATH, PATH, shake};

use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{accounts::Accounts, chat::Chat, config::Config, streams::Streams};

/// What every connection needs.
pub struct Gateway {
    /// Every setting of the node.
    pub config: Arc<Config>,
    /// Tokens and sessions.
    pub accounts: Accounts,
    /// What people may do.
    pub chat: Chat,
    /// Who is connected.
    pub streams: Streams,
    /// Places for those who start a session: a crowd that comes back starts in turn.
    pub starts: Semaphore,
    /// Runs connections.
    pub tasks: TaskTracker,
    /// The node takes no new connections and sends those it has elsewhere.
    pub drain: CancellationToken,
}

/// Time a connection has to read the close frame and answer it.
const FAREWELL: Duration = Duration::from_secs(1);
