//! Reading again: the log as it was committed, and the timeline that it makes.

use std::collections::BTreeMap;

use hubbub_protocol::{
    command::{
        HistoryPage, MessageGetParams, MessageSendParams, RoomHistoryParams, RoomReadParams, RoomRoleParams,
        RoomUpdateParams,
    },
    entry::{Entry, EntryBody},
    error::Reason,
    id::{RoomId, Seq},
    model::{Recalled, Role, TimelineItem},
};

use crate::support::{
    Link, TestCluster,
    link::{edit, message, newest, recall, seqs},
    on_both,
};

on_both!(history_is_the_log_folded, the_log_is_read_page_by_page);

/// A log with everything in it, made by a fixed stream of choices.
async fn busy_room(ann: &Link, bea: &Link, room: RoomId) -> Vec<Entry> {
    let mut random = Choices(0x9e37_79b9_7f4a_7c15);
    let mut messages: Vec<(bool, Seq)> = Vec::new();
    for number in 0..160 {
        let by_ann = random.below(2) == 0;
        let who = if by_ann { ann } else { bea };
        let target = (!messages.is_empty()).then(|| random.below(messages.len()));
        match (random.below(10), target) {
            (0..=5, _) | (_, None) => {
                messages.push((by_ann, who.say(room, &format!("text {number}")).await.seq));
            }
            (6, Some(target)) => {
                let reply = Some(messages[target].1);
                let answer =
                    MessageSendParams { reply_to: reply, ..message(room, &format!("answer {number}")) };
                messages.push((by_ann, who.ok(answer).await.seq));
            }
            (7 | 8, Some(target)) => {
                let (by_ann, seq) = messages[target];
                let author = if by_ann { ann } else { bea };
                author.ok(edit(room, seq, &format!("edited {number}"))).await;
            }
            (_, Some(target)) => {
                // Ann may recall everyone's.
                ann.ok(recall(room, messages.swap_remove(target).1)).await;
            }
        }
        if number % 40 == 20 {
            let change = RoomUpdateParams { room, name: Some(format!("name {number}")), topic: None };
            ann.ok(change).await;
        }
    }
    ann.log(room).await
}

/// Numbers that look random and are the same in every run (xorshift).
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("below a usize")
    }
}

/// The timeline that a log makes: what history must show.
fn fold(log: &[Entry]) -> Vec<TimelineItem> {
    let mut items: BTreeMap<Seq, TimelineItem> = BTreeMap::new();
    for entry in log {
        match &entry.body {
            EntryBody::Edit { target, text: new } => {
                let item = items.get_mut(target).expect("what is edited is in the log");
                if let EntryBody::Message { text, .. } = &mut item.entry.body {
                    text.clone_from(new);
                }
                item.edited_at = Some(entry.at);
            }
            EntryBody::Recall { target } => {
                let item = items.get_mut(target).expect("what is recalled is in the log");
                if let EntryBody::Message { text, .. } = &mut item.entry.body {
                    text.clear();
                }
                item.recalled = Some(Recalled { by: entry.sender, at: entry.at });
            }
            _ => {
                items.insert(
                    entry.seq,
                    TimelineItem { entry: entry.clone(), edited_at: None, recalled: None },
                );
            }
        }
    }
    items.into_values().collect()
}

async fn history_is_the_log_folded(cluster: TestCluster) {
    let [ann, bea_person] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea_person]).await;
    ann.ok(RoomRoleParams { room, user: bea_person.id(), role: Role::Admin }).await;
    let bea = bea_person.connect(cluster.node(1)).await;
    let log = busy_room(&ann, &bea, room).await;
    let items = fold(&log);
    let head = log.last().expect("a log").seq;
    let ends = |page: &HistoryPage| {
        assert_eq!(page.head, head);
        assert_eq!(page.start, page.items.first() == items.first(), "{} items", page.items.len());
        assert_eq!(page.end, page.items.last() == items.last());
    };

    for link in [&ann, &bea] {
        for limit in [1, 7, 50, 200] {
            let limit_items = usize::from(limit);
            let request = RoomHistoryParams { limit: Some(limit), ..newest(room) };
            // Down from the newest, page by page.
            let mut page = link.ok(request.clone()).await;
            let mut gathered = page.items.clone();
            ends(&page);
            while !page.start {
                let before = Some(gathered[0].entry.seq);
                page = link.ok(RoomHistoryParams { before, ..request.clone() }).await;
                ends(&page);
                assert!(page.items.len() == limit_items || page.start);
                gathered.splice(0..0, page.items.clone());
            }
            assert_eq!(gathered, items, "downward by {limit}");
            // Up from the first.
            let mut gathered: Vec<TimelineItem> = Vec::new();
            loop {
                let after = Some(gathered.last().map_or(Seq::ZERO, |last| last.entry.seq));
                let page = link.ok(RoomHistoryParams { after, ..request.clone() }).await;
                ends(&page);
                gathered.extend(page.items);
                if page.end {
                    break;
                }
            }
            assert_eq!(gathered, items, "upward by {limit}");
        }
        // Around any place, also one that is no item of the timeline.
        for around in (0..=head.0 + 1).step_by(9) {
            let request = RoomHistoryParams { around: Some(Seq(around)), limit: Some(10), ..newest(room) };
            let page = link.ok(request).await;
            ends(&page);
            let from = items.iter().position(|item| *item == page.items[0]).expect("an item of the timeline");
            assert_eq!(page.items, items[from..from + page.items.len()], "around {around}");
            let below = page.items.iter().filter(|item| item.entry.seq.0 < around).count();
            let all_below = items.iter().filter(|item| item.entry.seq.0 < around).count();
            assert_eq!(below, all_below.min(5).max(below.min(10)), "around {around}: {below} below");
            let whole = items.len() - all_below;
            assert!(page.items.len() - below >= whole.min(5), "around {around}");
        }
    }
    let both = RoomHistoryParams { before: Some(Seq(5)), after: Some(Seq(1)), ..newest(room) };
    assert_eq!(ann.refused(both).await, Reason::InvalidParams);
    for limit in [0, 201] {
        let wrong = RoomHistoryParams { limit: Some(limit), ..newest(room) };
        assert_eq!(ann.refused(wrong).await, Reason::InvalidParams);
    }
    let get = MessageGetParams { room, seqs: log.iter().take(100).map(|entry| entry.seq).collect() };
    let messages = bea.ok(get).await.messages;
    let expected: Vec<_> = items
        .iter()
        .filter(|item| item.entry.body.kind() == "message" && item.entry.seq <= log[99].seq)
        .cloned()
        .collect();
    assert_eq!(messages, expected);
    let too_many = MessageGetParams { room, seqs: (1..=101).map(Seq).collect() };
    assert_eq!(bea.refused(too_many).await, Reason::TooLarge);
}

async fn the_log_is_read_page_by_page(cluster: TestCluster) {
    let [ann_person] = cluster.people().await;
    let ann = ann_person.connect(cluster.node(0)).await;
    let room = ann.group(&[]).await;
    ann.say_all(room, (0..450).map(|number| number.to_string())).await;
    let head = Seq(451);
    let tab = ann_person.connect(cluster.node(1)).await;
    let request = RoomReadParams { room, before: None, after: None, limit: None };
    let http = cluster.node(1).http();
    for (params, expected) in [
        (request.clone(), 402..=451),
        (RoomReadParams { limit: Some(200), ..request.clone() }, 252..=451),
        (RoomReadParams { before: Some(Seq(10)), ..request.clone() }, 1..=9),
        (RoomReadParams { before: Some(Seq(300)), limit: Some(3), ..request.clone() }, 297..=299),
        (RoomReadParams { after: Some(Seq(0)), limit: Some(2), ..request.clone() }, 1..=2),
        (RoomReadParams { after: Some(Seq(449)), ..request.clone() }, 450..=451),
    ] {
        let page = tab.ok(params.clone()).await;
        assert_eq!(seqs(&page.entries), expected.collect::<Vec<_>>(), "{params:?}");
        assert_eq!((page.head, page.epoch), (head, tab.started.epoch));
        // The other door shows the same.
        let over_http = http.entries(&ann_person.token, &params).await.expect("a page");
        assert_eq!(over_http, page);
    }
    for nothing in [
        RoomReadParams { after: Some(head), ..request.clone() },
        RoomReadParams { before: Some(Seq(1)), ..request.clone() },
    ] {
        assert_eq!(tab.ok(nothing).await.entries, []);
    }
    for wrong in [
        RoomReadParams { before: Some(Seq(9)), after: Some(Seq(3)), ..request.clone() },
        RoomReadParams { limit: Some(0), ..request.clone() },
        RoomReadParams { limit: Some(201), ..request },
    ] {
        assert_eq!(tab.refused(wrong).await, Reason::InvalidParams);
    }
    assert!(tab.connection().ended().is_none());
}
