//! What every request goes through: counted, bounded in time, panics caught, headers that keep browsers strict.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{
        HeaderName, HeaderValue,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use hubbub_protocol::error::Reason;
use tokio::time::{Instant, timeout};
use tower_http::catch_panic::CatchPanicLayer;

use super::error::ApiError;
use crate::error::CommandError;

/// Longest that a request may take, its body included.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);

/// What is no page may load nothing and be shown in nothing.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Puts the layers around a router whose fallback, if it has one, is set.
pub(super) fn around(router: Router) -> Router {
    router
        .method_not_allowed_fallback(async || ApiError::from(Reason::MethodNotAllowed))
        .layer(from_fn(refuse_tokens_in_urls))
        .layer(from_fn(bound_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(strict_headers))
        .layer(from_fn(count))
}

/// The panic itself was logged by the hook; what it holds is not told.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    ApiError::from(Reason::Internal).into_response()
}

/// A token in a URL ends up in logs, histories and referrers.
async fn refuse_tokens_in_urls(request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let names = query.split('&').filter_map(|pair| pair.split('=').next());
    if names.map(str::to_ascii_lowercase).any(|name| name.ends_with("token")) {
        let message = "never put a token into a URL: send it as `Authorization: Bearer <token>`".to_owned();
        let error = CommandError::Explained { reason: Reason::InvalidParams, message, field: None };
        return ApiError(error).into_response();
    }
    next.run(request).await
}

async fn bound_time(request: Request, next: Next) -> Response {
    let answer = timeout(REQUEST_WITHIN, next.run(request)).await;
    answer.unwrap_or_else(|elapsed| ApiError(CommandError::Unavailable(Box::new(elapsed))).into_response())
}

async fn strict_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut unless_set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    unless_set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    unless_set(X_FRAME_OPTIONS, "DENY");
    unless_set(REFERRER_POLICY, "no-referrer");
    unless_set(CONTENT_SECURITY_POLICY, API_POLICY);
    unless_set(CACHE_CONTROL, "no-store");
    unless_set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    unless_set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    response
}

async fn count(request: Request, next: Next) -> Response {
    let began = Instant::now();
    // The pattern of the address, not the address: what people type must not become a series each.
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("hubbub_http_requests_total", "route" => route, "status" => status).increment(1);
    metrics::histogram!("hubbub_http_request_duration_seconds").record(began.elapsed());
    response
}
