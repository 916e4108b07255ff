//! The opening handshake (RFC 6455 §4.2): what is asked for, from where, and the 101.

use std::sync::Arc;

use hubbub_protocol::{SUBPROTOCOL, error::Reason, limits::FRAME_REFUSED_BYTES};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{
        CONNECTION, HOST, HeaderName, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::derive_accept_key,
        protocol::{Role, WebSocketConfig},
    },
};

use super::{Gateway, connection, echo};
use crate::{config::Config, error::CommandError};

/// Read buffer of a socket: tungstenite zeroes it before each read, and its default of 128 KiB is most of what an
/// idle connection costs.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// The door of clients.
pub const PATH: &str = "/v1/ws";
/// The door of conformance tests.
pub const ECHO_PATH: &str = "/v1/echo";

/// How every socket is set.
fn socket_settings(config: &Config) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(config.connections.outbox_bytes.max(2 * FRAME_REFUSED_BYTES))
        .max_message_size(Some(FRAME_REFUSED_BYTES))
        .max_frame_size(Some(FRAME_REFUSED_BYTES))
}

/// Answers an opening handshake, and serves the socket in a task of its own.
///
/// # Errors
/// `foreign_origin`, `invalid_request`, `unavailable` while the node drains.
pub fn shake(gateway: &Arc<Gateway>, mut request: Request<Incoming>) -> Result<Response<()>, CommandError> {
    if gateway.drain.is_cancelled() {
        return Err(CommandError::Unavailable("this node stops".into()));
    }
    check(&gateway.config, &request)?;
    let key = request.headers().get(SEC_WEBSOCKET_KEY).ok_or_else(|| bad("Sec-WebSocket-Key is missing"))?;
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .map_err(|error| CommandError::Internal(Box::new(error)))?;
    let speaks_ours = words(request.headers(), &SEC_WEBSOCKET_PROTOCOL).any(|word| word == SUBPROTOCOL);
    let is_echo = request.uri().path() == ECHO_PATH;
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if speaks_ours {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let serving = Arc::clone(gateway);
    gateway.tasks.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let settings = socket_settings(&serving.config);
        let socket =
            WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(settings)).await;
        if is_echo {
            echo::serve(socket).await;
        } else {
            connection::serve(socket, serving).await;
        }
    });
    Ok(response)
}

fn bad(message: &str) -> CommandError {
    CommandError::Explained { reason: Reason::InvalidRequest, message: message.to_owned(), field: None }
}

fn check(config: &Config, request: &Request<Incoming>) -> Result<(), CommandError> {
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if let Some(origin) = headers.get(ORIGIN) {
        // A page of another site must not speak for someone who is signed in here (CWE-1385).
        if !origin.to_str().is_ok_and(|origin| config.allows_origin(origin, host)) {
            return Err(Reason::ForeignOrigin.into());
        }
    }
    if request.method() != Method::GET {
        return Err(Reason::MethodNotAllowed.into());
    }
    if !words(headers, &UPGRADE).any(|word| word.eq_ignore_ascii_case("websocket"))
        || !words(headers, &CONNECTION).any(|word| word.eq_ignore_ascii_case("upgrade"))
    {
        return Err(bad("this address speaks WebSocket: send Connection: Upgrade and Upgrade: websocket"));
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(bad("Sec-WebSocket-Version must be 13"));
    }
    // A token in a URL ends up in logs.
    if request.uri().query().is_some_and(|query| query.contains("token")) {
        return Err(bad("never put a token into a URL: send it with session.start"));
    }
    let offers = headers.contains_key(SEC_WEBSOCKET_PROTOCOL);
    if offers && !words(headers, &SEC_WEBSOCKET_PROTOCOL).any(|word| word == SUBPROTOCOL) {
        return Err(bad("the subprotocol is hubbub.v1.json"));
    }
    Ok(())
}

/// The comma-separated words of a header, from every line of it.
fn words<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}
