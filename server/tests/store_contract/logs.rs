//! Entries, timelines, and the group commit that writes them.

use std::collections::HashMap;

use futures_util::future::join_all;
use hubbub_protocol::{
    command::HistoryPage,
    entry::{Entry, EntryBody},
    error::Reason,
    id::{RoomId, Seq, StreamId},
    model::{RoomKind, TimelineItem},
};
use hubbub_server::{
    error::CommandError,
    store::{
        LockWait, append, entries,
        history::{self, Part},
        log::logged,
        revise,
    },
};

use crate::fixture::{Fixture, Person, message};

/// A room whose log holds a bit of everything; the same each time.
async fn busy_room(fixture: &Fixture) -> (RoomId, Vec<Entry>) {
    let (ann, bea) = (fixture.person("ann").await, fixture.person("bea").await);
    let room = fixture.room(RoomKind::Group, "Room", &[&ann, &bea]).await;
    let mut said: Vec<Seq> = Vec::new();
    for n in 0..24_usize {
        let by = if n % 3 == 0 { &bea } else { &ann };
        match n % 8 {
            3 => edit(fixture, room, by, said[n / 3], &format!("edited {n}")).await,
            5 => recall(fixture, room, by, said[n / 4]).await,
            6 => {
                let body = EntryBody::RoomUpdated { name: format!("Room {n}"), topic: String::new() };
                fixture.append(room, by.user.id, body).await;
            }
            _ => said.push(fixture.say(room, by, &format!("message {n}")).await),
        }
    }
    let log = entries::after(&fixture.db, StreamId::Room(room), Seq::ZERO, 1_000).await.unwrap();
    (room, log)
}

async fn edit(fixture: &Fixture, room: RoomId, by: &Person, target: Seq, text: &str) {
    let new = text.to_owned();
    let work = logged(&fixture.db, move |log| {
        Box::pin(async move { Ok(revise::edit(log, room, target, &new).await?) })
    });
    work.await.expect("edited");
    fixture.append(room, by.user.id, EntryBody::Edit { target, text: text.to_owned() }).await;
}

async fn recall(fixture: &Fixture, room: RoomId, by: &Person, target: Seq) {
    let user = by.user.id;
    let work = logged(&fixture.db, move |log| {
        Box::pin(async move { Ok(revise::recall(log, room, target, user, true).await?) })
    });
    work.await.expect("recalled");
    fixture.append(room, user, EntryBody::Recall { target }).await;
}

fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq.0).collect()
}

pub(crate) async fn entries_come_back_as_they_were_written(fixture: Fixture) {
    let ann = fixture.person("ann").await;
    let room = fixture.room(RoomKind::Group, "Room", &[&ann]).await;
    let first = fixture.say(room, &ann, "first").await;
    let odd = "quotes \" ' \\ \u{0007} 林薇 \u{1F600}";
    let answer = append::NewMessage { reply_to: Some(first), ..message(room, &ann, "key", odd) };
    let (answers, committed) = append::messages(&fixture.db, vec![answer], LockWait::Usual).await.unwrap();
    let sent = answers[0].as_ref().expect("accepted").clone();
    let read = entries::after(&fixture.db, StreamId::Room(room), first, 10).await.unwrap();
    assert_eq!(read, committed);
    assert_eq!((read[0].seq, read[0].id, read[0].at), (sent.seq, sent.id, sent.at));
    assert_eq!((read[0].sender, read[0].key.as_deref()), (ann.user.id, Some("key")));
    assert_eq!(read[0].body, EntryBody::Message { text: odd.to_owned(), reply_to: Some(first) });

    let by_key = entries::by_key(&fixture.db, StreamId::Room(room), ann.user.id, "key").await.unwrap();
    assert_eq!(by_key.as_ref(), Some(&read[0]));
    assert!(
        entries::by_key(&fixture.db, StreamId::Room(room), ann.user.id, "other").await.unwrap().is_none()
    );
}

pub(crate) async fn pages_of_a_log_have_no_holes(fixture: Fixture) {
    let (room, log) = busy_room(&fixture).await;
    let (stream, head) = (StreamId::Room(room), log.len() as u64);
    assert_eq!(seqs(&log), (1..=head).collect::<Vec<_>>(), "dense from 1");
    for limit in [1, 2, 7, 200] {
        for place in [0, 1, 2, head / 2, head, head + 1, u64::MAX] {
            let after = entries::after(&fixture.db, stream, Seq(place), limit).await.unwrap();
            let expected: Vec<_> = (1..=head).filter(|seq| *seq > place).take(limit.into()).collect();
            assert_eq!(seqs(&after), expected, "after {place}, {limit}");
            let before = entries::before(&fixture.db, stream, Seq(place), limit).await.unwrap();
            let below: Vec<_> = (1..=head).filter(|seq| *seq < place).collect();
            let expected = &below[below.len().saturating_sub(limit.into())..];
            assert_eq!(seqs(&before), expected, "before {place}, {limit}");
        }
    }
    assert!(
        entries::after(&fixture.db, StreamId::Room(RoomId::generate()), Seq::ZERO, 9)
            .await
            .unwrap()
            .is_empty()
    );
}

/// The timeline that a log says, worked out without SQL. Texts of recalled messages are blank in the log already.
fn folded(log: &[Entry]) -> Vec<TimelineItem> {
    let mut items: Vec<TimelineItem> = Vec::new();
    for entry in log {
        let find = |items: &mut Vec<TimelineItem>, target: Seq| {
            items.iter().position(|item| item.entry.seq == target).expect("it was said before")
        };
        match &entry.body {
            EntryBody::Edit { target, text } => {
                let at = find(&mut items, *target);
                items[at].edited_at = Some(entry.at);
                if let EntryBody::Message { text: present, .. } = &mut items[at].entry.body {
                    present.clone_from(text);
                }
            }
            EntryBody::Recall { target } => {
                let at = find(&mut items, *target);
                items[at].recalled =
                    Some(hubbub_protocol::model::Recalled { by: entry.sender, at: entry.at });
            }
            _ => items.push(TimelineItem { entry: entry.clone(), edited_at: None, recalled: None }),
        }
    }
    items
}

/// Folding is done in the transaction before the entry in these tests, so its times may differ by a little.
fn without_times(mut items: Vec<TimelineItem>) -> Vec<TimelineItem> {
    for item in &mut items {
        item.edited_at = item.edited_at.map(|_| 0);
        if let Some(recalled) = &mut item.recalled {
            recalled.at = 0;
        }
    }
    items
}

pub(crate) async fn pages_of_a_timeline_agree_with_the_log(fixture: Fixture) {
    let (room, log) = busy_room(&fixture).await;
    let (timeline, head) = (without_times(folded(&log)), log.last().expect("entries").seq);
    assert!(timeline.iter().any(|item| item.edited_at.is_some() && item.recalled.is_none()));
    assert!(timeline.iter().any(|item| item.recalled.is_some()));
    let page = async |part, limit| {
        let page = history::page(&fixture.db, room, part, limit).await.unwrap();
        HistoryPage { items: without_times(page.items), ..page }
    };
    let first_at =
        |seq: Seq| timeline.iter().position(|item| item.entry.seq >= seq).unwrap_or(timeline.len());
    let expect = |from: usize, to: usize| HistoryPage {
        items: timeline[from..to].to_vec(),
        head,
        start: from == 0,
        end: to == timeline.len(),
    };
    let all = timeline.len();
    for limit in [1_usize, 2, 5, all - 1, all, all + 1, 200] {
        let asked = u16::try_from(limit).expect("small");
        assert_eq!(page(Part::Newest, asked).await, expect(all.saturating_sub(limit), all), "newest {limit}");
        for seq in (0..=head.0 + 2).map(Seq) {
            let here = first_at(seq);
            assert_eq!(
                page(Part::Before(seq), asked).await,
                expect(here.saturating_sub(limit), here),
                "before {seq}, {limit}"
            );
            let next = first_at(seq.next());
            assert_eq!(
                page(Part::After(seq), asked).await,
                expect(next, all.min(next + limit)),
                "after {seq}, {limit}"
            );
            let (from, to) = (here.saturating_sub(limit / 2), all.min(here + limit - limit / 2));
            assert_eq!(page(Part::Around(seq), asked).await, expect(from, to), "around {seq}, {limit}");
        }
    }
    let nowhere = history::page(&fixture.db, RoomId::generate(), Part::Newest, 5).await.unwrap();
    assert_eq!(nowhere, HistoryPage { items: vec![], head: Seq::ZERO, start: true, end: true });
}

pub(crate) async fn messages_are_found_by_their_places(fixture: Fixture) {
    let (room, log) = busy_room(&fixture).await;
    let timeline = without_times(folded(&log));
    let wanted: Vec<_> = log.iter().rev().map(|entry| entry.seq).chain([Seq(9_999)]).collect();
    let found = without_times(history::messages(&fixture.db, room, &wanted).await.unwrap());
    let is_message = |item: &TimelineItem| matches!(item.entry.body, EntryBody::Message { .. });
    assert_eq!(found, timeline.into_iter().filter(is_message).collect::<Vec<_>>());
    assert!(history::messages(&fixture.db, room, &[]).await.unwrap().is_empty());
    assert!(history::messages(&fixture.db, RoomId::generate(), &wanted).await.unwrap().is_empty());
}

pub(crate) async fn heads_are_read_together(fixture: Fixture) {
    let ann = fixture.person("ann").await;
    let one = StreamId::Room(fixture.room(RoomKind::Group, "One", &[&ann]).await);
    let two = StreamId::Room(fixture.room(RoomKind::Channel, "Two", &[&ann]).await);
    fixture.append(RoomId(two.as_uuid()), ann.user.id, EntryBody::Recall { target: Seq(1) }).await;
    let (own, unknown) = (StreamId::User(ann.user.id), StreamId::Room(RoomId::generate()));
    let heads = entries::heads(&fixture.db, &[one, two, own, unknown, one]).await.unwrap();
    assert_eq!(heads, HashMap::from([(one, Seq(1)), (two, Seq(2)), (own, Seq(0))]));
    assert!(entries::heads(&fixture.db, &[]).await.unwrap().is_empty());
}

pub(crate) async fn batches_at_once_leave_one_dense_order(fixture: Fixture) {
    let (ann, bea) = (fixture.person("ann").await, fixture.person("bea").await);
    let one = fixture.room(RoomKind::Group, "One", &[&ann, &bea]).await;
    let two = fixture.room(RoomKind::Group, "Two", &[&bea, &ann]).await;
    // Each batch names the rooms in another order: whoever locked in that order would wait for each other.
    let batches = (0..12).map(|n| {
        let (db, ann, bea) = (fixture.db.clone(), ann.clone(), bea.clone());
        tokio::spawn(async move {
            let rooms = if n % 2 == 0 { [one, two] } else { [two, one] };
            let batch = (0..10).map(|m| {
                let by = if (n + m) % 2 == 0 { &ann } else { &bea };
                message(rooms[m % 2], by, &format!("{n} {m}"), &format!("text {n} {m}"))
            });
            append::messages(&db, batch.collect(), LockWait::Usual).await.expect("committed").0
        })
    });
    let answers: Vec<_> =
        join_all(batches).await.into_iter().flat_map(|batch| batch.expect("no panic")).collect();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    for room in [one, two] {
        let log = entries::after(&fixture.db, StreamId::Room(room), Seq::ZERO, 1_000).await.unwrap();
        assert_eq!(
            seqs(&log),
            (1..=62).collect::<Vec<_>>(),
            "two entries made the room, 60 messages followed"
        );
    }
}

pub(crate) async fn a_key_is_answered_once(fixture: Fixture) {
    let (ann, bea) = (fixture.person("ann").await, fixture.person("bea").await);
    let room = fixture.room(RoomKind::Group, "Room", &[&ann, &bea]).await;
    let uses = (0..10).map(|_| {
        let (db, wish) = (fixture.db.clone(), message(room, &ann, "key", "text"));
        tokio::spawn(async move {
            append::messages(&db, vec![wish], LockWait::Usual).await.expect("committed").0.remove(0)
        })
    });
    let mut answers: Vec<_> =
        join_all(uses).await.into_iter().map(|answer| answer.unwrap().unwrap()).collect();
    answers.dedup();
    assert_eq!(answers.len(), 1, "one entry, equal answers: {answers:?}");
    let twice = vec![message(room, &ann, "again", "text"), message(room, &ann, "again", "text")];
    let (answers_of_one, committed) = append::messages(&fixture.db, twice, LockWait::Usual).await.unwrap();
    assert_eq!((answers_of_one[0].as_ref().ok(), committed.len()), (answers_of_one[1].as_ref().ok(), 1));
    let other =
        append::messages(&fixture.db, vec![message(room, &ann, "key", "other text")], LockWait::Usual)
            .await
            .unwrap();
    assert_eq!(other.0[0].as_ref().map_err(CommandError::reason), Err(Reason::KeyConflict));
    let hers = append::messages(&fixture.db, vec![message(room, &bea, "key", "other text")], LockWait::Usual)
        .await
        .unwrap();
    assert!(hers.0[0].as_ref().is_ok_and(|sent| *sent != answers[0]), "a key is its sender's own");
}

pub(crate) async fn an_ended_session_writes_nothing(fixture: Fixture) {
    let (old, bea) = (fixture.person("ann").await, fixture.person("bea").await);
    let room = fixture.room(RoomKind::Group, "Room", &[&old, &bea]).await;
    let (session, _) = fixture.log_in(old.user.id, "phone").await;
    let new = Person { session, ..old.clone() };
    // In one batch with others: only the displaced session is refused.
    let batch = vec![
        message(room, &old, "1", "old"),
        message(room, &new, "2", "new"),
        message(room, &bea, "3", "bea"),
    ];
    let (answers, committed) = append::messages(&fixture.db, batch, LockWait::Usual).await.unwrap();
    assert_eq!(answers[0].as_ref().map_err(CommandError::reason), Err(Reason::SessionEnded));
    assert!(answers[1].is_ok() && answers[2].is_ok());
    assert_eq!(committed.len(), 2);
}

pub(crate) async fn streams_written_lately_are_known_with_their_heads(fixture: Fixture) {
    let ann = fixture.person("ann").await;
    let (quiet, busy) = (
        fixture.room(RoomKind::Group, "quiet", &[&ann]).await,
        fixture.room(RoomKind::Group, "busy", &[&ann]).await,
    );
    fixture.say(quiet, &ann, "once").await;
    let newest = entries::after(&fixture.db, StreamId::Room(quiet), Seq::ZERO, 10).await.unwrap();
    let since = newest.last().expect("an entry").at + 1;
    while hubbub_server::clock::now_ms() < since {
        tokio::task::yield_now().await;
    }
    let mut head = Seq::ZERO;
    for text in ["one", "two", "three"] {
        head = fixture.say(busy, &ann, text).await;
    }
    let written = entries::written_since(&fixture.db, since, 10).await.unwrap();
    assert_eq!(written, [(busy.as_uuid(), head)]);
    let all = entries::written_since(&fixture.db, 0, 100).await.unwrap();
    assert!(all.len() >= 2 && all.contains(&(busy.as_uuid(), head)), "{all:?}");
    assert_eq!(entries::written_since(&fixture.db, 0, 1).await.unwrap().len(), 1);
    assert!(entries::written_since(&fixture.db, i64::MAX, 10).await.unwrap().is_empty());
}
