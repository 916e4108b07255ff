//! Bad input: each kind gets its typed error and the connection lives, or the close that the documents name.

use hubbub_client::connection::{Connection, Options};
use hubbub_protocol::{
    SUBPROTOCOL,
    error::{Problem, Reason},
    id::RoomId,
    limits::{FRAME_BYTES, JSON_DEPTH, TEXT_BYTES},
};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::support::{
    TestCluster, eventually, on_both,
    raw::{Raw, reason},
};

on_both!(
    what_is_no_request_is_answered_and_the_connection_lives,
    wrong_params_are_answered_and_the_connection_lives,
    rooms_one_may_not_touch_are_answered_and_the_connection_lives,
    a_frame_over_the_limit_is_answered_and_one_far_over_it_closes,
    nothing_runs_before_the_session_starts,
    broken_framing_closes_with_its_code,
    who_never_starts_a_session_is_closed,
    the_handshake_refuses_foreign_pages,
);

async fn what_is_no_request_is_answered_and_the_connection_lives(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let mut raw = Raw::start(cluster.node(0), &ann.token).await;
    let too_deep = format!("{}{}", "[".repeat(JSON_DEPTH + 1), "]".repeat(JSON_DEPTH + 1));
    let bombs = "[".repeat(60_000);
    let nested_params = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{}{}}}"#,
        r#"{"a":"#.repeat(JSON_DEPTH).trim_end(),
        "1".to_owned() + &"}".repeat(JSON_DEPTH)
    );
    for (frame, expected) in [
        ("", Reason::MalformedJson),
        ("hello", Reason::MalformedJson),
        ("{", Reason::MalformedJson),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"} trailing"#, Reason::MalformedJson),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":1e400}}"#, Reason::InvalidParams),
        (too_deep.as_str(), Reason::MalformedJson),
        (bombs.as_str(), Reason::MalformedJson),
        (nested_params.as_str(), Reason::MalformedJson),
        ("null", Reason::InvalidRequest),
        ("7", Reason::InvalidRequest),
        (r#""text""#, Reason::InvalidRequest),
        // A batch is not part of this wire.
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, Reason::InvalidRequest),
        ("[]", Reason::InvalidRequest),
        (r#"{"id":1,"method":"ping"}"#, Reason::InvalidRequest),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, Reason::InvalidRequest),
        (r#"{"jsonrpc":"2.0","method":"ping"}"#, Reason::InvalidRequest),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Reason::InvalidRequest),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, Reason::InvalidRequest),
        (r#"{"jsonrpc":"2.0","id":1}"#, Reason::InvalidRequest),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, Reason::InvalidRequest),
        (r#"{"jsonrpc":"2.0","id":1,"method":"message.explode"}"#, Reason::UnknownMethod),
        (r#"{"jsonrpc":"2.0","id":1,"method":"PING"}"#, Reason::UnknownMethod),
    ] {
        raw.text(frame).await;
        let reply = raw.reply().await;
        let shown: String = frame.chars().take(80).collect();
        if expected == Reason::InvalidParams && reply.get("result").is_some() {
            continue; // `ping` has no params to be wrong.
        }
        assert_eq!(reason(&reply), expected, "{shown}");
        raw.assert_lives().await;
    }
    let long_id = json!({"jsonrpc": "2.0", "id": "x".repeat(100), "method": "ping"}).to_string();
    raw.text(&long_id).await;
    let reply = raw.reply().await;
    assert_eq!((reason(&reply), &reply["id"]), (Reason::InvalidRequest, &Value::Null));

    raw.send(Message::binary(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)).await;
    assert_eq!(reason(&raw.reply().await), Reason::InvalidRequest, "a binary frame");
    raw.assert_lives().await;
    // The id comes back as it was, whatever its kind.
    for id in [json!(7), json!("seven"), json!(-1), json!("")] {
        raw.text(&json!({"jsonrpc": "2.0", "id": id, "method": "nope"}).to_string()).await;
        assert_eq!(raw.reply().await["id"], id);
    }
}

async fn wrong_params_are_answered_and_the_connection_lives(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let mut raw = Raw::start(cluster.node(0), &ann.token).await;
    let created = raw.ask("room.create", json!({"key": "k1", "kind": "group", "name": "a group"})).await;
    let room = created["result"]["room"]["id"].as_str().expect("a room").to_owned();
    let invalid = Reason::InvalidParams;
    for (method, params, expected, field) in [
        ("message.send", json!({}), Reason::MissingParameter, Some("room")),
        ("message.send", json!({"room": room, "key": "k"}), Reason::MissingParameter, Some("text")),
        ("message.send", json!({"room": room, "text": "hello"}), Reason::MissingParameter, Some("key")),
        ("message.send", json!({"room": 7, "key": "k", "text": "hello"}), invalid, None),
        ("message.send", json!({"room": "seven", "key": "k", "text": "hello"}), invalid, None),
        ("message.send", json!({"room": room, "key": "k", "text": ["hello"]}), invalid, None),
        ("message.send", json!({"room": room, "key": "k", "text": "x", "reply_to": -1}), invalid, None),
        ("message.send", json!({"room": room, "key": "k", "text": "x", "reply_to": 1.5}), invalid, None),
        (
            "message.send",
            json!({"room": room, "key": "k", "text": "x".repeat(TEXT_BYTES + 1)}),
            Reason::TooLarge,
            None,
        ),
        ("message.send", json!([room, "k", "x"]), invalid, None),
        ("message.send", json!("a text"), invalid, None),
        ("room.create", json!({"key": "k", "kind": "palace", "name": "x"}), invalid, None),
        ("room.role", json!({"room": room, "user": ann.id(), "role": "king"}), invalid, None),
        ("room.read", json!({"room": room, "limit": 0}), invalid, None),
        ("room.read", json!({"room": room, "limit": 99_999_999}), invalid, None),
        ("marker.set", json!({"room": room, "seq": "x"}), invalid, None),
        ("user.get", json!({"users": "me"}), invalid, None),
    ] {
        let reply = raw.ask(method, params.clone()).await;
        let shown = params.to_string();
        let shown = &shown[..shown.len().min(100)];
        assert_eq!(reason(&reply), expected, "{method} {shown}");
        if let Some(field) = field {
            assert_eq!(reply["error"]["data"]["field"], field, "{method} {shown}");
        }
        assert_eq!(reply["id"], "raw-1");
        raw.assert_lives().await;
    }
    let refused =
        raw.ask("message.send", json!({"room": room, "key": "k", "text": "x".repeat(TEXT_BYTES + 1)})).await;
    assert_eq!(refused["error"]["data"]["limit"], TEXT_BYTES);
    // What a client says about itself is not believed.
    let spoofed =
        json!({"room": room, "key": "k9", "text": "x", "sender": RoomId::generate(), "seq": 900, "at": 1});
    raw.text(&json!({"jsonrpc": "2.0", "id": 9, "method": "message.send", "params": spoofed}).to_string())
        .await;
    let (mut sent, mut entry) = (Value::Null, Value::Null);
    while sent.is_null() || entry.is_null() {
        let frame = raw.frame().await;
        if frame["id"] == 9 {
            sent = frame;
        } else if frame["params"]["key"] == "k9" {
            entry = frame["params"].clone();
        }
    }
    assert_eq!((&entry["seq"], &entry["sender"]), (&sent["result"]["seq"], &json!(ann.id())));
}

async fn rooms_one_may_not_touch_are_answered_and_the_connection_lives(cluster: TestCluster) {
    let [ann, bea] = cluster.people().await;
    let foreign = bea.connect(cluster.node(1)).await.group(&[]).await;
    let mut raw = Raw::start(cluster.node(0), &ann.token).await;
    for (room, expected) in [(RoomId::generate(), Reason::UnknownRoom), (foreign, Reason::NotAMember)] {
        for (method, more) in [
            ("message.send", json!({"key": "k", "text": "hello"})),
            ("message.edit", json!({"key": "k", "seq": 1, "text": "hello"})),
            ("message.recall", json!({"key": "k", "seq": 1})),
            ("message.get", json!({"seqs": [1]})),
            ("room.get", json!({})),
            ("room.leave", json!({})),
            ("room.add", json!({"users": [ann.id()]})),
            ("room.remove", json!({"user": bea.id()})),
            ("room.role", json!({"user": bea.id(), "role": "member"})),
            ("room.update", json!({"name": "mine"})),
            ("room.invite", json!({})),
            ("room.members", json!({})),
            ("room.read", json!({})),
            ("room.history", json!({})),
            ("marker.set", json!({"seq": 1})),
            ("draft.set", json!({"text": "x"})),
            ("typing.set", json!({})),
        ] {
            let mut params = more;
            params["room"] = json!(room);
            let reply = raw.ask(method, params).await;
            assert_eq!(reason(&reply), expected, "{method}");
        }
    }
    raw.assert_lives().await;
}

async fn a_frame_over_the_limit_is_answered_and_one_far_over_it_closes(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let mut raw = Raw::start(cluster.node(0), &ann.token).await;
    let frame = |bytes: usize| {
        let empty = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":""}}"#;
        empty.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - empty.len())))
    };
    raw.text(&frame(FRAME_BYTES)).await;
    assert!(raw.reply().await["result"].is_object(), "exactly at the limit");
    raw.text(&frame(FRAME_BYTES + 1)).await;
    let reply = raw.reply().await;
    assert_eq!((reason(&reply), &reply["error"]["data"]["limit"]), (Reason::TooLarge, &json!(FRAME_BYTES)));
    raw.assert_lives().await;
    raw.send(Message::binary(vec![b'x'; FRAME_BYTES + 1])).await;
    assert!(matches!(reason(&raw.reply().await), Reason::TooLarge | Reason::InvalidRequest));
    raw.assert_lives().await;

    raw.text(&frame(200 * 1024)).await;
    let closed = raw.closed().await;
    assert_eq!((closed.code, closed.reason.as_str()), (1009, "too_big"));
}

/// One cluster with little patience.
#[tokio::test]
async fn too_many_commands_are_told_when_to_come_back() {
    let settings = [("HUBBUB_CONNECTIONS_COMMANDS_PER_S", "10"), ("HUBBUB_CONNECTIONS_COMMANDS_BURST", "20")];
    let cluster = TestCluster::embedded_with(&settings).await;
    let [ann, bea] = cluster.people().await;
    let mut raw = Raw::start(cluster.node(0), &ann.token).await;
    for number in 0..60 {
        raw.text(&json!({"jsonrpc": "2.0", "id": number, "method": "ping"}).to_string()).await;
    }
    let mut refused = 0;
    for _ in 0..60 {
        let reply = raw.reply().await;
        if reply.get("error").is_none() {
            continue;
        }
        refused += 1;
        assert_eq!(reason(&reply), Reason::TooFrequent);
        let wait_ms = reply["error"]["data"]["retry_after_ms"].as_u64().expect("when to come back");
        assert!((1..=1_000).contains(&wait_ms), "{wait_ms} ms");
    }
    assert!((10..=45).contains(&refused), "{refused} of 60 were refused");
    // Somebody else is not held up, and the eager one may go on in a while.
    Raw::start(cluster.node(0), &bea.token).await.assert_lives().await;
    eventually("a command that passes again", async || {
        raw.text(r#"{"jsonrpc":"2.0","id":"again","method":"ping"}"#).await;
        raw.reply().await.get("result").is_some().then_some(())
    })
    .await;
}

/// A node full of connections refuses the next one, and takes another as soon as one has gone.
#[tokio::test]
async fn a_full_node_refuses_the_next_connection() {
    let cluster = TestCluster::embedded_with(&[("HUBBUB_CONNECTIONS_MAX", "4")]).await;
    let node = cluster.node(0);
    let mut inside = Vec::new();
    for _ in 0..4 {
        inside.push(Raw::connect(node).await);
    }
    let options = Options::default();
    let refused = Connection::open(&node.address, &options).await;
    assert!(refused.is_err(), "a fifth one was let in");
    assert_eq!(reason(&inside[0].ask("ping", json!({})).await), Reason::Unauthenticated);
    inside.pop();
    eventually("a place that became free", async || Connection::open(&node.address, &options).await.ok())
        .await;
}

async fn nothing_runs_before_the_session_starts(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let mut raw = Raw::connect(cluster.node(0)).await;
    assert_eq!(reason(&raw.ask("room.list", json!({})).await), Reason::Unauthenticated);
    assert_eq!(reason(&raw.ask("session.start", json!({"token": "wrong"})).await), Reason::Unauthenticated);
    assert_eq!(reason(&raw.ask("session.start", json!({})).await), Reason::MissingParameter);
    let bad_cursor = json!({"token": ann.token, "cursors": {"room:x": {"epoch": "x", "seq": 1}}});
    assert_eq!(reason(&raw.ask("session.start", bad_cursor).await), Reason::InvalidParams);
    let started = raw.ask("session.start", json!({"token": ann.token})).await;
    assert_eq!(started["result"]["user"]["id"], json!(ann.id()));
    let limits = &started["result"]["limits"];
    assert_eq!((&limits["frame_bytes"], &limits["text_bytes"]), (&json!(FRAME_BYTES), &json!(TEXT_BYTES)));
    let again = raw.ask("session.start", json!({"token": ann.token})).await;
    assert_eq!(reason(&again), Reason::AlreadyStarted);
    raw.assert_lives().await;
}

async fn broken_framing_closes_with_its_code(cluster: TestCluster) {
    let [ann] = cluster.people().await;
    let node = cluster.node(0);
    // A client's frames are masked; this one is not.
    let unmasked = b"\x81\x02hi".as_slice();
    let reserved_bits = b"\xf1\x80\0\0\0\0".as_slice();
    let unknown_opcode = b"\x83\x80\0\0\0\0".as_slice();
    let fragmented_ping = b"\x09\x80\0\0\0\0".as_slice();
    let lone_continuation = b"\x80\x80\0\0\0\0".as_slice();
    for (bytes, what) in [
        (unmasked, "unmasked"),
        (reserved_bits, "reserved bits"),
        (unknown_opcode, "unknown opcode"),
        (fragmented_ping, "fragmented ping"),
        (lone_continuation, "lone continuation"),
    ] {
        let mut raw = Raw::start(node, &ann.token).await;
        raw.bytes(bytes).await;
        let closed = raw.closed().await;
        assert_eq!((closed.code, closed.reason.as_str()), (1002, "protocol_error"), "{what}");
    }
    let mut raw = Raw::start(node, &ann.token).await;
    raw.send(Message::Frame(Frame::message(vec![b'"', 0xff, 0xfe, b'"'], OpCode::Data(Data::Text), true)))
        .await;
    let closed = raw.closed().await;
    assert_eq!((closed.code, closed.reason.as_str()), (1007, "invalid_utf8"));

    // A message in two frames is one message.
    let mut raw = Raw::start(node, &ann.token).await;
    let (first, second) = (br#"{"jsonrpc":"2.0","id":"#.to_vec(), br#""two","method":"ping"}"#.to_vec());
    raw.send(Message::Frame(Frame::message(first, OpCode::Data(Data::Text), false))).await;
    raw.send(Message::Frame(Frame::message(second, OpCode::Data(Data::Continue), true))).await;
    assert_eq!(raw.reply().await["id"], "two");
    // Nobody else noticed anything.
    ann.connect(node).await.round_trip().await;
}

async fn who_never_starts_a_session_is_closed(cluster: TestCluster) {
    let begun = Instant::now();
    let (mut silent, mut chatty) = (Raw::connect(cluster.node(0)).await, Raw::connect(cluster.node(0)).await);
    assert_eq!(reason(&chatty.ask("ping", json!({})).await), Reason::Unauthenticated);
    for raw in [&mut silent, &mut chatty] {
        let closed = raw.closed().await;
        assert_eq!((closed.code, closed.reason.as_str()), (4101, "start_missed"));
    }
    let waited_s = begun.elapsed().as_secs();
    assert!((9..=15).contains(&waited_s), "{waited_s} s");
}

async fn the_handshake_refuses_foreign_pages(cluster: TestCluster) {
    let node = cluster.node(0);
    let own = format!("http://{}", node.address.authority());
    let subprotocol = ("sec-websocket-protocol", SUBPROTOCOL);
    for (origin, is_welcome) in [
        (own.as_str(), true),
        ("https://evil.example", false),
        ("http://127.0.0.1.evil.example", false),
        ("null", false),
    ] {
        let outcome = Raw::connect_with(node, &[subprotocol, ("origin", origin)]).await;
        match outcome {
            Ok(_) => assert!(is_welcome, "{origin} was let in"),
            Err(response) => {
                assert!(!is_welcome, "{origin} was refused: {response:?}");
                assert_eq!(response.status(), 403);
                let body = response.body().clone().expect("a problem");
                let problem: Problem = serde_json::from_slice(&body).expect("a problem");
                assert_eq!(problem.data.reason, Reason::ForeignOrigin);
            }
        }
    }
    // Who asks for another subprotocol would not understand us; who asks for none is taken at its word.
    let foreign = [("sec-websocket-protocol", "hubbub.v9.cbor")];
    let refused = Raw::connect_with(node, &foreign).await.err().expect("a refusal");
    assert_eq!(refused.status(), 400);
    assert!(Raw::connect_with(node, &[]).await.is_ok());
    let both = [("sec-websocket-protocol", "hubbub.v9.cbor, hubbub.v1.json")];
    assert!(Raw::connect_with(node, &both).await.is_ok());
    // Compression is not part of this wire: the offer is passed over.
    let offer = [subprotocol, ("sec-websocket-extensions", "permessage-deflate")];
    assert!(Raw::connect_with(node, &offer).await.is_ok());
    let plain = node.get("/v1/ws").await.expect("an answer");
    assert!(plain.status.is_client_error(), "{}", plain.status);
}
