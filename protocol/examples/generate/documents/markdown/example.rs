//! Golden frames as examples.

use std::{fs, io, path::Path};

use serde_json::Value;

/// The widest line of an example, in characters.
const WIDTH: usize = 118;
/// Members that come first, in this order; the others follow in that of the alphabet.
const FIRST: &[&str] = &[
    "jsonrpc", "stream", "seq", "id", "method", "params", "result", "error", "kind", "type", "code",
    "message",
];

/// The frame of a golden file.
///
/// # Errors
/// There is no such file, or it is no JSON.
pub(super) fn frame(root: &Path, name: &str) -> io::Result<Value> {
    let path = root.join(format!("protocol/golden/{name}.json"));
    let text = fs::read_to_string(&path)
        .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
    let mut golden: Value = serde_json::from_str(&text).map_err(io::Error::other)?;
    Ok(golden["frame"].take())
}

/// A value on lines that are filled; they break where JSON allows it.
pub(super) fn text(value: &Value) -> String {
    let mut out = String::new();
    let mut used = 0;
    for piece in pieces(value) {
        let length = piece.chars().count();
        if used > 0 && used + 1 + length > WIDTH {
            out.push_str("\n ");
            used = 1;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(&piece);
        used += length;
    }
    out
}

/// The text of a value, cut after each comma that separates.
fn pieces(value: &Value) -> Vec<String> {
    let (open, close, parts) = match value {
        Value::Object(_) => {
            let named = |(key, member): (&str, &Value)| {
                let mut parts = pieces(member);
                parts[0].insert_str(0, &format!("\"{key}\": "));
                parts
            };
            ('{', '}', members(value).into_iter().map(named).collect::<Vec<_>>())
        }
        Value::Array(items) => ('[', ']', items.iter().map(pieces).collect()),
        plain => return vec![plain.to_string()],
    };
    let last = parts.len().saturating_sub(1);
    let mut all: Vec<String> = Vec::new();
    for (at, mut part) in parts.into_iter().enumerate() {
        if at < last {
            part.last_mut().expect("a value has a text").push(',');
        }
        all.append(&mut part);
    }
    if all.is_empty() {
        return vec![format!("{open}{close}")];
    }
    all[0].insert(0, open);
    all.last_mut().expect("it is not empty").push(close);
    all
}

fn members(value: &Value) -> Vec<(&str, &Value)> {
    let mut members: Vec<_> = super::members(value).map(|(key, member)| (key.as_str(), member)).collect();
    let place = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
    members.sort_unstable_by_key(|(key, _)| (place(key), *key));
    members
}
