//! The task behind a client: connects, resumes, repeats, and knows when to stop.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use hubbub_protocol::{
    close::Next,
    command::SessionStartResult,
    error::{ErrorObject, Reason},
    model::SessionEnd,
    push::Push,
};
use serde_json::Value;
use tokio::{sync::mpsc, time::sleep};

use super::{Event, Request, Settings, Stop, is_repeatable};
use crate::{
    ask::{AskError, Closed},
    backoff::Backoff,
    connection::{Connection, Pushes, Slot, Unasked},
    cursors::{Break, Cursors, Taken},
    http::{HttpClient, HttpError},
};

/// When to repeat a command that the server cannot run now and does not say when it can.
const REPEAT_LATER: Duration = Duration::from_secs(1);

pub(super) struct Keeper {
    settings: Settings,
    requests: mpsc::Receiver<Request>,
    events: mpsc::Sender<Event>,
    cursors: Cursors,
    /// Unanswered commands in the order they were asked.
    unanswered: BTreeMap<u64, Unanswered>,
    next_number: u64,
    /// Why the session ended, once the server has said so.
    end: Option<SessionEnd>,
}

struct Unanswered {
    request: Request,
    /// Whether it went out on some connection, so that it may have been done.
    sent: bool,
}

/// How one connection came to its end.
enum Ended {
    /// Closed by the server, or lost.
    Closed(Closed),
    /// The session was not accepted.
    Refused(ErrorObject),
    /// Nobody holds the client any more.
    Dropped,
}

/// What became of one sending of a command.
enum Turn {
    Answered(Result<Value, AskError>),
    /// The wait is over: send it again.
    Again,
}

type Turns = FuturesUnordered<BoxFuture<'static, (u64, Turn)>>;

impl Keeper {
    pub(super) fn new(
        mut settings: Settings,
        requests: mpsc::Receiver<Request>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let cursors = std::mem::take(&mut settings.cursors);
        Self { settings, requests, events, cursors, unanswered: BTreeMap::new(), next_number: 0, end: None }
    }

    /// Connects again and again until something says stop.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::default();
        for turn in 0_usize.. {
            let ended = self.one_connection(turn, &mut backoff).await;
            let (closed, next) = match ended {
                Ended::Dropped => return self.stop(Stop::Dropped).await,
                Ended::Closed(closed) => {
                    let next = closed.next();
                    (closed, next)
                }
                Ended::Refused(error) => match error.data.reason {
                    Reason::SessionEnded => return self.stop(ended_stop(error)).await,
                    Reason::Unauthenticated => (lost(&error), Next::Refresh),
                    _ => (lost(&error), Next::BackOff),
                },
            };
            if next == Next::Stop {
                let stop = self.end.take().map_or(Stop::Closed(closed), Stop::Ended);
                return self.stop(stop).await;
            }
            self.give_up_unrepeatable(&closed);
            if next == Next::Refresh
                && let Err(stop) = self.refresh(turn).await
            {
                return self.stop(stop).await;
            }
            let retry_in = backoff.wait();
            self.tell(Event::Lost { closed, retry_in }).await;
            sleep(retry_in).await;
        }
    }

    /// From connecting to the end of the connection.
    async fn one_connection(&mut self, turn: usize, backoff: &mut Backoff) -> Ended {
        let Some(server) = self.settings.servers.get(turn % self.settings.servers.len().max(1)) else {
            return Ended::Dropped;
        };
        let (connection, pushes) = match Connection::open(server, &self.settings.connection).await {
            Ok(opened) => opened,
            Err(error) => return Ended::Closed(Closed::lost(&error.to_string())),
        };
        match connection.start(&self.settings.access_token, self.cursors.to_send()).await {
            Ok(started) => {
                backoff.reset();
                self.began(started).await;
                self.stay(&connection, pushes).await
            }
            Err(AskError::Refused(error)) => Ended::Refused(error),
            Err(AskError::Closed(closed)) => Ended::Closed(closed),
            Err(error) => Ended::Closed(Closed::lost(&error.to_string())),
        }
    }

    async fn began(&mut self, started: SessionStartResult) {
        let breaks = self.cursors.start(&started);
        self.tell(Event::Started(Box::new(started))).await;
        for broken in breaks {
            let event = match broken {
                Break::Reload { stream, head, why } => Event::Reload { stream, head, why },
                Break::Gone(stream) => Event::Gone(stream),
            };
            self.tell(event).await;
        }
    }

    /// Runs a started connection to its end.
    async fn stay(&mut self, connection: &Connection, mut pushes: Pushes) -> Ended {
        let mut to_send: VecDeque<u64> = self.unanswered.keys().copied().collect();
        let mut turns = Turns::new();
        loop {
            tokio::select! {
                unasked = pushes.next() => match unasked {
                    Some(unasked) => if let Err(closed) = self.take(unasked).await {
                        return Ended::Closed(closed);
                    },
                    None => return Ended::Closed(connection.closed().await),
                },
                Some((number, turn)) = turns.next(), if !turns.is_empty() => match turn {
                    Turn::Again => to_send.push_back(number),
                    Turn::Answered(outcome) => match self.answered(number, outcome) {
                        Ok(None) => {}
                        Ok(Some(wait)) => turns.push(sleep(wait).map(move |()| (number, Turn::Again)).boxed()),
                        Err(closed) => return Ended::Closed(closed),
                    },
                },
                slot = connection.slot(), if !to_send.is_empty() => match (slot, to_send.pop_front()) {
                    (Ok(slot), Some(number)) => self.send(slot, number, &turns),
                    // It is over: the reading side knows how.
                    _ => return Ended::Closed(connection.closed().await),
                },
                request = self.requests.recv(), if self.unanswered.len() < self.settings.unanswered.max(1) => {
                    let Some(request) = request else {
                        connection.clone().close().await;
                        return Ended::Dropped;
                    };
                    self.next_number += 1;
                    self.unanswered.insert(self.next_number, Unanswered { request, sent: false });
                    to_send.push_back(self.next_number);
                }
            }
        }
    }

    fn send(&mut self, slot: Slot, number: u64, turns: &Turns) {
        let Some(unanswered) = self.unanswered.get_mut(&number) else { return };
        if unanswered.request.reply.is_closed() && !unanswered.sent {
            // Whoever asked has given up before it went out.
            self.unanswered.remove(&number);
            return;
        }
        unanswered.sent = true;
        let pending = slot.submit::<Value>(&unanswered.request.command);
        turns.push(
            async move {
                let outcome = match pending {
                    Ok(pending) => pending.await,
                    Err(error) => Err(error),
                };
                (number, Turn::Answered(outcome))
            }
            .boxed(),
        );
    }

    /// Hands an answer on. Returns how long to wait before the command is to be sent again, if it is.
    fn answered(
        &mut self,
        number: u64,
        outcome: Result<Value, AskError>,
    ) -> Result<Option<Duration>, Closed> {
        let Some(unanswered) = self.unanswered.get(&number) else { return Ok(None) };
        let repeatable = is_repeatable(&unanswered.request.command) && !unanswered.request.reply.is_closed();
        match &outcome {
            Err(AskError::Refused(error)) if repeatable && is_passing(error.data.reason) => {
                return Ok(Some(error.data.retry_after_ms.map_or(REPEAT_LATER, Duration::from_millis)));
            }
            // The connection's end comes by the other road; the next connection repeats this.
            Err(AskError::Closed(_)) => return Ok(None),
            // The server answers within its own limit or not at all: this connection is dead.
            Err(AskError::TimedOut) if repeatable => return Err(Closed::lost("no answer in time")),
            _ => {}
        }
        if let Some(unanswered) = self.unanswered.remove(&number) {
            let _ = unanswered.request.reply.send(outcome);
        }
        Ok(None)
    }

    async fn take(&mut self, unasked: Unasked) -> Result<(), Closed> {
        let Unasked::Push(push) = unasked else { return Ok(()) };
        match *push {
            Push::Entry(entry) => match self.cursors.take(&entry) {
                Taken::Fresh => self.tell(Event::Entry(Box::new(entry))).await,
                Taken::Repeat => {}
                Taken::Hole { expected } => {
                    let reason = format!("{} {} is missing", entry.stream, expected);
                    return Err(Closed::lost(&reason));
                }
            },
            Push::Signal(signal) => self.tell(Event::Signal(signal)).await,
            Push::SessionEnded(end) => self.end = Some(end),
        }
        Ok(())
    }

    /// Commands that may have been done and must not be done twice end with the connection.
    fn give_up_unrepeatable(&mut self, closed: &Closed) {
        let gone = self.unanswered.extract_if(.., |_, unanswered| {
            unanswered.sent && !is_repeatable(&unanswered.request.command)
                || unanswered.request.reply.is_closed()
        });
        for (_, unanswered) in gone {
            let _ = unanswered.request.reply.send(Err(AskError::Closed(closed.clone())));
        }
    }

    /// Spends the refresh token. A server that cannot be reached now is no reason to stop.
    async fn refresh(&mut self, turn: usize) -> Result<(), Stop> {
        let Some(refresh_token) = &self.settings.refresh_token else {
            return Err(Stop::Refused(ErrorObject::new(Reason::Unauthenticated)));
        };
        let Some(server) = self.settings.servers.get(turn % self.settings.servers.len().max(1)) else {
            return Err(Stop::Dropped);
        };
        match HttpClient::new(server.clone()).refresh(refresh_token).await {
            Ok(logged_in) => {
                self.settings.access_token.clone_from(&logged_in.access_token);
                self.settings.refresh_token = Some(logged_in.refresh_token.clone());
                self.tell(Event::Refreshed(Box::new(logged_in))).await;
                Ok(())
            }
            Err(HttpError::Refused(problem)) if problem.status == 401 => {
                let mut error = ErrorObject::with_message(problem.data.reason, problem.detail);
                error.data = problem.data;
                Err(Stop::Refused(error))
            }
            Err(_) => Ok(()),
        }
    }

    async fn tell(&self, event: Event) {
        // A client that only asks may have dropped its events.
        let _ = self.events.send(event).await;
    }

    async fn stop(mut self, stop: Stop) {
        let closed = match &stop {
            Stop::Closed(closed) => closed.clone(),
            _ => Closed { code: 1000, reason: "stopped".to_owned() },
        };
        self.requests.close();
        for (_, unanswered) in std::mem::take(&mut self.unanswered) {
            let _ = unanswered.request.reply.send(Err(AskError::Closed(closed.clone())));
        }
        self.tell(Event::Stopped(stop)).await;
    }
}

/// Why a session that is over is over, as far as the refusal says.
fn ended_stop(mut error: ErrorObject) -> Stop {
    error.data.end.take().map_or_else(|| Stop::Refused(error), |end| Stop::Ended(*end))
}

fn lost(error: &ErrorObject) -> Closed {
    Closed::lost(error.data.reason.as_str())
}

/// Whether the same command can succeed a little later.
fn is_passing(reason: Reason) -> bool {
    matches!(reason, Reason::Unavailable | Reason::TooFrequent)
}
