//! A command becomes a call, its outcome a reply.

use std::time::Duration;

use hubbub_protocol::{
    command::{Command, MessageSendParams, PingResult},
    error::Reason,
    frame::{RequestId, encode_error, encode_reply},
};
use serde::Serialize;

use super::Gateway;
use crate::{
    accounts::Caller,
    clock,
    error::CommandError,
    streams::{Submitted, listener::Listener},
};

/// Every command ends within 5 s; what takes longer is answered "try again".
const COMMAND_LIMIT: Duration = Duration::from_millis(4_800);

/// A reply, encoded.
pub(super) type Reply = bytes::Bytes;

impl Gateway {
    /// Queues a message; its reply comes with its batch.
    pub(super) fn send(&self, caller: &Caller, params: MessageSendParams) -> Result<Submitted, CommandError> {
        self.chat.send(caller, params)
    }

    /// Runs any other command to its end.
    pub(super) async fn run(
        &self,
        caller: &Caller,
        listener: &Listener,
        id: &RequestId,
        command: Command,
    ) -> Reply {
        let method = command.method();
        let outcome = tokio::time::timeout(COMMAND_LIMIT, self.call(caller, listener, id, command)).await;
        match outcome {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => refuse(id, &error, method),
            Err(_) => refuse(id, &CommandError::Unavailable("the command took too long".into()), method),
        }
    }

    async fn call(
        &self,
        caller: &Caller,
        listener: &Listener,
        id: &RequestId,
        command: Command,
    ) -> Result<Reply, CommandError> {
        let chat = &self.chat;
        match command {
            Command::SessionStart(_) => Err(Reason::AlreadyStarted.into()),
            Command::Ping(_) => reply(id, &PingResult { now: clock::now_ms() }),
            Command::RoomCreate(params) => reply(id, &chat.create_room(caller, params).await?),
            Command::RoomJoin(params) => reply(id, &chat.join(caller, params).await?),
            Command::RoomLeave(params) => reply(id, &chat.leave(caller, params.room).await?),
            Command::RoomAdd(params) => reply(id, &chat.add(caller, params).await?),
            Command::RoomRemove(params) => reply(id, &chat.remove(caller, params).await?),
            Command::RoomRole(params) => reply(id, &chat.set_role(caller, params).await?),
            Command::RoomUpdate(params) => reply(id, &chat.update_room(caller, params).await?),
            Command::RoomInvite(params) => reply(id, &chat.invite(caller, params).await?),
            Command::RoomGet(params) => reply(id, &chat.room(caller, params.room).await?),
            Command::RoomList(params) => reply(id, &chat.list_rooms(caller, params).await?),
            Command::RoomMembers(params) => reply(id, &chat.members(caller, params).await?),
            Command::RoomRead(params) => reply(id, &chat.read(caller, params).await?),
            Command::RoomHistory(params) => reply(id, &chat.history(caller, params).await?),
            Command::MessageSend(params) => reply(id, &chat.send(caller, params)?.await?),
            Command::MessageEdit(params) => reply(id, &chat.edit(caller, params).await?),
            Command::MessageRecall(params) => reply(id, &chat.recall(caller, params).await?),
            Command::MessageGet(params) => reply(id, &chat.messages(caller, params).await?),
            Command::MarkerSet(params) => reply(id, &chat.set_marker(caller, params).await?),
            Command::DraftSet(params) => reply(id, &chat.set_draft(caller, params).await?),
            Command::TypingSet(params) => reply(id, &chat.typing(caller, params.room).await?),
            Command::PresenceGet(params) => reply(id, &chat.presence(caller, params).await?),
            Command::PresenceSet(params) => reply(id, &chat.set_presence(listener, &params)),
            Command::UserGet(params) => reply(id, &chat.users(params).await?),
            Command::UserFind(params) => reply(id, &chat.find_users(params).await?),
            Command::UserUpdate(params) => reply(id, &chat.update_user(caller, params).await?),
        }
    }
}

/// A result, encoded.
pub(super) fn reply(id: &RequestId, result: &impl Serialize) -> Result<Reply, CommandError> {
    let text = encode_reply(id, result).map_err(|error| CommandError::Internal(Box::new(error)))?;
    Ok(text.into())
}

/// An error, encoded, and logged where only we should see its cause.
pub(super) fn refuse(id: &RequestId, error: &CommandError, method: &'static str) -> Reply {
    error.log(method);
    metrics::counter!("hubbub_command_errors_total", "reason" => error.reason().as_str()).increment(1);
    encode_error(id, &error.to_wire()).expect("an error object is plain data").into()
}
