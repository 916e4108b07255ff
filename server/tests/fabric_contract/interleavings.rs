//! Whatever the order in which appends, refills and drops arrive, a cached tail is never wrong.

use std::collections::HashSet;

use hubbub_server::fabric::{Fabric, LeaseToken, Payload, Publication};
use proptest::prelude::*;
use uuid::Uuid;

use super::LONG;

/// One step of one of the nodes that work on a stream. An index counts what there is to choose from.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// An entry is committed.
    Commit,
    /// An entry is committed that blanks an earlier one.
    Recall(prop::sample::Index),
    /// A committed entry reaches the fabric.
    Publish(prop::sample::Index),
    /// All that are committed reach it, in one batch.
    PublishAll,
    /// A node dies between commit and publish.
    Lose(prop::sample::Index),
    /// Somebody wants to refill the tail.
    Lease,
    /// Who has (or had) a lease reads the database.
    Read(prop::sample::Index),
    /// Who read the database writes the tail.
    Refill(prop::sample::Index),
    Drop,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    let step = prop_oneof![
        4 => Just(Step::Commit),
        1 => index().prop_map(Step::Recall),
        6 => index().prop_map(Step::Publish),
        1 => Just(Step::PublishAll),
        1 => index().prop_map(Step::Lose),
        4 => Just(Step::Lease),
        4 => index().prop_map(Step::Read),
        4 => index().prop_map(Step::Refill),
        1 => Just(Step::Drop),
    ];
    prop::collection::vec(step, 1..60)
}

/// The database, and what is on its way.
#[derive(Default)]
struct Model {
    /// Each entry's texts, with the seq of the recall that replaced it.
    entries: Vec<Vec<(String, Option<u64>)>>,
    pending: Vec<Publication>,
    published: HashSet<u64>,
    fillers: Vec<Filler>,
    valid: Option<LeaseToken>,
}

struct Filler {
    lease: LeaseToken,
    read: Option<Vec<Payload>>,
}

impl Model {
    fn head(&self) -> u64 {
        self.entries.len() as u64
    }

    fn commit(&mut self, stream: Uuid, drop_tail: bool) {
        let seq = self.head() + 1;
        let text = format!("{seq}|said");
        self.entries.push(vec![(text.clone(), None)]);
        self.pending.push(Publication { stream, seq, payload: text.into(), drop_tail });
    }

    fn recall(&mut self, stream: Uuid, earlier: usize) {
        let by = self.head() + 1;
        let texts = &mut self.entries[earlier];
        texts.last_mut().unwrap().1 = Some(by);
        texts.push((format!("{}|blank since {by}", earlier + 1), None));
        self.commit(stream, true);
    }

    /// The text of an entry is the present one, or one whose recall nobody has told the fabric yet.
    fn allows(&self, seq: u64, text: &str) -> bool {
        let texts = &self.entries[usize::try_from(seq).unwrap() - 1];
        texts.iter().any(|(known, by)| known == text && by.is_none_or(|by| !self.published.contains(&by)))
    }
}

pub(crate) async fn check(fabric: &Fabric, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let stream = Uuid::now_v7();
    let mut model = Model::default();
    for step in steps {
        take(fabric, stream, &mut model, &step).await?;
        let Some(tail) = fabric.tail(stream).await.unwrap() else { continue };
        prop_assert!(tail.head <= model.head(), "{tail:?} is ahead of the database");
        for (seq, payload) in (tail.first_seq()..).zip(&tail.payloads) {
            prop_assert!(payload.starts_with(&format!("{seq}|")), "{tail:?} has a hole after {step:?}");
            prop_assert!(model.allows(seq, payload), "{tail:?} shows a recalled text after {step:?}");
        }
        let next = tail.head + 1;
        prop_assert!(!model.published.contains(&next), "{tail:?} misses {next} after {step:?}");
    }
    Ok(())
}

async fn take(fabric: &Fabric, stream: Uuid, model: &mut Model, step: &Step) -> Result<(), TestCaseError> {
    match step {
        Step::Commit => model.commit(stream, false),
        Step::Recall(index) if !model.entries.is_empty() => {
            model.recall(stream, index.index(model.entries.len()));
        }
        Step::Publish(index) if !model.pending.is_empty() => {
            let publication = model.pending.remove(index.index(model.pending.len()));
            publish(fabric, model, vec![publication]).await;
        }
        Step::PublishAll if !model.pending.is_empty() => {
            let all = std::mem::take(&mut model.pending);
            publish(fabric, model, all).await;
        }
        Step::Lose(index) if !model.pending.is_empty() => {
            model.pending.remove(index.index(model.pending.len()));
        }
        Step::Lease => {
            let lease = fabric.lease_tail(stream, LONG).await.unwrap();
            prop_assert_eq!(lease.is_some(), model.valid.is_none(), "one filler at a time");
            if let Some(lease) = lease {
                model.valid = Some(lease.clone());
                model.fillers.push(Filler { lease, read: None });
            }
        }
        Step::Read(index) if !model.fillers.is_empty() => {
            let texts = model.entries.iter().map(|texts| texts.last().unwrap().0.clone().into()).collect();
            let count = model.fillers.len();
            model.fillers[index.index(count)].read = Some(texts);
        }
        Step::Refill(index) if !model.fillers.is_empty() => {
            let index = index.index(model.fillers.len());
            let Some(texts) = model.fillers[index].read.clone() else { return Ok(()) };
            let lease = model.fillers.remove(index).lease;
            let filled = fabric.refill(stream, &lease, texts.len() as u64, &texts).await.unwrap();
            prop_assert_eq!(filled, model.valid.as_ref() == Some(&lease), "only a valid lease may write");
            if filled {
                model.valid = None;
            }
        }
        Step::Drop => {
            fabric.drop_tail(stream).await.unwrap();
            model.valid = None;
        }
        _ => {}
    }
    Ok(())
}

async fn publish(fabric: &Fabric, model: &mut Model, publications: Vec<Publication>) {
    fabric.append(&publications).await.unwrap();
    model.published.extend(publications.iter().map(|publication| publication.seq));
    model.valid = None;
}
