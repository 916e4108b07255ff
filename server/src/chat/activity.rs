//! Where and by whom most is written, as far as someone may know it: public channels, and their own rooms.

use hubbub_protocol::{
    http::{ActivePerson, ActiveRoom, Activity, ActivityDay},
    id::{RoomId, UserId},
    limits::{ACTIVITY_DAYS, ACTIVITY_LIMIT},
};

use super::Chat;
use crate::{accounts::Caller, counters, error::CommandError, store};

/// Days when none are asked for.
const DAYS: usize = 7;
/// Rooms and people when none are asked for.
const LIMIT: usize = 10;
/// Groups and direct rooms of a person that are counted, the newest.
const PRIVATE_ROOMS: i64 = 1_000;

impl Chat {
    /// Messages by day, the most active rooms, the most active people.
    ///
    /// # Errors
    /// `invalid_params`, `unavailable`.
    pub async fn activity(
        &self,
        caller: &Caller,
        days: Option<usize>,
        limit: Option<usize>,
    ) -> Result<Activity, CommandError> {
        let (days, limit) = (days.unwrap_or(DAYS), limit.unwrap_or(LIMIT));
        if !ACTIVITY_DAYS.contains(&days) {
            return Err(CommandError::invalid("days", "days is 1 to 30"));
        }
        if !ACTIVITY_LIMIT.contains(&limit) {
            return Err(CommandError::invalid("limit", "limit is 1 to 50"));
        }
        let user = caller.user.id;
        let public = self.0.counters.public(days).await;
        let own = store::activity::private_rooms(&self.0.db, user, PRIVATE_ROOMS).await?;
        let ids: Vec<RoomId> = own.iter().map(|listed| listed.room).collect();
        let private = self.0.counters.private(user, &ids, days).await;

        let top: Vec<RoomId> = public.channels.iter().take(limit).map(|(room, _)| *room).collect();
        let channels = store::activity::channels(&self.0.db, user, &top).await?;
        let messages = |room: &RoomId| {
            let in_public = public.channels.iter().find(|(channel, _)| channel == room);
            in_public.map(|(_, messages)| *messages).or_else(|| private.rooms.get(room).copied())
        };
        let mut rooms: Vec<ActiveRoom> = own
            .into_iter()
            .chain(channels)
            .filter_map(|listed| {
                let messages = messages(&listed.room)?;
                Some(ActiveRoom {
                    room: listed.room,
                    kind: listed.kind,
                    name: listed.name,
                    joined: listed.joined,
                    messages,
                })
            })
            .collect();
        rooms
            .sort_unstable_by(|one, other| other.messages.cmp(&one.messages).then(one.room.cmp(&other.room)));
        rooms.truncate(limit);
        Ok(Activity {
            days: public
                .days
                .iter()
                .map(|(day, messages)| ActivityDay {
                    day: counters::date(*day),
                    messages: messages + private.days.get(day).copied().unwrap_or(0),
                })
                .collect(),
            rooms,
            people: self.most_active(&public.people[..limit.min(public.people.len())]).await?,
            as_of: public.as_of,
            complete: public.complete && private.complete,
        })
    }

    async fn most_active(&self, people: &[(UserId, u64)]) -> Result<Vec<ActivePerson>, CommandError> {
        let ids: Vec<UserId> = people.iter().map(|(user, _)| *user).collect();
        let profiles = self.0.accounts.profiles(&ids).await?;
        let person = |(user, messages): &(UserId, u64)| {
            let user = profiles.iter().find(|profile| profile.id == *user)?.clone();
            Some(ActivePerson { user, messages: *messages })
        };
        Ok(people.iter().filter_map(person).collect())
    }
}
