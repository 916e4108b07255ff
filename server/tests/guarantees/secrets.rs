//! What is secret stays out of logs and metrics, however much a node is told to log.

use hubbub_protocol::{
    command::{DraftSetParams, MessageEditParams, MessageRecallParams, RoomInviteParams},
    http::{LogIn, SignUp},
    model::{Device, DeviceClass},
};
use hyper::Method;

use crate::support::{
    TestCluster,
    link::{key, message},
    on_both,
    raw::Raw,
    services::unique,
};

/// What every secret of these tests begins with.
const CANARY: &str = "canary";
/// As much as can be asked for, of us and of every library.
const EVERYTHING: &str = "trace,hyper=trace,sqlx=trace,fred=trace,tungstenite=trace,hubbub_server=trace";

#[tokio::test]
async fn embedded_nothing_secret_is_logged() {
    nothing_secret_is_logged(TestCluster::embedded_with(&[("HUBBUB_LOG_LEVEL", EVERYTHING)]).await).await;
}

#[tokio::test]
async fn on_two_nodes_nothing_secret_is_logged() {
    let settings = [("HUBBUB_LOG_LEVEL", EVERYTHING), ("HUBBUB_LOG_FORMAT", "json")];
    nothing_secret_is_logged(TestCluster::start_with(2, &settings).await).await;
}

async fn nothing_secret_is_logged(cluster: TestCluster) {
    let http = cluster.node(0).http();
    let (username, password) = (unique("")[8..].to_owned(), unique(CANARY));
    let sign_up = SignUp { username: username.clone(), password: password.clone(), display_name: None };
    http.sign_up(&sign_up).await.expect("an account");
    let device = Device { id: "d".to_owned(), class: DeviceClass::Desktop, name: "d".to_owned() };
    let log_in = LogIn { username: username.clone(), password: password.clone(), device };
    let wrong = LogIn { password: unique(CANARY), ..log_in.clone() };
    http.log_in(&wrong).await.expect_err("a wrong password");
    let first = http.log_in(&log_in).await.expect("a login");
    let renewed = cluster.node(1).http().refresh(&first.refresh_token).await.expect("new tokens");
    let person = crate::support::Person::from(renewed.clone());

    let link = person.connect(cluster.node(0)).await;
    let room = link.group(&[]).await;
    let sent = link.say(room, &unique(CANARY)).await;
    link.ok(MessageEditParams { room, key: key(), seq: sent.seq, text: unique(CANARY) }).await;
    link.ok(MessageRecallParams { room, key: key(), seq: sent.seq }).await;
    link.ok(DraftSetParams { room, text: unique(CANARY), reply_to: None }).await;
    let too_long = format!("{}{}", unique(CANARY), "x".repeat(20_000));
    link.refused(message(room, &too_long)).await;
    let invite = link.ok(RoomInviteParams { room, expires_in_s: None, max_uses: None }).await;
    cluster.node(1).get(&format!("/v1/invites/{}", invite.code)).await.expect("an answer");

    say_it_wrong(&cluster, &renewed.access_token).await;
    link.connection().clone().close().await;

    let secrets = [
        first.access_token,
        first.refresh_token,
        renewed.access_token,
        renewed.refresh_token,
        invite.code,
        CANARY.to_owned(),
    ];
    assert!(cluster.node(0).log().contains("DEBUG"), "the node does not log all it could");
    for node in cluster.nodes() {
        let (log, metrics) = (node.log(), node.metrics().await);
        for secret in &secrets {
            let line = log.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "the log holds {secret}");
            assert!(!metrics.contains(secret.as_str()), "the metrics hold {secret}");
        }
    }
}

/// Secrets where they do not belong, and frames that cannot be read.
async fn say_it_wrong(cluster: &TestCluster, token: &str) {
    let node = cluster.node(0);
    let http = node.http();
    for path in [format!("/v1/sessions?token={token}"), format!("/v1/{}", unique(CANARY))] {
        let request = http.request(Method::GET, &path, None, None::<&()>).expect("a request");
        http.send(request).await.expect("an answer");
    }
    let mut raw = Raw::start(node, token).await;
    for frame in [
        format!("{{\"{}", unique(CANARY)),
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#, unique(CANARY)),
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"message.send","params":{{"room":"{}"}}}}"#,
            unique(CANARY)
        ),
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"message.send","params":{{"text":{token:?}}}}}"#),
    ] {
        raw.text(&frame).await;
        raw.reply().await;
    }
    let wrong = unique(CANARY);
    let mut raw = Raw::connect(node).await;
    raw.ask("session.start", serde_json::json!({"token": wrong})).await;
}

on_both!(names_cannot_forge_lines_of_the_log);

async fn names_cannot_forge_lines_of_the_log(cluster: TestCluster) {
    let node = cluster.node(0);
    let forged = "x\n2026-01-01T00:00:00Z ERROR forged: everything is lost\n";
    let device = Device { id: forged.to_owned(), class: DeviceClass::Desktop, name: forged.to_owned() };
    let log_in = LogIn { username: forged.to_owned(), password: "no password".to_owned(), device };
    node.http().log_in(&log_in).await.expect_err("no such account");
    let [ann] = cluster.people().await;
    let link = ann.connect(node).await;
    let asked = hubbub_protocol::command::RoomCreateParams {
        key: key(),
        kind: hubbub_protocol::model::RoomKind::Channel,
        name: forged.to_owned(),
        topic: String::new(),
        members: Vec::new(),
    };
    // Refused or taken: the log has no line of this beginning either way.
    let _ = link.ask(asked).await;
    link.round_trip().await;
    assert!(!node.log().lines().any(|line| line.starts_with("2026-01-01T00:00:00Z ERROR forged")));
}
