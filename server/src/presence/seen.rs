//! When people were last online, written behind to SQL: nothing waits for it.

use std::{collections::HashMap, time::Duration};

use hubbub_protocol::id::UserId;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Presence, now};
use crate::{clock::every, store};

/// How often what waits is written.
const EVERY: Duration = Duration::from_secs(2);
/// How often those who are online are written too, so that little is lost with a node that is killed.
const ROUND: Duration = Duration::from_mins(3);
/// People that wait at most; one more is written with the next round, or not.
const WAITING: usize = 50_000;
/// People in one statement.
const BATCH: usize = 500;

/// Times on their way to SQL.
#[derive(Default)]
pub(super) struct Seen(Mutex<HashMap<UserId, i64>>);

impl Seen {
    /// Takes in when people were last online; the newest stays.
    pub(super) fn put(&self, users: &[(UserId, i64)]) {
        let mut waiting = self.0.lock();
        for (user, at) in users {
            if waiting.len() < WAITING || waiting.contains_key(user) {
                let known = waiting.entry(*user).or_insert(*at);
                *known = (*known).max(*at);
            }
        }
    }

    fn take(&self) -> Vec<(UserId, i64)> {
        let mut waiting = self.0.lock();
        let some: Vec<UserId> = waiting.keys().take(BATCH).copied().collect();
        some.into_iter().filter_map(|user| waiting.remove_entry(&user)).collect()
    }
}

/// Writes until the node stops.
pub(super) async fn run(presence: Presence) {
    let mut ticks = every(EVERY);
    let mut round = Instant::now();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            // What waits then is written with the goodbye.
            () = presence.0.stop.cancelled() => return,
        }
        if round.elapsed() >= ROUND {
            round = Instant::now();
            let at = now().1;
            let online: Vec<_> =
                presence.0.state.lock().view.own.people().map(|(user, _)| (user, at)).collect();
            presence.0.seen.put(&online);
        }
        presence.write_seen().await;
    }
}

impl Presence {
    /// Writes all that waits, until the database refuses.
    pub(super) async fn write_seen(&self) {
        loop {
            let batch = self.0.seen.take();
            if batch.is_empty() {
                return;
            }
            if let Err(error) = store::last_seen::put(&self.0.db, &batch).await {
                tracing::debug!(%error, people = batch.len(), "when people were last online is not written yet");
                return self.0.seen.put(&batch);
            }
        }
    }
}
