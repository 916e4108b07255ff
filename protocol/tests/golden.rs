//! Every golden frame decodes, and encodes to itself again. The web client's tests read the same files.
//!
//! A file holds `name` (its own), `direction` (`client` or `server`: who sends it) and `frame`; beside them, where
//! it makes sense, `method` (whose result a reply holds), `raw` (the text that provokes an error of the envelope,
//! repeated `times`), `known: false` (a push of a later version, to be passed over) and `tolerated: true` (a frame
//! with a member of a later version, to be taken without it). `close_codes` holds the table instead of a frame.

use std::{collections::BTreeMap, fs, path::Path};

use hubbub_protocol::{
    close::{CloseCode, Next, next_after},
    command::{
        DraftResult, Empty, EntriesPage, HistoryPage, METHODS, MessagesResult, PingResult, PresenceResult,
        RoomListResult, RoomMembersResult, RoomResult, Sent, SeqResult, SessionStartResult, UserResult,
        UsersResult,
    },
    entry::EntryBody,
    error::{ErrorObject, Reason},
    frame::{
        ServerFrame, decode, decode_server, encode_entry, encode_error, encode_push, encode_reply,
        encode_request,
    },
    model::{Invite, Marker},
    push::{Push, Signal},
};
use schemars::{JsonSchema, schema_for};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    name: String,
    direction: String,
    #[serde(default)]
    frame: Value,
    method: Option<String>,
    raw: Option<String>,
    #[serde(default = "once")]
    times: usize,
    #[serde(default = "yes")]
    known: bool,
    #[serde(default)]
    tolerated: bool,
    #[serde(default)]
    closes: Vec<Close>,
    #[serde(default)]
    unknown: Vec<Close>,
}

#[derive(Deserialize)]
struct Close {
    code: u16,
    reason: Option<String>,
    next: String,
}

fn once() -> usize {
    1
}

fn yes() -> bool {
    true
}

fn all() -> BTreeMap<String, Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let files = fs::read_dir(folder).expect("protocol/golden is there");
    let golden = files.map(|file| {
        let path = file.expect("a file of the folder").path();
        let text = fs::read_to_string(&path).expect("a golden file is UTF-8");
        let golden: Golden =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(
            path.file_name().and_then(|name| name.to_str()),
            Some(format!("{}.json", golden.name).as_str())
        );
        assert!(matches!(golden.direction.as_str(), "client" | "server"), "{}", golden.name);
        (golden.name.clone(), golden)
    });
    golden.collect()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("what we encode is JSON")
}

#[test]
fn requests_encode_to_themselves() {
    for golden in all().values().filter(|golden| golden.direction == "client") {
        let (id, command) =
            decode(&golden.frame.to_string()).unwrap_or_else(|e| panic!("{}: {e:?}", golden.name));
        let number = id.as_json().parse().expect("golden requests have numbers");
        assert_eq!(
            parsed(&encode_request(number, &command).expect("it encodes")),
            golden.frame,
            "{}",
            golden.name
        );
    }
}

macro_rules! again_as {
    ($($name:ident)+) => {
        /// What the type of this name makes of a result.
        fn again(name: &str, result: &Value) -> Value {
            match name {
                $(stringify!($name) => reencoded::<$name>(result),)+
                other => panic!("add {other} to the results in golden.rs"),
            }
        }
    };
}

again_as! {
    DraftResult Empty EntriesPage HistoryPage Invite Marker MessagesResult PingResult PresenceResult RoomListResult
    RoomMembersResult RoomResult Sent SeqResult SessionStartResult UserResult UsersResult
}

fn reencoded<T: Serialize + DeserializeOwned>(value: &Value) -> Value {
    let typed: T = serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{e}: {value}"));
    serde_json::to_value(typed).expect("results encode")
}

#[test]
fn replies_encode_to_themselves() {
    for golden in all().values() {
        let Some(name) = &golden.method else { continue };
        let method = METHODS.iter().find(|method| method.name == name).expect("a method of the wire");
        let (id, _) = decode(&format!(r#"{{"jsonrpc":"2.0","id":{},"method":"ping"}}"#, golden.frame["id"]))
            .expect("a frame");
        let frame = encode_reply(&id, &again(method.result, &golden.frame["result"])).expect("it encodes");
        assert_eq!(parsed(&frame), golden.frame, "{}", golden.name);
        let ServerFrame::Reply { outcome: Ok(result), .. } =
            decode_server(&golden.frame.to_string()).expect("a frame")
        else {
            panic!("{} is no reply", golden.name);
        };
        assert_eq!(result, golden.frame["result"], "{}", golden.name);
    }
}

#[test]
fn pushes_encode_to_themselves() {
    for golden in
        all().values().filter(|golden| golden.frame.get("method").is_some() && golden.direction == "server")
    {
        let decoded =
            decode_server(&golden.frame.to_string()).unwrap_or_else(|e| panic!("{}: {e}", golden.name));
        match decoded {
            ServerFrame::Push(push) => {
                assert!(golden.known, "{}", golden.name);
                if golden.tolerated {
                    continue;
                }
                assert_eq!(parsed(&encode_push(&push).expect("it encodes")), golden.frame, "{}", golden.name);
                if let Push::Entry(entry) = &*push {
                    assert_eq!(
                        parsed(&encode_entry(entry).expect("it encodes")),
                        golden.frame,
                        "{}",
                        golden.name
                    );
                    assert_eq!(golden.frame["params"]["kind"], entry.body.kind(), "{}", golden.name);
                }
            }
            ServerFrame::UnknownPush(method) => {
                assert!(!golden.known, "{}", golden.name);
                assert_eq!(golden.frame["method"], method, "{}", golden.name);
            }
            other => panic!("{} is {other:?}", golden.name),
        }
    }
}

#[test]
fn errors_encode_to_themselves_and_have_the_numbers_of_the_catalogue() {
    for golden in all().values() {
        let Some(error) = golden.frame.get("error") else { continue };
        let typed: ErrorObject =
            serde_json::from_value(error.clone()).unwrap_or_else(|e| panic!("{}: {e}", golden.name));
        assert_eq!(typed.code, typed.data.reason.code(), "{}", golden.name);
        assert_eq!(serde_json::to_value(&typed).expect("it encodes"), *error, "{}", golden.name);
        match decode_server(&golden.frame.to_string()) {
            Ok(ServerFrame::Reply { outcome: Err(same), .. } | ServerFrame::Stray(same)) => {
                assert_eq!(same, typed);
            }
            // Clients of this crate number their commands.
            other => assert!(golden.frame["id"].is_string(), "{}: {other:?}", golden.name),
        }
    }
}

#[test]
fn bad_texts_provoke_their_errors() {
    for golden in all().values() {
        let Some(raw) = &golden.raw else { continue };
        let bad = decode(&raw.repeat(golden.times)).expect_err(&golden.name);
        let mut frame = parsed(&encode_error(&bad.id, &bad.error).expect("it encodes"));
        if matches!(bad.error.data.reason, Reason::InvalidParams | Reason::MissingParameter) {
            // The words are those of the JSON library; what programs read is not.
            frame["error"]["message"] = golden.frame["error"]["message"].clone();
        }
        assert_eq!(frame, golden.frame, "{}", golden.name);
    }
}

#[test]
fn close_codes_say_what_comes_next() {
    let all = all();
    let table = &all["close_codes"];
    assert_eq!(table.closes.len(), CloseCode::ALL.len());
    for (row, close) in table.closes.iter().zip(CloseCode::ALL) {
        assert_eq!((row.code, row.reason.as_deref()), (close.code(), Some(close.reason())));
        assert_eq!(row.next, word(close.next()), "{}", row.code);
    }
    for row in &table.unknown {
        assert_eq!(row.next, word(next_after(row.code)), "{}", row.code);
    }
}

fn word(next: Next) -> &'static str {
    match next {
        Next::Resume => "resume",
        Next::BackOff => "back_off",
        Next::Refresh => "refresh",
        Next::Stop => "stop",
    }
}

/// The values that `tag` has in the variants of an enum.
fn variants<T: JsonSchema>(tag: &str) -> Vec<String> {
    let schema = schema_for!(T).to_value();
    let variants = schema["oneOf"].as_array().expect("an enum is one of its variants");
    variants.iter().map(|v| v["properties"][tag]["const"].as_str().expect("a tag").to_owned()).collect()
}

/// Errors that only HTTP answers.
const HTTP_ALONE: &[Reason] = &[
    Reason::InvalidCredentials,
    Reason::ForeignOrigin,
    Reason::NotFound,
    Reason::UnknownSession,
    Reason::UsernameTaken,
    Reason::MethodNotAllowed,
    Reason::UnsupportedMediaType,
];

#[test]
fn nothing_of_the_wire_is_without_a_golden_frame() {
    let all = all();
    let has = |name: String| assert!(all.contains_key(&name), "protocol/golden/{name}.json is missing");
    for method in METHODS {
        has(format!("{}.request", method.name));
        has(format!("{}.reply", method.name));
        assert_eq!(all[&format!("{}.request", method.name)].frame["method"], method.name);
        assert_eq!(all[&format!("{}.reply", method.name)].method.as_deref(), Some(method.name));
    }
    for kind in variants::<EntryBody>("kind") {
        has(format!("entry.{kind}"));
        assert_eq!(all[&format!("entry.{kind}")].frame["params"]["kind"], json!(kind));
    }
    for kind in variants::<Signal>("type") {
        has(format!("signal.{kind}"));
        assert_eq!(all[&format!("signal.{kind}")].frame["params"]["type"], json!(kind));
    }
    has("session.ended".to_owned());
    for reason in Reason::ALL.iter().filter(|reason| !HTTP_ALONE.contains(reason)) {
        let shown = |golden: &Golden| golden.frame["error"]["data"]["reason"] == reason.as_str();
        assert!(all.values().any(shown), "no golden frame has the error {reason}");
    }
}
