//! G3, one order: a stream is 1, 2, 3 … without gaps, and everyone is shown the same.

use std::collections::HashSet;

use hubbub_protocol::{command::Sent, entry::Entry, id::Seq};

use crate::support::{
    TestCluster,
    link::{assert_dense, entries_between, entry_at, texts},
    on_both,
};

/// Messages that each of two people sends at once.
const EACH: usize = 1_000;

on_both!(two_members_send_a_thousand_messages_each_at_once, who_waits_for_answers_is_heard_in_that_order);

async fn two_members_send_a_thousand_messages_each_at_once(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea]).await;
    let bea = bea.connect(cluster.node(1)).await;
    let before = ann.head(room).await.0;

    let (by_ann, by_bea) = tokio::join!(
        ann.say_all(room, (0..EACH).map(|number| format!("ann {number}"))),
        bea.say_all(room, (0..EACH).map(|number| format!("bea {number}"))),
    );

    let head = Seq(before + 2 * EACH as u64);
    let ann_heard = ann.until_seq(room, head).await;
    let bea_heard = bea.until_seq(room, head).await;
    assert_dense(&ann_heard, 1);
    assert_dense(&bea_heard, before + 1);
    assert_eq!(entries_between(&ann_heard, Seq(before), head), bea_heard, "two people see two orders");
    assert_eq!(ann.log(room).await, ann_heard, "the log differs from what was pushed");

    assert_eq!(texts(&bea_heard).into_iter().collect::<HashSet<_>>().len(), 2 * EACH, "a message came twice");
    for (name, answers) in [("ann", &by_ann), ("bea", &by_bea)] {
        for (number, sent) in answers.iter().enumerate() {
            assert_answered(sent, &ann_heard, &format!("{name} {number}"));
        }
    }
}

/// Fails unless the answer names the entry that holds this text.
fn assert_answered(sent: &Sent, log: &[Entry], text: &str) {
    let entry = entry_at(log, sent.seq);
    assert_eq!((entry.id, entry.at), (sent.id, sent.at));
    assert_eq!(texts(std::slice::from_ref(entry)), [text]);
}

async fn who_waits_for_answers_is_heard_in_that_order(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea]).await;
    let bea = bea.connect(cluster.node(1)).await;

    let mut last = Seq::ZERO;
    for number in 0..50 {
        // By turns through both nodes: an acknowledged message is before every later one.
        let sender = if number % 2 == 0 { &ann } else { &bea };
        let sent = sender.say(room, &number.to_string()).await;
        assert!(sent.seq > last);
        last = sent.seq;
    }
    let heard = bea.until_seq(room, last).await;
    let expected: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    assert_eq!(texts(&heard), expected);
}
