//! People by their ids: cache-aside in the fabric over SQL, with a small cache of this node before both.

use std::{collections::HashMap, time::Duration};

use hubbub_protocol::{id::UserId, model::User};
use moka::sync::Cache;

use super::Accounts;
use crate::{error::CommandError, fabric::Key, store::users};

/// Profiles that this node keeps.
const KEPT: u64 = 10_000;
/// How old a profile here may be: a change made on another node is seen after that.
const FRESH: Duration = Duration::from_secs(10);
/// How long the fabric keeps one.
const SHARED: Duration = Duration::from_hours(1);

/// Profiles that this node has read.
pub(super) struct Profiles(Cache<UserId, User>);

impl Default for Profiles {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(KEPT).time_to_live(FRESH).build())
    }
}

impl Accounts {
    /// People by their ids, in that order; unknown ones are left out.
    ///
    /// # Errors
    /// `unavailable` when SQL is needed and does not answer.
    pub async fn profiles(&self, ids: &[UserId]) -> Result<Vec<User>, CommandError> {
        let mut found: HashMap<UserId, User> = HashMap::new();
        for id in ids {
            if let Some(user) = self.0.profiles.0.get(id) {
                found.insert(*id, user);
            } else if let Some(user) = self.shared_profile(*id).await {
                self.keep(&mut found, user);
            }
        }
        let missing: Vec<_> = ids.iter().filter(|id| !found.contains_key(id)).copied().collect();
        if !missing.is_empty() {
            for user in users::by_ids(&self.0.db, &missing).await? {
                self.share(&user).await;
                self.keep(&mut found, user);
            }
        }
        Ok(ids.iter().filter_map(|id| found.get(id).cloned()).collect())
    }

    /// Forgets what is cached of someone whose profile changed.
    pub async fn forget_profile(&self, id: UserId) {
        self.0.profiles.0.invalidate(&id);
        if let Err(error) = self.0.fabric.delete(&Key::profile(id)).await {
            tracing::debug!(%error, "an old profile may be shown until it expires");
        }
    }

    fn keep(&self, found: &mut HashMap<UserId, User>, user: User) {
        self.0.profiles.0.insert(user.id, user.clone());
        found.insert(user.id, user);
    }

    async fn shared_profile(&self, id: UserId) -> Option<User> {
        let json = self.0.fabric.get(&Key::profile(id)).await.ok().flatten()?;
        serde_json::from_str(&json).ok()
    }

    async fn share(&self, user: &User) {
        let Ok(json) = serde_json::to_string(user) else { return };
        // If absent: a profile that changed meanwhile was forgotten by then, and is read anew after this one expires.
        self.0.fabric.set_if_absent(&Key::profile(user.id), &json, SHARED).await.ok();
    }
}
