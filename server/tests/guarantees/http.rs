//! The HTTP door: what it does, and how it refuses.

use hubbub_client::http::{Answer, HttpClient, HttpError};
use hubbub_protocol::{
    command::{RoomHistoryParams, RoomReadParams},
    error::{Problem, Reason},
    http::{LogIn, ServerInfo, SessionPolicy, SignInWay, SignUp},
    id::{RoomId, Seq, SessionId},
    limits::BODY_BYTES,
    model::Device,
};
use hyper::{Method, Request, header};
use serde_json::{Value, json};

use crate::support::{
    Node, TestCluster, on_both,
    person::{PASSWORD, log_in, sign_up},
    services::unique,
};

on_both!(
    people_sign_up_and_log_in,
    names_and_passwords_follow_the_rules,
    who_cannot_log_in_is_not_told_why,
    a_server_introduces_itself,
    history_is_read_over_http_too,
    bad_requests_are_refused_with_problems,
    tokens_are_asked_for_and_never_in_a_url,
);

/// Sends this request; the body as it is.
async fn send(
    node: &Node,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(format!("{}{path}", node.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = http_body_util::Full::new(body.into().into());
    node.http().send(request.body(body).expect("a request")).await.expect("an answer")
}

const JSON: (&str, &str) = ("content-type", "application/json");

/// The problem of a refusal; its status, number and type must be the catalogue's.
fn problem(answer: &Answer) -> Problem {
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{:?}", answer.body);
    let problem: Problem = serde_json::from_slice(&answer.body).expect("a problem");
    let reason = problem.data.reason;
    assert_eq!(answer.status.as_u16(), reason.status());
    assert_eq!((problem.status, problem.code), (reason.status(), reason.code()));
    assert_eq!(problem.kind, format!("urn:hubbub:error:{reason}"));
    assert!(!problem.title.is_empty() && !problem.detail.is_empty());
    problem
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, HttpError>) -> Reason {
    match outcome {
        Err(HttpError::Refused(problem)) => problem.data.reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn account(username: &str, password: &str) -> SignUp {
    SignUp { username: username.to_owned(), password: password.to_owned(), display_name: None }
}

fn login(username: &str, password: &str) -> LogIn {
    let device = Device {
        id: "a-test".to_owned(),
        class: hubbub_protocol::model::DeviceClass::Bot,
        name: String::new(),
    };
    LogIn { username: username.to_owned(), password: password.to_owned(), device }
}

async fn people_sign_up_and_log_in(cluster: TestCluster) {
    let http = cluster.node(0).http();
    let username = &unique("")[10..];
    let display_name = Some("Ann Ä. 安".to_owned());
    let wish = SignUp { display_name: display_name.clone(), ..account(&username.to_uppercase(), PASSWORD) };
    let user = http.sign_up(&wish).await.expect("an account").user;
    assert_eq!((user.username.as_str(), Some(user.display_name.clone())), (username, display_name));
    assert_eq!(refusal(http.sign_up(&account(username, PASSWORD)).await), Reason::UsernameTaken);

    // Names are read in any case; the other node knows the account.
    let logged_in =
        cluster.node(1).http().log_in(&login(&username.to_uppercase(), PASSWORD)).await.expect("a login");
    assert_eq!(logged_in.user, user);
    assert!(logged_in.session.current);
    assert_eq!(
        (logged_in.session.device.id.as_str(), logged_in.session.place.as_str()),
        ("a-test", "127.0.0.0")
    );
    assert!(logged_in.access_token.len() >= 43 && logged_in.refresh_token.len() >= 43, "256 bits each");
    assert_ne!(logged_in.access_token, logged_in.refresh_token);
    assert!(logged_in.refresh_expires_in_s > logged_in.expires_in_s);
    let listed = http.sessions(&logged_in.access_token).await.expect("a list").sessions;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, logged_in.session.id);
}

async fn names_and_passwords_follow_the_rules(cluster: TestCluster) {
    let http = cluster.node(0).http();
    let long = "x".repeat(33);
    for wrong in ["", "a", &long, "white space", "sl/ash", "at@sign", "ümlaut", "new\nline", "nul\0"] {
        assert_eq!(
            refusal(http.sign_up(&account(wrong, PASSWORD)).await),
            Reason::InvalidParams,
            "{wrong:?}"
        );
    }
    let long = "x".repeat(257);
    for wrong in ["", "1234567", &long] {
        let refused = refusal(http.sign_up(&account(&unique("")[8..], wrong)).await);
        assert!(matches!(refused, Reason::InvalidParams | Reason::TooLarge), "{} characters", wrong.len());
    }
    for wrong in ["", "   ", &"x".repeat(65)] {
        let wish = SignUp { display_name: Some(wrong.to_owned()), ..account(&unique("")[8..], PASSWORD) };
        let refused = refusal(http.sign_up(&wish).await);
        assert!(matches!(refused, Reason::InvalidParams | Reason::TooLarge), "{wrong:?}");
    }
    let username = sign_up(cluster.node(0)).await;
    for (id, name) in [("", "x"), (&"x".repeat(101)[..], "x"), ("x", &"x".repeat(101)[..])] {
        let mut wish = login(&username, PASSWORD);
        wish.device.id = id.to_owned();
        wish.device.name = name.to_owned();
        let refused = refusal(http.log_in(&wish).await);
        assert!(matches!(refused, Reason::InvalidParams | Reason::TooLarge), "{refused}");
    }
}

async fn who_cannot_log_in_is_not_told_why(cluster: TestCluster) {
    let username = sign_up(cluster.node(0)).await;
    let [provisioned] = cluster.people().await;
    let mut answers = Vec::new();
    for wish in [
        login(&username, "wrong horse battery"),
        login(&unique("")[8..], PASSWORD),
        login(&provisioned.user.username, PASSWORD),
    ] {
        let body = serde_json::to_vec(&wish).expect("JSON");
        let answer = send(cluster.node(0), Method::POST, "/v1/sessions", &[JSON], body).await;
        assert_eq!(problem(&answer).data.reason, Reason::InvalidCredentials);
        answers.push(answer.body);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "the answers differ");
}

async fn a_server_introduces_itself(cluster: TestCluster) {
    let node = cluster.node(0);
    let info: ServerInfo = node.http().server().await.expect("an introduction");
    assert!(info.sign_up && !info.name.is_empty() && !info.version.is_empty());
    assert_eq!((info.session_policy, info.sign_in), (SessionPolicy::Takeover, vec![SignInWay::Password]));
    assert_eq!((info.password.least, info.password.most), (8, 256));
    for (path, field, version) in [("/openapi.json", "openapi", "3.1"), ("/asyncapi.json", "asyncapi", "3.")]
    {
        let answer = node.get(path).await.expect("an answer");
        assert_eq!(answer.status, 200, "{path}");
        let specification: Value = serde_json::from_slice(&answer.body).expect("JSON");
        assert!(specification[field].as_str().is_some_and(|text| text.starts_with(version)), "{path}");
    }
    let answer = node.get("/v1/server").await.expect("an answer");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}

async fn history_is_read_over_http_too(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let link = ann.connect(cluster.node(0)).await;
    let room = link.group(&[]).await;
    link.say_all(room, (0..30).map(|number| number.to_string())).await;
    let http = cluster.node(1).http();
    let read = RoomReadParams { room, before: Some(Seq(20)), after: None, limit: Some(5) };
    let history =
        RoomHistoryParams { room, before: None, after: None, around: Some(Seq(10)), limit: Some(6) };
    assert_eq!(http.entries(&ann.token, &read).await.expect("a page"), link.ok(read.clone()).await);
    assert_eq!(http.history(&ann.token, &history).await.expect("a page"), link.ok(history.clone()).await);
    assert_eq!(refusal(http.entries(&bea.token, &read).await), Reason::NotAMember);
    assert_eq!(refusal(http.history(&bea.token, &history).await), Reason::NotAMember);
    let nowhere = RoomReadParams { room: RoomId::generate(), ..read };
    assert_eq!(refusal(http.entries(&ann.token, &nowhere).await), Reason::UnknownRoom);
}

/// Method, path, headers, body, and what it is refused for.
type BadRequest<'a> = (Method, &'a str, Vec<(&'a str, &'a str)>, Vec<u8>, Reason);

async fn bad_requests_are_refused_with_problems(cluster: TestCluster) {
    let node = cluster.node(0);
    let [ann] = cluster.people().await;
    let bearer = format!("Bearer {}", ann.token);
    let authorised = ("authorization", bearer.as_str());
    let too_deep = "[".repeat(17) + &"]".repeat(17);
    let too_large = vec![b' '; BODY_BYTES + 1];
    let good = serde_json::to_vec(&login("nobody", "no password")).expect("JSON");
    let cases: Vec<BadRequest<'_>> = vec![
        (Method::GET, "/v1/nowhere", vec![], vec![], Reason::NotFound),
        (Method::GET, "/v1/%2e%2e/metrics", vec![], vec![], Reason::NotFound),
        (Method::PUT, "/v1/sessions", vec![JSON], good.clone(), Reason::MethodNotAllowed),
        (Method::GET, "/v1/accounts", vec![], vec![], Reason::MethodNotAllowed),
        (Method::POST, "/v1/server", vec![JSON], vec![], Reason::MethodNotAllowed),
        (Method::POST, "/v1/sessions", vec![JSON], too_large, Reason::TooLarge),
        (
            Method::POST,
            "/v1/sessions",
            vec![("content-type", "text/plain")],
            good.clone(),
            Reason::UnsupportedMediaType,
        ),
        (Method::POST, "/v1/sessions", vec![], good, Reason::UnsupportedMediaType),
        (Method::POST, "/v1/sessions", vec![JSON], b"{".to_vec(), Reason::MalformedJson),
        (Method::POST, "/v1/sessions", vec![JSON], vec![b'"', 0xff, b'"'], Reason::MalformedJson),
        (Method::POST, "/v1/sessions", vec![JSON], too_deep.into_bytes(), Reason::MalformedJson),
        (Method::POST, "/v1/sessions", vec![JSON], b"[]".to_vec(), Reason::InvalidParams),
        (Method::POST, "/v1/sessions", vec![JSON], br#"{"username":7}"#.to_vec(), Reason::InvalidParams),
        (Method::POST, "/v1/sessions", vec![JSON], br#"{"username":"x"}"#.to_vec(), Reason::MissingParameter),
        (Method::POST, "/v1/sessions/refresh", vec![JSON], b"{}".to_vec(), Reason::MissingParameter),
        (Method::GET, "/v1/rooms/not-a-uuid/entries", vec![authorised], vec![], Reason::InvalidParams),
        (Method::DELETE, "/v1/sessions/not-a-uuid", vec![authorised], vec![], Reason::UnknownSession),
        (Method::GET, "/v1/invites/nothing", vec![], vec![], Reason::UnknownInvite),
    ];
    for (method, path, headers, body, expected) in cases {
        let answer = send(node, method.clone(), path, &headers, body).await;
        assert_eq!(problem(&answer).data.reason, expected, "{method} {path}");
        if expected == Reason::MethodNotAllowed {
            assert!(answer.headers.contains_key(header::ALLOW), "{method} {path}");
        }
    }
    for query in ["limit=0", "limit=201", "limit=many", "before=-1", "before=5&after=2"] {
        let path = format!("/v1/rooms/{}/entries?{query}", RoomId::generate());
        let answer = send(node, Method::GET, &path, &[authorised], []).await;
        let reason = problem(&answer).data.reason;
        // What is looked at first, the room or the page, is nobody's business.
        assert!(matches!(reason, Reason::InvalidParams | Reason::UnknownRoom), "{query}: {reason}");
    }
    let gone = node.http().end_session(&ann.token, SessionId::generate()).await;
    assert_eq!(refusal(gone), Reason::UnknownSession);
}

async fn tokens_are_asked_for_and_never_in_a_url(cluster: TestCluster) {
    let node = cluster.node(0);
    let username = sign_up(node).await;
    let ann = log_in(node, &username, "laptop").await;
    let bearer = format!("Bearer {}", ann.token);
    let basic = format!("Basic {}", ann.token);
    let refresh = format!("Bearer {}", ann.refresh_token);
    let path = "/v1/sessions";
    for headers in [
        vec![],
        vec![("authorization", "Bearer")],
        vec![("authorization", "Bearer wrong")],
        vec![("authorization", basic.as_str())],
        vec![("authorization", refresh.as_str())],
    ] {
        let answer = send(node, Method::GET, path, &headers, []).await;
        assert_eq!(problem(&answer).data.reason, Reason::Unauthenticated);
        assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
    }
    let in_url = format!("{path}?access_token={}", ann.token);
    let answer = send(node, Method::GET, &in_url, &[], []).await;
    assert!(answer.status.is_client_error());
    let answer = send(node, Method::GET, path, &[("authorization", bearer.as_str())], []).await;
    assert_eq!(answer.status, 200);
    // An access token refreshes nothing.
    let refused = HttpClient::new(node.address.clone()).refresh(&ann.token).await;
    assert!(matches!(refusal(refused), Reason::Unauthenticated | Reason::SessionEnded));
    assert_eq!(send(node, Method::GET, path, &[("authorization", bearer.as_str())], []).await.status, 200);
    let unused = json!({"refresh_token": "x"}).to_string();
    let answer = send(node, Method::POST, "/v1/sessions/refresh", &[JSON], unused).await;
    assert_eq!(answer.status, 401);
}
