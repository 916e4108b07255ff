//! What is counted is what SQL has, whatever becomes of Redis; and nobody learns of rooms that they may not see.

use std::time::Duration;

use hubbub_client::ask::GetRoom;
use hubbub_protocol::{
    command::{MessageEditParams, MessageRecallParams, RoomJoinParams},
    http::Activity,
    id::RoomId,
    model::RoomKind,
};
use hyper::Method;
use sqlx::{AssertSqlSafe, PgPool};

use crate::{
    redis_server::RedisServer,
    support::{Link, Person, TestCluster, eventually, link::key, on_both},
};

on_both! {
    rooms_days_and_people_are_counted,
    strangers_see_public_channels_alone,
    edits_and_recalls_count_nothing,
    what_cannot_be_asked_is_refused,
}

async fn activity(cluster: &TestCluster, person: &Person, days: usize, limit: usize) -> Activity {
    cluster.node(1).http().activity(&person.token, days, limit).await.expect("an answer")
}

/// Waits until the counts are as expected and said to be complete.
async fn counted(
    cluster: &TestCluster,
    person: &Person,
    days: usize,
    what: &str,
    is_it: impl Fn(&Activity) -> bool,
) -> Activity {
    eventually(what, async || {
        let activity = activity(cluster, person, days, 50).await;
        (activity.complete && is_it(&activity)).then_some(activity)
    })
    .await
}

fn messages_of(activity: &Activity, room: RoomId) -> Option<u64> {
    activity.rooms.iter().find(|active| active.room == room).map(|active| active.messages)
}

fn today(activity: &Activity) -> u64 {
    // Should midnight pass meanwhile, the messages are on two days.
    activity.days.iter().map(|day| day.messages).sum()
}

fn people(activity: &Activity) -> Vec<(String, u64)> {
    activity.people.iter().map(|active| (active.user.username.clone(), active.messages)).collect()
}

async fn say(link: &Link, room: RoomId, count: usize) {
    link.say_all(room, (0..count).map(|number| number.to_string())).await;
}

async fn join(link: &Link, room: RoomId) {
    link.ok(RoomJoinParams { room: Some(room), code: None }).await;
}

async fn rooms_days_and_people_are_counted(cluster: TestCluster) {
    let [ann_person, bea_person] = cluster.people().await;
    let ann = ann_person.connect(cluster.node(0)).await;
    let bea = bea_person.connect(cluster.node(1)).await;
    let busy = ann.room(RoomKind::Channel, "busy", &[]).await;
    let quiet = ann.room(RoomKind::Channel, "quiet", &[]).await;
    let group = ann.group(&[&bea_person]).await;
    join(&bea, busy).await;
    bea.joined(group).await;
    say(&ann, busy, 30).await;
    say(&bea, busy, 12).await;
    say(&ann, quiet, 5).await;
    say(&bea, group, 7).await;
    let seen = counted(&cluster, &ann_person, 2, "all messages", |activity| today(activity) == 54).await;
    let rooms: Vec<_> = seen.rooms.iter().map(|active| (active.room, active.messages)).collect();
    assert_eq!(rooms, [(busy, 42), (group, 7), (quiet, 5)]);
    assert!(seen.rooms.iter().all(|active| active.joined));
    assert_eq!((seen.rooms[0].name.as_str(), seen.rooms[0].kind), ("busy", RoomKind::Channel));
    let expected = [(ann_person.user.username.clone(), 35), (bea_person.user.username.clone(), 12)];
    assert_eq!(people(&seen), expected, "what is said in a group counts for nobody");
    assert_eq!(seen.days.len(), 2);
    assert!(seen.days[0].day < seen.days[1].day);
    // Who is not in a channel may see it, and that they are not.
    let of_bea = activity(&cluster, &bea_person, 2, 50).await;
    assert!(of_bea.rooms.iter().any(|active| active.room == quiet && !active.joined));
    // As many as are asked for.
    let few = activity(&cluster, &ann_person, 1, 1).await;
    assert_eq!((few.rooms.len(), few.people.len(), few.days.len()), (1, 1, 1));
}

async fn strangers_see_public_channels_alone(cluster: TestCluster) {
    let [ann_person, bea_person, cyd_person] = cluster.people().await;
    let ann = ann_person.connect(cluster.node(0)).await;
    let channel = ann.room(RoomKind::Channel, "public", &[]).await;
    let group = ann.room(RoomKind::Group, "a secret name", &[&bea_person]).await;
    let direct = ann.room(RoomKind::Direct, "", &[&bea_person]).await;
    say(&ann, channel, 3).await;
    say(&ann, group, 40).await;
    say(&ann, direct, 20).await;
    let of_bea = counted(&cluster, &bea_person, 1, "her rooms too", |activity| today(activity) == 63).await;
    assert_eq!((messages_of(&of_bea, group), messages_of(&of_bea, direct)), (Some(40), Some(20)));
    let of_cyd = counted(&cluster, &cyd_person, 1, "the channel", |activity| today(activity) == 3).await;
    assert_eq!(of_cyd.rooms.iter().map(|active| active.room).collect::<Vec<_>>(), [channel]);
    assert_eq!(people(&of_cyd), [(ann_person.user.username.clone(), 3)]);
    let text = serde_json::to_string(&of_cyd).expect("JSON");
    assert!(!text.contains("secret") && !text.contains(&group.to_string()));
    // Who leaves sees no more of it.
    let bea = bea_person.connect(cluster.node(1)).await;
    bea.ok(hubbub_client::ask::LeaveRoom(group)).await;
    let left = activity(&cluster, &bea_person, 1, 50).await;
    assert_eq!(messages_of(&left, group), None);
    counted(&cluster, &bea_person, 1, "without the group", |activity| today(activity) == 23).await;
}

async fn edits_and_recalls_count_nothing(cluster: TestCluster) {
    let [person] = cluster.people().await;
    let link = person.connect(cluster.node(0)).await;
    let room = link.room(RoomKind::Channel, "edited", &[]).await;
    say(&link, room, 4).await;
    let seq = link.say(room, "five").await.seq;
    link.ok(MessageEditParams { room, key: key(), seq, text: "edited".to_owned() }).await;
    link.ok(MessageRecallParams { room, key: key(), seq }).await;
    counted(&cluster, &person, 1, "five messages", |activity| today(activity) == 5).await;
    // Also when they are counted from the database instead of at their commits.
    tokio::time::sleep(Duration::from_secs(27)).await;
    let later = counted(&cluster, &person, 1, "five still", |_| true).await;
    assert_eq!((today(&later), messages_of(&later, room)), (5, Some(5)));
}

async fn what_cannot_be_asked_is_refused(cluster: TestCluster) {
    let [person] = cluster.people().await;
    let http = cluster.node(0).http();
    let bad = [
        "days=0",
        "days=31",
        "limit=0",
        "limit=51",
        "days=x",
        "days=-1",
        "limit=1.5",
        "days=99999999999999999999",
    ];
    for query in bad {
        let path = format!("/v1/activity?{query}");
        let request = http.request(Method::GET, &path, Some(&person.token), None::<&()>).expect("a request");
        let answer = http.send(request).await.expect("an answer");
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, 400, "{query}: {body}");
        assert!(body.contains("invalid_params"), "{query}: {body}");
    }
    let request = http.request(Method::GET, "/v1/activity", None, None::<&()>).expect("a request");
    assert_eq!(http.send(request).await.expect("an answer").status, 401);
    let plain =
        http.request(Method::GET, "/v1/activity", Some(&person.token), None::<&()>).expect("a request");
    let answer: Activity =
        serde_json::from_slice(&http.send(plain).await.expect("an answer").body).expect("activity");
    assert_eq!(answer.days.len(), 7);
}

/// Messages of a room by the database.
async fn in_sql(pool: &PgPool, room: RoomId) -> u64 {
    let sql = format!("SELECT COUNT(*) FROM messages WHERE room_id = '{room}'");
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await.expect("a count");
    u64::try_from(count).expect("a count")
}

#[tokio::test]
async fn counts_are_those_of_the_database_after_redis_was_emptied_or_away() {
    let redis = RedisServer::start();
    let cluster = TestCluster::start_on_redis(2, &redis.settings().url).await;
    let [ann_person, bea_person] = cluster.people().await;
    let ann = ann_person.connect(cluster.node(0)).await;
    let bea = bea_person.connect(cluster.node(1)).await;
    let channel = ann.room(RoomKind::Channel, "channel", &[]).await;
    let group = ann.group(&[&bea_person]).await;
    join(&bea, channel).await;
    bea.joined(group).await;
    say(&ann, channel, 50).await;
    say(&bea, channel, 25).await;
    say(&bea, group, 10).await;
    counted(&cluster, &ann_person, 30, "all", |activity| today(activity) == 85).await;

    // Some of it was yesterday, and some long ago.
    let pool = PgPool::connect(cluster.database_url().expect("Postgres")).await.expect("the test's database");
    let day_ms = 86_400_000_i64;
    let moves = [(3_i64, "seq <= 12"), (29, "seq BETWEEN 13 AND 15"), (31, "seq BETWEEN 16 AND 17")];
    for (days, which) in moves {
        let sql = format!(
            "UPDATE messages SET at_ms = at_ms - {} WHERE room_id = '{channel}' AND {which}",
            days * day_ms
        );
        sqlx::query(AssertSqlSafe(sql)).execute(&pool).await.expect("moved");
    }
    assert_eq!(redis.tell("FLUSHALL"), "+OK");
    let emptied = std::time::Instant::now();
    let old: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT COUNT(*) FROM messages WHERE at_ms < {}",
        hubbub_server::clock::now_ms() - 31 * day_ms + day_ms / 2
    )))
    .fetch_one(&pool)
    .await
    .expect("a count");
    let all = 85 - u64::try_from(old).expect("a count");
    let again = counted(&cluster, &ann_person, 30, "all again", |activity| today(activity) == all).await;
    println!("counts were complete again {:.1} s after FLUSHALL", emptied.elapsed().as_secs_f64());
    assert_eq!(
        messages_of(&again, channel),
        Some(in_sql(&pool, channel).await - u64::try_from(old).expect("a count"))
    );
    assert_eq!(messages_of(&again, group), Some(in_sql(&pool, group).await));
    let by_day: Vec<u64> =
        again.days.iter().map(|day| day.messages).filter(|messages| *messages > 0).collect();
    assert_eq!(by_day.len(), 3, "{:?}", again.days);
    assert!(people(&again).iter().map(|(_, messages)| messages).sum::<u64>() == all - 10);

    // Redis drops a set of its own will, to make room.
    let counted_anew = async || {
        let metric = "hubbub_activity_days_counted_total";
        cluster.node(0).metric(metric, &[]).await + cluster.node(1).metric(metric, &[]).await
    };
    let days_before = counted_anew().await;
    let sets = redis.tell("KEYS *activity:{*:people}:*");
    assert_eq!(redis.tell(&format!("DEL {}", sets.lines().next().expect("a set"))), ":1");
    let evicted = std::time::Instant::now();
    eventually("its day is counted anew", async || (counted_anew().await > days_before).then_some(())).await;
    counted(&cluster, &ann_person, 30, "the lost set", |activity| {
        people(activity).iter().map(|(_, messages)| messages).sum::<u64>() == all - 10
    })
    .await;
    println!("a set that was evicted was there again after {:.1} s", evicted.elapsed().as_secs_f64());

    // What is sent while Redis hangs is counted when it is back.
    redis.signal("STOP");
    say(&ann, channel, 20).await;
    say(&bea, group, 5).await;
    assert_eq!(ann.ok(GetRoom(channel)).await.room.id, channel);
    redis.signal("CONT");
    let back = counted(&cluster, &ann_person, 30, "the rest", |activity| today(activity) == all + 25).await;
    assert_eq!(messages_of(&back, group), Some(15));
    // And stays right when the slices are folded.
    tokio::time::sleep(Duration::from_secs(27)).await;
    let folded = counted(&cluster, &ann_person, 30, "folded", |_| true).await;
    assert_eq!(today(&folded), all + 25);
}

#[tokio::test]
async fn while_redis_is_away_the_answer_says_so() {
    let redis = RedisServer::start();
    let cluster = TestCluster::start_on_redis(1, &redis.settings().url).await;
    let [person] = cluster.people().await;
    let link = person.connect(cluster.node(0)).await;
    let room = link.room(RoomKind::Channel, "channel", &[]).await;
    redis.signal("STOP");
    say(&link, room, 3).await;
    let first = activity(&cluster, &person, 5, 10).await;
    assert!(!first.complete);
    assert_eq!(first.days.len(), 5);
    redis.signal("CONT");
    counted(&cluster, &person, 5, "three", |activity| today(activity) == 3).await;
}
