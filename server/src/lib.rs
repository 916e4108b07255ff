//! Server.

pub mod fabric;
