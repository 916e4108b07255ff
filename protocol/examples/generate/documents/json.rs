//! JSON documents as they are committed.

use serde_json::{Map, Value};

/// The text of a document: two spaces deep, keys in order, so that the same document is always the same text.
pub(super) fn text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(&tidy(document, false)).expect("JSON values encode");
    text.push('\n');
    text
}

/// With sorted keys, and descriptions as sentences of one line. `named` says that the keys are names of someone's
/// making, so that a property called "description" is none.
fn tidy(value: &Value, named: bool) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(key, _)| *key);
            let tidied = fields.into_iter().map(|(key, field)| {
                let tidied = match field {
                    Value::String(text) if key == "description" && !named => Value::String(prose(text)),
                    field => {
                        tidy(field, matches!(key.as_str(), "properties" | "$defs" | "schemas") && !named)
                    }
                };
                (key.clone(), tidied)
            });
            Value::Object(tidied.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| tidy(item, false)).collect()),
        other => other.clone(),
    }
}

/// A doc comment as plain text: lines joined, links to Rust items as their names.
pub(super) fn prose(comment: &str) -> String {
    let joined =
        comment.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join(" ");
    joined.replace("[`", "`").replace("`]", "`")
}
