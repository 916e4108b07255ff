//! C1, C2, C3, C7 and C12: what became of what was sent.

use std::collections::BTreeMap;

use hubbub_protocol::id::RoomId;

use super::{Check, Facts, Findings, facts::Send, seconds};
use crate::history::{Micros, Outcome, PersonNumber};

/// Longest wait for an answer: 5 s, and a little for the way.
const ANSWER: Micros = 5_500_000;
/// Faults that keep an answer from coming however well the node behaves.
const EXCUSES: &[&str] = &["clients", "SIGSTOP node", "kill -9", "SIGTERM"];
/// How long after its end such a fault is still an excuse.
const AFTERMATH: Micros = 1_000_000;

pub(super) fn check(facts: &Facts, findings: &mut Findings) {
    for (key, send) in &facts.sends {
        findings.figures.attempts += send.attempts.len() as u64;
        let places = facts.places(send, key);
        if places.len() > 1 {
            findings.figures.duplicated += 1;
            let check = if send.acks().next().is_some() { Check::C1 } else { Check::C3 };
            findings.add(check, format!("{key} is there {} times: {places:?}", places.len()));
        }
        if send.acks().next().is_some() {
            findings.figures.acknowledged += 1;
            acknowledged(facts, findings, key, send, places);
        } else if send.is_refused() {
            findings.figures.refused += 1;
            if !places.is_empty() {
                findings.add(Check::C2, format!("{key} was refused and is there: {places:?}"));
            }
        } else {
            findings.figures.unknown += 1;
        }
        answers(facts, findings, key, send);
    }
    order(facts, findings);
}

fn acknowledged(facts: &Facts, findings: &mut Findings, key: &str, send: &Send, places: &[u64]) {
    let mut lost = places.is_empty();
    if lost {
        findings.add(Check::C1, format!("{key} was acknowledged and is not in SQL"));
    }
    for (t, seq, id) in send.acks() {
        let stored = facts.log.get(&send.room.0).and_then(|log| log.get(&seq.0));
        if stored.is_none_or(|entry| entry.id != id || entry.key.as_deref() != Some(key)) {
            let at = seconds(t);
            findings.add(
                Check::C1,
                format!("{key} was answered with seq {seq}, id {id} at {at:.3} s; SQL has another"),
            );
            lost = true;
        }
    }
    findings.figures.lost += u64::from(lost);
}

fn answers(facts: &Facts, findings: &mut Findings, key: &str, send: &Send) {
    for (number, attempt) in &send.attempts {
        let Some((done, outcome)) = &attempt.done else { continue };
        let took = done.saturating_sub(attempt.invoked);
        findings.figures.worst_answer = findings.figures.worst_answer.max(seconds(took));
        if took > ANSWER && !is_excused(facts, attempt.invoked, *done) {
            let (at, took) = (seconds(attempt.invoked), seconds(took));
            findings
                .add(Check::C12, format!("{key}, try {number} at {at:.3} s: {outcome:?} after {took:.3} s"));
        }
    }
}

fn is_excused(facts: &Facts, from: Micros, to: Micros) -> bool {
    facts.faults.values().any(|fault| {
        let near = fault.from <= to && fault.to.saturating_add(AFTERMATH) >= from;
        near && EXCUSES.iter().any(|excuse| fault.what.contains(excuse))
    })
}

/// When it was first tried, when it was first acknowledged, its seq and its key.
type Acknowledged<'a> = (Micros, Micros, u64, &'a str);

/// A message that was sent after another one was acknowledged comes after it.
fn order(facts: &Facts, findings: &mut Findings) {
    let mut by_sender: BTreeMap<(PersonNumber, RoomId), Vec<Acknowledged>> = BTreeMap::new();
    for (key, send) in &facts.sends {
        let Some((answered, seq, _)) = send.acks().min_by_key(|(t, ..)| *t) else { continue };
        let began = send.attempts.values().map(|attempt| attempt.invoked).min().unwrap_or_default();
        by_sender.entry((send.person, send.room)).or_default().push((began, answered, seq.0, key));
    }
    for sent in by_sender.values_mut() {
        sent.sort_unstable();
        let mut answered: Vec<_> =
            sent.iter().map(|(_, answered, seq, key)| (*answered, *seq, *key)).collect();
        answered.sort_unstable();
        let (mut before, mut highest) = (answered.into_iter().peekable(), (0, ""));
        for (began, _, seq, key) in &*sent {
            while let Some((_, seq, key)) = before.next_if(|(answered, ..)| answered < began) {
                highest = highest.max((seq, key));
            }
            if *seq < highest.0 {
                findings.figures.out_of_order += 1;
                let (other, key_of_other) = highest;
                findings.add(
                    Check::C7,
                    format!("{key} has seq {seq}; {key_of_other} was acknowledged before, with {other}"),
                );
            }
        }
    }
}

/// Whether an outcome is an acknowledgement.
pub(super) fn is_ok(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Ok { .. })
}
