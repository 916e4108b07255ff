//! Health and metrics.

use axum::{
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use super::{Services, body::Json};
use crate::telemetry;

/// `GET /livez`: the process answers. It asks nothing else, or a fault of the database would restart every node.
pub(super) async fn live() -> &'static str {
    "alive\n"
}

/// `GET /readyz`: whether this node takes new clients; 503 with the reasons where it does not.
pub(super) async fn ready(State(services): State<Services>) -> Response {
    let readiness = (services.readiness)();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

/// `GET /metrics`, on the operations address only.
pub(super) async fn metrics() -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], telemetry::render()).into_response()
}
