//! G12, health tells the truth; and metrics, which only the operations address shows.

use hubbub_protocol::http::Readiness;

use crate::support::{TestCluster, on_both};

on_both!(
    a_running_node_lives_and_is_ready,
    metrics_are_on_the_operations_address_only,
    metrics_count_what_happens
);

async fn a_running_node_lives_and_is_ready(cluster: TestCluster) {
    for node in cluster.nodes() {
        assert_eq!(node.get("/livez").await.expect("an answer").status, 200);
        let ready = node.get("/readyz").await.expect("an answer");
        assert_eq!(ready.status, 200);
        let readiness: Readiness = serde_json::from_slice(&ready.body).expect("JSON");
        assert_eq!(readiness, Readiness { ready: true, why_not: Vec::new(), degraded: Vec::new() });
    }
}

async fn metrics_are_on_the_operations_address_only(cluster: TestCluster) {
    let node = cluster.node(0);
    for path in ["/metrics", "/metrics/", "/%6detrics", "//metrics", "/v1/metrics", "/debug", "/admin"] {
        let answer = node.get(path).await.expect("an answer");
        assert_eq!(answer.status, 404, "{path}");
    }
    assert!(node.metrics().await.contains("hubbub_"));
    for path in ["/v1/server", "/v1/sessions", "/readyz-not", "/"] {
        assert_eq!(node.get_ops(path).await.expect("an answer").status, 404, "{path}");
    }
}

async fn metrics_count_what_happens(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let node = cluster.node(0);
    let ann_link = ann.connect(node).await;
    let room = ann_link.group(&[&bea]).await;
    let bea_link = bea.connect(node).await;
    node.metric_reaches("hubbub_connections", &[], 2).await;
    let sent = ann_link.say_all(room, (0..25).map(|number| number.to_string())).await;
    let head = sent.iter().map(|sent| sent.seq).max().expect("messages were sent");
    bea_link.until_seq(room, head).await;
    ann_link.connection().clone().close().await;
    node.metric_reaches("hubbub_connections_closed_total", &["bye"], 1).await;
    assert_eq!(node.metric("hubbub_connections", &[]).await, 1);
    assert!(node.metric("hubbub_connections_opened_total", &[]).await >= 2);
    assert!(node.metric("hubbub_messages_committed_total", &[]).await >= 25);
    assert!(node.metric("hubbub_messages_delivered_total", &[]).await >= 25);
    assert!(node.metric("hubbub_send_ack_duration_seconds_count", &[]).await >= 25);
    assert_eq!(node.metric("hubbub_build_info", &[]).await, 1);
    assert_eq!(node.metric("hubbub_invariant_violation_total", &[]).await, 0);
    assert_names_are_regular(&node.metrics().await);
}

/// Names have our prefix and a unit; labels hold no id of a person or a room.
fn assert_names_are_regular(metrics: &str) {
    for line in metrics.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').expect("a name and a kind");
            assert!(name.starts_with("hubbub_") || name.starts_with("process_"), "{name}");
            if kind == "counter" {
                assert!(name.ends_with("_total"), "{name}");
            }
            assert_ne!(kind, "summary", "{name}: quantiles cannot be added across nodes");
            continue;
        }
        let is_hex = |c: char| c.is_ascii_hexdigit() || c == '-';
        let words = line.split(|c: char| !is_hex(c));
        let is_id = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
        assert!(!words.into_iter().any(is_id), "an id is in a label: {line}");
    }
}
