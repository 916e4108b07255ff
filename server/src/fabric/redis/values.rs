//! Values, hashes, counters and locks, in Redis.

use std::collections::HashMap;
use std::time::Duration;

use fred::prelude::{Expiration, HashesInterface, KeysInterface, SetOptions, Value};
use metrics::counter;

use super::Redis;
use super::script::{self, Call, Script};
use crate::fabric::topic::Key;
use crate::fabric::types::{FabricError, Lock, Raised, Ranked};
use crate::fabric::{FENCE_KEPT, Result};

impl Redis {
    pub(in crate::fabric) async fn get(&self, key: &Key) -> Result<Option<String>> {
        let client = self.link.client();
        let value = self.link.call("get", Box::pin(client.get::<Value, _>(self.name(key)))).await;
        Ok(or_miss(value)?.and_then(text))
    }

    pub(in crate::fabric) async fn set(&self, key: &Key, value: &str, ttl: Duration) -> Result<()> {
        let client = self.link.client();
        let set = Box::pin(client.set::<(), _, _>(self.name(key), value, Some(expiry(ttl)), None, false));
        match self.link.call("set", set).await {
            Err(FabricError::Full(_)) => self.delete(key).await.map(drop),
            result => result,
        }
    }

    pub(in crate::fabric) async fn set_if_absent(
        &self,
        key: &Key,
        value: &str,
        ttl: Duration,
    ) -> Result<bool> {
        let (client, only_new) = (self.link.client(), Some(SetOptions::NX));
        let set = client.set::<Value, _, _>(self.name(key), value, Some(expiry(ttl)), only_new, false);
        Ok(!self.link.call("set_if_absent", Box::pin(set)).await?.is_null())
    }

    pub(in crate::fabric) async fn delete(&self, key: &Key) -> Result<bool> {
        let client = self.link.client();
        let removed: u64 = self.link.call("delete", Box::pin(client.del(self.name(key)))).await?;
        Ok(removed != 0)
    }

    pub(in crate::fabric) async fn compare_and_delete(&self, key: &Key, expected: &str) -> Result<bool> {
        let call = Call::on([self.name(key)], [expected.into()]);
        self.flag("compare_and_delete", &script::COMPARE_AND_DELETE, call).await
    }

    pub(in crate::fabric) async fn compare_and_touch(
        &self,
        key: &Key,
        expected: &str,
        ttl: Duration,
    ) -> Result<bool> {
        let call = Call::on([self.name(key)], [expected.into(), milliseconds(ttl).into()]);
        self.flag("compare_and_touch", &script::COMPARE_AND_TOUCH, call).await
    }

    pub(in crate::fabric) async fn touch(&self, key: &Key, ttl: Duration) -> Result<bool> {
        let client = self.link.client();
        let touch = Box::pin(client.pexpire(self.name(key), milliseconds(ttl), None));
        let touched: u64 = self.link.call("touch", touch).await?;
        Ok(touched != 0)
    }

    pub(in crate::fabric) async fn raise(&self, key: &Key, new: &Ranked, ttl: Duration) -> Result<Raised> {
        let args = [new.rank.into(), new.encode().into(), milliseconds(ttl).into()];
        let answer = self.run("raise", &script::RAISE, Call::on([self.name(key)], args)).await?;
        let (set, there): (i64, String) = answer.convert().map_err(unexpected)?;
        match (set, Ranked::decode(&there)) {
            (1, replaced) => Ok(Raised::Set(replaced)),
            (_, Some(kept)) => Ok(Raised::Kept(kept)),
            (_, None) => Err(FabricError::Reply("a rank without its value".into())),
        }
    }

    pub(in crate::fabric) async fn hash_set(
        &self,
        key: &Key,
        field: &str,
        value: &str,
        ttl: Duration,
    ) -> Result<()> {
        let call = Call::on([self.name(key)], [field.into(), value.into(), milliseconds(ttl).into()]);
        match self.run_or_anew("hash_set", &script::HASH_SET, call, key).await {
            Err(FabricError::Full(_)) => Ok(()), // the script removed the hash
            result => result.map(drop),
        }
    }

    pub(in crate::fabric) async fn hash_delete(&self, key: &Key, field: &str) -> Result<bool> {
        let client = self.link.client();
        let delete = Box::pin(client.hdel::<Value, _, _>(self.name(key), field));
        let removed = or_miss(self.link.call("hash_delete", delete).await)?;
        Ok(removed.and_then(|removed| removed.as_u64()).is_some_and(|removed| removed != 0))
    }

    pub(in crate::fabric) async fn hash_read(&self, key: &Key) -> Result<HashMap<String, String>> {
        let client = self.link.client();
        let read = Box::pin(client.hgetall::<Value, _>(self.name(key)));
        let fields = self.link.call("hash_read", read).await;
        let Some(fields) = or_miss(fields)? else { return Ok(HashMap::new()) };
        Ok(fields.convert().unwrap_or_else(|_| {
            corrupt();
            HashMap::new()
        }))
    }

    pub(in crate::fabric) async fn count(&self, key: &Key, window: Duration) -> Result<u64> {
        let call = Call::on([self.name(key)], [milliseconds(window).into()]);
        self.run_or_anew("count", &script::COUNT, call, key).await?.convert().map_err(unexpected)
    }

    pub(in crate::fabric) async fn lock(&self, key: &Key, ttl: Duration) -> Result<Option<Lock>> {
        let kept = milliseconds(ttl + FENCE_KEPT);
        let call =
            Call::on([self.name(key), self.name(&key.fence())], [milliseconds(ttl).into(), kept.into()]);
        let token = self.run_or_anew("lock", &script::LOCK, call, &key.fence()).await?;
        let token: Option<u64> = token.convert().map_err(unexpected)?;
        Ok(token.map(|token| Lock { key: key.clone(), token }))
    }

    /// Runs a script.
    pub(super) async fn run(&self, op: &'static str, script: &Script, call: Call) -> Result<Value> {
        let client = self.link.client();
        self.link.call(op, Box::pin(script.run(&client, call))).await
    }

    /// Runs a script; where it cannot read what is under `key`, once more without that.
    async fn run_or_anew(&self, op: &'static str, script: &Script, call: Call, key: &Key) -> Result<Value> {
        match self.run(op, script, call.clone()).await {
            Err(FabricError::Reply(text)) if is_unreadable(&text) => {
                corrupt();
                self.delete(key).await?;
                self.run(op, script, call).await
            }
            answer => answer,
        }
    }

    /// Runs a script that says whether it did it.
    async fn flag(&self, op: &'static str, script: &Script, call: Call) -> Result<bool> {
        match or_miss(self.run(op, script, call).await)? {
            Some(answer) => Ok(answer.convert::<u64>().map_err(unexpected)? != 0),
            None => Ok(false),
        }
    }
}

/// A time to live as Redis wants it: whole milliseconds, at least one.
pub(super) fn milliseconds(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX).max(1)
}

fn expiry(ttl: Duration) -> Expiration {
    Expiration::PX(milliseconds(ttl))
}

/// Something of another kind under our key is as good as nothing there.
pub(super) fn or_miss(answer: Result<Value>) -> Result<Option<Value>> {
    match answer {
        Err(FabricError::Reply(text)) if is_unreadable(&text) => {
            corrupt();
            Ok(None)
        }
        answer => answer.map(Some),
    }
}

/// Whether Redis says that a value is of another kind than it should be.
fn is_unreadable(text: &str) -> bool {
    text.contains("WRONGTYPE") || text.contains("value is not an integer")
}

pub(super) fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bytes(_) => {
            corrupt();
            None
        }
        value => value.into_string(),
    }
}

/// Counts a value that cannot be read.
pub(in crate::fabric) fn corrupt() {
    counter!("hubbub_cache_corrupt_total", "dep" => "redis").increment(1);
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
pub(super) fn unexpected(error: fred::error::Error) -> FabricError {
    FabricError::Reply(error.to_string())
}
