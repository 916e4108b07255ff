//! C5, C6 and C9: what readers were given, and when.

use std::collections::{BTreeMap, HashMap};

use hubbub_protocol::id::{Seq, StreamId};

use super::{Check, Facts, Findings, facts::Connection, seconds};
use crate::history::{Micros, PersonNumber};

/// The longest that a message may take to somebody online.
const LAG: Micros = 5_000_000;

/// When a person first had an entry.
type Deliveries = HashMap<(PersonNumber, StreamId), BTreeMap<u64, Micros>>;

pub(super) fn check(facts: &Facts, findings: &mut Findings) {
    let mut delivered = Deliveries::new();
    let mut known: HashMap<(PersonNumber, StreamId), Seq> = HashMap::new();
    for (number, connection) in &facts.connections {
        findings.figures.connections += 1;
        findings.figures.frames += connection.frames.len() as u64;
        resumes(findings, &mut known, *number, connection);
        frames(facts, findings, *number, connection);
        for frame in &connection.frames {
            let seqs = delivered.entry((connection.person, frame.stream)).or_default();
            let first = seqs.entry(frame.seq.0).or_insert(frame.t);
            *first = frame.t.min(*first);
            let newest = known.entry((connection.person, frame.stream)).or_default();
            *newest = frame.seq.max(*newest);
        }
    }
    whole(facts, findings, &known);
    lag(facts, findings, &delivered);
}

/// Where a connection goes on is nothing that its person has not had, unless it was told to reload.
fn resumes(
    findings: &mut Findings,
    known: &mut HashMap<(PersonNumber, StreamId), Seq>,
    number: u64,
    connection: &Connection,
) {
    for (stream, why) in &connection.reload {
        findings.figures.reloads += 1;
        if why != "too_far" {
            findings.add(Check::C5, format!("connection {number} was told to reload {stream}: {why}"));
        }
    }
    for (stream, position) in &connection.positions {
        let had = known.entry((connection.person, *stream)).or_insert(*position);
        if *position > *had && connection.reload.contains_key(stream) {
            *had = *position;
        } else if *position > *had {
            findings
                .add(Check::C5, format!("connection {number} goes on in {stream} at {position}, had {had}"));
        }
    }
}

fn frames(facts: &Facts, findings: &mut Findings, number: u64, connection: &Connection) {
    let mut positions = connection.positions.clone();
    for frame in &connection.frames {
        let expected = positions.get(&frame.stream).map_or(frame.seq, |position| position.next());
        if frame.seq != expected {
            findings.figures.out_of_order += 1;
            let (stream, seq) = (frame.stream, frame.seq);
            let at = seconds(frame.t);
            findings.add(
                Check::C5,
                format!("connection {number} got {seq} of {stream} at {at:.3} s, not {expected}"),
            );
        }
        positions.insert(frame.stream, frame.seq);
        let stored = facts.log.get(&frame.stream.as_uuid()).and_then(|log| log.get(&frame.seq.0));
        if stored.is_none_or(|entry| entry.id != frame.id) {
            let (stream, seq, id) = (frame.stream, frame.seq, frame.id);
            findings.add(
                Check::C6,
                format!("connection {number} got {id} as {seq} of {stream}; SQL has another"),
            );
        }
    }
}

/// At the end everyone has everything.
fn whole(facts: &Facts, findings: &mut Findings, known: &HashMap<(PersonNumber, StreamId), Seq>) {
    let lost: Vec<_> = facts.lost_sessions.iter().map(|(person, _)| *person).collect();
    for (number, person) in facts.people.iter().filter(|(number, _)| !lost.contains(number)) {
        for room in &person.rooms {
            let Some((head, _)) = facts.heads.get(&room.0) else { continue };
            let reached = known.get(&(*number, StreamId::Room(*room))).map_or(0, |seq| seq.0);
            if reached < *head {
                findings.add(
                    Check::C5,
                    format!("person {number} has {reached} of {head} in room {room} at the end"),
                );
            }
        }
    }
}

fn lag(facts: &Facts, findings: &mut Findings, delivered: &Deliveries) {
    let mut of_person: HashMap<PersonNumber, Vec<&Connection>> = HashMap::new();
    for connection in facts.connections.values() {
        of_person.entry(connection.person).or_default().push(connection);
    }
    for (key, send) in &facts.sends {
        let Some((answered, seq, _)) = send.acks().min_by_key(|(t, ..)| *t) else { continue };
        let Some(calm) = facts.calm_from(answered, LAG) else { continue };
        let stream = StreamId::Room(send.room);
        let members = facts.people.iter().filter(|(_, person)| person.rooms.contains(&send.room));
        for (number, _) in members {
            let connections = of_person.get(number).map_or(&[][..], Vec::as_slice);
            // Online when all is calm, and still when it is due; who comes later has 5 s from then.
            let online = connections.iter().find(|connection| {
                connection.started <= calm.saturating_add(LAG)
                    && connection
                        .closed
                        .is_none_or(|closed| closed >= connection.started.max(calm).saturating_add(LAG))
            });
            let Some(online) = online else { continue };
            let from = calm.max(online.started);
            let got = delivered.get(&(*number, stream)).and_then(|seqs| seqs.get(&seq.0)).copied();
            let late = got.map(|got| got.saturating_sub(from));
            if late.is_none_or(|late| late > LAG) {
                let when = late.map_or("never".to_owned(), |late| format!("{:.3} s late", seconds(late)));
                let (at, from) = (seconds(answered), seconds(from));
                let what = format!(
                    "{key}, acknowledged at {at:.3} s, was due to person {number} from {from:.3} s: {when}"
                );
                findings.add(Check::C9, what);
            }
            let Some(late) = late else { continue };
            let figures = &mut findings.figures;
            figures.worst_catch_up = figures.worst_catch_up.max(seconds(late));
            if calm == answered && !facts.is_faulty(answered.saturating_sub(2 * LAG), answered) {
                figures.worst_calm_lag = figures.worst_calm_lag.max(seconds(late));
            }
        }
    }
}
