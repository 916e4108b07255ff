//! `asyncapi.json`: the WebSocket API.

use hubbub_protocol::{
    SUBPROTOCOL,
    close::CloseCode,
    command::{METHODS, Method},
    error::Reason,
};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{errors, json, tables, types};

/// What the server says unasked: name of the message, `method` of the frame, type of its `params`, what it is.
const PUSHES: &[(&str, &str, &str, &str)] = &[
    (
        "entry",
        "entry",
        "Entry",
        "An entry of a stream that the connection follows, in the order of its stream.",
    ),
    ("signal", "signal", "Signal", "Something that may be missed: it has no seq and is not repeated."),
    ("sessionEnded", "session.ended", "SessionEnd", "The session is over; a close in 4400–4499 follows."),
];

/// The text of the document.
pub(super) fn document() -> String {
    // AsyncAPI's own dialect of JSON Schema is a superset of draft 7.
    let mut settings = SchemaSettings::draft07();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    json::text(&json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Hubbub over WebSocket",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "JSON-RPC 2.0, one JSON value a text frame. PROTOCOL.md explains it; openapi.json has the \
                            HTTP API.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"embedded": {
            "host": "127.0.0.1:8080",
            "protocol": "ws",
            "description": "The default of a server without configuration; use wss behind a proxy.",
        }},
        "channels": {"ws": channel()},
        "operations": operations(),
        "components": {"messages": messages(), "schemas": types::schemas(settings)},
        "x-errors": error_catalogue(),
        "x-close-codes": close_codes(),
    }))
}

/// `room.create` as `roomCreate`: the names of AsyncAPI have no dots.
fn camel(name: &str) -> String {
    let mut words = name.split('.');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(1);
        camel.push_str(&first.to_uppercase());
        camel.push_str(rest);
    }
    camel
}

fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn in_channel(message: &str) -> Value {
    json!({"$ref": format!("#/channels/ws/messages/{message}")})
}

fn channel() -> Value {
    let requests = METHODS.iter().map(|method| camel(method.name));
    let replies = METHODS.iter().map(|method| format!("{}Reply", camel(method.name)));
    let pushes = PUSHES.iter().map(|(name, ..)| (*name).to_owned());
    let names = requests.chain(replies).chain(pushes).chain(["error".to_owned()]);
    let messages: Map<String, Value> =
        names.map(|name| (name.clone(), json!({"$ref": format!("#/components/messages/{name}")}))).collect();
    json!({
        "address": "/v1/ws",
        "description": format!("Open it with the subprotocol `{SUBPROTOCOL}`; session.start comes first, within 10 s."),
        "messages": messages,
        "bindings": {"ws": {
            "method": "GET",
            "headers": {
                "type": "object",
                "properties": {"Sec-WebSocket-Protocol": {"type": "string", "const": SUBPROTOCOL}},
                "required": ["Sec-WebSocket-Protocol"],
            },
            "bindingVersion": "0.1.0",
        }},
    })
}

fn operations() -> Map<String, Value> {
    let mut operations = Map::new();
    for method in METHODS {
        let name = camel(method.name);
        let reply = format!("{name}Reply");
        let operation = json!({
            "action": "receive",
            "channel": {"$ref": "#/channels/ws"},
            "summary": method.summary,
            "messages": [in_channel(&name)],
            "reply": {
                "channel": {"$ref": "#/channels/ws"},
                "messages": [in_channel(&reply), in_channel("error")],
            },
            "x-errors": reasons_of(method),
        });
        operations.insert(name, operation);
    }
    for (name, _, _, summary) in PUSHES {
        let operation = json!({
            "action": "send",
            "channel": {"$ref": "#/channels/ws"},
            "summary": summary,
            "messages": [in_channel(name)],
        });
        operations.insert((*name).to_owned(), operation);
    }
    operations
}

fn reasons_of(method: &Method) -> Vec<&'static str> {
    let own = errors::of_method(method.name);
    let mut reasons: Vec<&str> =
        own.iter().chain(errors::OF_EVERY_METHOD).map(|reason| reason.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

/// A frame with these members beside `jsonrpc`, all of them required.
fn frame(members: Value) -> Value {
    let mut properties = members;
    properties["jsonrpc"] = json!({"const": "2.0"});
    let required: Vec<String> =
        properties.as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default();
    json!({"type": "object", "properties": properties, "required": required})
}

fn message(name: &str, summary: &str, payload: &Value) -> Value {
    json!({"name": name, "summary": summary, "payload": payload})
}

fn messages() -> Map<String, Value> {
    let correlation = json!({"location": "$message.payload#/id", "description": "The id of the command."});
    let mut messages = Map::new();
    for method in METHODS {
        let name = camel(method.name);
        let id = json!({"type": ["integer", "number", "string"]});
        let request =
            frame(json!({"id": id, "method": {"const": method.name}, "params": schema(method.params)}));
        let mut request = message(method.name, method.summary, &request);
        request["correlationId"] = correlation.clone();
        let reply = frame(json!({"id": id, "result": schema(method.result)}));
        let mut reply = message(method.name, "The answer.", &reply);
        reply["correlationId"] = correlation.clone();
        messages.insert(format!("{name}Reply"), reply);
        messages.insert(name, request);
    }
    for (name, method, params, summary) in PUSHES {
        let push = frame(json!({"method": {"const": method}, "params": schema(params)}));
        messages.insert((*name).to_owned(), message(method, summary, &push));
    }
    let id = json!({"type": ["integer", "number", "string", "null"]});
    let error = frame(json!({"id": id, "error": schema("ErrorObject")}));
    let mut error = message("error", "A command failed; the connection lives.", &error);
    error["correlationId"] = correlation;
    messages.insert("error".to_owned(), error);
    messages
}

fn error_catalogue() -> Vec<Value> {
    let row = |reason: &Reason| json!({"code": reason.code(), "reason": reason, "title": reason.title()});
    Reason::ALL.iter().map(row).collect()
}

fn close_codes() -> Vec<Value> {
    let row = |close: &CloseCode| {
        let next = tables::next_word(close.next());
        json!({"code": close.code(), "reason": close.reason(), "text": close.text(), "next": next})
    };
    CloseCode::ALL.iter().map(row).collect()
}
