//! A socket without a client around it: whatever a test wants to say, and whatever comes back.

use futures_util::{SinkExt as _, StreamExt as _};
use hubbub_client::Closed;
use hubbub_protocol::{SUBPROTOCOL, error::Reason};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        self, Message,
        client::IntoClientRequest as _,
        http::{HeaderValue, Response},
    },
};

use super::{Node, PATIENCE, within};

/// A WebSocket that says anything.
pub(crate) struct Raw {
    socket: WebSocketStream<TcpStream>,
}

impl Raw {
    /// Connects with the subprotocol, and nothing else.
    pub(crate) async fn connect(node: &Node) -> Self {
        Self::connect_with(node, &[("sec-websocket-protocol", SUBPROTOCOL)]).await.expect("a connection")
    }

    /// Connects with these headers; an HTTP answer that is no upgrade is the error.
    pub(crate) async fn connect_with(
        node: &Node,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Response<Option<Vec<u8>>>> {
        let authority = node.address.authority();
        let stream = TcpStream::connect(authority).await.expect("a connection");
        let mut request = format!("ws://{authority}/v1/ws").into_client_request().expect("an address");
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).expect("a header"));
        }
        match within(PATIENCE, "the handshake", client_async(request, stream)).await {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(tungstenite::Error::Http(response)) => Err(*response),
            Err(error) => panic!("the handshake failed: {error}"),
        }
    }

    /// Connects and starts a session.
    pub(crate) async fn start(node: &Node, token: &str) -> Self {
        let mut raw = Self::connect(node).await;
        let reply = raw.ask("session.start", json!({"token": token})).await;
        assert!(reply["result"].is_object(), "no session: {reply}");
        raw
    }

    /// Sends a text frame.
    pub(crate) async fn text(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    /// Sends a message of any kind.
    pub(crate) async fn send(&mut self, message: Message) {
        within(PATIENCE, "a write", self.socket.send(message)).await.expect("a living connection");
    }

    /// Sends bytes past all framing.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        within(PATIENCE, "a write", self.socket.get_mut().write_all(bytes))
            .await
            .expect("a living connection");
    }

    /// The next JSON value that is not a push.
    pub(crate) async fn reply(&mut self) -> Value {
        loop {
            let value = self.frame().await;
            if value.get("method").is_none() {
                return value;
            }
        }
    }

    /// The next JSON value.
    pub(crate) async fn frame(&mut self) -> Value {
        loop {
            match within(PATIENCE, "a frame", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).expect("JSON"),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("expected a text frame, got {other:?}"),
            }
        }
    }

    /// Asks by method and params; the whole reply.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.text(&json!({"jsonrpc": "2.0", "id": "raw-1", "method": method, "params": params}).to_string())
            .await;
        self.reply().await
    }

    /// Fails unless the connection still answers.
    pub(crate) async fn assert_lives(&mut self) {
        self.text(r#"{"jsonrpc":"2.0","id":"alive","method":"ping"}"#).await;
        let reply = self.reply().await;
        assert_eq!(reply["id"], "alive", "{reply}");
        assert!(reply["result"]["now"].is_i64(), "{reply}");
    }

    /// Waits until the server closes the connection.
    pub(crate) async fn closed(&mut self) -> Closed {
        loop {
            match within(PATIENCE, "a close", self.socket.next()).await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Closed { code: frame.code.into(), reason: frame.reason.to_string() };
                }
                Some(Ok(Message::Close(None))) => return Closed { code: 1005, reason: String::new() },
                Some(Ok(_)) => {}
                lost => return Closed { code: 1006, reason: format!("{lost:?}") },
            }
        }
    }
}

/// The reason of an error reply; its number must be the catalogue's.
pub(crate) fn reason(reply: &Value) -> Reason {
    let error = &reply["error"];
    let reason: Reason = serde_json::from_value(error["data"]["reason"].clone())
        .unwrap_or_else(|_| panic!("expected an error of the catalogue, got {reply}"));
    assert_eq!(error["code"], reason.code(), "{reply}");
    assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{reply}");
    assert_eq!(reply["jsonrpc"], "2.0", "{reply}");
    reason
}
