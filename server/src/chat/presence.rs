//! Who is online, for those who may know it.

use std::time::Duration;

use hubbub_protocol::{
    command::{Empty, PresenceGetParams, PresenceResult, PresenceSetParams},
    id::{RoomId, UserId},
    limits::{PRESENCE_ROOM_MEMBERS, PRESENCE_USERS},
    model::{Presence, PresenceState},
};
use moka::future::Cache;

use super::Chat;
use crate::{accounts::Caller, error::CommandError, store, streams::listener::Listener};

/// How long the count of a large room is good for.
const COUNT_FOR: Duration = Duration::from_secs(5);
/// Large rooms whose counts are kept.
const COUNTS_KEPT: u64 = 1_000;
/// Members read at once for such a count.
const PAGE: i64 = 5_000;

/// How many are online in large rooms, a moment ago.
pub(super) type Counts = Cache<RoomId, u64>;

/// No counts yet.
pub(super) fn counts() -> Counts {
    Cache::builder().max_capacity(COUNTS_KEPT).time_to_live(COUNT_FOR).build()
}

impl Chat {
    /// Who is online: in a room of the caller's, of people who share a room with them, or how many in all.
    ///
    /// # Errors
    /// `invalid_params`, `too_large`, `unknown_room`, `not_a_member`, `unavailable`.
    pub async fn presence(
        &self,
        caller: &Caller,
        params: PresenceGetParams,
    ) -> Result<PresenceResult, CommandError> {
        let current = self.0.presence.is_current();
        let (online, people) = match (params.room, params.users) {
            (Some(_), Some(_)) => {
                return Err(CommandError::invalid("room", "give room or users, or neither"));
            }
            (Some(room), None) => self.presence_in(caller, room).await?,
            (None, Some(users)) => self.presence_of(caller, users).await?,
            (None, None) => (self.0.presence.count(), Vec::new()),
        };
        Ok(PresenceResult { online, people, current })
    }

    /// Says whether the person is at this connection.
    pub fn set_presence(&self, listener: &Listener, params: &PresenceSetParams) -> Empty {
        self.0.streams.hub().set_away(listener, params.state == PresenceState::Away);
        Empty {}
    }

    async fn presence_in(&self, caller: &Caller, room: RoomId) -> Result<(u64, Vec<Presence>), CommandError> {
        self.readable(room, caller.user.id).await?;
        let most = i64::try_from(PRESENCE_ROOM_MEMBERS).unwrap_or(i64::MAX);
        let members = store::members::ids(&self.0.db, room, None, most + 1).await?;
        if members.len() as u64 > PRESENCE_ROOM_MEMBERS {
            let counted = self.0.online_counts.try_get_with(room, self.count_online(room)).await;
            let online = counted.map_err(|error: std::sync::Arc<sqlx::Error>| {
                CommandError::Unavailable(error.to_string().into())
            })?;
            return Ok((online, Vec::new()));
        }
        let people = self.people_now(&members).await?;
        Ok((people.iter().filter(|person| person.online).count() as u64, people))
    }

    async fn presence_of(
        &self,
        caller: &Caller,
        users: Vec<UserId>,
    ) -> Result<(u64, Vec<Presence>), CommandError> {
        if users.len() > PRESENCE_USERS {
            return Err(CommandError::TooLarge { field: "users", limit: PRESENCE_USERS, unit: "people" });
        }
        let mut users = users;
        users.sort_unstable();
        users.dedup();
        // Strangers and who does not exist are left out alike.
        let sharing = store::members::sharing(&self.0.db, caller.user.id, &users).await?;
        users.retain(|user| *user == caller.user.id || sharing.contains(user));
        let people = self.people_now(&users).await?;
        Ok((people.iter().filter(|person| person.online).count() as u64, people))
    }

    /// How people are, with when they were last seen.
    async fn people_now(&self, users: &[UserId]) -> Result<Vec<Presence>, CommandError> {
        let mut people = self.0.presence.of(users);
        let offline: Vec<UserId> =
            people.iter().filter(|person| !person.online).map(|person| person.user).collect();
        if offline.is_empty() {
            return Ok(people);
        }
        let seen = store::last_seen::of(&self.0.db, &offline).await?;
        for person in people.iter_mut().filter(|person| !person.online) {
            // What this node knows by itself is newer, or not known.
            person.last_seen_at = person.last_seen_at.max(seen.get(&person.user).copied());
        }
        Ok(people)
    }

    /// How many members of a large room are online.
    async fn count_online(&self, room: RoomId) -> sqlx::Result<u64> {
        let (mut online, mut after) = (0, None);
        loop {
            let page = store::members::ids(&self.0.db, room, after, PAGE).await?;
            online += self.0.presence.count_among(&page);
            after = page.last().copied();
            if page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
                return Ok(online);
            }
        }
    }
}
