//! Values, hashes, counters and locks, in process.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::Local;
use crate::fabric::topic::Key;
use crate::fabric::types::{Lock, Raised, Ranked};

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Hash(HashMap<String, String>),
}

impl Value {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Hash(_) => None,
        }
    }
}

impl Local {
    pub(in crate::fabric) fn get(&self, key: &Key) -> Option<String> {
        self.values.lock().get(key, Instant::now()).and_then(Value::text).map(str::to_owned)
    }

    pub(in crate::fabric) fn set(&self, key: &Key, value: &str, ttl: Duration) {
        let now = Instant::now();
        self.values.lock().put(key.clone(), Value::Text(value.into()), 1, now + ttl, now);
    }

    pub(in crate::fabric) fn set_if_absent(&self, key: &Key, value: &str, ttl: Duration) -> bool {
        let now = Instant::now();
        let mut values = self.values.lock();
        let absent = values.get(key, now).is_none();
        if absent {
            values.put(key.clone(), Value::Text(value.into()), 1, now + ttl, now);
        }
        absent
    }

    pub(in crate::fabric) fn delete(&self, key: &Key) -> bool {
        self.values.lock().take(key, Instant::now()).is_some()
    }

    pub(in crate::fabric) fn compare_and_delete(&self, key: &Key, expected: &str) -> bool {
        let now = Instant::now();
        let mut values = self.values.lock();
        let same = values.get(key, now).and_then(Value::text) == Some(expected);
        same && values.take(key, now).is_some()
    }

    pub(in crate::fabric) fn compare_and_touch(&self, key: &Key, expected: &str, ttl: Duration) -> bool {
        let now = Instant::now();
        let mut values = self.values.lock();
        let same = values.get(key, now).and_then(Value::text) == Some(expected);
        same && values.touch(key, now + ttl, now)
    }

    pub(in crate::fabric) fn touch(&self, key: &Key, ttl: Duration) -> bool {
        let now = Instant::now();
        self.values.lock().touch(key, now + ttl, now)
    }

    pub(in crate::fabric) fn raise(&self, key: &Key, new: &Ranked, ttl: Duration) -> Raised {
        let now = Instant::now();
        let mut values = self.values.lock();
        let current = values.get(key, now).and_then(Value::text).and_then(Ranked::decode);
        match current {
            Some(current) if current.rank >= new.rank => Raised::Kept(current),
            lower => {
                values.put(key.clone(), Value::Text(new.encode()), 1, now + ttl, now);
                Raised::Set(lower)
            }
        }
    }

    pub(in crate::fabric) fn hash_set(&self, key: &Key, field: &str, value: &str, ttl: Duration) {
        let now = Instant::now();
        let mut values = self.values.lock();
        let mut hash = match values.take(key, now) {
            Some((Value::Hash(hash), _)) => hash,
            _ => HashMap::new(),
        };
        hash.insert(field.into(), value.into());
        let weight = hash.len();
        values.put(key.clone(), Value::Hash(hash), weight, now + ttl, now);
    }

    pub(in crate::fabric) fn hash_delete(&self, key: &Key, field: &str) -> bool {
        let now = Instant::now();
        let mut values = self.values.lock();
        let Some((value, until)) = values.take(key, now) else { return false };
        let Value::Hash(mut hash) = value else {
            values.put(key.clone(), value, 1, until, now);
            return false;
        };
        let removed = hash.remove(field).is_some();
        if !hash.is_empty() {
            let weight = hash.len();
            values.put(key.clone(), Value::Hash(hash), weight, until, now);
        }
        removed
    }

    pub(in crate::fabric) fn hash_read(&self, key: &Key) -> HashMap<String, String> {
        match self.values.lock().get(key, Instant::now()) {
            Some(Value::Hash(hash)) => hash.clone(),
            _ => HashMap::new(),
        }
    }

    pub(in crate::fabric) fn count(&self, key: &Key, window: Duration) -> u64 {
        let now = Instant::now();
        let mut values = self.values.lock();
        let (count, until) = match values.take(key, now) {
            Some((Value::Text(count), until)) => (count.parse().unwrap_or(0), until),
            _ => (0, now + window),
        };
        let count: u64 = count + 1;
        values.put(key.clone(), Value::Text(count.to_string()), 1, until, now);
        count
    }

    pub(in crate::fabric) fn lock(&self, key: &Key, ttl: Duration) -> Option<Lock> {
        let now = Instant::now();
        let mut values = self.values.lock();
        if values.get(key, now).is_some() {
            return None;
        }
        let token = self.tokens.fetch_add(1, Ordering::Relaxed);
        values.put(key.clone(), Value::Text(token.to_string()), 1, now + ttl, now);
        Some(Lock { key: key.clone(), token })
    }
}
