//! Sessions: they are refreshed, time out, and end; whoever holds a dead one is told so, live or not.

use hubbub_client::http::HttpError;
use hubbub_protocol::{
    close::{EndReason, Next},
    error::Reason,
    id::SessionId,
};
use tokio::time::Instant;

use crate::support::{
    Person, TestCluster, eventually,
    link::A_SECOND,
    on_both,
    person::{log_in, sign_up},
};

on_both!(
    logging_out_closes_every_tab,
    a_refresh_renews_both_tokens,
    a_spent_refresh_token_ends_the_session,
    many_refreshes_at_once_have_one_outcome,
    a_session_of_someone_else_cannot_be_ended,
);

fn refused<T: std::fmt::Debug>(outcome: Result<T, HttpError>) -> Reason {
    match outcome {
        Err(HttpError::Refused(problem)) => problem.data.reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

async fn logging_out_closes_every_tab(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let tabs = [ann.connect(cluster.node(0)).await, ann.connect(cluster.node(1)).await];
    cluster.node(1).http().end_session(&ann.token, ann.session).await.expect("logged out");
    let answered = Instant::now();
    for tab in &tabs {
        let (closed, at) = tab.closed().await;
        assert_eq!((closed.code, closed.reason.as_str()), (4401, "logged_out"));
        assert_eq!(closed.next(), Next::Stop);
        assert!(at.saturating_duration_since(answered) < A_SECOND);
        let end = tab.heard(|heard| heard.ended.clone()).expect("told before the close");
        assert_eq!(end.reason, EndReason::LoggedOut);
    }
    for node in cluster.nodes() {
        assert_eq!(refused(node.http().sessions(&ann.token).await), Reason::SessionEnded);
        assert_eq!(refused(node.http().refresh(&ann.refresh_token).await), Reason::SessionEnded);
        let refusal = ann.try_connect(node).await.err().expect("no session");
        assert_eq!(refusal.reason(), Some(Reason::SessionEnded));
    }
}

async fn a_refresh_renews_both_tokens(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let link = ann.connect(cluster.node(0)).await;
    let mut newest = ann.clone();
    for number in 0..4 {
        let renewed = cluster.node(number).http().refresh(&newest.refresh_token).await.expect("new tokens");
        assert_eq!(renewed.session.id, ann.session, "the same session");
        assert_ne!(renewed.access_token, newest.token);
        assert_ne!(renewed.refresh_token, newest.refresh_token);
        newest = Person::from(renewed);
        newest.connect(cluster.node(number + 1)).await.round_trip().await;
    }
    link.round_trip().await;
    assert!(link.heard(|heard| heard.closed.is_none()), "a live connection outlives the refresh");
    assert_eq!(refused(cluster.node(0).http().sessions(&ann.token).await), Reason::Unauthenticated);
}

async fn a_spent_refresh_token_ends_the_session(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let link = ann.connect(cluster.node(0)).await;
    let renewed = cluster.node(0).http().refresh(&ann.refresh_token).await.expect("new tokens");
    // Whoever shows the old one now has stolen it, or was stolen from.
    assert_eq!(refused(cluster.node(1).http().refresh(&ann.refresh_token).await), Reason::SessionEnded);
    let (closed, _) = link.closed().await;
    assert_eq!((closed.code, closed.reason.as_str()), (4406, "token_reused"));
    assert_eq!(link.heard(|heard| heard.ended.as_ref().map(|end| end.reason)), Some(EndReason::TokenReused));
    for node in cluster.nodes() {
        assert_eq!(refused(node.http().sessions(&renewed.access_token).await), Reason::SessionEnded);
        assert_eq!(refused(node.http().refresh(&renewed.refresh_token).await), Reason::SessionEnded);
    }
}

async fn many_refreshes_at_once_have_one_outcome(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let refreshes = (0..20).map(|number| {
        let http = cluster.node(number).http();
        let token = ann.refresh_token.clone();
        async move { http.refresh(&token).await }
    });
    let outcomes = futures_util::future::join_all(refreshes).await;
    let renewed: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    assert_eq!(renewed.len(), 1, "{} were renewed", renewed.len());
    // The others showed a spent token: the session is over, for the lucky one too.
    let http = cluster.node(0).http();
    assert_eq!(refused(http.sessions(&renewed[0].access_token).await), Reason::SessionEnded);
}

async fn a_session_of_someone_else_cannot_be_ended(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let http = cluster.node(0).http();
    for session in [bea.session, SessionId::generate()] {
        assert_eq!(refused(http.end_session(&ann.token, session).await), Reason::UnknownSession);
    }
    bea.connect(cluster.node(1)).await.round_trip().await;
    let listed = http.sessions(&ann.token).await.expect("a list").sessions;
    assert_eq!(listed.iter().map(|session| session.id).collect::<Vec<_>>(), [ann.session]);
}

/// Short lives, so that their ends can be waited for.
const SHORT: [(&str, &str); 2] =
    [("HUBBUB_ACCOUNTS_ACCESS_TTL_S", "3"), ("HUBBUB_ACCOUNTS_REFRESH_TTL_S", "3600")];

#[tokio::test]
async fn embedded_an_unused_access_token_times_out() {
    an_unused_access_token_times_out(TestCluster::embedded_with(&SHORT).await).await;
}

#[tokio::test]
async fn on_two_nodes_an_unused_access_token_times_out() {
    an_unused_access_token_times_out(TestCluster::start_with(2, &SHORT).await).await;
}

async fn an_unused_access_token_times_out(cluster: TestCluster) {
    let username = sign_up(cluster.node(0)).await;
    let ann = log_in(cluster.node(0), &username, "laptop").await;
    // Looking at it would be using it, so a second token of somebody else is looked at meanwhile.
    let [bea] = cluster.people().await;
    let begun = Instant::now();
    eventually("more than the life of a token", async || {
        let listed = cluster.node(1).http().sessions(&bea.token).await;
        assert!(listed.is_ok(), "a token that is used does not time out: {listed:?}");
        (begun.elapsed().as_secs() >= 5).then_some(())
    })
    .await;
    assert_eq!(refused(cluster.node(1).http().sessions(&ann.token).await), Reason::Unauthenticated);
    let refusal = ann.try_connect(cluster.node(0)).await.err().expect("no session");
    assert_eq!(refusal.reason(), Some(Reason::Unauthenticated));
    // The session itself lives: its refresh token takes it up again.
    let renewed = cluster.node(0).http().refresh(&ann.refresh_token).await.expect("new tokens");
    assert_eq!(renewed.session.id, ann.session);
    Person::from(renewed).connect(cluster.node(1)).await.round_trip().await;
}

/// A connection whose client says nothing is not kept for ever.
#[tokio::test]
async fn a_silent_connection_is_closed() {
    let settings =
        [("HUBBUB_CONNECTIONS_HEARTBEAT_MS", "400"), ("HUBBUB_CONNECTIONS_IDLE_TIMEOUT_MS", "1200")];
    let cluster = TestCluster::embedded_with(&settings).await;
    let [ann, bea] = cluster.people().await;
    let living = ann.connect(cluster.node(0)).await;
    assert_eq!(living.started.heartbeat_ms, 400);
    let mut silent = SilentClient::start(&cluster, &bea).await;
    assert_eq!(silent.closed().await, (4001, "heartbeat_missed".to_owned()));
    living.round_trip().await;
    assert!(living.heard(|heard| heard.closed.is_none()), "whoever beats is not closed");
}

/// Speaks WebSocket by hand and answers nothing, not even pings.
struct SilentClient(tokio::net::TcpStream);

impl SilentClient {
    async fn start(cluster: &TestCluster, person: &Person) -> Self {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let authority = cluster.node(0).address.authority().to_owned();
        let mut stream = tokio::net::TcpStream::connect(&authority).await.expect("a connection");
        let request = format!(
            "GET /v1/ws HTTP/1.1\r\nhost: {authority}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-protocol: {}\r\n\r\n",
            hubbub_protocol::SUBPROTOCOL
        );
        stream.write_all(request.as_bytes()).await.expect("a request");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("an answer"));
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        let start = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"session.start","params":{{"token":"{}"}}}}"#,
            person.token
        );
        // Masked with zeros, which leaves the payload as it is.
        let length = u16::try_from(start.len()).expect("a short frame");
        let mut frame = vec![0x81, 0x80 | 0x7e];
        frame.extend(length.to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(start.as_bytes());
        stream.write_all(&frame).await.expect("a frame");
        Self(stream)
    }

    /// Reads frames until the close; its code and reason.
    async fn closed(&mut self) -> (u16, String) {
        use tokio::io::AsyncReadExt as _;
        loop {
            let opcode = self.0.read_u8().await.expect("a frame") & 0x0f;
            let length = match self.0.read_u8().await.expect("a frame") {
                126 => u64::from(self.0.read_u16().await.expect("a frame")),
                127 => self.0.read_u64().await.expect("a frame"),
                short => u64::from(short),
            };
            let mut payload = vec![0; usize::try_from(length).expect("a frame")];
            self.0.read_exact(&mut payload).await.expect("a frame");
            if opcode == 8 {
                let code = u16::from_be_bytes([payload[0], payload[1]]);
                return (code, String::from_utf8(payload[2..].to_vec()).expect("text"));
            }
        }
    }
}
