//! `openapi.json`: the HTTP API.

use hubbub_protocol::error::Reason;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{
    endpoints::{ENDPOINTS, Endpoint},
    errors, json, types,
};

/// The text of the document.
pub(super) fn document() -> String {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut paths = Map::new();
    for endpoint in ENDPOINTS {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method] = operation(endpoint);
    }
    json::text(&json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hubbub over HTTP",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Accounts, sessions and history. Everything live is on the WebSocket at /v1/ws, which \
                            asyncapi.json describes. Never put a token in a URL.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": types::schemas(settings),
            "securitySchemes": {
                "session": {"type": "http", "scheme": "bearer", "description": "The access token of a session."},
            },
        },
    }))
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut operation = json!({
        "operationId": endpoint.id,
        "summary": endpoint.summary,
        "parameters": parameters(endpoint),
        "responses": responses(endpoint),
        "security": if endpoint.signed_in { json!([{"session": []}]) } else { json!([]) },
    });
    if let Some(body) = endpoint.body {
        operation["requestBody"] = json!({
            "required": true,
            "content": {"application/json": {"schema": reference(body)}},
        });
    }
    operation
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn parameters(endpoint: &Endpoint) -> Value {
    let in_path = endpoint.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let path = in_path.map(|name| {
        let (schema, text) = match name {
            "room" => (reference("RoomId"), "The room."),
            "id" => (json!({"type": "string"}), "The id of the session, or `current` for the one that asks."),
            _ => (json!({"type": "string"}), "The code of the invitation."),
        };
        json!({"name": name, "in": "path", "required": true, "schema": schema, "description": text})
    });
    let query = endpoint.query.iter().map(|(name, text)| {
        let schema = match *name {
            "days" => json!({"type": "integer", "minimum": 1, "maximum": 30, "default": 7}),
            "limit" if endpoint.path == "/v1/activity" => {
                json!({"type": "integer", "minimum": 1, "maximum": 50, "default": 10})
            }
            "limit" => json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
            _ => reference("Seq"),
        };
        json!({"name": name, "in": "query", "required": false, "schema": schema, "description": text})
    });
    Value::Array(path.chain(query).collect())
}

fn responses(endpoint: &Endpoint) -> Value {
    let mut responses = json!({});
    let mut well = json!({"description": endpoint.answer_text});
    if let Some(name) = endpoint.answer {
        well["content"] = json!({"application/json": {"schema": reference(name)}});
    }
    responses[endpoint.status.to_string()] = well;
    if endpoint.path == "/readyz" {
        responses["503"] = json!({
            "description": "It does not; `why_not` says why.",
            "content": {"application/json": {"schema": reference("Readiness")}},
        });
    }
    let reasons = errors::of_endpoint(endpoint);
    let mut statuses: Vec<u16> = reasons.iter().map(|reason| reason.status()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    for status in statuses {
        let here: Vec<Reason> = reasons.iter().copied().filter(|reason| reason.status() == status).collect();
        responses[status.to_string()] = problem(status, &here);
    }
    responses
}

fn problem(status: u16, reasons: &[Reason]) -> Value {
    let words: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
    let lines: Vec<String> =
        reasons.iter().map(|reason| format!("`{reason}` ({}): {}.", reason.code(), reason.title())).collect();
    let mut response = json!({
        "description": lines.join(" "),
        "content": {"application/problem+json": {"schema": {
            "allOf": [reference("Problem")],
            "properties": {"reason": {"enum": words}},
        }}},
    });
    if matches!(status, 429 | 503) {
        response["headers"] = json!({"Retry-After": {
            "description": "`retry_after_ms` in whole seconds, rounded up.",
            "schema": {"type": "integer", "minimum": 0},
        }});
    }
    response
}
