//! Running Lua: by its hash, and by its text where Redis does not know it yet.

use std::sync::LazyLock;

use fred::clients::Pipeline;
use fred::error::Error;
use fred::prelude::{Client, ClientLike, Value};
use fred::types::cluster::ClusterRouting;
use fred::types::{ClusterHash, CustomCommand};
use sha1::{Digest, Sha1};

use super::link::is_redirected;

/// One script. Redis forgets them when it restarts, so every call is ready to send the text again.
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {
        $(pub(super) static $name: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!($file)));)*
    };
}

scripts! {
    APPEND = "append.lua";
    REFILL = "refill.lua";
    COMPARE_AND_DELETE = "compare_and_delete.lua";
    COMPARE_AND_TOUCH = "compare_and_touch.lua";
    RAISE = "raise.lua";
    HASH_SET = "hash_set.lua";
    HASH_REPLACE = "hash_replace.lua";
    SCORES_ADD = "scores_add.lua";
    COUNT = "count.lua";
    LOCK = "lock.lua";
}

/// The keys and arguments of one run.
#[derive(Clone)]
pub(super) struct Call {
    keys: usize,
    /// The slot of its keys in a cluster.
    slot: u16,
    values: Vec<Value>,
}

impl Call {
    pub(super) fn on<const N: usize>(keys: [String; N], args: impl IntoIterator<Item = Value>) -> Self {
        let slot = keys.first().map_or(0, |key| ClusterRouting::hash_key(key.as_bytes()));
        let values = keys.into_iter().map(Value::from).chain(args).collect();
        Self { keys: N, slot, values }
    }

    /// `script numkeys key … arg …`
    fn arguments(self, script: Value) -> Vec<Value> {
        let count = i64::try_from(self.keys).expect("a script has few keys");
        [script, Value::from(count)].into_iter().chain(self.values).collect()
    }
}

impl Script {
    fn new(text: &'static str) -> Self {
        let hash = Sha1::digest(text).iter().fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"));
        Self { text, hash }
    }

    /// Runs it once.
    pub(super) async fn run(&self, client: &Client, call: Call) -> Result<Value, Error> {
        match client.custom(by_hash(call.slot), call.clone().arguments(self.hash.as_str().into())).await {
            Err(error) if is_unknown(&error) || is_redirected(&error) => {
                client.custom(by_text(call.slot), call.arguments(self.text.into())).await
            }
            answered => answered,
        }
    }

    /// Runs it once for each call, in one round trip, or two when Redis did not know it or a slot had moved. As many results as calls,
    /// unless nothing could be sent.
    pub(super) async fn run_all(
        &self,
        client: &Client,
        calls: Vec<Call>,
    ) -> Result<Vec<Result<Value, Error>>, Error> {
        let pipeline = client.pipeline();
        for call in &calls {
            queue(&pipeline, by_hash(call.slot), call.clone().arguments(self.hash.as_str().into())).await?;
        }
        let mut results = whole(pipeline.try_all().await, calls.len())?;
        let is_undone = |error: &Error| is_unknown(error) || is_redirected(error);
        let undone: Vec<usize> =
            (0..calls.len()).filter(|&index| results[index].as_ref().is_err_and(is_undone)).collect();
        if !undone.is_empty() {
            let again = client.pipeline();
            for &index in &undone {
                let call = calls[index].clone();
                queue(&again, by_text(call.slot), call.arguments(self.text.into())).await?;
            }
            for (index, result) in undone.iter().zip(whole(again.try_all().await, undone.len())?) {
                results[*index] = result;
            }
        }
        Ok(results)
    }
}

/// fred's own `evalsha` is not there for pipelines, so both ways of running spell the command. And its place in a
/// cluster: of a custom command fred heeds only a slot, and takes the first argument for the key otherwise.
fn by_hash(slot: u16) -> CustomCommand {
    CustomCommand::new_static("EVALSHA", ClusterHash::Custom(slot), false)
}

fn by_text(slot: u16) -> CustomCommand {
    CustomCommand::new_static("EVAL", ClusterHash::Custom(slot), false)
}

async fn queue(pipeline: &Pipeline<Client>, command: CustomCommand, args: Vec<Value>) -> Result<(), Error> {
    pipeline.custom(command, args).await
}

fn is_unknown(error: &Error) -> bool {
    error.details().starts_with("NOSCRIPT")
}

/// A pipeline that failed as a whole has one result.
pub(super) fn whole<T>(
    mut results: Vec<Result<T, Error>>,
    calls: usize,
) -> Result<Vec<Result<T, Error>>, Error> {
    if results.len() == calls {
        return Ok(results);
    }
    match results.pop() {
        Some(Err(error)) => Err(error),
        _ => Err(Error::new(fred::error::ErrorKind::Protocol, "fewer answers than commands")),
    }
}
