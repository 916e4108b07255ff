//! Many keys at once, and sorted sets, in process.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::Local;
use super::values::Value;
use crate::fabric::topic::Key;
use crate::fabric::types::{HashOf, Scores};

impl Local {
    pub(in crate::fabric) fn hash_replace(&self, (key, fields): &HashOf, ttl: Duration) {
        let now = Instant::now();
        let hash: HashMap<String, String> = fields.iter().cloned().collect();
        let weight = hash.len();
        self.values.lock().put(key.clone(), Value::Hash(hash), weight, now + ttl, now);
    }

    pub(in crate::fabric) fn scores_add(&self, key: &Key, add: &Scores, ttl: Duration) -> Vec<i64> {
        let now = Instant::now();
        let mut sets = self.sets.lock();
        let mut set = sets.take(key, now).map(|(set, _)| set).unwrap_or_default();
        let sums = add.iter().map(|(member, add)| {
            let score: &mut i64 = set.entry(member.clone()).or_default();
            *score += add;
            *score
        });
        let sums = sums.collect();
        let weight = set.len();
        sets.put(key.clone(), set, weight, now + ttl, now);
        sums
    }

    pub(in crate::fabric) fn top(&self, key: &Key, most: usize) -> Scores {
        let sets = self.sets.lock();
        let Some(set) = sets.get(key, Instant::now()) else { return Scores::new() };
        let mut scores: Scores = set.iter().map(|(member, score)| (member.clone(), *score)).collect();
        drop(sets);
        // As Redis orders them: by score, then by name, the highest first.
        scores.sort_unstable_by(|one, other| Reverse((one.1, &one.0)).cmp(&Reverse((other.1, &other.0))));
        scores.truncate(most);
        scores
    }

    pub(in crate::fabric) fn scores(&self, key: &Key, members: &[String]) -> Vec<Option<i64>> {
        let sets = self.sets.lock();
        let set = sets.get(key, Instant::now());
        members.iter().map(|member| set?.get(member).copied()).collect()
    }

    pub(in crate::fabric) fn delete_set(&self, key: &Key) -> bool {
        self.sets.lock().take(key, Instant::now()).is_some()
    }
}
