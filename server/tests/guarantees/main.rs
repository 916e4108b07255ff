//! What Hubbub promises, one file a promise, shown on real nodes through the doors that clients use.
//!
//! Run it with `make test-rust`, or `scripts/with-services cargo test -p hubbub-server --test guarantees`.

#![expect(clippy::similar_names, reason = "what was heard is compared with the head of a stream")]

mod support;

#[path = "../fabric_contract/redis_server.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "the tests of the fabric, whose it is, do more with it")]
mod redis_server;
#[path = "../fabric_contract/topology.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "the tests of the fabric, whose it is, do more with it")]
mod topology;

mod activity;
mod deaf;
mod drain;
mod health;
mod history;
mod http;
mod input;
mod messages;
mod once;
mod order;
mod presence;
mod removal;
mod restore;
mod resume;
mod roles;
mod rooms;
mod schema;
mod secrets;
mod session_life;
mod slow_reader;
mod state;
mod takeover;
mod topologies;
