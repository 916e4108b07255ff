//! One WebSocket: commands out, replies and pushes in. It ends when the socket does; [`crate::reconnect`] comes back.

use std::{
    collections::BTreeMap,
    marker::PhantomData,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::FutureExt;
use hubbub_protocol::{
    SUBPROTOCOL,
    command::{Command, SessionStartParams, SessionStartResult},
    error::ErrorObject,
    frame::encode_request,
    id::{Cursor, StreamId},
    limits::COMMANDS_IN_FLIGHT,
    push::Push,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::{
    net::{TcpSocket, TcpStream, lookup_host},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    task::AbortHandle,
    time::{Timeout, error::Elapsed, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self,
        client::IntoClientRequest,
        http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL},
        protocol::WebSocketConfig,
    },
};

use crate::{
    address::ServerAddress,
    ask::{Ask, AskError, Closed},
    pump::{Outcome, Outgoing, Pump, Waiting},
};

/// Largest frame of the server that is read, in bytes: a full page of the longest texts.
const SERVER_FRAME_BYTES: usize = 16 * 1024 * 1024;
/// Read buffer and write buffer, in bytes, allocated for every connection.
const BUFFER_BYTES: usize = 4 * 1024;
/// Most bytes that wait for a socket that takes none.
const WRITE_BUFFER_MOST_BYTES: usize = 1024 * 1024;
/// Time for a goodbye.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// Limits of one connection.
#[derive(Clone, Debug)]
pub struct Options {
    /// Longest wait for the socket and the handshake.
    pub connect_limit: Duration,
    /// Longest wait for an answer; the server answers or gives up within 5 s.
    pub answer_limit: Duration,
    /// Pushes that may wait to be read. Beyond that nothing more is read from the socket, replies included, and
    /// in the end the server closes the connection as a slow consumer.
    pub unasked_waiting: usize,
    /// Commands that may be unanswered at once.
    pub in_flight: usize,
    /// Whether to send `ping` as often as the server asks for, and to give up on one that falls silent.
    pub heartbeat: bool,
    /// What the operating system may buffer of what comes in, in bytes; its own choice when absent.
    pub receive_buffer_bytes: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_limit: Duration::from_secs(10),
            answer_limit: Duration::from_secs(10),
            unasked_waiting: 1024,
            in_flight: COMMANDS_IN_FLIGHT,
            heartbeat: true,
            receive_buffer_bytes: None,
        }
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The server refused the upgrade.
    #[error("refused with HTTP status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// No connection in time.
    #[error("no connection in time")]
    TimedOut,
    /// Nothing listens there, or the network failed.
    #[error("no connection to the server")]
    Network(#[source] std::io::Error),
    /// The other side does not speak WebSocket, or not this subprotocol.
    #[error("the handshake failed")]
    Handshake(#[source] Box<tungstenite::Error>),
}

/// What the server says unasked.
#[derive(Clone, Debug, PartialEq)]
pub enum Unasked {
    /// A push.
    Push(Box<Push>),
    /// An error that answers no request that could be read.
    Stray(ErrorObject),
    /// A push that this version does not know; pass over it.
    Unknown(String),
}

/// The pushes of one connection, in the order they came. Read them while commands run.
#[derive(Debug)]
pub struct Pushes(mpsc::Receiver<Unasked>);

impl Pushes {
    /// The next one; `None` when the connection has ended and all were read.
    pub async fn next(&mut self) -> Option<Unasked> {
        self.0.recv().await
    }
}

/// The sending end of a connection. Clones share it; the socket is cut when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Connection {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    outgoing: mpsc::Sender<Outgoing>,
    waiting: Arc<Waiting>,
    in_flight: Arc<Semaphore>,
    next_id: AtomicU64,
    heartbeat: watch::Sender<Option<Duration>>,
    closed: watch::Receiver<Option<Closed>>,
    received: Arc<AtomicU64>,
    pump: AbortHandle,
    answer_limit: Duration,
    sends_heartbeat: bool,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl Connection {
    /// Connects; the session is not started yet.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn open(server: &ServerAddress, options: &Options) -> Result<(Self, Pushes), ConnectError> {
        let socket = timeout(options.connect_limit, handshake(server, options))
            .await
            .map_err(|_| ConnectError::TimedOut)??;
        let (outgoing, queue) = mpsc::channel(options.in_flight.max(1));
        let (unasked, pushes) = mpsc::channel(options.unasked_waiting.max(1));
        let (heartbeat, beats) = watch::channel(None);
        let (closing, closed) = watch::channel(None);
        let waiting = Arc::new(Waiting::default());
        let received = Arc::new(AtomicU64::new(0));
        let pump =
            Pump { waiting: Arc::clone(&waiting), unasked, received: Arc::clone(&received), beats, closing };
        let shared = Shared {
            outgoing,
            waiting,
            in_flight: Arc::new(Semaphore::new(options.in_flight)),
            next_id: AtomicU64::new(1),
            heartbeat,
            closed,
            received,
            pump: tokio::spawn(pump.run(socket, queue)).abort_handle(),
            answer_limit: options.answer_limit,
            sends_heartbeat: options.heartbeat,
        };
        Ok((Self { shared: Arc::new(shared) }, Pushes(pushes)))
    }

    /// Starts the session; what the cursors miss follows as pushes.
    ///
    /// # Errors
    /// See [`AskError`].
    pub async fn start(
        &self,
        access_token: &str,
        cursors: BTreeMap<StreamId, Cursor>,
    ) -> Result<SessionStartResult, AskError> {
        let started = self.ask(SessionStartParams { token: access_token.to_owned(), cursors }).await?;
        if self.shared.sends_heartbeat {
            self.shared.heartbeat.send_replace(Some(Duration::from_millis(started.heartbeat_ms)));
        }
        Ok(started)
    }

    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    /// See [`AskError`].
    pub async fn ask<A: Ask>(&self, ask: A) -> Result<A::Answer, AskError> {
        self.submit(ask).await?.await
    }

    /// Sends a command without waiting for its answer, so that many run at once; they are sent in the order of the
    /// calls. Waits only while too many are unanswered.
    ///
    /// # Errors
    /// See [`AskError`].
    pub async fn submit<A: Ask>(&self, ask: A) -> Result<Pending<A::Answer>, AskError> {
        let slot = timeout(self.shared.answer_limit, self.slot()).await.map_err(|_| AskError::TimedOut)??;
        slot.submit(&ask.into_command())
    }

    /// Room for one more command. Nothing is lost when this future is dropped.
    ///
    /// # Errors
    /// The connection has ended.
    pub async fn slot(&self) -> Result<Slot, AskError> {
        let ended = || AskError::Closed(self.ended().unwrap_or_else(|| Closed::lost("ended")));
        let in_flight = Arc::clone(&self.shared.in_flight).acquire_owned().await.map_err(|_| ended())?;
        let outgoing = self.shared.outgoing.clone().reserve_owned().await.map_err(|_| ended())?;
        Ok(Slot { connection: self.clone(), in_flight, outgoing })
    }

    /// Says goodbye and waits until the connection has ended.
    pub async fn close(self) -> Closed {
        let goodbye = async {
            // Without a receiver it has ended already.
            let _ = self.shared.outgoing.send(Outgoing::Close).await;
            self.closed().await
        };
        timeout(CLOSE_LIMIT, goodbye).await.unwrap_or_else(|_| Closed::lost("no goodbye"))
    }

    /// How many pushes came in so far, those not yet read among them. A push that came before an answer is counted
    /// when the answer is there.
    pub fn pushes_received(&self) -> u64 {
        self.shared.received.load(Ordering::Acquire)
    }

    /// How the connection ended, if it has.
    pub fn ended(&self) -> Option<Closed> {
        self.shared.closed.borrow().clone()
    }

    /// Waits until the connection has ended.
    pub async fn closed(&self) -> Closed {
        let mut closed = self.shared.closed.clone();
        let ended = closed.wait_for(Option::is_some).await;
        ended.ok().and_then(|ended| ended.clone()).unwrap_or_else(|| Closed::lost("ended"))
    }
}

/// Room for one command.
#[derive(Debug)]
pub struct Slot {
    connection: Connection,
    in_flight: OwnedSemaphorePermit,
    outgoing: mpsc::OwnedPermit<Outgoing>,
}

impl Slot {
    /// Sends the command.
    ///
    /// # Errors
    /// The connection has ended, or the command cannot be written as JSON.
    pub fn submit<T: DeserializeOwned>(self, command: &Command) -> Result<Pending<T>, AskError> {
        let shared = &self.connection.shared;
        let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
        let text = encode_request(id, command).map_err(|error| AskError::Undecodable(error.to_string()))?;
        let reply = shared.waiting.add(id, self.in_flight).map_err(AskError::Closed)?;
        self.outgoing.send(Outgoing::Text(text));
        Ok(Pending { reply: Box::pin(timeout(shared.answer_limit, reply)), answer: PhantomData })
    }
}

/// An answer on its way.
#[derive(Debug)]
pub struct Pending<T> {
    reply: Pin<Box<Timeout<oneshot::Receiver<Outcome>>>>,
    answer: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Future for Pending<T> {
    type Output = Result<T, AskError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.reply.poll_unpin(context).map(|reply| match reply {
            Err(Elapsed { .. }) => Err(AskError::TimedOut),
            Ok(Err(_)) => Err(AskError::Closed(Closed::lost("ended"))),
            Ok(Ok(outcome)) => read_answer(outcome?),
        })
    }
}

fn read_answer<T: DeserializeOwned>(value: Value) -> Result<T, AskError> {
    serde_json::from_value(value).map_err(|error| AskError::Undecodable(error.to_string()))
}

async fn handshake(
    server: &ServerAddress,
    options: &Options,
) -> Result<WebSocketStream<TcpStream>, ConnectError> {
    let stream = connect(server, options.receive_buffer_bytes).await.map_err(ConnectError::Network)?;
    stream.set_nodelay(true).map_err(ConnectError::Network)?;
    let mut request = server.web_socket_url().into_client_request().map_err(refusal)?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_MOST_BYTES)
        .max_message_size(Some(SERVER_FRAME_BYTES))
        .max_frame_size(Some(SERVER_FRAME_BYTES));
    let (socket, _) = client_async_with_config(request, stream, Some(config)).await.map_err(refusal)?;
    Ok(socket)
}

async fn connect(server: &ServerAddress, receive_buffer_bytes: Option<u32>) -> std::io::Result<TcpStream> {
    let mut failure = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host(server.authority()).await? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(bytes) = receive_buffer_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        match socket.connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn refusal(error: tungstenite::Error) -> ConnectError {
    match error {
        tungstenite::Error::Http(response) => ConnectError::Refused { status: response.status().as_u16() },
        tungstenite::Error::Io(error) => ConnectError::Network(error),
        other => ConnectError::Handshake(Box::new(other)),
    }
}
