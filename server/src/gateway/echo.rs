//! The same socket for conformance tests: it answers with what it is sent. Only with `conformance_echo`.

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, protocol::CloseFrame},
};

use super::connection::close_for;

/// Echoes until the client closes or breaks the protocol.
pub(super) async fn serve<S>(mut socket: WebSocketStream<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(received) = socket.next().await {
        let sent = match received {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => socket.send(message).await,
            Ok(_) => Ok(()),
            Err(Error::ConnectionClosed | Error::AlreadyClosed | Error::Io(_)) => return,
            Err(error) => {
                let code = close_for(&error);
                let frame = CloseFrame { code: code.code().into(), reason: code.reason().into() };
                socket.close(Some(frame)).await
            }
        };
        if sent.is_err() {
            return;
        }
    }
}
