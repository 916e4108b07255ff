//! Many keys in one round trip, in Redis: pipelines of calls with one key each, so that each finds its own place in a
//! cluster.

use std::collections::HashMap;
use std::time::Duration;

use fred::clients::{Client, Pipeline};
use fred::error::Error;
use fred::prelude::{HashesInterface, KeysInterface, SortedSetsInterface, Value};

use super::Redis;
use super::script::{self, Call, Script};
use super::values::{corrupt, milliseconds, text, unexpected};
use crate::fabric::Result;
use crate::fabric::topic::Key;
use crate::fabric::types::{FabricError, HashOf, Scores};

impl Redis {
    pub(in crate::fabric) async fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<String>>> {
        let pipeline = self.link.client().pipeline();
        for key in keys {
            queued(pipeline.get::<(), _>(self.name(key)).await)?;
        }
        let answers = self.many("get_all", pipeline, keys.len()).await?;
        Ok(answers.into_iter().map(|answer| answer.and_then(text)).collect())
    }

    pub(in crate::fabric) async fn hash_read_all(
        &self,
        keys: &[Key],
    ) -> Result<Vec<HashMap<String, String>>> {
        let pipeline = self.link.client().pipeline();
        for key in keys {
            queued(pipeline.hgetall::<(), _>(self.name(key)).await)?;
        }
        let answers = self.many("hash_read_all", pipeline, keys.len()).await?;
        Ok(answers.into_iter().map(|answer| or_corrupt(answer).unwrap_or_default()).collect())
    }

    pub(in crate::fabric) async fn hash_replace_all(&self, hashes: &[HashOf], ttl: Duration) -> Result<()> {
        let calls = hashes.iter().map(|(key, fields)| {
            let fields =
                fields.iter().flat_map(|(field, value)| [field.as_str().into(), value.as_str().into()]);
            Call::on([self.name(key)], [milliseconds(ttl).into()].into_iter().chain(fields))
        });
        self.run_all("hash_replace_all", &script::HASH_REPLACE, calls.collect()).await.map(drop)
    }

    pub(in crate::fabric) async fn scores_add(
        &self,
        sets: &[(Key, Scores)],
        ttl: Duration,
    ) -> Result<Vec<Vec<i64>>> {
        let calls = sets.iter().map(|(key, scores)| {
            let pairs =
                scores.iter().flat_map(|(member, add)| [member.as_str().into(), add.to_string().into()]);
            Call::on([self.name(key)], [milliseconds(ttl).into()].into_iter().chain(pairs))
        });
        let answers = self.run_all("scores_add", &script::SCORES_ADD, calls.collect()).await?;
        answers
            .into_iter()
            .map(|answer: Value| {
                let scores: Vec<String> = answer.convert().map_err(unexpected)?;
                scores.iter().map(|score| whole(score).ok_or_else(|| not_a_score(score))).collect()
            })
            .collect()
    }

    pub(in crate::fabric) async fn top(&self, keys: &[Key], most: usize) -> Result<Vec<Scores>> {
        let last = i64::try_from(most).unwrap_or(i64::MAX) - 1;
        let pipeline = self.link.client().pipeline();
        for key in keys {
            queued(pipeline.zrevrange::<(), _>(self.name(key), 0, last, true).await)?;
        }
        let answers = self.many("top", pipeline, keys.len()).await?;
        Ok(answers.into_iter().map(|answer| or_corrupt(answer).map(rounded).unwrap_or_default()).collect())
    }

    pub(in crate::fabric) async fn scores(
        &self,
        asked: &[(Key, Vec<String>)],
    ) -> Result<Vec<Vec<Option<i64>>>> {
        let pipeline = self.link.client().pipeline();
        for (key, members) in asked {
            queued(pipeline.zmscore::<(), _, _>(self.name(key), members.clone()).await)?;
        }
        let answers = self.many("scores", pipeline, asked.len()).await?;
        let of = |(answer, members): (_, &Vec<String>)| {
            let scores: Vec<Option<f64>> = or_corrupt(answer).unwrap_or_else(|| vec![None; members.len()]);
            scores.into_iter().map(|score| score.map(round)).collect()
        };
        Ok(answers.into_iter().zip(asked.iter().map(|(_, members)| members)).map(of).collect())
    }

    /// Runs a script for each call; the first error is that of all.
    async fn run_all(&self, op: &'static str, script: &Script, calls: Vec<Call>) -> Result<Vec<Value>> {
        let client = self.link.client();
        let all = Box::pin(async { script.run_all(&client, calls).await?.into_iter().collect() });
        self.link.call(op, all).await
    }

    /// Sends a pipeline; `None` in the place of a key that holds something of another kind.
    async fn many(
        &self,
        op: &'static str,
        pipeline: Pipeline<Client>,
        calls: usize,
    ) -> Result<Vec<Option<Value>>> {
        if calls == 0 {
            return Ok(Vec::new());
        }
        let all = Box::pin(async {
            let results = script::whole(pipeline.try_all().await, calls)?;
            results.into_iter().map(or_absent).collect::<Result<Vec<_>, Error>>()
        });
        self.link.call(op, all).await
    }
}

fn or_absent(result: Result<Value, Error>) -> Result<Option<Value>, Error> {
    match result {
        Err(error) if error.details().contains("WRONGTYPE") => {
            corrupt();
            Ok(None)
        }
        result => result.map(Some),
    }
}

fn or_corrupt<T: fred::types::FromValue>(answer: Option<Value>) -> Option<T> {
    answer?.convert().map_err(|_| corrupt()).ok()
}

fn queued(outcome: Result<(), Error>) -> Result<()> {
    outcome.map_err(|error| FabricError::Connection(error.to_string()))
}

/// A score as Redis writes it: a decimal number, whole in all we store.
fn whole(score: &str) -> Option<i64> {
    score.parse::<f64>().ok().map(round)
}

#[expect(clippy::cast_possible_truncation, reason = "scores are whole numbers below 2^53")]
fn round(score: f64) -> i64 {
    score.round() as i64
}

fn rounded(scores: Vec<(String, f64)>) -> Scores {
    scores.into_iter().map(|(member, score)| (member, round(score))).collect()
}

fn not_a_score(text: &str) -> FabricError {
    FabricError::Reply(format!("{text} is no score"))
}
