//! The HTTP door: accounts, sessions, history, health, specifications, and the web client.
//!
//! | file | does |
//! |---|---|
//! | `connection` | one HTTP connection with its limits; hands WebSocket handshakes on |
//! | `layers` | what every request goes through |
//! | `body`, `caller`, `error` | JSON in, who asks, problem+json out |
//! | `accounts`, `rooms`, `activity`, `server` | the addresses under `/v1` |
//! | `health`, `web` | `/livez`, `/readyz`, `/metrics`; the web client inside the binary |

mod accounts;
mod activity;
mod body;
mod caller;
mod connection;
mod error;
mod health;
mod layers;
mod rooms;
mod server;
mod web;

#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    routing::{delete, get, post},
};
use hubbub_protocol::http::Readiness;

pub use connection::{Door, Shake, Sockets, serve};

use crate::{accounts::Accounts, chat::Chat, config::Config, error::CommandError};

/// Whether this node takes new clients, asked anew for each `/readyz`; it must not wait.
pub type AskReadiness = Arc<dyn Fn() -> Readiness + Send + Sync>;

/// Whether an address may try a password once more; asked before the password is looked at.
pub type Admit = Arc<dyn Fn(IpAddr) -> Result<(), CommandError> + Send + Sync>;

/// What the handlers need of the node.
#[derive(Clone)]
pub struct Services {
    /// Every setting of the node.
    pub config: Arc<Config>,
    /// Who people are.
    pub accounts: Accounts,
    /// What they may read.
    pub chat: Chat,
    /// Whether the node is ready.
    pub readiness: AskReadiness,
    /// The limit on passwords.
    pub admit: Admit,
}

/// Everything on the main port but the WebSocket.
pub fn router(services: Services) -> Router {
    let api = Router::new()
        .route("/v1/accounts", post(accounts::sign_up))
        .route("/v1/sessions", post(accounts::log_in).get(accounts::sessions))
        .route("/v1/sessions/refresh", post(accounts::refresh))
        .route("/v1/sessions/{id}", delete(accounts::end))
        .route("/v1/server", get(server::info))
        .route("/v1/invites/{code}", get(rooms::invite))
        .route("/v1/rooms/{room}/entries", get(rooms::entries))
        .route("/v1/rooms/{room}/messages", get(rooms::messages))
        .route("/v1/activity", get(activity::activity))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(server::openapi))
        .route("/asyncapi.json", get(server::asyncapi))
        .with_state(services);
    layers::around(api.fallback(web::serve))
}

/// Everything on the operations port.
pub fn ops_router() -> Router {
    layers::around(Router::new().route("/metrics", get(health::metrics)))
}
