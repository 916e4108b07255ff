//! `schema.json`: the JSON Schema of every type and frame of the wire.

use hubbub_protocol::command::METHODS;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{json, types};

/// The text of the document.
pub(super) fn document() -> String {
    let mut definitions = types::schemas(SchemaSettings::draft2020_12());
    definitions.extend(frames("#/$defs/"));
    json::text(&json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:hubbub:schema:v1",
        "title": "Hubbub, version 1 of the wire",
        "description": "Types of the WebSocket and HTTP APIs. A frame of a client is a Request, one of a server a Reply \
                        or a Notification.",
        "$defs": definitions,
    }))
}

/// The frames of both sides. `path` is where the types are.
pub(super) fn frames(path: &str) -> Map<String, Value> {
    let reference = |name: &str| json!({"$ref": format!("{path}{name}")});
    let requests: Vec<Value> = METHODS
        .iter()
        .map(|method| {
            json!({
                "description": method.summary,
                "properties": {"method": {"const": method.name}, "params": reference(method.params)},
            })
        })
        .collect();
    let mut frames = Map::new();
    frames.insert(
        "Request".into(),
        json!({
            "description": "A command of a client. `params` may be absent where nothing in it is required.",
            "type": "object",
            "properties": {
                "jsonrpc": {"const": "2.0"},
                "id": {"type": ["integer", "number", "string"]},
                "method": {"type": "string"},
            },
            "required": ["jsonrpc", "id", "method"],
            "oneOf": requests,
        }),
    );
    frames.insert(
        "Reply".into(),
        json!({
            "description": "The answer to a command, with its id; null where the id could not be read.",
            "type": "object",
            "properties": {
                "jsonrpc": {"const": "2.0"},
                "id": {"type": ["integer", "number", "string", "null"]},
                "result": {"type": "object"},
                "error": reference("ErrorObject"),
            },
            "required": ["jsonrpc", "id"],
            "oneOf": [{"required": ["result"]}, {"required": ["error"]}],
        }),
    );
    frames.insert(
        "Notification".into(),
        json!({
            "description": "What the server says unasked.",
            "type": "object",
            "properties": {"jsonrpc": {"const": "2.0"}},
            "required": ["jsonrpc"],
            "allOf": [reference("Push")],
        }),
    );
    frames
}
