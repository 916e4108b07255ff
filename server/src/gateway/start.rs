//! How a connection gets its session.

use std::{sync::Arc, time::Duration};

use hubbub_protocol::{
    close::CloseCode,
    command::{Command, SessionStartParams},
    error::Reason,
    frame::RequestId,
    limits::START_DEADLINE_MS,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout, timeout_at},
};

use super::{connection::Connection, dispatch::reply};
use crate::{
    accounts::Caller,
    chat::{Pace, Started},
    error::CommandError,
    streams::{listener::Listener, outbox::Close},
};

/// How long a session waits for its turn to start, before its client is told to try again.
const START_TURN: Duration = Duration::from_secs(2);
/// And when: most of a crowd is through by then.
const START_RETRY: Duration = Duration::from_secs(3);
/// Longest time of one start: with the wait for its turn, less than the 5 s of every command.
const START_LIMIT: Duration = Duration::from_millis(2_700);
/// Wrong tokens a connection may show before it must begin anew.
const START_TRIES: usize = 5;

impl<S> Connection<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    /// Waits for `session.start`; every other command is refused until then.
    pub(super) async fn start(&mut self) -> Result<(Caller, Listener), Close> {
        let deadline = Instant::now() + Duration::from_millis(START_DEADLINE_MS);
        let (mut tries, mut late) = (0, CloseCode::StartMissed);
        while tries < START_TRIES {
            let drain = self.gateway.drain.clone();
            let (id, command) = tokio::select! {
                next = timeout_at(deadline, self.command()) => {
                    next.unwrap_or_else(|_| Err(late.into()))?
                }
                () = drain.cancelled() => return Err(CloseCode::Drain.into()),
            };
            let Command::SessionStart(params) = command else {
                self.refuse(&id, &Reason::Unauthenticated.into(), "before session.start").await?;
                tries += 1;
                continue;
            };
            match self.start_session(params).await {
                Ok(started) => return self.begin(&id, started).await,
                Err(error @ (CommandError::Unavailable(_) | CommandError::Overloaded(_))) => {
                    // No fault of the client, which may try again until its time is over.
                    late = CloseCode::Overloaded;
                    self.refuse(&id, &error, "session.start").await?;
                }
                Err(CommandError::SessionEnded(end)) => {
                    // Told like a device that was connected when it happened: it must not come back by itself.
                    self.refuse(&id, &CommandError::SessionEnded(end.clone()), "session.start").await?;
                    return Err((*end).into());
                }
                Err(error) => {
                    tries += 1;
                    self.refuse(&id, &error, "session.start").await?;
                }
            }
        }
        Err(CloseCode::StartMissed.into())
    }

    async fn start_session(&self, params: SessionStartParams) -> Result<Started, CommandError> {
        let Ok(Ok(_place)) = timeout(START_TURN, self.gateway.starts.acquire()).await else {
            metrics::counter!("hubbub_shed_total", "what" => "start").increment(1);
            return Err(CommandError::Overloaded(START_RETRY));
        };
        let settings = &self.gateway.config.connections;
        let pace = Pace {
            heartbeat_ms: settings.heartbeat_ms,
            commands_per_s: settings.commands_per_s,
            commands_burst: settings.commands_burst,
        };
        let started = self.gateway.chat.start(params, &self.outbox, pace);
        timeout(START_LIMIT, started)
            .await
            .unwrap_or_else(|_| Err(CommandError::Unavailable("it took too long".into())))
    }

    async fn begin(&mut self, id: &RequestId, started: Started) -> Result<(Caller, Listener), Close> {
        let (caller, listener) = (started.caller.clone(), Arc::clone(&started.listener));
        tracing::debug!(user = %caller.user.id, session = %caller.session.id, "session started");
        let answered = match reply(id, &started.result) {
            Ok(frame) => self.answer(frame).await,
            Err(error) => self.refuse(id, &error, "session.start").await,
        };
        if let Err(close) = answered {
            self.gateway.streams.hub().deregister(&listener);
            return Err(close);
        }
        self.gateway.chat.go_on(started);
        Ok((caller, listener))
    }
}
