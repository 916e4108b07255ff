//! C4, and the half of C1 about nodes: the log as SQL has it and as everyone reads it.

use std::collections::BTreeSet;

use hubbub_protocol::id::StreamId;
use uuid::Uuid;

use super::{Check, Facts, Findings};

pub(super) fn check(facts: &Facts, findings: &mut Findings) {
    for (stream, (head, messages)) in &facts.heads {
        dense(facts, findings, *stream, *head);
        folded(facts, findings, *stream, *messages);
    }
    for stream in facts.log.keys().filter(|stream| !facts.heads.contains_key(stream)) {
        findings.add(Check::C4, format!("{stream} has entries and no head"));
    }
    reads(facts, findings);
}

fn dense(facts: &Facts, findings: &mut Findings, stream: Uuid, head: u64) {
    let found: BTreeSet<u64> =
        facts.log.get(&stream).into_iter().flat_map(|log| log.keys().copied()).collect();
    let expected: BTreeSet<u64> = (1..=head).collect();
    let wrong: Vec<_> = found.symmetric_difference(&expected).take(5).collect();
    if !wrong.is_empty() {
        findings.figures.out_of_order += 1;
        findings.add(Check::C4, format!("{stream} has head {head}; missing or beyond: {wrong:?} …"));
    }
}

fn folded(facts: &Facts, findings: &mut Findings, stream: Uuid, messages: u64) {
    let mut ordinal = 0;
    for (seq, entry) in facts.log.get(&stream).into_iter().flatten() {
        if entry.kind != "message" {
            continue;
        }
        ordinal += 1;
        if entry.ordinal != Some(ordinal) {
            findings.add(
                Check::C4,
                format!("{stream} {seq} is message {ordinal}, folded as {:?}", entry.ordinal),
            );
            return;
        }
        if !entry.intact {
            findings.add(Check::C4, format!("{stream} {seq} has another text than was sent"));
        }
    }
    if ordinal != messages {
        findings.add(Check::C4, format!("{stream} has {ordinal} messages and counts {messages}"));
    }
}

fn reads(facts: &Facts, findings: &mut Findings) {
    for ((node, room), read) in &facts.reads {
        let log = facts.log.get(&StreamId::Room(*room).as_uuid());
        let stored = log.into_iter().flatten().map(|(seq, entry)| (*seq, entry.id));
        if !stored.eq(read.iter().map(|(seq, id)| (seq.0, *id))) {
            let count = log.map_or(0, std::collections::BTreeMap::len);
            let what =
                format!("node {} reads room {room} otherwise than SQL: {} of {count}", node + 1, read.len());
            findings.add(Check::C1, what);
        }
    }
}
