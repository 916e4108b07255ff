//! Messages: edited, recalled, answered.

use hubbub_protocol::{
    command::{MessageGetParams, MessageSendParams},
    entry::EntryBody,
    error::Reason,
    id::{RoomId, Seq},
    limits::TEXT_BYTES,
    model::{Recalled, TimelineItem},
};

use crate::support::{
    Link, TestCluster,
    link::{edit, message, newest, recall, seqs},
    on_both,
    services::redis_url,
};

on_both!(
    an_edit_changes_the_text_for_everyone,
    a_recalled_text_is_gone_everywhere,
    an_answer_names_what_it_answers,
    texts_have_limits,
    the_list_of_rooms_shows_the_newest_message,
);

fn text_of(item: &TimelineItem) -> &str {
    match &item.entry.body {
        EntryBody::Message { text, .. } => text,
        other => panic!("no message: {other:?}"),
    }
}

async fn one(link: &Link, room: RoomId, seq: Seq) -> TimelineItem {
    let mut messages = link.ok(MessageGetParams { room, seqs: vec![seq] }).await.messages;
    assert_eq!(messages.len(), 1);
    messages.remove(0)
}

async fn an_edit_changes_the_text_for_everyone(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea]).await;
    let bea = bea.connect(cluster.node(1)).await;
    let sent = ann.say(room, "helo").await;
    let edited = ann.ok(edit(room, sent.seq, "hello")).await;
    assert_eq!(edited.seq, sent.seq.next());

    let heard = bea.until_seq(room, edited.seq).await;
    let expected = EntryBody::Edit { target: sent.seq, text: "hello".to_owned() };
    assert_eq!(heard.last().map(|entry| &entry.body), Some(&expected));
    for link in [&ann, &bea] {
        let item = one(link, room, sent.seq).await;
        assert_eq!((text_of(&item), item.edited_at, item.recalled), ("hello", Some(edited.at), None));
        assert_eq!((item.entry.id, item.entry.at), (sent.id, sent.at));
        let page = link.ok(newest(room)).await;
        assert_eq!(page.items.last(), Some(&item));
        assert_eq!(page.head, edited.seq);
    }
    assert_eq!(bea.refused(edit(room, sent.seq, "bea's words")).await, Reason::NotAllowed);
    assert_eq!(ann.refused(edit(room, Seq(1), "not a message")).await, Reason::UnknownMessage);
    assert_eq!(ann.refused(edit(room, edited.seq, "an edit is none")).await, Reason::UnknownMessage);
    assert_eq!(ann.refused(edit(room, Seq(999), "not there yet")).await, Reason::UnknownMessage);
}

async fn a_recalled_text_is_gone_everywhere(cluster: TestCluster) {
    const FIRST: &str = "canary-first-text";
    const SECOND: &str = "canary-second-text";
    let [ann, bea] = cluster.people().await;
    let ann_link = ann.connect(cluster.node(0)).await;
    let room = ann_link.group(&[&bea]).await;
    let bea_link = bea.connect(cluster.node(1)).await;
    let sent = ann_link.say(room, FIRST).await;
    ann_link.ok(edit(room, sent.seq, SECOND)).await;
    bea_link.until_seq(room, sent.seq.next()).await;
    // Read once, so that every cache holds it.
    bea_link.ok(newest(room)).await;
    bea_link.log(room).await;
    let recalled = ann_link.ok(recall(room, sent.seq)).await;

    let heard = bea_link.until_seq(room, recalled.seq).await;
    assert_eq!(heard.last().map(|entry| &entry.body), Some(&EntryBody::Recall { target: sent.seq }));
    for link in [&ann_link, &bea_link] {
        let item = one(link, room, sent.seq).await;
        let expected = Some(Recalled { by: ann_link.me(), at: recalled.at });
        assert_eq!((text_of(&item), item.recalled), ("", expected));
        let page = link.ok(newest(room)).await;
        let log = link.log(room).await;
        let shown = serde_json::to_string(&(&page, &log)).expect("JSON");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(page.items.contains(&item));
    }
    // Who comes back with an old cursor is not shown it either.
    let mut cursors = bea_link.cut();
    for (stream, cursor) in &mut cursors {
        if *stream == hubbub_protocol::id::StreamId::Room(room) {
            cursor.seq = Seq(sent.seq.0 - 1);
        }
    }
    for node in [0, 1] {
        let back = bea.resume(cluster.node(node), cursors.clone()).await;
        let missed = back.until_seq(room, recalled.seq).await;
        assert_eq!(seqs(&missed), [sent.seq.0, sent.seq.0 + 1, recalled.seq.0]);
        assert!(!serde_json::to_string(&missed).expect("JSON").contains("canary"), "{missed:?}");
        let listed = serde_json::to_string(&back.started).expect("JSON");
        assert!(!listed.contains("canary"), "the preview shows it: {listed}");
    }
    assert_nowhere_stored(&cluster, "canary").await;

    let gone = Reason::Recalled;
    assert_eq!(ann_link.refused(edit(room, sent.seq, "again")).await, gone);
    assert_eq!(ann_link.refused(recall(room, sent.seq)).await, gone);
    let answer = MessageSendParams { reply_to: Some(sent.seq), ..message(room, "an answer") };
    assert_eq!(ann_link.refused(answer).await, gone);
    let by_bea = ann_link.say(room, "ann's").await;
    let bea_link = bea.connect(cluster.node(1)).await;
    assert_eq!(bea_link.refused(recall(room, by_bea.seq)).await, Reason::NotAllowed);
    assert_eq!(bea_link.refused(recall(room, Seq(999))).await, Reason::UnknownMessage);
}

/// Looks into the database and into Redis themselves.
async fn assert_nowhere_stored(cluster: &TestCluster, word: &str) {
    if let Some(url) = cluster.database_url() {
        let pool = sqlx::PgPool::connect(url).await.expect("the test's database");
        for table in ["entries", "messages"] {
            let column = if table == "entries" { "body" } else { "text" };
            let statement = format!("SELECT COUNT(*) FROM {table} WHERE {column} LIKE '%{word}%'");
            let count: i64 =
                sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(&pool).await.expect("a count");
            assert_eq!(count, 0, "{table} holds {word}");
        }
        pool.close().await;
        assert_redis_lacks(cluster, word).await;
    } else {
        let path = cluster.folder().expect("an embedded node").join("hubbub.db");
        let pool =
            sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.expect("the data file");
        for statement in [
            "SELECT COUNT(*) FROM entries WHERE body LIKE '%canary%'",
            "SELECT COUNT(*) FROM messages WHERE text LIKE '%canary%'",
        ] {
            let count: i64 = sqlx::query_scalar(statement).fetch_one(&pool).await.expect("a count");
            assert_eq!(count, 0, "{statement}");
        }
        pool.close().await;
    }
}

async fn assert_redis_lacks(cluster: &TestCluster, word: &str) {
    let prefix = cluster
        .environment(0)
        .iter()
        .find_map(|(name, value)| (name == "HUBBUB_REDIS_PREFIX").then_some(value.as_str()))
        .expect("a prefix");
    let script = "local found = {} \
        for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do \
            local kind = redis.call('TYPE', key).ok \
            local values = {} \
            if kind == 'string' then values = {redis.call('GET', key)} \
            elseif kind == 'list' then values = redis.call('LRANGE', key, 0, -1) \
            elseif kind == 'hash' then values = redis.call('HVALS', key) \
            elseif kind == 'zset' then values = redis.call('ZRANGE', key, 0, -1) end \
            for _, value in ipairs(values) do \
                if string.find(value, ARGV[2], 1, true) then table.insert(found, key) end \
            end \
        end \
        return found";
    let client = redis().await;
    let found: Vec<String> = fred::interfaces::LuaInterface::eval(
        &client,
        script,
        Vec::<String>::new(),
        vec![prefix.to_owned(), word.to_owned()],
    )
    .await
    .expect("the script runs");
    assert_eq!(found, Vec::<String>::new(), "Redis holds {word}");
}

async fn redis() -> fred::clients::Client {
    use fred::interfaces::ClientLike as _;
    let config = fred::types::config::Config::from_url(&redis_url()).expect("a Redis URL");
    let client = fred::types::Builder::from_config(config).build().expect("a client");
    client.init().await.expect("Redis answers");
    client
}

async fn an_answer_names_what_it_answers(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea]).await;
    let bea = bea.connect(cluster.node(1)).await;
    let question = ann.say(room, "a question").await;
    let reply = MessageSendParams { reply_to: Some(question.seq), ..message(room, "an answer") };
    let answer = bea.ok(reply).await;
    let heard = ann.until_seq(room, answer.seq).await;
    let expected = EntryBody::Message { text: "an answer".to_owned(), reply_to: Some(question.seq) };
    assert_eq!(heard.last().map(|entry| &entry.body), Some(&expected));
    assert_eq!(one(&ann, room, answer.seq).await.entry.body, expected);
    for target in [Seq(1), Seq(999), Seq::ZERO] {
        let wrong = MessageSendParams { reply_to: Some(target), ..message(room, "to nothing") };
        assert_eq!(bea.refused(wrong).await, Reason::UnknownMessage, "seq {target}");
    }
}

async fn texts_have_limits(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let ann = ann.connect(cluster.node(0)).await;
    let room = ann.group(&[]).await;
    let most = "x".repeat(TEXT_BYTES);
    let sent = ann.say(room, &most).await;
    assert_eq!(text_of(&one(&ann, room, sent.seq).await), most);
    assert_eq!(ann.refused(message(room, &(most.clone() + "x"))).await, Reason::TooLarge);
    // Bytes count, not characters.
    assert_eq!(ann.refused(message(room, &"漢".repeat(TEXT_BYTES / 3 + 1))).await, Reason::TooLarge);
    assert_eq!(ann.refused(message(room, "")).await, Reason::InvalidParams);
    assert_eq!(ann.refused(edit(room, sent.seq, "")).await, Reason::InvalidParams);
    assert_eq!(ann.refused(edit(room, sent.seq, &(most + "x"))).await, Reason::TooLarge);
    let refused = ann.refused(MessageSendParams { key: String::new(), ..message(room, "x") }).await;
    assert!(matches!(refused, Reason::InvalidParams | Reason::MissingParameter), "{refused}");
    let refused = ann.refused(MessageSendParams { key: "k".repeat(65), ..message(room, "x") }).await;
    assert!(matches!(refused, Reason::InvalidParams | Reason::TooLarge), "{refused}");
    // Whatever people write comes back as it was.
    for text in
        ["line\nline", "\u{1F469}\u{200D}\u{1F680}", "\"\\ </script> ' ; -- %s {}", " leading", "שלום"]
    {
        let sent = ann.say(room, text).await;
        assert_eq!(text_of(&one(&ann, room, sent.seq).await), text);
    }
    let nul = ann.ask(message(room, "nul \0 inside")).await;
    assert!(
        nul.as_ref().is_ok() || nul.as_ref().is_err_and(|e| e.reason() == Some(Reason::InvalidParams)),
        "{nul:?}"
    );
}

async fn the_list_of_rooms_shows_the_newest_message(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let ann_link = ann.connect(cluster.node(0)).await;
    let room = ann_link.group(&[&bea]).await;
    let long = "é".repeat(200);
    let sent = ann_link.say(room, &long).await;
    let listed = |link: &Link| link.started.rooms[0].last.clone().expect("a newest message");
    let shown = listed(&bea.connect(cluster.node(1)).await);
    assert_eq!((shown.seq, shown.sender, shown.at), (sent.seq, ann_link.me(), sent.at));
    assert_eq!(shown.text.as_deref(), Some("é".repeat(120).as_str()));
    ann_link.ok(edit(room, sent.seq, "short")).await;
    assert_eq!(listed(&bea.connect(cluster.node(0)).await).text.as_deref(), Some("short"));
    ann_link.ok(recall(room, sent.seq)).await;
    assert_eq!(listed(&bea.connect(cluster.node(1)).await).text, None);
}
