//! What holds for every command, push and text.

#[path = "properties/any.rs"]
mod any;

use hubbub_protocol::frame::{
    ServerFrame, decode, decode_server, depth, encode_entry, encode_push, encode_request,
};
use proptest::prelude::*;
use serde_json::Value;

/// Nesting of a value, by looking at it.
fn nesting(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(nesting).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(nesting).max().unwrap_or(0),
        _ => 0,
    }
}

/// Nesting of any text, slowly: first the strings go, then every beginning is counted anew.
fn slow_depth(text: &str) -> usize {
    let mut bare = String::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        bare.push(next);
        if next != '"' {
            continue;
        }
        while let Some(inside) = rest.next() {
            match inside {
                '"' => break,
                '\\' => drop(rest.next()),
                _ => {}
            }
        }
    }
    let open_after = |end: usize| {
        bare.chars().take(end).fold(0_usize, |open, next| match next {
            '[' | '{' => open + 1,
            ']' | '}' => open.saturating_sub(1),
            _ => open,
        })
    };
    (0..=bare.chars().count()).map(open_after).max().unwrap_or(0)
}

proptest! {
    #[test]
    fn a_command_survives_its_own_encoding(id: u64, command in any::command()) {
        let text = encode_request(id, &command).expect("it encodes");
        let (read, again) = decode(&text).map_err(|bad| TestCaseError::fail(format!("{bad:?}")))?;
        prop_assert_eq!(read.as_json(), id.to_string());
        prop_assert_eq!(again, command);
    }

    #[test]
    fn an_entry_survives_its_own_encoding(entry in any::entry()) {
        let text = encode_entry(&entry).expect("it encodes");
        let push = hubbub_protocol::push::Push::Entry(entry);
        prop_assert_eq!(&text, &encode_push(&push).expect("it encodes"));
        prop_assert_eq!(decode_server(&text).expect("it encodes"), ServerFrame::Push(Box::new(push)));
    }

    #[test]
    fn a_push_survives_its_own_encoding(push in any::push()) {
        let text = encode_push(&push).expect("it encodes");
        prop_assert_eq!(decode_server(&text).expect("it encodes"), ServerFrame::Push(Box::new(push)));
    }

    #[test]
    fn no_text_makes_a_decoder_panic(text: String) {
        let _ = (decode(&text), decode_server(&text), depth(&text));
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes: Vec<u8>) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = (decode(&text), decode_server(&text), depth(&text));
    }

    #[test]
    fn no_almost_frame_makes_a_decoder_panic(
        text in r#"\{"jsonrpc":"2\.0","id":[0-9"a{\[-]{0,3},"method":"(ping|room\.get|entry|signal|x)","params":[\[\]{}":,\\0-9a-z-]{0,40}\}?"#
    ) {
        let _ = (decode(&text), decode_server(&text));
    }

    #[test]
    fn an_answer_names_the_request_it_answers(id in "[a-z0-9-]{1,60}", method in "[a-z.]{0,20}") {
        let text = format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"{method}","params":7}}"#);
        let bad = decode(&text).expect_err("params is no object");
        prop_assert_eq!(bad.id.as_json(), format!("\"{id}\""));
    }

    #[test]
    fn depth_is_the_nesting_of_json(value in any::json()) {
        prop_assert_eq!(depth(&value.to_string()), nesting(&value));
        prop_assert_eq!(depth(&serde_json::to_string_pretty(&value).expect("it encodes")), nesting(&value));
    }

    #[test]
    fn depth_agrees_with_a_slow_reference(text in r#"[\[\]{}"\\a ]{0,60}"#) {
        prop_assert_eq!(depth(&text), slow_depth(&text));
    }
}
