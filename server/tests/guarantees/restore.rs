//! After a back-up was restored the database has another epoch: everybody is told to reload, nothing of the life before
//! is served, and no node goes on as if nothing had happened.

use std::process::Stdio;

use hubbub_protocol::{command::Resume, error::Reason, id::StreamId};

use crate::support::{PATIENCE, TestCluster, eventually, link::texts, node::hubbub, on_both, within};

on_both!(a_new_epoch_stops_the_nodes_and_reloads_the_clients, sessions_can_end_with_the_epoch);

/// Runs `hubbub database …` beside the nodes; what it prints.
async fn database(cluster: &TestCluster, arguments: &[&str]) -> Result<String, String> {
    let running =
        hubbub(cluster.environment(0)).arg("database").args(arguments).stdin(Stdio::null()).output();
    let output = within(PATIENCE, "the end of the command", running).await.expect("the binary starts");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
}

/// Waits until every node has ended by itself, and starts them again.
async fn restarted_by_the_epoch(cluster: &mut TestCluster) {
    for number in 0..cluster.nodes().len() {
        assert_eq!(
            cluster.node_mut(number).exit_code().await,
            Some(1),
            "a service manager must start it again"
        );
        assert!(cluster.node(number).log().contains("restored"), "its log says why");
        cluster.start_again(number).await;
    }
}

async fn a_new_epoch_stops_the_nodes_and_reloads_the_clients(cluster: TestCluster) {
    let mut cluster = cluster;
    let [ann_person, bea_person] = cluster.people().await;
    let ann = ann_person.connect(cluster.node(0)).await;
    let room = ann.group(&[&bea_person]).await;
    let bea = bea_person.connect(cluster.node(1)).await;
    let sent = ann.say(room, "in the life before").await;
    bea.until_seq(room, sent.seq).await;
    let (before, log) = (ann.started.epoch, ann.log(room).await);

    let printed = database(&cluster, &["renew-epoch"]).await.expect("a new epoch");
    let printed: serde_json::Value = serde_json::from_str(&printed).expect("one JSON object");
    assert_eq!(printed["sessions_ended"], 0);
    let (closed, _) = bea.closed().await;
    assert_eq!(closed.code, 1012, "the clients of such a node are sent elsewhere");
    let cursors = bea.cut();
    restarted_by_the_epoch(&mut cluster).await;

    let bea = bea_person.resume(cluster.node(1), cursors).await;
    assert_ne!(bea.started.epoch, before);
    assert_eq!(printed["epoch"], serde_json::json!(bea.started.epoch));
    for stream in [StreamId::Room(room), StreamId::User(bea.me())] {
        let resumed = &bea.started.resumed[&stream];
        assert!(matches!(resumed, Resume::Reload { why, .. } if why == "epoch"), "{stream}: {resumed:?}");
    }
    assert_eq!(bea.log(room).await, log);
    let ann = ann_person.connect(cluster.node(0)).await;
    let sent = ann.say(room, "in this life").await;
    assert_eq!(texts(&bea.until_seq(room, sent.seq).await), ["in this life"]);
}

async fn sessions_can_end_with_the_epoch(cluster: TestCluster) {
    let mut cluster = cluster;
    let [ann, _bea] = cluster.people().await;
    drop(ann.connect(cluster.node(0)).await);
    let printed = database(&cluster, &["renew-epoch", "--end-sessions"]).await.expect("a new epoch");
    assert!(printed.contains(r#""sessions_ended":2"#), "{printed}");
    restarted_by_the_epoch(&mut cluster).await;
    let refused = ann.try_connect(cluster.node(0)).await.err().expect("the session has ended");
    assert_eq!(refused.reason(), Some(Reason::SessionEnded));
}

#[tokio::test]
async fn a_server_that_runs_is_copied_whole() {
    let mut cluster = TestCluster::embedded().await;
    let [ann, bea] = cluster.people().await;
    let link = ann.connect(cluster.node(0)).await;
    let room = link.group(&[&bea]).await;
    link.say_all(room, (0..100).map(|number| number.to_string())).await;
    let folder = cluster.folder().expect("an embedded node").to_owned();
    let copy = folder.join("copy.db");
    let copy_named = copy.display().to_string();
    database(&cluster, &["backup", &copy_named]).await.expect("a copy");
    let refused = database(&cluster, &["backup", &copy_named]).await.expect_err("it would be written over");
    assert!(refused.contains("copy.db cannot be made"), "{refused}");
    let nothing = database(&cluster, &["backup", "--data-dir", "/nonexistent", "x.db"]).await;
    assert!(nothing.expect_err("nothing to copy").contains("no database"));

    let log = link.log(room).await;
    let lost = link.say(room, "after the copy was made").await;
    let cursors = link.cut();
    cluster.node(0).terminate();
    assert_eq!(cluster.node_mut(0).exit_code().await, Some(0));
    for ending in ["", "-wal", "-shm"] {
        // After a clean end there may be nothing but the file itself.
        let _ = std::fs::remove_file(folder.join(format!("hubbub.db{ending}")));
    }
    std::fs::rename(&copy, folder.join("hubbub.db")).expect("the copy takes its place");
    database(&cluster, &["renew-epoch"]).await.expect("a new epoch");
    cluster.start_again(0).await;

    let link = ann.resume(cluster.node(0), cursors).await;
    let stream = StreamId::Room(room);
    assert!(matches!(&link.started.resumed[&stream], Resume::Reload { why, .. } if why == "epoch"));
    assert_eq!(link.log(room).await, log);
    assert_eq!(link.say(room, "in its place").await.seq, lost.seq, "the seq is given again");
}

#[tokio::test]
async fn postgres_is_left_to_its_own_tools() {
    let cluster = TestCluster::start(1).await;
    let refused = database(&cluster, &["backup", "x.db"]).await.expect_err("not for Postgres");
    assert!(refused.contains("pg_dump"), "{refused}");
    eventually("a node that says that it is ready", async || {
        (cluster.node(0).metric("hubbub_ready", &[]).await == 1).then_some(())
    })
    .await;
    assert_eq!(cluster.node(0).metric("hubbub_draining", &[]).await, 0);
    assert!(cluster.node(0).metric("hubbub_pg_pool_connections", &[]).await >= 1);
}
