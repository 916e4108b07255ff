//! A server that says what a test wants it to say.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use hubbub_client::ServerAddress;
use hubbub_protocol::{
    SUBPROTOCOL,
    close::CloseCode,
    command::{Limits, SessionStartResult},
    entry::{Entry, EntryBody},
    error::ErrorObject,
    frame::encode_push,
    http::LoggedIn,
    id::{EntryId, Epoch, RoomId, Seq, SessionId, StreamId, UserId},
    model::{Device, DeviceClass, Marker, Role, Room, RoomKind, Session, User},
    push::Push,
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::HeaderValue,
        protocol::CloseFrame,
    },
};

const PATIENCE: Duration = Duration::from_secs(30);

/// Takes connections one by one.
pub(crate) struct Server {
    listener: TcpListener,
}

impl Server {
    pub(crate) async fn listen() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.expect("a free port") }
    }

    pub(crate) fn address(&self) -> ServerAddress {
        let address = self.listener.local_addr().expect("an address");
        format!("http://{address}").parse().expect("an address")
    }

    async fn stream(&self) -> TcpStream {
        timeout(PATIENCE, self.listener.accept())
            .await
            .expect("a connection in time")
            .expect("a connection")
            .0
    }

    /// The next WebSocket.
    pub(crate) async fn accept(&self) -> Peer {
        #[expect(clippy::result_large_err, reason = "the shape is the library's")]
        let greet = |_: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            let headers = response.headers_mut();
            headers.insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
            Ok(response)
        };
        Peer { socket: accept_hdr_async(self.stream().await, greet).await.expect("a handshake") }
    }

    /// Answers the next HTTP request, which must be a refresh; its body.
    pub(crate) async fn answer_refresh(&self, access_token: &str, refresh_token: &str) -> Value {
        let mut stream = self.stream().await;
        let (mut text, mut bytes) = (String::new(), [0; 4_096]);
        let body = loop {
            let count = timeout(PATIENCE, stream.read(&mut bytes)).await.expect("a request in time");
            text += std::str::from_utf8(&bytes[..count.expect("a request")]).expect("text");
            if let Some((_, body)) = text.split_once("\r\n\r\n")
                && let Ok(body) = serde_json::from_str(body)
            {
                break body;
            }
        };
        assert!(text.starts_with("POST /v1/sessions/refresh "), "{text}");
        let answer = LoggedIn {
            user: user(UserId::generate()),
            session: session(),
            access_token: access_token.to_owned(),
            expires_in_s: 60,
            refresh_token: refresh_token.to_owned(),
            refresh_expires_in_s: 600,
        };
        let answer = serde_json::to_string(&answer).expect("JSON");
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}", answer.len());
        stream.write_all(format!("{head}\r\n\r\n{answer}").as_bytes()).await.expect("an answer");
        body
    }
}

/// A request that the client sent.
pub(crate) struct Asked {
    id: Value,
    pub(crate) params: Value,
}

/// The server's end of a connection.
pub(crate) struct Peer {
    socket: WebSocketStream<TcpStream>,
}

impl Peer {
    /// The next request, which must be of this method.
    pub(crate) async fn request(&mut self, method: &str) -> Asked {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("a request in time");
            let Some(Ok(Message::Text(text))) = message else { panic!("expected {method}, got {message:?}") };
            let value: Value = serde_json::from_str(&text).expect("JSON");
            if value["method"] == "ping" && method != "ping" {
                continue;
            }
            assert_eq!(value["method"], method);
            return Asked { id: value["id"].clone(), params: value["params"].clone() };
        }
    }

    pub(crate) async fn reply(&mut self, asked: &Asked, result: &impl Serialize) {
        self.say(&json!({"jsonrpc": "2.0", "id": asked.id, "result": result})).await;
    }

    pub(crate) async fn refuse(&mut self, asked: &Asked, error: &ErrorObject) {
        self.say(&json!({"jsonrpc": "2.0", "id": asked.id, "error": error})).await;
    }

    pub(crate) async fn push(&mut self, push: &Push) {
        let text = encode_push(push).expect("JSON");
        self.socket.send(Message::text(text)).await.expect("a living connection");
    }

    /// Closes with this code and hears the client out.
    pub(crate) async fn close(&mut self, code: CloseCode) {
        let frame = CloseFrame { code: code.code().into(), reason: code.reason().into() };
        self.socket.close(Some(frame)).await.expect("a living connection");
        let hearing = async { while let Some(Ok(_)) = self.socket.next().await {} };
        timeout(PATIENCE, hearing).await.expect("a goodbye in time");
    }

    /// Goes without a word.
    pub(crate) fn cut(self) {
        drop(self.socket);
    }

    async fn say(&mut self, value: &Value) {
        self.socket.send(Message::text(value.to_string())).await.expect("a living connection");
    }
}

/// A message at this place of a stream.
pub(crate) fn message(stream: StreamId, seq: u64) -> Push {
    let body = EntryBody::Message { text: format!("message {seq}"), reply_to: None };
    let (id, sender) = (EntryId::generate(), UserId::generate());
    Push::Entry(Entry { stream, seq: Seq(seq), id, at: 1, sender, key: None, body })
}

fn user(id: UserId) -> User {
    User { id, username: "ann".to_owned(), display_name: "Ann".to_owned() }
}

fn session() -> Session {
    let device = Device { id: "d".to_owned(), class: DeviceClass::Bot, name: String::new() };
    Session {
        id: SessionId::generate(),
        device,
        place: "127.0.0.0".to_owned(),
        started_at: 1,
        used_at: 1,
        current: true,
    }
}

/// The answer to a `session.start` of someone in these rooms, whose heads are given.
pub(crate) fn started(me: UserId, rooms: &[(RoomId, u64)]) -> SessionStartResult {
    let room = |(id, head): &(RoomId, u64)| Room {
        id: *id,
        kind: RoomKind::Group,
        name: "a group".to_owned(),
        topic: String::new(),
        role: Role::Member,
        member_count: 2,
        peer: None,
        head: Seq(*head),
        marker: Marker::default(),
        last: None,
        created_at: 1,
    };
    SessionStartResult {
        user: user(me),
        session: session(),
        epoch: Epoch(EntryId::generate().as_uuid()),
        head: Seq(0),
        rooms: rooms.iter().map(room).collect(),
        resumed: BTreeMap::new(),
        drafts: Vec::new(),
        limits: Limits {
            frame_bytes: 65_536,
            text_bytes: 16_384,
            commands_per_s: 200,
            commands_burst: 2_000,
        },
        heartbeat_ms: 25_000,
        now: 1,
    }
}
