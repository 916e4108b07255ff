//! One socket: a half that reads commands, a half that writes frames, one door out.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    FutureExt, SinkExt, StreamExt,
    future::BoxFuture,
    stream::{FuturesUnordered, SplitSink, SplitStream},
};
use hubbub_protocol::{
    close::CloseCode,
    command::Command,
    error::{ErrorObject, Reason},
    frame::{BadFrame, RequestId, decode, encode_error, encode_push},
    limits::COMMANDS_IN_FLIGHT,
    push::Push,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        error::{CapacityError, ProtocolError},
        protocol::{
            CloseFrame,
            frame::{
                Frame, FrameHeader,
                coding::{Data, OpCode},
            },
        },
    },
};

use super::{
    FAREWELL, Gateway,
    dispatch::{refuse, reply},
};
use crate::{
    accounts::Caller,
    error::CommandError,
    limits::Bucket,
    streams::{
        listener::Listener,
        outbox::{Close, Outbox},
    },
};

type Answers = FuturesUnordered<BoxFuture<'static, Bytes>>;

/// Serves one socket until it closes.
pub(super) async fn serve<S>(socket: WebSocketStream<S>, gateway: Arc<Gateway>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let settings = &gateway.config.connections;
    let outbox = Outbox::bounded(settings.outbox_bytes);
    let (sink, stream) = socket.split();
    let began = Instant::now();
    let mut connection = Connection {
        gateway: Arc::clone(&gateway),
        outbox: outbox.clone(),
        bucket: Bucket::new(settings.commands_per_s, settings.commands_burst),
        stream,
    };
    metrics::gauge!("hubbub_connections").increment(1);
    metrics::counter!("hubbub_connections_opened_total").increment(1);
    let reading = async {
        let close = connection.read().await;
        outbox.close(close);
        connection.stream
    };
    let deadline = Duration::from_millis(settings.write_deadline_ms);
    let ping_every = Duration::from_millis(settings.heartbeat_ms);
    let writing = write(sink, &outbox, deadline, ping_every);
    let (mut stream, ()) = tokio::join!(reading, writing);
    // Until the client has answered the close frame: a socket dropped with unread input is reset, and the frame lost.
    timeout(FAREWELL, async { while let Some(Ok(_)) = stream.next().await {} }).await.ok();
    let close = outbox.closed().await;
    let (code, reason) = (close.code.code(), close.code.reason());
    metrics::gauge!("hubbub_connections").decrement(1);
    metrics::counter!("hubbub_connections_closed_total", "code" => reason).increment(1);
    tracing::debug!(code, reason, seconds = began.elapsed().as_secs(), "connection closed");
}

pub(super) struct Connection<S> {
    pub(super) gateway: Arc<Gateway>,
    pub(super) outbox: Outbox,
    bucket: Bucket,
    stream: SplitStream<WebSocketStream<S>>,
}

/// What a client sent.
enum Input {
    Command(RequestId, Command),
    /// Answered already, or nothing to answer.
    Nothing,
}

impl<S> Connection<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    async fn read(&mut self) -> Close {
        let (caller, listener) = match self.start().await {
            Ok(started) => started,
            Err(close) => return close,
        };
        let close = self.run(&caller, &listener).await;
        self.gateway.streams.hub().deregister(&listener);
        close
    }

    /// Reads commands and runs them in their order. Messages gather in batches, so up to a limit of them wait for
    /// their answers together; before any other command those answers are waited for.
    async fn run(&mut self, caller: &Caller, listener: &Listener) -> Close {
        let mut answers = Answers::new();
        let outbox = self.outbox.clone();
        loop {
            let received = tokio::select! {
                biased;
                close = outbox.closed() => return close,
                Some(frame) = answers.next(), if !answers.is_empty() => {
                    if let Err(close) = self.answer(frame).await {
                        return close;
                    }
                    continue;
                }
                received = self.receive(), if answers.len() < COMMANDS_IN_FLIGHT => received,
                () = listener.leave.cancelled() => Err(CloseCode::Drain.into()),
            };
            let done = match received {
                Ok(message) => self.take(caller, listener, message, &mut answers).await,
                Err(close) => {
                    // What was read before is answered before the door shuts.
                    self.answer_all(&mut answers).await.ok();
                    return close;
                }
            };
            if let Err(close) = done {
                return close;
            }
        }
    }

    async fn take(
        &mut self,
        caller: &Caller,
        listener: &Listener,
        message: Message,
        answers: &mut Answers,
    ) -> Result<(), Close> {
        match self.input(message).await? {
            Input::Nothing => Ok(()),
            Input::Command(id, Command::MessageSend(params)) => match self.gateway.send(caller, params) {
                Ok(submitted) => {
                    answers.push(answer_later(id, submitted).boxed());
                    Ok(())
                }
                Err(error) => self.refuse(&id, &error, "message.send").await,
            },
            Input::Command(id, command) => {
                self.answer_all(answers).await?;
                let frame = self.gateway.run(caller, listener, &id, command).await;
                self.answer(frame).await
            }
        }
    }

    async fn answer_all(&mut self, answers: &mut Answers) -> Result<(), Close> {
        while let Some(frame) = answers.next().await {
            self.answer(frame).await?;
        }
        Ok(())
    }

    /// The next command; everything else is answered here.
    pub(super) async fn command(&mut self) -> Result<(RequestId, Command), Close> {
        loop {
            let message = self.receive().await?;
            if let Input::Command(id, command) = self.input(message).await? {
                return Ok((id, command));
            }
        }
    }

    /// The next message. Dropping the future loses nothing.
    async fn receive(&mut self) -> Result<Message, Close> {
        let idle = Duration::from_millis(self.gateway.config.connections.idle_timeout_ms);
        match timeout(idle, self.stream.next()).await {
            Err(_) => Err(CloseCode::HeartbeatMissed.into()),
            Ok(None) => Err(CloseCode::Normal.into()),
            Ok(Some(Err(error))) => Err(close_for(&error).into()),
            Ok(Some(Ok(message))) => Ok(message),
        }
    }

    async fn input(&mut self, message: Message) -> Result<Input, Close> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => {
                let error = ErrorObject::with_message(Reason::InvalidRequest, "send text frames");
                self.answer_error(&RequestId::null(), &error).await?;
                return Ok(Input::Nothing);
            }
            Message::Close(_) => return Err(CloseCode::Normal.into()),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(Input::Nothing),
        };
        let decoded = decode(&text);
        if let Err(wait) = self.bucket.take() {
            metrics::counter!("hubbub_rate_limited_total", "scope" => "connection").increment(1);
            let id = match decoded {
                Ok((id, _)) | Err(BadFrame { id, .. }) => id,
            };
            self.answer_error(&id, &CommandError::TooFrequent(wait).to_wire()).await?;
            return Ok(Input::Nothing);
        }
        match decoded {
            Ok((id, command)) => Ok(Input::Command(id, command)),
            Err(bad) => {
                self.answer_error(&bad.id, &bad.error).await?;
                Ok(Input::Nothing)
            }
        }
    }

    pub(super) async fn refuse(
        &self,
        id: &RequestId,
        error: &CommandError,
        method: &'static str,
    ) -> Result<(), Close> {
        self.answer(refuse(id, error, method)).await
    }

    async fn answer_error(&self, id: &RequestId, error: &ErrorObject) -> Result<(), Close> {
        self.answer(encode_error(id, error).expect("an error object is plain data").into()).await
    }

    pub(super) async fn answer(&self, frame: Bytes) -> Result<(), Close> {
        match self.outbox.send(frame).await {
            Ok(()) => Ok(()),
            Err(_shut) => Err(self.outbox.closed().await),
        }
    }
}

async fn answer_later(id: RequestId, submitted: crate::streams::Submitted) -> Bytes {
    match submitted.await.and_then(|sent| reply(&id, &sent)) {
        Ok(frame) => frame,
        Err(error) => refuse(&id, &error, "message.send"),
    }
}

/// The close code for what a client did to the protocol.
pub(super) fn close_for(error: &tungstenite::Error) -> CloseCode {
    match error {
        tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. }) => CloseCode::TooBig,
        tungstenite::Error::Utf8(_) => CloseCode::InvalidUtf8,
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        | tungstenite::Error::ConnectionClosed
        | tungstenite::Error::AlreadyClosed
        | tungstenite::Error::Io(_) => CloseCode::Normal,
        tungstenite::Error::Protocol(_) | tungstenite::Error::Capacity(_) => CloseCode::ProtocolError,
        _ => CloseCode::Internal,
    }
}

/// Sends a burst at a time, each within the deadline; after the door shuts, what is queued, then the close frame.
async fn write<S>(
    mut sink: SplitSink<WebSocketStream<S>, Message>,
    outbox: &Outbox,
    deadline: Duration,
    ping_every: Duration,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut frames = Vec::new();
    let mut pings = tokio::time::interval_at(Instant::now() + ping_every, ping_every);
    loop {
        let ping = tokio::select! {
            taken = outbox.take(&mut frames) => {
                if taken.is_none() {
                    break;
                }
                false
            }
            _ = pings.tick() => true,
        };
        let burst = async {
            for frame in frames.drain(..) {
                sink.feed(text_frame(frame)).await?;
            }
            if ping {
                sink.feed(Message::Ping(Bytes::new())).await?;
            }
            sink.flush().await
        };
        match timeout(deadline, burst).await {
            Ok(Ok(())) => {}
            // Reset, or gone: the reading half learns it too.
            Ok(Err(_)) => return outbox.close(CloseCode::Normal.into()),
            Err(_) => {
                metrics::counter!("hubbub_slow_consumer_total").increment(1);
                outbox.close(CloseCode::SlowConsumer.into());
                break;
            }
        }
    }
    let close = outbox.closed().await;
    timeout(FAREWELL, say_goodbye(sink, outbox, &close)).await.ok();
}

async fn say_goodbye<S>(mut sink: SplitSink<WebSocketStream<S>, Message>, outbox: &Outbox, close: &Close)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut frames = Vec::new();
    // A slow reader gets no more of what it did not read; it resumes.
    if close.code != CloseCode::SlowConsumer {
        outbox.take_rest(&mut frames);
    }
    if let Some(end) = &close.end {
        let push = encode_push(&Push::SessionEnded(end.clone())).expect("an end is plain data");
        frames.push(push.into());
    }
    for frame in frames {
        if sink.feed(text_frame(frame)).await.is_err() {
            return;
        }
    }
    let frame = CloseFrame { code: close.code.code().into(), reason: close.code.reason().into() };
    sink.send(Message::Close(Some(frame))).await.ok();
}

/// A text frame around bytes that are UTF-8 already; the payload is shared, not checked again for each reader.
fn text_frame(payload: Bytes) -> Message {
    let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
    Message::Frame(Frame::from_payload(header, payload))
}
