//! C11: words between nodes. Repair hides a lost publication from readers, so it is looked for here.

use super::{Check, Facts, Findings, seconds};
use crate::history::Micros;

/// An entry is calm when no fault was this near before or after its acknowledgement: nodes need a while to trust
/// Redis again.
const BEFORE: Micros = 8_000_000;
const AFTER: Micros = 1_500_000;

pub(super) fn check(facts: &Facts, findings: &mut Findings) {
    (findings.figures.publications, findings.figures.publications_lost) = facts.publications;
    if facts.publications.0 == 0 {
        // Nobody looked.
        return;
    }
    for (key, send) in &facts.sends {
        let Some((answered, seq, _)) = send.acks().min_by_key(|(t, ..)| *t) else { continue };
        let began = send.attempts.values().map(|attempt| attempt.invoked).min().unwrap_or_default();
        if facts.is_faulty(began.saturating_sub(BEFORE), answered.saturating_add(AFTER)) {
            continue;
        }
        if !facts.published.contains(&(send.room.0, seq.0)) {
            let (at, room) = (seconds(answered), send.room);
            findings.add(
                Check::C11,
                format!("{key}, seq {seq} of room {room}, acknowledged at {at:.3} s, was never published"),
            );
        }
    }
}
