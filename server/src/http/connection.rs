//! One HTTP connection: bounded headers, bounded time, and the way to the WebSocket.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, response::IntoResponse};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::error::ApiError;
use crate::error::CommandError;

/// Longest that the headers of a request may take to arrive, and that a connection may rest between two requests.
const HEADERS_WITHIN: Duration = Duration::from_secs(5);
/// Most headers of a request; more is answered with 431.
const HEADERS: usize = 64;
/// Most bytes of a request's headers.
const HEADER_BYTES: usize = 16 * 1024;
/// Longest life of a connection that does not become a WebSocket: whoever reads an answer slowly lets go then.
const LIFE: Duration = Duration::from_mins(5);
/// Time for the answer that is on its way when the connection has to end.
const LINGER: Duration = Duration::from_secs(10);

/// Answers the opening handshake of a WebSocket and takes the socket over.
pub type Shake = Arc<dyn Fn(Request<Incoming>) -> Result<Response<()>, CommandError> + Send + Sync>;

/// The addresses that are WebSockets.
#[derive(Clone)]
pub struct Sockets {
    /// Their paths.
    pub paths: Vec<&'static str>,
    /// Who shakes hands.
    pub shake: Shake,
}

/// What is behind a listener.
#[derive(Clone)]
pub struct Door {
    /// Answers requests.
    pub router: Router,
    /// Takes WebSockets, where there are any.
    pub sockets: Option<Sockets>,
}

/// The other end of the connection, in a request's extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

impl Door {
    async fn answer(&self, mut request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        if let Some(sockets) = &self.sockets
            && sockets.paths.contains(&request.uri().path())
        {
            return match (sockets.shake)(request) {
                Ok(response) => response.map(|()| Body::empty()),
                Err(error) => ApiError(error).into_response(),
            };
        }
        request.extensions_mut().insert(Peer(peer.ip()));
        let Ok(response) = TowerToHyperService::new(self.router.clone()).call(request).await;
        response
    }
}

/// Serves one connection until it ends, has lived long enough, or becomes a WebSocket. After `drain` it answers the
/// request it has and takes no other.
pub async fn serve<S>(stream: S, peer: SocketAddr, door: Arc<Door>, drain: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = hyper::service::service_fn(|request| {
        let door = Arc::clone(&door);
        async move { Ok::<_, Infallible>(door.answer(request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(HEADERS)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = drain.cancelled() => None,
        () = sleep(LIFE) => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        timeout(LINGER, connection).await.unwrap_or(Ok(()))
    };
    if let Err(error) = ended {
        // The other end is gone, slow, or speaks no HTTP: nothing that an operator could do.
        tracing::debug!(%error, "an HTTP connection ended early");
    }
}
