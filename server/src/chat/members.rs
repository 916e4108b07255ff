//! Join, leave, add, remove, roles: each change is an entry of the room's stream, and of the stream of the person
//! whom it concerns.

use futures_util::FutureExt;
use hubbub_protocol::{
    command::{RoomAddParams, RoomJoinParams, RoomRemoveParams, RoomResult, RoomRoleParams, SeqResult},
    entry::EntryBody,
    error::Reason,
    id::{RoomId, Seq, StreamId, UserId},
    limits::USERS_PER_COMMAND,
    model::{Role, RoomKind},
};

use super::{
    Chat,
    access::{Act, authorise},
    rooms::{standing, welcome},
};
use crate::{
    accounts::Caller,
    clock,
    error::CommandError,
    store::{
        self,
        log::{Log, logged},
        membership,
    },
};

impl Chat {
    /// Joins a public channel by its id, or any room by the code of an invitation. Who is in already stays in.
    ///
    /// # Errors
    /// `invalid_params`, `unknown_room`, `unknown_invite`, `not_allowed` for a room that needs an invitation.
    pub async fn join(&self, caller: &Caller, params: RoomJoinParams) -> Result<RoomResult, CommandError> {
        let (room, code) = match (params.room, params.code) {
            (Some(room), None) => (room, None),
            (None, Some(code)) => {
                let invite = store::invites::by_code(&self.0.db, &code, clock::now_ms()).await?;
                (invite.ok_or(Reason::UnknownInvite)?.invite.room, Some(code))
            }
            _ => return Err(CommandError::invalid("room", "give either room or code")),
        };
        let who = caller.clone();
        let ((), entries) = logged(&self.0.db, move |log| {
            async move {
                log.require_live(who.session.id).await?;
                join(log, &who, room, code).await
            }
            .boxed()
        })
        .await?;
        self.0.streams.committed(&entries);
        self.room(caller, room).await
    }

    /// Leaves a room.
    ///
    /// # Errors
    /// `unknown_room`, `not_a_member`, `not_allowed` in a direct room, `last_owner`.
    pub async fn leave(&self, caller: &Caller, room: RoomId) -> Result<SeqResult, CommandError> {
        let who = caller.clone();
        let (seq, entries) = logged(&self.0.db, move |log| {
            async move {
                log.require_live(who.session.id).await?;
                let me = who.user.id;
                let (row, role) = standing(log, room, me, &[me]).await?;
                authorise(role, row.kind, Act::Leave)?;
                if role == Role::Owner
                    && row.member_count > 1
                    && membership::owner_count(log, room).await? == 1
                {
                    return Err(Reason::LastOwner.into());
                }
                let left = EntryBody::MemberLeft { user: who.user.clone() };
                let seq = log.append(StreamId::Room(room), me, None, left).seq;
                put_out(log, room, me, me, false).await?;
                Ok(seq)
            }
            .boxed()
        })
        .await?;
        self.0.streams.committed(&entries);
        Ok(SeqResult { seq })
    }

    /// Brings people in; those who are in already stay in.
    ///
    /// # Errors
    /// `unknown_room`, `not_a_member`, `not_allowed` in a direct room, `unknown_user`, `too_large`.
    pub async fn add(&self, caller: &Caller, params: RoomAddParams) -> Result<SeqResult, CommandError> {
        if params.users.len() > USERS_PER_COMMAND {
            return Err(CommandError::TooLarge { field: "users", limit: USERS_PER_COMMAND, unit: "people" });
        }
        let who = caller.clone();
        let (seq, entries) = logged(&self.0.db, move |log| {
            async move {
                log.require_live(who.session.id).await?;
                add(log, &who, params.room, params.users).await
            }
            .boxed()
        })
        .await?;
        self.0.streams.committed(&entries);
        Ok(SeqResult { seq })
    }

    /// Puts a member out; the entry that says so is the last they get.
    ///
    /// # Errors
    /// `unknown_room`, `not_a_member`, `not_allowed`, `unknown_user` for who is not in the room.
    pub async fn remove(&self, caller: &Caller, params: RoomRemoveParams) -> Result<SeqResult, CommandError> {
        let (who, room, target) = (caller.clone(), params.room, params.user);
        if target == who.user.id {
            return Err(CommandError::invalid("user", "to go yourself, use room.leave"));
        }
        let (seq, entries) = logged(&self.0.db, move |log| {
            async move {
                log.require_live(who.session.id).await?;
                let (row, role) = standing(log, room, who.user.id, &[target]).await?;
                let theirs = member_role(log, room, target).await?;
                authorise(role, row.kind, Act::Remove(theirs))?;
                let user =
                    membership::users(log, &[target]).await?.remove(&target).ok_or(Reason::UnknownUser)?;
                let removed = EntryBody::MemberRemoved { user };
                let seq = log.append(StreamId::Room(room), who.user.id, None, removed).seq;
                put_out(log, room, target, who.user.id, true).await?;
                Ok(seq)
            }
            .boxed()
        })
        .await?;
        self.0.streams.committed(&entries);
        Ok(SeqResult { seq })
    }

    /// Gives a member a role.
    ///
    /// # Errors
    /// `unknown_room`, `not_a_member`, `not_allowed`, `unknown_user` for who is not in the room, `last_owner`.
    pub async fn set_role(&self, caller: &Caller, params: RoomRoleParams) -> Result<SeqResult, CommandError> {
        let (who, room) = (caller.clone(), params.room);
        let (seq, entries) = logged(&self.0.db, move |log| {
            async move {
                log.require_live(who.session.id).await?;
                let (row, role) = standing(log, room, who.user.id, &[]).await?;
                let theirs = member_role(log, room, params.user).await?;
                authorise(role, row.kind, Act::SetRole(theirs, params.role))?;
                if theirs == params.role {
                    return Ok(log.head(StreamId::Room(room)));
                }
                if theirs == Role::Owner && membership::owner_count(log, room).await? == 1 {
                    return Err(Reason::LastOwner.into());
                }
                membership::set_role(log, room, params.user, params.role).await?;
                let changed = EntryBody::RoleChanged { user: params.user, role: params.role };
                Ok(log.append(StreamId::Room(room), who.user.id, None, changed).seq)
            }
            .boxed()
        })
        .await?;
        self.0.streams.committed(&entries);
        Ok(SeqResult { seq })
    }
}

async fn join(log: &mut Log, who: &Caller, room: RoomId, code: Option<String>) -> Result<(), CommandError> {
    let me = who.user.id;
    log.lock(&[StreamId::Room(room), StreamId::User(me)]).await?;
    let mut row = membership::room(log, room).await?.ok_or(Reason::UnknownRoom)?;
    if !membership::roles(log, room, &[me]).await?.is_empty() {
        return Ok(());
    }
    match code {
        Some(code) if !use_invite(log, room, &code).await? => return Err(Reason::UnknownInvite.into()),
        None if row.kind != RoomKind::Channel => {
            return Err(CommandError::Explained {
                reason: Reason::NotAllowed,
                message: "this room needs an invitation".to_owned(),
                field: None,
            });
        }
        _ => {}
    }
    membership::count_members(log, room, 1).await?;
    row.member_count += 1;
    let joined = EntryBody::MemberJoined { user: who.user.clone() };
    let seq = log.append(StreamId::Room(room), me, None, joined).seq;
    // An abandoned room belongs to whoever comes first.
    let role = if row.member_count == 1 { Role::Owner } else { Role::Member };
    welcome(log, &row, me, role, seq, None, (me, None)).await
}

/// Uses an invitation to this room once; false when it has ended, also if that was a moment ago.
async fn use_invite(log: &mut Log, room: RoomId, code: &str) -> Result<bool, CommandError> {
    let now_ms = log.at_ms();
    Ok(store::invites::redeem(log.tx(), code, now_ms).await? == Some(room))
}

async fn add(log: &mut Log, who: &Caller, room: RoomId, users: Vec<UserId>) -> Result<Seq, CommandError> {
    let me = who.user.id;
    let (mut row, role) = standing(log, room, me, &users).await?;
    authorise(role, row.kind, Act::Invite)?;
    let people = membership::users(log, &users).await?;
    let present = membership::roles(log, room, &users).await?;
    let mut new: Vec<_> = users.into_iter().filter(|user| !present.contains_key(user)).collect();
    new.sort_unstable();
    new.dedup();
    let count = i64::try_from(new.len()).unwrap_or(0);
    membership::count_members(log, room, count).await?;
    row.member_count += count;
    for user in new {
        let added = people.get(&user).cloned().ok_or(Reason::UnknownUser)?;
        let seq = log.append(StreamId::Room(room), me, None, EntryBody::MemberAdded { user: added }).seq;
        welcome(log, &row, user, Role::Member, seq, None, (me, None)).await?;
    }
    Ok(log.head(StreamId::Room(room)))
}

async fn put_out(
    log: &mut Log,
    room: RoomId,
    user: UserId,
    by: UserId,
    removed: bool,
) -> Result<(), CommandError> {
    membership::delete_member(log, room, user).await?;
    membership::count_members(log, room, -1).await?;
    log.append(StreamId::User(user), by, None, EntryBody::RoomLeft { room, removed });
    Ok(())
}

async fn member_role(log: &mut Log, room: RoomId, user: UserId) -> Result<Role, CommandError> {
    let roles = membership::roles(log, room, &[user]).await?;
    roles.get(&user).copied().ok_or_else(|| CommandError::Explained {
        reason: Reason::UnknownUser,
        message: "this person is not in the room".to_owned(),
        field: Some("user"),
    })
}
