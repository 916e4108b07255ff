//! The task behind a connection: one loop writes, one reads, both end together.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use hubbub_protocol::{
    command::{Command, PingParams},
    frame::{ServerFrame, decode_server, encode_request},
};
use serde_json::Value;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, mpsc, oneshot, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::CloseFrame, protocol::frame::coding::CloseCode},
};

use crate::{
    ask::{AskError, Closed},
    connection::Unasked,
};

/// Longest wait for the socket to take what is written.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// Longest wait for the other side's goodbye after ours.
const GOODBYE_LIMIT: Duration = Duration::from_secs(5);
/// Number of the requests whose answers nobody waits for.
const HEARTBEAT_ID: u64 = 0;

/// What became of a command.
pub(crate) type Outcome = Result<Value, AskError>;

/// What is to be written.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// A request.
    Text(String),
    /// The goodbye; nothing is written after it.
    Close,
}

/// Commands that wait for their answers.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<Waiters>);

#[derive(Debug, Default)]
struct Waiters {
    by_id: HashMap<u64, (oneshot::Sender<Outcome>, OwnedSemaphorePermit)>,
    closed: Option<Closed>,
}

impl Waiting {
    /// Adds a command; its permit is given back with the answer.
    pub(crate) fn add(
        &self,
        id: u64,
        permit: OwnedSemaphorePermit,
    ) -> Result<oneshot::Receiver<Outcome>, Closed> {
        let (reply, answer) = oneshot::channel();
        let mut waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(closed) = &waiters.closed {
            return Err(closed.clone());
        }
        waiters.by_id.insert(id, (reply, permit));
        Ok(answer)
    }

    fn answer(&self, id: u64, outcome: Outcome) {
        let waiter = self.0.lock().unwrap_or_else(PoisonError::into_inner).by_id.remove(&id);
        if let Some((reply, _permit)) = waiter {
            // Nobody may wait any more.
            let _ = reply.send(outcome);
        }
    }

    fn end(&self, closed: &Closed) {
        let mut waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiters.closed = Some(closed.clone());
        for (_, (reply, _permit)) in waiters.by_id.drain() {
            let _ = reply.send(Err(AskError::Closed(closed.clone())));
        }
    }
}

/// The reading side's view of a connection.
#[derive(Debug)]
pub(crate) struct Pump {
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) unasked: mpsc::Sender<Unasked>,
    pub(crate) received: Arc<AtomicU64>,
    pub(crate) beats: watch::Receiver<Option<Duration>>,
    pub(crate) closing: watch::Sender<Option<Closed>>,
}

impl Pump {
    /// Runs until the socket has ended.
    pub(crate) async fn run(self, socket: WebSocketStream<TcpStream>, queue: mpsc::Receiver<Outgoing>) {
        let (sink, stream) = socket.split();
        let closed = {
            let mut reading = pin!(self.read(stream));
            tokio::select! {
                closed = &mut reading => closed,
                // What the other side said before it stopped listening is still worth reading: its reason, above all.
                () = write(sink, queue, self.beats.clone()) => {
                    timeout(GOODBYE_LIMIT, reading).await.unwrap_or_else(|_| Closed::lost("no goodbye"))
                }
            }
        };
        self.waiting.end(&closed);
        self.closing.send_replace(Some(closed));
    }

    async fn read(&self, mut stream: SplitStream<WebSocketStream<TcpStream>>) -> Closed {
        loop {
            let message = tokio::select! {
                message = stream.next() => message,
                () = silence(self.beats.clone()) => return Closed::lost("silence"),
            };
            match message {
                Some(Ok(Message::Text(text))) => match decode_server(&text) {
                    Ok(frame) => self.take(frame).await,
                    Err(error) => return Closed { code: 1002, reason: error.to_string() },
                },
                Some(Ok(Message::Close(frame))) => {
                    // Reading on writes the answer to the goodbye; nobody needs to wait for the end of the socket.
                    tokio::spawn(async move { timeout(GOODBYE_LIMIT, stream.next()).await });
                    return frame.map_or_else(
                        || Closed { code: 1005, reason: String::new() },
                        |frame| Closed { code: frame.code.into(), reason: frame.reason.to_string() },
                    );
                }
                // Pings are answered by the library.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Closed::lost(&error.to_string()),
                None => return Closed::lost("ended"),
            }
        }
    }

    async fn take(&self, frame: ServerFrame) {
        let unasked = match frame {
            ServerFrame::Reply { id, outcome } => {
                return self.waiting.answer(id, outcome.map_err(AskError::Refused));
            }
            ServerFrame::Push(push) => Unasked::Push(push),
            ServerFrame::Stray(error) => Unasked::Stray(error),
            ServerFrame::UnknownPush(method) => Unasked::Unknown(method),
        };
        self.received.fetch_add(1, Ordering::Release);
        // A client that only asks may have dropped its pushes.
        let _ = self.unasked.send(unasked).await;
    }
}

/// Ends when the server has been silent for two beats; never before the beat is known.
async fn silence(mut beats: watch::Receiver<Option<Duration>>) {
    loop {
        let beat = *beats.borrow_and_update();
        match beat {
            Some(beat) => return sleep(beat * 2).await,
            None if beats.changed().await.is_err() => return std::future::pending().await,
            None => {}
        }
    }
}

async fn write(
    mut sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    mut queue: mpsc::Receiver<Outgoing>,
    mut beats: watch::Receiver<Option<Duration>>,
) {
    let mut next_beat = None;
    loop {
        let outgoing = tokio::select! {
            outgoing = queue.recv() => outgoing,
            () = until(next_beat) => Some(Outgoing::Text(heartbeat())),
            Ok(()) = beats.changed() => {
                next_beat = later(*beats.borrow_and_update());
                continue;
            }
        };
        let Some(outgoing) = outgoing else { return };
        if next_beat.is_some_and(|beat| beat <= Instant::now()) {
            next_beat = later(*beats.borrow());
        }
        match timeout(WRITE_LIMIT, write_all(&mut sink, &mut queue, outgoing)).await {
            Ok(Ok(Written::All)) => {}
            _ => return,
        }
    }
}

enum Written {
    All,
    Goodbye,
}

/// Writes this and what has queued behind it, then flushes once.
async fn write_all(
    sink: &mut SplitSink<WebSocketStream<TcpStream>, Message>,
    queue: &mut mpsc::Receiver<Outgoing>,
    first: Outgoing,
) -> Result<Written, tokio_tungstenite::tungstenite::Error> {
    let mut next = Some(first);
    while let Some(outgoing) = next {
        match outgoing {
            Outgoing::Text(text) => sink.feed(Message::text(text)).await?,
            Outgoing::Close => {
                let goodbye = CloseFrame { code: CloseCode::Normal, reason: "bye".into() };
                sink.send(Message::Close(Some(goodbye))).await?;
                return Ok(Written::Goodbye);
            }
        }
        next = queue.try_recv().ok();
    }
    sink.flush().await?;
    Ok(Written::All)
}

/// The moment of the next `ping`: well before the server would miss it.
fn later(beat: Option<Duration>) -> Option<Instant> {
    beat.map(|beat| Instant::now() + beat * 2 / 3)
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn heartbeat() -> String {
    encode_request(HEARTBEAT_ID, &Command::Ping(PingParams {}))
        .expect("a ping has no content that JSON refuses")
}
