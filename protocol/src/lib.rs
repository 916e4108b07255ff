//! The words of Hubbub on the wire, and nothing else: no I/O, no async, no server types.
//!
//! | module | holds |
//! |---|---|
//! | [`id`] | names of users, rooms, sessions, entries and streams; [`id::Seq`] and cursors |
//! | [`frame`] | the JSON-RPC 2.0 envelope: decoding with limits, encoding of replies and pushes |
//! | [`command`] | what a client may ask over the WebSocket, and what it is answered |
//! | [`entry`] | what streams hold, one kind each |
//! | [`push`] | what the server says unasked |
//! | [`model`] | users, rooms, messages, sessions as every door shows them |
//! | [`http`] | bodies of the HTTP API |
//! | [`error`] | the catalogue of errors: number, reason, HTTP status |
//! | [`close`] | close codes and what a client does on each |
//! | [`limits`] | every limit of the wire, with its unit |
//!
//! Times are milliseconds since 1970-01-01 UTC, as JSON numbers.

pub mod close;
pub mod command;
pub mod entry;
pub mod error;
pub mod frame;
pub mod http;
pub mod id;
pub mod limits;
pub mod model;
pub mod push;

/// The WebSocket subprotocol of this wire.
pub const SUBPROTOCOL: &str = "hubbub.v1.json";
