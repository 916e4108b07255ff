//! The layers and the connection as a client meets them: bytes in, bytes out.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use hubbub_protocol::{
    error::{Problem, Reason},
    http::Refresh,
    id::RoomId,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_util::sync::CancellationToken;

use super::{
    Sockets,
    body::Json,
    connection::{Door, serve},
    error::bad_path,
    layers, web,
};
use crate::error::CommandError;

fn router() -> Router {
    let routes = Router::new()
        .route("/ok", get(async || "fine"))
        .route("/panic", get(async || -> &'static str { panic!("a secret of the handler") }))
        .route("/slow", get(async || tokio::time::sleep(Duration::from_mins(1)).await))
        .route("/body", post(async |Json(body): Json<Refresh>| body.refresh_token))
        .route(
            "/rooms/{room}",
            get(async |room: Result<Path<RoomId>, _>| {
                room.map(|Path(id)| id.to_string()).map_err(|bad| bad_path(&bad))
            }),
        );
    layers::around(routes.fallback(web::serve))
}

fn connect(door: Door, drain: CancellationToken) -> DuplexStream {
    let (near, far) = tokio::io::duplex(1 << 20);
    let peer: SocketAddr = "203.0.113.7:4711".parse().unwrap();
    tokio::spawn(serve(far, peer, Arc::new(door), drain));
    near
}

/// Sends one request and reads until the server closes.
async fn exchange(text: &str) -> String {
    let mut client = connect(Door { router: router(), sockets: None }, CancellationToken::new());
    client.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

async fn ask(method: &str, path: &str) -> String {
    exchange(&format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).await
}

fn status(answer: &str) -> u16 {
    answer[9..12].parse().unwrap()
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn reason(answer: &str) -> Reason {
    assert_eq!(header(answer, "content-type"), Some("application/problem+json"), "{answer}");
    let problem: Problem = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(problem.status, status(answer));
    problem.data.reason
}

#[tokio::test]
async fn every_refusal_is_a_problem() {
    assert_eq!(status(&ask("GET", "/ok").await), 200);
    assert_eq!(reason(&ask("GET", "/v1/nowhere").await), Reason::NotFound);
    assert_eq!(reason(&ask("GET", "/nowhere.js").await), Reason::NotFound);
    assert_eq!(reason(&ask("POST", "/nowhere").await), Reason::MethodNotAllowed);
    assert_eq!(reason(&ask("POST", "/body").await), Reason::UnsupportedMediaType);
    assert_eq!(reason(&ask("GET", "/rooms/7").await), Reason::InvalidParams);
    let answer = ask("PUT", "/ok").await;
    assert_eq!((reason(&answer), header(&answer, "allow")), (Reason::MethodNotAllowed, Some("GET,HEAD")));
}

#[tokio::test]
async fn a_panic_is_a_problem_that_says_nothing() {
    let answer = ask("GET", "/panic").await;
    assert_eq!(reason(&answer), Reason::Internal);
    assert!(!answer.contains("secret"), "{answer}");
}

#[tokio::test]
async fn a_token_in_the_url_is_refused() {
    for path in ["/ok?token=abc", "/ok?a=1&access_token=abc", "/ok?Token="] {
        assert_eq!(reason(&ask("GET", path).await), Reason::InvalidParams, "{path}");
    }
    assert_eq!(status(&ask("GET", "/ok?query=token").await), 200);
}

#[tokio::test]
async fn browsers_are_told_to_be_strict() {
    let answer = ask("GET", "/ok").await;
    assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"));
    assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    assert_eq!(header(&answer, "referrer-policy"), Some("no-referrer"));
    assert_eq!(header(&answer, "cross-origin-opener-policy"), Some("same-origin"));
    let page = ask("GET", "/invite/abc").await;
    assert_eq!(header(&page, "x-frame-options"), Some("DENY"));
    assert!(header(&page, "content-type").unwrap().starts_with("text/html"), "{page}");
    assert!(header(&page, "content-security-policy").unwrap().contains("frame-ancestors 'none'"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn a_request_ends_in_time() {
    let answer = ask("GET", "/slow").await;
    assert_eq!(reason(&answer), Reason::Unavailable);
    assert!(matches!(header(&answer, "retry-after"), Some("1" | "2")), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_ends_in_time() {
    let head =
        "POST /body HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    assert_eq!(reason(&exchange(head).await), Reason::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn headers_are_bounded_in_time_number_and_size() {
    assert!(exchange("GET /ok HTTP/1.1\r\nhost:").await.is_empty(), "closed without an answer");
    let many = "a: b\r\n".repeat(65);
    assert_eq!(status(&exchange(&format!("GET /ok HTTP/1.1\r\n{many}\r\n")).await), 431);
    let long = "x".repeat(17 * 1024);
    assert_eq!(status(&exchange(&format!("GET /ok HTTP/1.1\r\na: {long}\r\n\r\n")).await), 431);
}

#[tokio::test]
async fn a_length_that_contradicts_itself_is_refused() {
    let both = "POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\n{}";
    assert_eq!(status(&exchange(both).await), 400);
}

#[tokio::test]
async fn a_drained_connection_answers_what_it_has_and_closes() {
    let drain = CancellationToken::new();
    let mut client = connect(Door { router: router(), sockets: None }, drain.clone());
    client.write_all(b"GET /ok HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 4096];
    let length = client.read(&mut answer).await.unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
    drain.cancel();
    client.read_to_end(&mut answer).await.expect("the server closes");
}

#[tokio::test]
async fn a_handshake_goes_to_the_sockets() {
    let shake = Arc::new(|_| Err(CommandError::from(Reason::ForeignOrigin)));
    let door = Door { router: router(), sockets: Some(Sockets { paths: vec!["/v1/ws"], shake }) };
    let mut client = connect(door, CancellationToken::new());
    client.write_all(b"GET /v1/ws HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(reason(&answer), Reason::ForeignOrigin);
}
