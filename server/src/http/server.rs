//! What clients need before anyone signs in, and the specifications of the wire.

use axum::{
    extract::State,
    http::{
        HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use hubbub_protocol::{
    http::{PasswordRules, ServerInfo, SessionPolicy, SessionScope, SignInWay},
    limits::PASSWORD_CHARS,
};

use super::{Services, body::Json};

const OPENAPI: &str = include_str!("../../../protocol/generated/openapi.json");
const ASYNCAPI: &str = include_str!("../../../protocol/generated/asyncapi.json");

/// `GET /v1/server`.
pub(super) async fn info(State(services): State<Services>) -> Json<ServerInfo> {
    Json(ServerInfo {
        name: services.config.server_name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        sign_up: services.config.accounts.sign_up,
        sign_in: vec![SignInWay::Password],
        session_policy: SessionPolicy::Takeover,
        session_scope: SessionScope::Account,
        password: PasswordRules { least: *PASSWORD_CHARS.start() as u64, most: *PASSWORD_CHARS.end() as u64 },
    })
}

/// `GET /openapi.json`: the HTTP API.
pub(super) async fn openapi() -> Response {
    specification(OPENAPI)
}

/// `GET /asyncapi.json`: the WebSocket.
pub(super) async fn asyncapi() -> Response {
    specification(ASYNCAPI)
}

fn specification(text: &'static str) -> Response {
    let kind = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let caching = (CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    ([kind, caching], text).into_response()
}
