//! Make, change and find rooms.

use futures_util::FutureExt;
use hubbub_protocol::{
    command::{
        RoomCreateParams, RoomListParams, RoomListResult, RoomMembersParams, RoomMembersResult, RoomResult,
        RoomUpdateParams,
    },
    entry::EntryBody,
    error::Reason,
    id::{RoomId, Seq, StreamId, UserId},
    limits::USERS_PER_COMMAND,
    model::{Marker, Role, Room, RoomKind, User},
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
        self,
        log::{Key, Log, logged},
        membership::{self, RoomRow, direct_key},
    },
};

impl Chat {
    /// Makes a room, or finds the direct room of a pair.
    ///
    /// # Errors
    /// `invalid_params`, `too_large`, `unknown_user`, `key_conflict`, `session_ended`, `unavailable`.
    pub async fn create_room(
        &self,
        caller: &Caller,
        params: RoomCreateParams,
    ) -> Result<RoomResult, CommandError> {
        let plan = Plan::of(caller.user.id, params)?;
        let maker = caller.clone();
        let (room, entries) = logged(&self.0.db, move |log| {
            async move {
                log.require_live(maker.session.id).await?;
                create(log, &maker, plan).await
            }
            .boxed()
        })
        .await?;
        self.0.streams.committed(&entries);
        self.room(caller, room).await
    }

    /// One of the caller's rooms as it is now.
    ///
    /// # Errors
    /// `unknown_room`, `not_a_member`, `unavailable`.
    pub async fn room(&self, caller: &Caller, room: RoomId) -> Result<RoomResult, CommandError> {
        Ok(RoomResult { room: store::rooms::room_for(&self.0.db, caller.user.id, room).await? })
    }

    /// Renames a room or changes its topic.
    ///
    /// # Errors
    /// `invalid_params`, `too_large`, `unknown_room`, `not_a_member`, `not_allowed`, `session_ended`, `unavailable`.
    pub async fn update_room(
        &self,
        caller: &Caller,
        params: RoomUpdateParams,
    ) -> Result<RoomResult, CommandError> {
        let name = params.name.as_deref().map(text::room_name).transpose()?;
        let topic = params.topic.as_deref().map(text::room_topic).transpose()?;
        let (who, room) = (caller.clone(), params.room);
        let ((), entries) = logged(&self.0.db, move |log| {
            async move {
                log.require_live(who.session.id).await?;
                let (row, role) = standing(log, room, who.user.id, &[]).await?;
                authorise(role, row.kind, Act::Update)?;
                let (name, topic) = (name.unwrap_or(row.name.clone()), topic.unwrap_or(row.topic.clone()));
                if (&name, &topic) != (&row.name, &row.topic) {
                    membership::update_room(log, room, &name, &topic).await?;
                    let body = EntryBody::RoomUpdated { name, topic };
                    log.append(StreamId::Room(room), who.user.id, None, body);
                }
                Ok(())
            }
            .boxed()
        })
        .await?;
        self.0.streams.committed(&entries);
        self.room(caller, room).await
    }

    /// Public channels, by name.
    ///
    /// # Errors
    /// `invalid_params`, `unavailable`.
    pub async fn list_rooms(
        &self,
        caller: &Caller,
        params: RoomListParams,
    ) -> Result<RoomListResult, CommandError> {
        let limit = text::page(params.limit)?;
        let (query, after) = (params.query.as_deref(), params.after.as_deref());
        let rooms = store::rooms::public(&self.0.db, caller.user.id, query, after, limit).await?;
        Ok(RoomListResult { rooms })
    }

    /// The members of a room.
    ///
    /// # Errors
    /// `invalid_params`, `unknown_room`, `not_a_member`, `unavailable`.
    pub async fn members(
        &self,
        caller: &Caller,
        params: RoomMembersParams,
    ) -> Result<RoomMembersResult, CommandError> {
        let limit = text::page(params.limit)?;
        self.readable(params.room, caller.user.id).await?;
        let members = store::members::page(&self.0.db, params.room, params.after, limit).await?;
        Ok(RoomMembersResult { members })
    }
}

/// A room to be made, checked as far as that goes without the database.
struct Plan {
    key: Key,
    kind: RoomKind,
    name: String,
    topic: String,
    members: Vec<UserId>,
}

impl Plan {
    fn of(maker: UserId, params: RoomCreateParams) -> Result<Self, CommandError> {
        text::key(&params.key)?;
        let mut members = params.members;
        members.sort_unstable();
        members.dedup();
        members.retain(|member| *member != maker);
        if members.len() > USERS_PER_COMMAND {
            return Err(CommandError::TooLarge {
                field: "members",
                limit: USERS_PER_COMMAND,
                unit: "people",
            });
        }
        let direct = params.kind == RoomKind::Direct;
        if direct && members.len() != 1 {
            return Err(CommandError::invalid("members", "a direct room has exactly one other person"));
        }
        let name = if direct { String::new() } else { text::room_name(&params.name)? };
        let topic = if direct { String::new() } else { text::room_topic(&params.topic)? };
        let who: Vec<_> = members.iter().map(UserId::to_string).collect();
        let key = Key::of(params.key, &["room", params.kind.as_str(), &name, &topic, &who.join(" ")]);
        Ok(Self { key, kind: params.kind, name, topic, members })
    }
}

async fn create(log: &mut Log, maker: &Caller, plan: Plan) -> Result<RoomId, CommandError> {
    let me = maker.user.id;
    let own = StreamId::User(me);
    let streams: Vec<_> = plan.members.iter().map(|user| StreamId::User(*user)).chain([own]).collect();
    log.lock(&streams).await?;
    if let Some(unknown) = streams.iter().find(|stream| !log.holds(**stream)) {
        tracing::debug!(%unknown, "a room with an unknown member");
        return Err(Reason::UnknownUser.into());
    }
    // The entry in the maker's own stream carries the key, so that a repeat finds the room.
    if let Some(sent) = log.first_answer(own, me, &plan.key).await? {
        // The key may have been used for something else that one's own stream records.
        return membership::joined_room(log, own, sent.seq).await?.ok_or_else(|| Reason::KeyConflict.into());
    }
    let pair = (plan.kind == RoomKind::Direct).then(|| direct_key(me, plan.members[0]));
    if let Some(pair) = &pair
        && let Some(room) = membership::direct_room(log, pair).await?
    {
        return Ok(room);
    }
    let people = membership::users(log, &plan.members).await?;
    let room = RoomRow {
        id: RoomId::generate(),
        kind: plan.kind,
        name: plan.name,
        topic: plan.topic,
        member_count: 1 + i64::try_from(plan.members.len()).unwrap_or(0),
        created_at_ms: log.at_ms(),
    };
    let stream = StreamId::Room(room.id);
    log.create(stream).await?;
    membership::insert_room(log, &room, pair.as_deref()).await?;
    let body = EntryBody::RoomCreated { room_kind: room.kind, name: room.name.clone() };
    let first = log.append(stream, me, None, body).seq;
    let peer = plan.members.first().and_then(|user| people.get(user));
    welcome(log, &room, me, Role::Owner, first, peer.cloned(), (me, Some(plan.key))).await?;
    // Both people of a direct room are equals.
    let role = if room.kind == RoomKind::Direct { Role::Owner } else { Role::Member };
    for user in &plan.members {
        let added = people.get(user).cloned().ok_or(Reason::UnknownUser)?;
        let seq = log.append(stream, me, None, EntryBody::MemberAdded { user: added }).seq;
        welcome(log, &room, *user, role, seq, Some(maker.user.clone()), (me, None)).await?;
    }
    Ok(room.id)
}

/// Makes someone a member by the entry at `joined`, and tells their own stream. `peer` is kept for a direct room;
/// `by` is whose act it is, with the key of that act.
pub(super) async fn welcome(
    log: &mut Log,
    row: &RoomRow,
    user: UserId,
    role: Role,
    joined: Seq,
    peer: Option<User>,
    by: (UserId, Option<Key>),
) -> Result<(), CommandError> {
    membership::insert_member(log, row.id, user, role, joined).await?;
    let room = Room {
        id: row.id,
        kind: row.kind,
        name: row.name.clone(),
        topic: row.topic.clone(),
        role,
        member_count: u64::try_from(row.member_count).unwrap_or(0),
        peer: peer.filter(|_| row.kind == RoomKind::Direct),
        head: joined,
        marker: Marker { seq: joined, unread: 0 },
        last: None,
        created_at: row.created_at_ms,
    };
    let (sender, key) = by;
    log.append(StreamId::User(user), sender, key, EntryBody::RoomJoined { room: Box::new(room) });
    Ok(())
}

/// Locks a room with the streams of the people concerned, and gives it with the role of who acts.
///
/// # Errors
/// `unknown_room`, `not_a_member`.
pub(super) async fn standing(
    log: &mut Log,
    room: RoomId,
    actor: UserId,
    others: &[UserId],
) -> Result<(RoomRow, Role), CommandError> {
    let users = others.iter().map(|user| StreamId::User(*user));
    let streams: Vec<_> = users.chain([StreamId::Room(room)]).collect();
    log.lock(&streams).await?;
    let row = membership::room(log, room).await?.ok_or(Reason::UnknownRoom)?;
    let role = membership::roles(log, room, &[actor]).await?.get(&actor).copied();
    Ok((row, role.ok_or(Reason::NotAMember)?))
}
