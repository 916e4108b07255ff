//! How far someone has read, on whichever device; and who is writing.

use futures_util::FutureExt;
use hubbub_protocol::{
    command::{Empty, MarkerSetParams},
    entry::EntryBody,
    error::Reason,
    id::{RoomId, StreamId},
    model::Marker,
    push::Signal,
};

use super::Chat;
use crate::{
    accounts::Caller,
    error::CommandError,
    store::{log::logged, membership},
};

/// In larger rooms nobody is told how far the others have read.
const RECEIPTS_MEMBERS: i64 = 50;

impl Chat {
    /// Moves the read marker forward; backward it stays where it is.
    ///
    /// # Errors
    /// `not_a_member`, `session_ended`, `unavailable`.
    pub async fn set_marker(&self, caller: &Caller, params: MarkerSetParams) -> Result<Marker, CommandError> {
        let (who, room) = (caller.clone(), params.room);
        self.readable(room, who.user.id).await?;
        let ((marker, tell), entries) = logged(&self.0.db, move |log| {
            async move {
                log.require_live(who.session.id).await?;
                let (me, own) = (who.user.id, StreamId::User(who.user.id));
                log.lock(&[own]).await?;
                let row = membership::marker(log, room, me).await?.ok_or(Reason::NotAMember)?;
                let seq = params.seq.min(row.head);
                let unread = |ordinal: i64| u64::try_from(row.messages - ordinal).unwrap_or(0);
                if seq <= row.seq {
                    return Ok((Marker { seq: row.seq, unread: unread(row.ordinal) }, false));
                }
                let ordinal = membership::move_marker(log, room, me, seq).await?;
                let marker = Marker { seq, unread: unread(ordinal) };
                log.append(own, me, None, EntryBody::MarkerMoved { room, marker });
                Ok((marker, row.member_count <= RECEIPTS_MEMBERS))
            }
            .boxed()
        })
        .await?;
        self.0.streams.committed(&entries);
        if tell {
            let read = Signal::Read { room, user: caller.user.id, seq: marker.seq };
            self.0.streams.signal(StreamId::Room(room), Some(caller.user.id), read).await;
        }
        Ok(marker)
    }

    /// Shows the others in a room that the caller is writing.
    ///
    /// # Errors
    /// `unknown_room`, `not_a_member`, `unavailable`.
    pub async fn typing(&self, caller: &Caller, room: RoomId) -> Result<Empty, CommandError> {
        let user = caller.user.id;
        self.readable(room, user).await?;
        // Shown for 5 s: more often than every 2 s tells nobody anything.
        if self.0.typing.contains_key(&(user, room)) {
            return Ok(Empty {});
        }
        self.0.typing.insert((user, room), ());
        self.0.streams.signal(StreamId::Room(room), Some(user), Signal::Typing { room, user }).await;
        Ok(Empty {})
    }
}
