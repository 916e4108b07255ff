//! The Hubbub server. Imports point down only:
//!
//! ```text
//! node · cli                    composition
//! gateway · http                transports: parse, authenticate, call, encode
//! chat · accounts               what a person may do
//! presence                      who is online
//! streams                       append, read, sequencer, hub, outbox
//! counters                      messages by day, room and person
//! store · fabric                SQL · Redis or in-process
//! config · clock · digest · error · mutant · telemetry
//! ```

pub mod accounts;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod counters;
pub mod digest;
pub mod error;
pub mod fabric;
pub mod gateway;
pub mod http;
pub mod jitter;
pub mod limits;
pub mod mutant;
pub mod node;
pub mod presence;
pub mod store;
pub mod streams;
pub mod telemetry;
