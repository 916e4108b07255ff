//! G10: no ghosts. Whoever is connected is online for those who share a room, wherever they are; a killed node's people
//! are not, soon; nobody else flickers.

use std::time::Duration;

use hubbub_client::ask::LeaveRoom;
use hubbub_protocol::{
    command::{PingParams, PresenceGetParams, PresenceResult, PresenceSetParams, RoomAddParams},
    error::Reason,
    id::{RoomId, UserId},
    model::{DeviceClass, Presence, PresenceState, RoomKind},
    push::Signal,
};
use tokio::time::Instant;

use crate::redis_server::RedisServer;
use crate::support::{
    Link, Person, TestCluster, eventually, on_both,
    person::{log_in, sign_up},
};

/// How long a killed node's people may stay online.
const GONE: Duration = Duration::from_secs(30);

on_both! {
    who_connects_comes_online_and_who_goes_is_last_seen,
    someone_is_online_until_the_last_tab_is_closed,
    nobody_is_away_who_is_at_any_tab,
    a_reconnect_is_no_news,
    a_takeover_is_no_news,
    strangers_are_told_nothing,
    what_cannot_be_asked_is_refused,
    a_large_room_has_only_a_count,
    last_seen_is_kept,
}

fn of(users: &[UserId]) -> PresenceGetParams {
    PresenceGetParams { room: None, users: Some(users.to_vec()) }
}

fn within(room: RoomId) -> PresenceGetParams {
    PresenceGetParams { room: Some(room), users: None }
}

const ALL: PresenceGetParams = PresenceGetParams { room: None, users: None };

fn state(state: PresenceState) -> PresenceSetParams {
    PresenceSetParams { state }
}

/// Every signal about a person that a connection has heard.
fn told(link: &Link, user: UserId) -> Vec<Presence> {
    link.heard(|heard| {
        let about = heard.signals.iter().filter_map(|signal| match signal {
            Signal::Presence { presence } if presence.user == user => Some(presence.clone()),
            _ => None,
        });
        about.collect()
    })
}

/// Waits until a connection is told what it expects to hear of a person.
async fn is_told(link: &Link, user: UserId, what: &str, is_it: impl Fn(&Presence) -> bool) -> Presence {
    eventually(what, async || told(link, user).into_iter().rfind(|presence| is_it(presence))).await
}

/// Waits until asking gives what is expected.
async fn asked(
    link: &Link,
    params: PresenceGetParams,
    what: &str,
    is_it: impl Fn(&PresenceResult) -> bool,
) -> PresenceResult {
    eventually(what, async || Some(link.ok(params.clone()).await).filter(|result| is_it(result))).await
}

async fn who_connects_comes_online_and_who_goes_is_last_seen(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea]).await;
    let before = ann.ok(of(&[bea.id()])).await;
    assert_eq!((before.online, before.people[0].online, before.people[0].last_seen_at), (0, false, None));

    let link = bea.connect(cluster.node(1)).await;
    let online = is_told(&ann, bea.id(), "bea is online", |presence| presence.online).await;
    assert_eq!(online.devices.len(), 1);
    assert!(!online.away && online.since.is_some() && online.last_seen_at.is_none());
    let both =
        asked(&ann, within(room), "both are online", |result| result.online == 2 && result.current).await;
    assert_eq!(both.people.len(), 2);
    assert!(both.people.iter().all(|person| person.online));
    assert_eq!(asked(&link, ALL, "two in all", |result| result.online == 2).await.people, []);

    let now = link.ok(PingParams {}).await.now;
    let left = Instant::now();
    link.cut();
    let offline = is_told(&ann, bea.id(), "bea is offline", |presence| !presence.online).await;
    println!("offline {:?} after the last connection ended", left.elapsed());
    assert!(left.elapsed() > Duration::from_secs(3), "there is a time of grace");
    let seen = offline.last_seen_at.expect("she was seen");
    assert!((now..now + 5_000).contains(&seen), "last seen when the connection ended: {}", seen - now);
    let alone = ann.ok(within(room)).await;
    assert_eq!(alone.online, 1);
    let bea = alone.people.iter().find(|person| person.user == bea.id()).expect("she is a member");
    assert_eq!((bea.last_seen_at, bea.devices.len()), (Some(seen), 0));
}

async fn someone_is_online_until_the_last_tab_is_closed(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    ann.group(&[&bea]).await;
    let tabs = [bea.connect(cluster.node(0)).await, bea.connect(cluster.node(1)).await];
    let [first, second] = tabs;
    is_told(&ann, bea.id(), "bea is online", |presence| presence.online).await;
    first.cut();
    // Longer than the time of grace: the other tab holds her.
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert!(told(&ann, bea.id()).iter().all(|presence| presence.online));
    assert_eq!(ann.ok(of(&[bea.id()])).await.online, 1);
    second.cut();
    is_told(&ann, bea.id(), "bea is offline", |presence| !presence.online).await;
    assert_eq!(ann.ok(of(&[bea.id()])).await.online, 0);
}

async fn nobody_is_away_who_is_at_any_tab(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    ann.group(&[&bea]).await;
    let (first, second) = (bea.connect(cluster.node(0)).await, bea.connect(cluster.node(1)).await);
    is_told(&ann, bea.id(), "bea is online", |presence| presence.online && !presence.away).await;
    first.ok(state(PresenceState::Away)).await;
    let both =
        async |away: bool| asked(&ann, of(&[bea.id()]), "that", |result| result.people[0].away == away).await;
    second.ok(state(PresenceState::Away)).await;
    is_told(&ann, bea.id(), "bea is away", |presence| presence.online && presence.away).await;
    both(true).await;
    first.ok(state(PresenceState::Active)).await;
    is_told(&ann, bea.id(), "bea is back", |presence| presence.online && !presence.away).await;
    both(false).await;
}

async fn a_reconnect_is_no_news(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    ann.group(&[&bea]).await;
    let mut link = bea.connect(cluster.node(1)).await;
    let online = is_told(&ann, bea.id(), "bea is online", |presence| presence.online).await;
    for number in 0..4 {
        link.cut();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        link = bea.connect(cluster.node(number)).await;
    }
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(told(&ann, bea.id()), std::slice::from_ref(&online));
    let still = ann.ok(of(&[bea.id()])).await;
    assert_eq!(still.people, [online], "she has been online all the time, also by her own account");
}

async fn a_takeover_is_no_news(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let username = sign_up(cluster.node(0)).await;
    let laptop = log_in(cluster.node(0), &username, "laptop").await;
    let ann = ann.connect(cluster.node(0)).await;
    ann.group(&[&laptop]).await;
    let old = laptop.connect(cluster.node(0)).await;
    is_told(&ann, laptop.id(), "online", |presence| presence.online).await;
    let phone = log_in(cluster.node(1), &username, "phone").await;
    let _new = phone.connect(cluster.node(1)).await;
    old.closed().await;
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert!(told(&ann, laptop.id()).iter().all(|presence| presence.online));
    assert!(ann.ok(of(&[laptop.id()])).await.people[0].online);
}

async fn strangers_are_told_nothing(cluster: TestCluster) {
    let [ann, bea, cyd] = cluster.people().await;
    let stranger = cyd.connect(cluster.node(1)).await;
    let link = ann.connect(cluster.node(0)).await;
    let room = link.group(&[&bea]).await;
    let _bea = bea.connect(cluster.node(1)).await;
    is_told(&link, bea.id(), "bea is online", |presence| presence.online).await;
    // Strangers, and who does not exist: there is no difference. Oneself is no stranger.
    let unknown = UserId::generate();
    let answer =
        asked(&stranger, of(&[ann.id(), bea.id(), unknown, cyd.id()]), "cyd", |result| result.online == 1)
            .await;
    assert_eq!(answer.people.iter().map(|person| person.user).collect::<Vec<_>>(), [cyd.id()]);
    assert_eq!(stranger.refused(within(room)).await, Reason::NotAMember);
    assert_eq!(stranger.refused(within(RoomId::generate())).await, Reason::UnknownRoom);
    stranger.round_trip().await;
    let about = stranger.heard(|heard| {
        let about = heard
            .signals
            .iter()
            .filter(|signal| matches!(signal, Signal::Presence { presence } if presence.user != cyd.id()));
        about.count()
    });
    assert_eq!(about, 0, "a stranger was told of others");
    // A shared room makes them known to each other.
    link.ok(RoomAddParams { room, users: vec![cyd.id()] }).await;
    let answer = stranger.ok(of(&[ann.id(), bea.id(), unknown])).await;
    assert_eq!((answer.online, answer.people.len()), (2, 2));
}

async fn what_cannot_be_asked_is_refused(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let many: Vec<UserId> = (0..201).map(|_| UserId::generate()).collect();
    assert_eq!(ann.refused(of(&many)).await, Reason::TooLarge);
    assert_eq!(ann.ok(of(&many[..200])).await.people, []);
    assert_eq!(ann.ok(of(&[])).await.online, 0);
    let room = ann.group(&[]).await;
    let both = PresenceGetParams { room: Some(room), users: Some(Vec::new()) };
    assert_eq!(ann.refused(both).await, Reason::InvalidParams);
}

async fn a_large_room_has_only_a_count(cluster: TestCluster) {
    let crowd = cluster.crowd(251).await;
    let ann = crowd[0].connect(cluster.node(0)).await;
    let room = ann.room(RoomKind::Channel, "large", &[]).await;
    let ids: Vec<UserId> = crowd[1..].iter().map(Person::id).collect();
    for some in ids.chunks(100) {
        ann.ok(RoomAddParams { room, users: some.to_vec() }).await;
    }
    let bea = crowd[1].connect(cluster.node(1)).await;
    asked(&ann, ALL, "two are online", |result| result.online == 2).await;
    let counted = asked(&ann, within(room), "two of the room", |result| result.online == 2).await;
    assert_eq!(counted.people, []);
    // One can be asked for; nobody is told by itself.
    assert_eq!(ann.ok(of(&[bea.me()])).await.online, 1);
    ann.round_trip().await;
    assert_eq!(told(&ann, bea.me()), []);
    // With one member less everybody is shown.
    bea.ok(LeaveRoom(room)).await;
    let everybody = asked(&ann, within(room), "everybody", |result| result.people.len() == 250).await;
    assert_eq!(everybody.online, 1);
}

async fn last_seen_is_kept(cluster: TestCluster) {
    let mut cluster = cluster;
    let [ann, bea] = cluster.people().await;
    let link = ann.connect(cluster.node(0)).await;
    let room = link.group(&[&bea]).await;
    let other = bea.connect(cluster.node(0)).await;
    is_told(&link, bea.id(), "bea is online", |presence| presence.online).await;
    other.cut();
    let seen = is_told(&link, bea.id(), "bea is offline", |presence| !presence.online).await.last_seen_at;
    assert!(seen.is_some());
    // A node that stops in order writes down what it knows; the next one reads it.
    cluster.node(0).terminate();
    assert_eq!(cluster.node_mut(0).exit_code().await, Some(0));
    cluster.start_again(0).await;
    let link = ann.connect(cluster.node(0)).await;
    let people = link.ok(within(room)).await.people;
    let bea = people.iter().find(|person| person.user == bea.id()).expect("she is a member");
    assert_eq!(bea.last_seen_at, seen);
}

/// Three nodes: one is watched from, one lives, one is killed.
#[tokio::test]
async fn a_killed_node_takes_only_its_own_people_with_it() {
    let mut cluster = TestCluster::start(3).await;
    let crowd = cluster.crowd(31).await;
    let watcher = crowd[0].connect(cluster.node(0)).await;
    let members: Vec<&Person> = crowd[1..].iter().collect();
    let room = watcher.group(&members).await;
    // Ten on the node that lives, ten on the one that is killed, ten on both.
    let mut links = Vec::new();
    for (number, person) in crowd[1..].iter().enumerate() {
        let nodes: &[usize] = [&[1][..], &[2], &[1, 2]][number % 3];
        for node in nodes {
            links.push((*node, person.connect(cluster.node(*node)).await));
        }
    }
    asked(&watcher, within(room), "all are online", |result| result.online == 31).await;
    cluster.node_mut(2).kill().await;
    let killed = Instant::now();
    links.retain(|(node, _)| *node != 2);
    let doomed: Vec<UserId> = crowd[1..].iter().skip(1).step_by(3).map(Person::id).collect();
    asked(&watcher, within(room), "ten are gone", |result| result.online == 21).await;
    let took = killed.elapsed();
    println!("killed: its people were offline {:.1} s after kill -9", took.as_secs_f64());
    assert!(took < GONE, "{took:?}");
    for user in &doomed {
        is_told(&watcher, *user, "one is offline", |presence| !presence.online).await;
    }
    for person in &crowd[1..] {
        let offline = told(&watcher, person.id()).iter().filter(|presence| !presence.online).count();
        assert_eq!(offline, usize::from(doomed.contains(&person.id())), "one flickered, or was not told of");
    }
    // When they were seen is about when the node died.
    let seen = watcher.ok(of(&doomed)).await;
    assert!(seen.people.iter().all(|person| person.last_seen_at.is_some()));
    // They come back on another node.
    let back = crowd[2].connect(cluster.node(1)).await;
    is_told(&watcher, back.me(), "one is back", |presence| presence.online).await;
}

#[tokio::test]
async fn an_emptied_redis_is_no_news() {
    let redis = RedisServer::start();
    let cluster = TestCluster::start_on_redis(2, &redis.settings().url).await;
    let crowd = cluster.crowd(11).await;
    let watcher = crowd[0].connect(cluster.node(0)).await;
    let members: Vec<&Person> = crowd[1..].iter().collect();
    let room = watcher.group(&members).await;
    let mut links = Vec::new();
    for person in &crowd[1..10] {
        links.push(person.connect(cluster.node(1)).await);
    }
    asked(&watcher, within(room), "all are online", |result| result.online == 10).await;
    for _ in 0..3 {
        assert_eq!(redis.tell("FLUSHALL"), "+OK");
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    // Redis holds everything again.
    eventually("the rosters are written again", async || {
        let keys = redis.tell("KEYS *:roster");
        (keys.lines().count() == 32).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(
        crowd[1..].iter().all(|person| told(&watcher, person.id()).iter().all(|presence| presence.online))
    );
    let result = watcher.ok(within(room)).await;
    assert_eq!((result.online, result.current), (10, true));
    // And what changes is told.
    let late = crowd[10].connect(cluster.node(1)).await;
    is_told(&watcher, late.me(), "one more", |presence| presence.online).await;
}

#[tokio::test]
async fn a_redis_that_hangs_freezes_the_others_and_nobody_flickers() {
    let redis = RedisServer::start();
    let cluster = TestCluster::start_on_redis(2, &redis.settings().url).await;
    let [ann, bea, cyd] = cluster.people().await;
    let watcher = ann.connect(cluster.node(0)).await;
    let room = watcher.group(&[&bea, &cyd]).await;
    let other = bea.connect(cluster.node(1)).await;
    asked(&watcher, within(room), "two are online", |result| result.online == 2 && result.current).await;
    redis.signal("STOP");
    let hung = Instant::now();
    let frozen = asked(&watcher, within(room), "it is said", |result| !result.current).await;
    assert_eq!(frozen.online, 2);
    // Own people stay right.
    let own = cyd.connect(cluster.node(0)).await;
    is_told(&watcher, cyd.id(), "cyd is online", |presence| presence.online).await;
    // Meanwhile one leaves the other node.
    other.cut();
    while hung.elapsed() < Duration::from_secs(25) {
        assert!(told(&watcher, bea.id()).iter().all(|presence| presence.online));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    redis.signal("CONT");
    is_told(&watcher, bea.id(), "bea is offline", |presence| !presence.online).await;
    asked(&watcher, within(room), "all is right again", |result| result.current && result.online == 2).await;
    assert!(told(&watcher, cyd.id()).iter().all(|presence| presence.online));
    drop(own);
}

#[tokio::test]
async fn a_restart_in_order_is_no_news_for_who_comes_back() {
    let mut cluster = TestCluster::start(2).await;
    let [ann, bea, cyd] = cluster.people().await;
    let watcher = ann.connect(cluster.node(0)).await;
    let room = watcher.group(&[&bea, &cyd]).await;
    let (_client, _events) = bea.keep_connected(&cluster, 1);
    let stays_away = cyd.connect(cluster.node(1)).await;
    asked(&watcher, within(room), "all are online", |result| result.online == 3).await;
    cluster.node(1).terminate();
    let asked_to = Instant::now();
    assert_eq!(cluster.node_mut(1).exit_code().await, Some(0));
    is_told(&watcher, cyd.id(), "who did not come back is offline", |presence| !presence.online).await;
    println!("a drained node: who did not come back was offline after {:?}", asked_to.elapsed());
    assert!(asked_to.elapsed() < GONE);
    assert!(told(&watcher, bea.id()).iter().all(|presence| presence.online));
    assert_eq!(watcher.ok(within(room)).await.online, 2);
    drop(stays_away);
}

#[tokio::test]
async fn the_class_of_a_device_is_shown() {
    let cluster = TestCluster::embedded().await;
    let [ann, bea] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    ann.group(&[&bea]).await;
    let link = bea.connect(cluster.node(0)).await;
    let online = is_told(&ann, bea.id(), "bea is online", |presence| presence.online).await;
    assert_eq!(online.devices, [link.started.session.device.class]);
    assert!(matches!(online.devices[0], DeviceClass::Bot | DeviceClass::Desktop));
}
