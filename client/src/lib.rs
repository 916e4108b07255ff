//! Rust client for Hubbub: bots, load tools and the tests use it.
//!
//! | module | holds |
//! |---|---|
//! | [`address`] | where a server is |
//! | [`http`] | the HTTP door: sign up, log in, refresh, sessions, history |
//! | [`connection`] | one WebSocket: commands, replies, pushes; it ends when the socket does |
//! | [`ask`] | each command with the type of its answer, and why an answer is missing |
//! | [`cursors`] | how far each stream was read: repeats and holes |
//! | [`reconnect`] | a client that comes back, resumes and repeats what was not answered |
//!
//! The client speaks plain HTTP and WebSocket, as a node does; TLS ends in a proxy before both.
//! Everything is bounded and every wait for the network has a time limit.

pub mod address;
pub mod ask;
pub mod connection;
pub mod cursors;
pub mod http;
pub mod reconnect;

mod backoff;
mod pump;

pub use address::ServerAddress;
pub use ask::{Ask, AskError, Closed};
pub use connection::{Connection, Unasked};
pub use hubbub_protocol as protocol;
pub use reconnect::Client;

/// A new idempotency key: 128 random bits in hexadecimal.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn new_key() -> Result<String, getrandom::Error> {
    Ok(format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?))
}
