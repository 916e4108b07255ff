//! Texts not sent yet: a hash a person in the fabric, written behind to SQL.
//!
//! Of two drafts of one room the newer stays, wherever they are met. An empty text is a draft that was taken away;
//! it is kept like any other, so that it wins over the older text that SQL may still hold.

use std::collections::HashMap;

use hubbub_protocol::{
    command::{DraftResult, DraftSetParams},
    id::{RoomId, StreamId, UserId},
    model::Draft,
    push::Signal,
};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::{Chat, text};
use crate::{accounts::Caller, clock, error::CommandError, fabric::Key, store};

/// Drafts that wait at most; one more is written to SQL by the command itself.
const WAITING: usize = 10_000;
/// Drafts in one statement.
const BATCH: usize = 200;

/// Drafts on their way to SQL.
#[derive(Default)]
pub(super) struct WriteBehind(Mutex<HashMap<(UserId, RoomId), Draft>>);

impl Chat {
    /// Keeps a draft for all devices of the caller.
    ///
    /// # Errors
    /// `too_large`, `unknown_room`, `not_a_member`, `session_ended`, `unavailable`.
    pub async fn set_draft(
        &self,
        caller: &Caller,
        params: DraftSetParams,
    ) -> Result<DraftResult, CommandError> {
        text::draft(&params.text)?;
        let user = caller.user.id;
        self.readable(params.room, user).await?;
        self.require_live(caller.session.id).await?;
        let at = clock::now_ms();
        let draft = Draft { room: params.room, text: params.text, reply_to: params.reply_to, at };
        self.keep(user, &draft).await?;
        self.0.streams.signal(StreamId::User(user), None, Signal::Draft { draft }).await;
        Ok(DraftResult { at })
    }

    async fn keep(&self, user: UserId, draft: &Draft) -> Result<(), CommandError> {
        let json = serde_json::to_string(draft).map_err(|error| CommandError::Internal(Box::new(error)))?;
        let (key, field) = (Key::drafts(user), draft.room.to_string());
        let kept = self.0.fabric.hash_set(&key, &field, &json, self.0.settings.draft_ttl).await;
        let waits = kept.is_ok() && self.0.drafts.put(user, draft.clone());
        if !waits {
            // Nobody else holds it: SQL must.
            store::drafts::put(&self.0.db, &[(user, draft.clone())]).await?;
        }
        Ok(())
    }

    /// A person's drafts, the newer of fabric and SQL for each room.
    ///
    /// # Errors
    /// `unavailable` when SQL does not answer.
    pub(super) async fn drafts(&self, user: UserId) -> Result<Vec<Draft>, CommandError> {
        let stored = store::drafts::of_user(&self.0.db, user).await?;
        let cached = self.0.fabric.hash_read(&Key::drafts(user)).await.unwrap_or_default();
        let cached = cached.values().filter_map(|json| serde_json::from_str::<Draft>(json).ok());
        let mut newest: HashMap<RoomId, Draft> = HashMap::new();
        for draft in stored.into_iter().chain(cached) {
            let known = newest.entry(draft.room).or_insert_with(|| draft.clone());
            if known.at < draft.at {
                *known = draft;
            }
        }
        let mut drafts: Vec<_> = newest.into_values().filter(|draft| !draft.text.is_empty()).collect();
        drafts.sort_by_key(|draft| std::cmp::Reverse(draft.at));
        Ok(drafts)
    }

    /// Writes drafts to SQL a moment after they changed, until `stop`; what then still waits is written last.
    pub async fn write_drafts(self, stop: CancellationToken) {
        loop {
            let stopped = tokio::select! {
                () = tokio::time::sleep(self.0.settings.draft_delay) => false,
                () = stop.cancelled() => true,
            };
            loop {
                let batch = self.0.drafts.take();
                if batch.is_empty() {
                    break;
                }
                if let Err(error) = store::drafts::put(&self.0.db, &batch).await {
                    tracing::warn!(%error, drafts = batch.len(), "drafts are not in the database yet");
                    for (user, draft) in batch {
                        self.0.drafts.put(user, draft);
                    }
                    break;
                }
            }
            if stopped {
                return;
            }
        }
    }
}

impl WriteBehind {
    /// False when too many wait.
    fn put(&self, user: UserId, draft: Draft) -> bool {
        let mut waiting = self.0.lock();
        let full = waiting.len() >= WAITING;
        match waiting.entry((user, draft.room)) {
            std::collections::hash_map::Entry::Occupied(mut known) => {
                if known.get().at < draft.at {
                    known.insert(draft);
                }
                true
            }
            std::collections::hash_map::Entry::Vacant(_) if full => false,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(draft);
                true
            }
        }
    }

    fn take(&self) -> Vec<(UserId, Draft)> {
        let mut waiting = self.0.lock();
        let keys: Vec<_> = waiting.keys().take(BATCH).copied().collect();
        keys.into_iter().filter_map(|key| Some((key.0, waiting.remove(&key)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::{
        id::{RoomId, UserId},
        model::Draft,
    };

    use super::WriteBehind;

    #[test]
    fn the_newer_draft_waits() {
        let (waiting, user, room) = (WriteBehind::default(), UserId::generate(), RoomId::generate());
        let draft = |text: &str, at| Draft { room, text: text.to_owned(), reply_to: None, at };
        assert!(waiting.put(user, draft("new", 2)) && waiting.put(user, draft("old", 1)));
        assert_eq!(waiting.take(), [(user, draft("new", 2))]);
        assert!(waiting.take().is_empty());
    }
}
