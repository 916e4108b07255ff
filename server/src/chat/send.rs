//! Messages: send, edit, recall.

use futures_util::FutureExt;
use hubbub_protocol::{
    command::{MessageEditParams, MessageRecallParams, MessageSendParams, Sent},
    entry::EntryBody,
    error::Reason,
    id::{RoomId, StreamId},
};

use super::{
    Chat,
    access::{Act, authorise},
    text,
};
use crate::{
    accounts::Caller,
    error::CommandError,
    store::{
        append::NewMessage,
        log::{Key, Log, logged},
        membership, revise,
    },
    streams::Submitted,
};

impl Chat {
    /// Queues a message for the next batch; messages of one connection keep their order. What can be judged without
    /// the database is judged now.
    ///
    /// # Errors
    /// `invalid_params`, `too_large` now; `session_ended`, `unknown_room`, `not_a_member`, `unknown_message`,
    /// `recalled`, `key_conflict`, `unavailable` later.
    pub fn send(&self, caller: &Caller, params: MessageSendParams) -> Result<Submitted, CommandError> {
        text::message(&params.text)?;
        text::key(&params.key)?;
        let reply_to = params.reply_to.map(|seq| seq.to_string()).unwrap_or_default();
        let key = Key::of(params.key, &["message", &params.text, &reply_to]);
        Ok(self.0.streams.submit(NewMessage {
            room: params.room,
            sender: caller.user.id,
            session: caller.session.id,
            key,
            text: params.text,
            reply_to: params.reply_to,
        }))
    }

    /// Gives one of the caller's messages another text.
    ///
    /// # Errors
    /// As [`Chat::send`], and `not_allowed` for someone else's message.
    pub async fn edit(&self, caller: &Caller, params: MessageEditParams) -> Result<Sent, CommandError> {
        text::message(&params.text)?;
        text::key(&params.key)?;
        let key = Key::of(params.key, &["edit", &params.seq.to_string(), &params.text]);
        let caller = caller.clone();
        let (sent, entries) = logged(&self.0.db, move |log| {
            async move {
                let (room, seq) = (params.room, params.seq);
                let change = match begin_change(log, &caller, room, key).await? {
                    Change::Done(sent) => return Ok(sent),
                    Change::New(key) => key,
                };
                let message = revise::message(log, room, seq).await?.ok_or(Reason::UnknownMessage)?;
                if message.recalled {
                    return Err(Reason::Recalled.into());
                }
                if message.sender != caller.user.id {
                    return Err(Reason::NotAllowed.into());
                }
                revise::edit(log, room, seq, &params.text).await?;
                let body = EntryBody::Edit { target: seq, text: params.text };
                Ok(log.append(StreamId::Room(room), caller.user.id, Some(change), body))
            }
            .boxed()
        })
        .await?;
        self.0.streams.committed(&entries);
        Ok(sent)
    }

    /// Takes a message back; its text is gone everywhere.
    ///
    /// # Errors
    /// As [`Chat::edit`]; admins and owners may take back anyone's.
    pub async fn recall(&self, caller: &Caller, params: MessageRecallParams) -> Result<Sent, CommandError> {
        text::key(&params.key)?;
        let key = Key::of(params.key, &["recall", &params.seq.to_string()]);
        let caller = caller.clone();
        let (sent, entries) = logged(&self.0.db, move |log| {
            async move {
                let (room, seq, by) = (params.room, params.seq, caller.user.id);
                let change = match begin_change(log, &caller, room, key).await? {
                    Change::Done(sent) => return Ok(sent),
                    Change::New(key) => key,
                };
                let message = revise::message(log, room, seq).await?.ok_or(Reason::UnknownMessage)?;
                if message.recalled {
                    return Err(Reason::Recalled.into());
                }
                if message.sender != by {
                    let row = membership::room(log, room).await?.ok_or(Reason::UnknownRoom)?;
                    let roles = membership::roles(log, room, &[by]).await?;
                    let role = roles.get(&by).copied().ok_or(Reason::NotAMember)?;
                    authorise(role, row.kind, Act::RecallOthers)?;
                }
                revise::recall(log, room, seq, by, message.edited).await?;
                Ok(log.append(StreamId::Room(room), by, Some(change), EntryBody::Recall { target: seq }))
            }
            .boxed()
        })
        .await?;
        self.0.streams.committed(&entries);
        Ok(sent)
    }
}

/// Whether a change was made before under its key.
enum Change {
    Done(Sent),
    New(Key),
}

/// The steps every change of a message begins with: fence, lock, repeat, membership.
async fn begin_change(
    log: &mut Log,
    caller: &Caller,
    room: RoomId,
    key: Key,
) -> Result<Change, CommandError> {
    let stream = StreamId::Room(room);
    log.require_live(caller.session.id).await?;
    log.lock(&[stream]).await?;
    if !log.holds(stream) {
        return Err(Reason::UnknownRoom.into());
    }
    if let Some(sent) = log.first_answer(stream, caller.user.id, &key).await? {
        return Ok(Change::Done(sent));
    }
    if membership::roles(log, room, &[caller.user.id]).await?.is_empty() {
        return Err(Reason::NotAMember.into());
    }
    Ok(Change::New(key))
}
