//! A feed delivers every entry once and in order, however it arrives.

use std::sync::Arc;

use bytes::Bytes;
use hubbub_protocol::{
    id::{RoomId, Seq, SessionId, StreamId, UserId},
    model::DeviceClass,
};
use proptest::prelude::*;

use super::{Effect, Feed, Line, Progress, Sequenced};
use crate::streams::{hub::Hub, listener::Listener, outbox::Outbox};

fn line(seq: u64) -> Line {
    Line { seq: Seq(seq), effect: Effect::None, frame: Bytes::from(seq.to_string()) }
}

fn leaves(seq: u64, user: UserId) -> Line {
    Line { effect: Effect::Leaves(user), ..line(seq) }
}

fn got(listener: &Listener) -> Vec<u64> {
    let mut frames = Vec::new();
    listener.outbox.take_rest(&mut frames);
    frames.iter().map(|frame| std::str::from_utf8(frame).expect("digits").parse().expect("a seq")).collect()
}

struct Scene {
    hub: Hub,
    feed: Arc<Feed>,
    listener: Listener,
}

fn scene(head: u64) -> Scene {
    let hub = Hub::default();
    let listener = hub.register(
        UserId::generate(),
        SessionId::generate(),
        DeviceClass::Desktop,
        Outbox::bounded(1 << 20),
    );
    let (all, _) = hub.add(&listener, &[StreamId::Room(RoomId::generate())]);
    let feed = Arc::clone(&all[0]);
    feed.open(Seq(head));
    Scene { hub, feed, listener }
}

#[test]
fn a_follower_at_the_head_is_live() {
    let Scene { feed, listener, .. } = scene(4);
    assert_eq!(feed.progress(listener.id, Seq(4)), Progress::Live);
    assert_eq!(feed.sequence(line(5)), Sequenced::Delivered);
    assert_eq!(feed.sequence(line(5)), Sequenced::Repeated);
    assert_eq!(got(&listener), [5]);
}

#[test]
fn who_read_ahead_of_the_feed_gets_nothing_twice() {
    let Scene { feed, listener, .. } = scene(4);
    assert_eq!(feed.progress(listener.id, Seq(6)), Progress::Live);
    for seq in 5..=7 {
        assert_eq!(feed.sequence(line(seq)), Sequenced::Delivered);
    }
    assert_eq!(got(&listener), [7]);
    // A removal that it has read already, and whatever let it in again.
    let Scene { feed, listener, .. } = scene(4);
    feed.progress(listener.id, Seq(6));
    feed.sequence(leaves(5, listener.user));
    feed.sequence(line(6));
    feed.sequence(line(7));
    assert_eq!(got(&listener), [7]);
}

#[test]
fn what_comes_early_waits() {
    let Scene { feed, listener, .. } = scene(0);
    feed.progress(listener.id, Seq(0));
    assert_eq!(feed.sequence(line(3)), Sequenced::Early);
    assert_eq!(feed.sequence(line(2)), Sequenced::Early);
    assert!(feed.has_hole() && got(&listener).is_empty());
    assert_eq!(feed.sequence(line(1)), Sequenced::Delivered);
    assert_eq!(got(&listener), [1, 2, 3]);
    assert!(!feed.has_hole());
}

#[test]
fn entries_that_arrive_before_the_head_is_known_are_kept() {
    let hub = Hub::default();
    let listener = hub.register(
        UserId::generate(),
        SessionId::generate(),
        DeviceClass::Desktop,
        Outbox::bounded(1 << 20),
    );
    let (all, new) = hub.add(&listener, &[StreamId::Room(RoomId::generate())]);
    assert_eq!((all.len(), new.len()), (1, 1));
    for seq in [4, 6, 5] {
        all[0].sequence(line(seq));
    }
    all[0].open(Seq(4));
    assert_eq!(all[0].position(), Some(Seq(6)));
    assert_eq!(all[0].progress(listener.id, Seq(4)), Progress::Live);
    assert_eq!(got(&listener), [5, 6]);
}

#[test]
fn who_catches_up_gets_nothing_until_the_rest_is_in_memory() {
    let Scene { feed, listener, .. } = scene(100);
    feed.sequence(line(101));
    assert_eq!(feed.progress(listener.id, Seq(50)), Progress::Missing(Seq(101)));
    assert!(got(&listener).is_empty());
    feed.sequence(line(102));
    assert_eq!(feed.progress(listener.id, Seq(101)), Progress::Live);
    feed.sequence(line(103));
    assert_eq!(got(&listener), [102, 103]);
}

#[test]
fn who_left_gets_nothing_after_it() {
    let Scene { feed, listener, hub } = scene(0);
    feed.progress(listener.id, Seq(0));
    feed.sequence(line(1));
    feed.sequence(leaves(2, listener.user));
    feed.sequence(line(3));
    assert_eq!(got(&listener), [1, 2]);
    assert!(feed.is_deserted());
    hub.sweep(|streams| assert_eq!(streams, [feed.stream]));
    assert!(hub.feed(feed.stream).is_none());
}

#[test]
fn who_left_while_catching_up_gets_the_rest_up_to_it() {
    let Scene { feed, listener, .. } = scene(200);
    feed.sequence(leaves(201, listener.user));
    feed.sequence(line(202));
    assert_eq!(feed.progress(listener.id, Seq(100)), Progress::Missing(Seq(201)));
    assert_eq!(feed.progress(listener.id, Seq(201)), Progress::Gone);
    assert!(got(&listener).is_empty());
}

#[test]
fn a_join_names_the_connections_that_follow_the_room() {
    let Scene { feed, listener, .. } = scene(0);
    feed.progress(listener.id, Seq(0));
    let room = RoomId::generate();
    feed.sequence(Line { effect: Effect::Joins(room, Seq(9)), ..line(1) });
    let joins = feed.take_joins();
    assert_eq!(joins.len(), 1);
    assert_eq!((joins[0].0.id, joins[0].1, joins[0].2), (listener.id, room, Seq(9)));
    assert!(feed.take_joins().is_empty());
}

#[test]
fn what_was_recalled_is_not_given_from_memory() {
    let Scene { feed, listener, .. } = scene(0);
    feed.sequence(line(1));
    feed.sequence(Line { effect: Effect::Blanks, ..line(2) });
    feed.sequence(line(3));
    assert_eq!(feed.progress(listener.id, Seq(0)), Progress::Missing(Seq(3)));
    assert!(got(&listener).is_empty());
    assert_eq!(feed.progress(listener.id, Seq(1)), Progress::Live);
    assert_eq!(got(&listener), [2, 3]);
}

proptest! {
    /// Any order of arrival, with repeats, gives each follower 1..n once and in order, wherever it begins.
    #[test]
    fn any_arrival_order_is_one_order(
        arrivals in prop::collection::vec(1_u64..40, 0..200),
        begins_at in 0_u64..40,
    ) {
        let Scene { feed, listener, hub } = scene(0);
        feed.progress(listener.id, Seq(0));
        let late = hub.register(UserId::generate(), SessionId::generate(), DeviceClass::Desktop, Outbox::bounded(1 << 20));
        let mut late_cursor = None;
        for seq in arrivals {
            feed.sequence(line(seq));
            let position = feed.position().expect("open").0;
            if late_cursor.is_none() && position >= begins_at {
                hub.add(&late, &[feed.stream]);
                late_cursor = Some(position);
                prop_assert_eq!(feed.progress(late.id, Seq(position)), Progress::Live);
            }
        }
        let position = feed.position().expect("open").0;
        prop_assert_eq!(got(&listener), (1..=position).collect::<Vec<_>>());
        if let Some(cursor) = late_cursor {
            prop_assert_eq!(got(&late), (cursor + 1..=position).collect::<Vec<_>>());
        }
    }
}
