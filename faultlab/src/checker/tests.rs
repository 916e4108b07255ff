//! Hand-made histories: a good one, and for each promise one that breaks it and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use hubbub_protocol::id::{EntryId, RoomId, Seq, SessionId, StreamId, UserId};
use uuid::Uuid;

use super::{Check, check};
use crate::history::{Event, Micros, Outcome};

const S: Micros = 1_000_000;

fn id(number: u128) -> EntryId {
    EntryId(Uuid::from_u128(0xe000 + number))
}

fn room() -> RoomId {
    RoomId(Uuid::from_u128(0xa))
}

fn stream() -> StreamId {
    StreamId::Room(room())
}

fn user(person: u32) -> UserId {
    UserId(Uuid::from_u128(0xb00 + u128::from(person)))
}

fn session(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(0xc00 + number))
}

fn invoke(t: Micros, person: u32, key: &str, attempt: u32, session: SessionId) -> Event {
    Event::Invoke { t, person, key: key.to_owned(), attempt, room: room(), session, connection: 1 }
}

fn done(t: Micros, key: &str, attempt: u32, outcome: Outcome) -> Event {
    Event::Done { t, key: key.to_owned(), attempt, outcome }
}

fn ok(seq: u64) -> Outcome {
    Outcome::Ok { seq: Seq(seq), id: id(seq.into()) }
}

fn frame(t: Micros, connection: u64, seq: u64) -> Event {
    Event::Frame { t, connection, stream: stream(), seq: Seq(seq), id: id(seq.into()) }
}

fn started(t: Micros, connection: u64, person: u32, position: u64) -> Event {
    Event::Started {
        t,
        connection,
        person,
        session: session(person.into()),
        node: 0,
        positions: BTreeMap::from([(stream(), Seq(position))]),
        reload: BTreeMap::new(),
    }
}

fn entry(seq: u64, person: u32, key: &str) -> Event {
    Event::Entry {
        stream: room().0,
        seq,
        id: id(seq.into()),
        kind: "message".to_owned(),
        sender: user(person),
        key: Some(key.to_owned()),
        ordinal: Some(seq),
        intact: true,
    }
}

fn head(head: u64) -> Event {
    Event::Head { stream: room().0, head, messages: head }
}

fn read(seq: u64) -> Event {
    Event::Read { node: 0, room: room(), seq: Seq(seq), id: id(seq.into()) }
}

fn published(seq: u64) -> Event {
    Event::Published { t: seq * S, node: 0, stream: room().0.to_string(), seq, lost: false }
}

fn usage(at: &str, files: f64) -> Event {
    Event::Usage { t: 0, node: 0, at: at.to_owned(), starts: 1, memory: 1e8, files, tasks: 90.0 }
}

fn lives(number: u128, person: u32, fence: i64, lives: bool) -> Event {
    Event::Session { session: session(number), user: user(person), fence, lives }
}

/// Two people in a room; the first writes `a`, `b` and `c`, which are seqs 1 to 3; `d` was refused and `e` is unknown.
fn good() -> Vec<Event> {
    let mine = session(0);
    let mut events = vec![Event::Run { seed: 1, profile: "hand".to_owned(), nodes: 1 }];
    for person in 0..2 {
        events.push(Event::Person {
            person,
            user: user(person),
            session: session(person.into()),
            rooms: vec![room()],
        });
        events.push(started(0, person.into(), person, 0));
        events.push(lives(person.into(), person, 1, true));
    }
    for (seq, key) in [(1, "a"), (2, "b"), (3, "c")] {
        let t = 20 * seq * S;
        events.push(invoke(t, 0, key, 1, mine));
        events.push(done(t + 10, key, 1, ok(seq)));
        events.extend((0..2).map(|connection| frame(t + 20, connection, seq)));
        events.extend([entry(seq, 0, key), read(seq), published(seq)]);
    }
    events.push(invoke(61 * S, 0, "d", 1, mine));
    events.push(done(61 * S, "d", 1, Outcome::Refused("not_a_member".to_owned())));
    events.push(invoke(62 * S, 0, "e", 1, mine));
    events.push(done(63 * S, "e", 1, Outcome::Unknown("no answer".to_owned())));
    events.extend([head(3), usage("start", 50.0), usage("end", 50.0), Event::End { t: 100 * S }]);
    events
}

/// The promises that a history breaks.
fn broken(events: Vec<Event>) -> BTreeSet<Check> {
    check(events).violations.into_iter().map(|violation| violation.check).collect()
}

fn with(more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    good().into_iter().chain(more).collect()
}

fn without(is_gone: impl Fn(&Event) -> bool) -> Vec<Event> {
    good().into_iter().filter(|event| !is_gone(event)).collect()
}

fn changed(change: impl Fn(&mut Event)) -> Vec<Event> {
    let mut events = good();
    events.iter_mut().for_each(change);
    events
}

fn only(check: Check) -> BTreeSet<Check> {
    BTreeSet::from([check])
}

#[test]
fn a_good_history_is_good_and_counted() {
    let verdict = check(good());
    assert_eq!(verdict.violations, []);
    let figures = verdict.figures;
    assert_eq!((figures.acknowledged, figures.refused, figures.unknown), (3, 1, 1));
    assert_eq!(
        (figures.lost, figures.duplicated, figures.out_of_order, figures.stale_accepted),
        (0, 0, 0, 0)
    );
    assert_eq!((figures.frames, figures.connections), (6, 2));
}

#[test]
fn c1_an_acknowledged_message_is_lost() {
    // Acknowledged and nowhere.
    let lost = with([invoke(70 * S, 0, "f", 1, session(0)), done(70 * S, "f", 1, ok(9))]);
    let verdict = check(lost.clone());
    assert_eq!(verdict.figures.lost, 1);
    assert!(broken(lost).contains(&Check::C1));
    // There, but not as answered.
    let moved = with([invoke(70 * S, 0, "a", 2, session(0)), done(70 * S, "a", 2, ok(2))]);
    assert_eq!(broken(moved), only(Check::C1));
    // Not in what a node reads.
    let hidden = without(|event| matches!(event, Event::Read { seq, .. } if *seq == Seq(2)));
    assert_eq!(broken(hidden), only(Check::C1));
    // There twice.
    let twice = changed(|event| {
        if let Event::Entry { seq: 3, key, .. } = event {
            *key = Some("b".to_owned());
        }
    });
    assert_eq!(check(twice).figures.duplicated, 1);
}

#[test]
fn c2_a_refused_message_is_there() {
    let there = changed(|event| {
        if let Event::Done { key, outcome, .. } = event
            && key == "c"
        {
            *outcome = Outcome::Refused("not_allowed".to_owned());
        }
    });
    assert_eq!(broken(there), only(Check::C2));
}

#[test]
fn c3_an_unknown_message_is_there_twice() {
    let twice = changed(|event| match event {
        Event::Done { key, outcome, .. } if key == "b" || key == "c" => {
            *outcome = Outcome::Unknown("no answer".to_owned());
        }
        Event::Entry { seq, key, .. } if *seq > 1 => *key = Some("e".to_owned()),
        _ => {}
    });
    assert_eq!(broken(twice), only(Check::C3));
}

#[test]
fn c4_a_stream_has_a_hole() {
    let hole = changed(|event| {
        if let Event::Head { head, .. } = event {
            *head = 4;
        }
    });
    assert!(broken(hole).contains(&Check::C4));
    let miscounted = changed(|event| {
        if let Event::Head { messages, .. } = event {
            *messages = 4;
        }
    });
    assert_eq!(broken(miscounted), only(Check::C4));
    let other_text = changed(|event| {
        if let Event::Entry { seq: 2, intact, .. } = event {
            *intact = false;
        }
    });
    assert_eq!(broken(other_text), only(Check::C4));
}

#[test]
fn c5_a_reader_sees_a_hole_a_repeat_or_not_all() {
    let is_second =
        |event: &Event| matches!(event, Event::Frame { connection: 1, seq, .. } if *seq == Seq(2));
    assert!(broken(without(is_second)).contains(&Check::C5));
    assert_eq!(broken(with([frame(90 * S, 1, 3)])), only(Check::C5));
    let is_last = |event: &Event| matches!(event, Event::Frame { connection: 1, seq, .. } if *seq == Seq(3));
    assert!(broken(without(is_last)).contains(&Check::C5));
    // A later connection goes on after what the person never had.
    assert!(broken(with([started(90 * S, 2, 1, 7)])).contains(&Check::C5));
    let mut told = started(90 * S, 2, 1, 3);
    if let Event::Started { reload, .. } = &mut told {
        reload.insert(stream(), "ahead".to_owned());
    }
    assert_eq!(broken(with([told])), only(Check::C5));
}

#[test]
fn c6_a_reader_sees_something_else() {
    let other = changed(|event| {
        if let Event::Frame { connection: 1, seq: Seq(2), id: seen, .. } = event {
            *seen = id(99);
        }
    });
    assert_eq!(broken(other), only(Check::C6));
}

#[test]
fn c7_a_senders_messages_change_places() {
    let swapped = changed(|event| match event {
        Event::Invoke { t, key, .. } | Event::Done { t, key, .. } if key == "a" => *t += 50 * S,
        Event::Frame { t, seq: Seq(1), .. } => *t += 50 * S,
        _ => {}
    });
    assert_eq!(broken(swapped), only(Check::C7));
}

/// Person 0 logs in anew at 10 s; it is answered at 11 s.
fn login() -> [Event; 4] {
    let person = 0;
    [
        Event::LogIn { t: 10 * S, person, login: 1 },
        Event::LoggedIn { t: 11 * S, person, login: 1, session: Some(session(9)), why: None },
        lives(9, 0, 2, true),
        lives(0, 0, 1, false),
    ]
}

#[test]
fn c8_a_displaced_session_writes() {
    let is_old = |event: &Event| matches!(event, Event::Session { session: old, .. } if *old == session(0));
    // `a` to `c` were acknowledged in the old session, after 20 s.
    let stale: Vec<_> = without(is_old).into_iter().chain(login()).collect();
    let verdict = check(stale.clone());
    assert_eq!(verdict.figures.stale_accepted, 3);
    assert_eq!(broken(stale.clone()), only(Check::C8));
    // In the new session they may.
    let mut fresh = stale;
    for event in &mut fresh {
        if let Event::Invoke { session: with, .. } = event {
            *with = session(9);
        }
    }
    assert_eq!(broken(fresh), BTreeSet::new());
    // Two sessions that live, or none.
    assert_eq!(broken(with([lives(7, 1, 2, true)])), only(Check::C8));
    assert_eq!(broken(with([lives(7, 1, 2, false)])), only(Check::C8));
    let lost = Event::SessionLost { t: S, person: 1, why: "4400".to_owned() };
    assert_eq!(broken(with([lost])), only(Check::C8));
}

#[test]
fn c9_a_message_is_late() {
    let late = |to: Micros| {
        changed(move |event| {
            if let Event::Frame { t, connection: 1, seq: Seq(3), .. } = event {
                *t = to;
            }
        })
    };
    assert_eq!(broken(late(64 * S)), BTreeSet::new());
    assert_eq!(broken(late(66 * S)), only(Check::C9));
    // A fault until 70 s gives time until 75 s.
    let fault =
        [Event::Fault { t: 59 * S, step: 0, what: "cut".to_owned() }, Event::Healed { t: 70 * S, step: 0 }];
    let with_fault = |to| late(to).into_iter().chain(fault.clone()).collect::<Vec<_>>();
    assert_eq!(broken(with_fault(74 * S)), BTreeSet::new());
    assert_eq!(broken(with_fault(76 * S)), only(Check::C9));
    assert!((check(with_fault(74 * S)).figures.worst_catch_up - 4.0).abs() < 0.1);
    // Who is not there cannot be late, and has 5 s when they come back.
    let away = Event::Closed { t: 59 * S, connection: 1, code: 1006, reason: String::new() };
    let back = |at: Micros, got: Micros| {
        let moved = good()
            .into_iter()
            .filter(|event| !matches!(event, Event::Frame { connection: 1, seq: Seq(3), .. }));
        moved.chain([away.clone(), started(at, 2, 1, 2), frame(got, 2, 3)]).collect::<Vec<_>>()
    };
    assert_eq!(broken(back(80 * S, 84 * S)), BTreeSet::new());
}

#[test]
fn c10_a_node_keeps_files_open() {
    let leaking = changed(|event| {
        if let Event::Usage { at, files, .. } = event
            && at == "end"
        {
            *files = 500.0;
        }
    });
    assert_eq!(broken(leaking), only(Check::C10));
}

#[test]
fn c11_an_entry_is_not_published() {
    let is_second = |event: &Event| matches!(event, Event::Published { seq: 2, .. });
    assert_eq!(broken(without(is_second)), only(Check::C11));
    // A fault explains it.
    let fault =
        [Event::Fault { t: 39 * S, step: 0, what: "cut".to_owned() }, Event::Healed { t: 39 * S, step: 0 }];
    assert_eq!(broken(without(is_second).into_iter().chain(fault).collect()), BTreeSet::new());
}

#[test]
fn c12_an_answer_is_late() {
    let slow =
        [invoke(70 * S, 0, "f", 1, session(0)), done(77 * S, "f", 1, Outcome::Unknown("none".to_owned()))];
    assert_eq!(broken(with(slow.clone())), only(Check::C12));
    let paused = |what: &str| {
        [Event::Fault { t: 71 * S, step: 0, what: what.to_owned() }, Event::Healed { t: 75 * S, step: 0 }]
    };
    assert_eq!(broken(with(slow.clone().into_iter().chain(paused("SIGSTOP node 1")))), BTreeSet::new());
    // Redis is no excuse.
    assert_eq!(broken(with(slow.into_iter().chain(paused("SIGSTOP Redis")))), only(Check::C12));
}
