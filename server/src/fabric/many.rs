//! Operations on many keys in one round trip, and sorted sets.
//!
//! Each key is a matter of its own: of several, some may have been written when a call fails.

use std::collections::HashMap;
use std::time::Duration;

use super::types::{HashOf, Scores};
use super::{Fabric, Inner, Key, Result};

impl Fabric {
    /// The values of keys, in their order.
    pub async fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<String>>> {
        match &self.0 {
            Inner::Local(local) => Ok(keys.iter().map(|key| local.get(key)).collect()),
            Inner::Redis(redis) => redis.get_all(keys).await,
        }
    }

    /// All fields of hashes, in their order; none where there is no hash.
    pub async fn hash_read_all(&self, keys: &[Key]) -> Result<Vec<HashMap<String, String>>> {
        match &self.0 {
            Inner::Local(local) => Ok(keys.iter().map(|key| local.hash_read(key)).collect()),
            Inner::Redis(redis) => redis.hash_read_all(keys).await,
        }
    }

    /// Stores hashes in the place of what was there, each whole, and none empty. Full: the hash is gone.
    pub async fn hash_replace_all(&self, hashes: &[HashOf], ttl: Duration) -> Result<()> {
        match &self.0 {
            Inner::Local(local) => {
                for hash in hashes {
                    local.hash_replace(hash, ttl);
                }
                Ok(())
            }
            Inner::Redis(_) if hashes.is_empty() => Ok(()),
            Inner::Redis(redis) => redis.hash_replace_all(hashes, ttl).await,
        }
    }

    /// Adds to scores of members of sorted sets, all of one set or none; gives each set a new time to live. What is
    /// not there begins at 0. Gives the new scores, in the order of what was added.
    pub async fn scores_add(&self, sets: &[(Key, Scores)], ttl: Duration) -> Result<Vec<Vec<i64>>> {
        match &self.0 {
            Inner::Local(local) => {
                Ok(sets.iter().map(|(key, add)| local.scores_add(key, add, ttl)).collect())
            }
            Inner::Redis(_) if sets.is_empty() => Ok(Vec::new()),
            Inner::Redis(redis) => redis.scores_add(sets, ttl).await,
        }
    }

    /// The `most` members with the highest scores of each sorted set, the highest first.
    pub async fn top(&self, keys: &[Key], most: usize) -> Result<Vec<Scores>> {
        match &self.0 {
            Inner::Local(local) => Ok(keys.iter().map(|key| local.top(key, most)).collect()),
            Inner::Redis(redis) => redis.top(keys, most).await,
        }
    }

    /// The scores of some members of each sorted set, in their order. At least one member of each set.
    pub async fn scores(&self, asked: &[(Key, Vec<String>)]) -> Result<Vec<Vec<Option<i64>>>> {
        match &self.0 {
            Inner::Local(local) => {
                Ok(asked.iter().map(|(key, members)| local.scores(key, members)).collect())
            }
            Inner::Redis(redis) => redis.scores(asked).await,
        }
    }
}
