//! The JSON-RPC 2.0 envelope: one JSON value a text frame.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    command::Command,
    entry::Entry,
    error::{ErrorObject, Reason},
    limits::{FRAME_BYTES, JSON_DEPTH, REQUEST_ID_BYTES},
    push::Push,
};

/// The `id` of a request, kept as the JSON text it came as: a number or a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Box<str>);

impl RequestId {
    /// The id of an answer to something that had none.
    pub fn null() -> Self {
        Self("null".into())
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

/// A frame that cannot be run, and whom to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct BadFrame {
    /// The id of the request; `null` where none could be read.
    pub id: RequestId,
    /// What is wrong.
    pub error: ErrorObject,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    jsonrpc: Option<&'a str>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

/// Decodes one text frame into a request.
///
/// # Errors
/// What is wrong, with the id of the request as far as it could be read; the connection lives.
pub fn decode(text: &str) -> Result<(RequestId, Command), BadFrame> {
    if text.len() > FRAME_BYTES {
        let mut error = ErrorObject::with_message(Reason::TooLarge, "a frame may have at most 65536 bytes");
        error.data.limit = Some(FRAME_BYTES as u64);
        return Err(BadFrame { id: RequestId::null(), error });
    }
    if depth(text) > JSON_DEPTH {
        let error = ErrorObject::with_message(Reason::MalformedJson, "JSON may be nested at most 16 deep");
        return Err(BadFrame { id: RequestId::null(), error });
    }
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|error| {
        let reason = if error.is_data() { Reason::InvalidRequest } else { Reason::MalformedJson };
        BadFrame { id: RequestId::null(), error: ErrorObject::new(reason) }
    })?;
    let id = request_id(envelope.id)?;
    let invalid = |message: &str| BadFrame {
        id: id.clone(),
        error: ErrorObject::with_message(Reason::InvalidRequest, message),
    };
    if envelope.jsonrpc != Some("2.0") {
        return Err(invalid("jsonrpc must be \"2.0\""));
    }
    let Some(method) = envelope.method else { return Err(invalid("method is missing")) };
    let command = Command::decode(&method, envelope.params.map(RawValue::get))
        .map_err(|error| BadFrame { id: id.clone(), error })?;
    Ok((id, command))
}

fn request_id(raw: Option<&RawValue>) -> Result<RequestId, BadFrame> {
    let raw = raw.map_or("null", RawValue::get);
    let first = raw.as_bytes().first().copied().unwrap_or(b'n');
    let is_id = first == b'"' || first == b'-' || first.is_ascii_digit();
    if is_id && raw.len() <= REQUEST_ID_BYTES {
        return Ok(RequestId(raw.into()));
    }
    let message = "id must be a number or a string of at most 64 bytes; every command is answered";
    Err(BadFrame { id: RequestId::null(), error: ErrorObject::with_message(Reason::InvalidRequest, message) })
}

/// Deepest nesting of a JSON text, without parsing it; brackets inside strings do not count.
pub fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Encodes the reply to a request.
///
/// # Errors
/// Never for the result types of [`crate::command`].
pub fn encode_reply<R: Serialize>(id: &RequestId, result: &R) -> serde_json::Result<String> {
    Ok(format!(r#"{{"jsonrpc":"2.0","id":{},"result":{}}}"#, id.as_json(), serde_json::to_string(result)?))
}

/// Encodes the error that answers a request.
///
/// # Errors
/// Never: an error object is plain data.
pub fn encode_error(id: &RequestId, error: &ErrorObject) -> serde_json::Result<String> {
    Ok(format!(r#"{{"jsonrpc":"2.0","id":{},"error":{}}}"#, id.as_json(), serde_json::to_string(error)?))
}

/// Encodes a push.
///
/// # Errors
/// Never for the pushes of [`crate::push`].
pub fn encode_push(push: &Push) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Notification<'a> {
        jsonrpc: &'static str,
        #[serde(flatten)]
        push: &'a Push,
    }
    serde_json::to_string(&Notification { jsonrpc: "2.0", push })
}

/// What comes before an entry's own JSON in its push; `}` follows it.
pub const ENTRY_PREFIX: &str = r#"{"jsonrpc":"2.0","method":"entry","params":"#;

/// Encodes the push of an entry, without taking the entry.
///
/// # Errors
/// Never for entries of [`crate::entry`].
pub fn encode_entry(entry: &Entry) -> serde_json::Result<String> {
    Ok(format!("{ENTRY_PREFIX}{}}}", serde_json::to_string(entry)?))
}

/// Encodes a request, as clients send it.
///
/// # Errors
/// Never for the params types of [`crate::command`].
pub fn encode_request(id: u64, command: &Command) -> serde_json::Result<String> {
    let params = serde_json::to_string(&command.params()?)?;
    Ok(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{}","params":{params}}}"#, command.method()))
}

/// What a server sends, decoded by a client.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerFrame {
    /// The answer to the request with this number.
    Reply {
        /// The number of the request.
        id: u64,
        /// The result, or why there is none.
        outcome: Result<serde_json::Value, ErrorObject>,
    },
    /// An error that answers no request that could be read.
    Stray(ErrorObject),
    /// Something unasked.
    Push(Box<Push>),
    /// Unasked and not known to this version; pass over it.
    UnknownPush(String),
}

/// Decodes a frame of the server.
///
/// # Errors
/// The text is no frame of this wire.
pub fn decode_server(text: &str) -> serde_json::Result<ServerFrame> {
    #[derive(Deserialize)]
    struct Raw {
        id: Option<u64>,
        method: Option<String>,
        params: Option<serde_json::Value>,
        result: Option<serde_json::Value>,
        error: Option<ErrorObject>,
    }
    let raw: Raw = serde_json::from_str(text)?;
    if let Some(method) = raw.method {
        let value = serde_json::json!({"method": method, "params": raw.params});
        return Ok(serde_json::from_value(value)
            .map_or(ServerFrame::UnknownPush(method), |push| ServerFrame::Push(Box::new(push))));
    }
    Ok(match (raw.id, raw.error) {
        (Some(id), Some(error)) => ServerFrame::Reply { id, outcome: Err(error) },
        (Some(id), None) => ServerFrame::Reply { id, outcome: Ok(raw.result.unwrap_or_default()) },
        (None, Some(error)) => ServerFrame::Stray(error),
        (None, None) => return Err(serde::de::Error::custom("neither reply nor push")),
    })
}

#[cfg(test)]
mod tests {
    use super::{decode, depth};
    use crate::error::Reason;

    fn reason(text: &str) -> Reason {
        decode(text).expect_err("a bad frame").error.data.reason
    }

    #[test]
    fn bad_frames_say_what_is_wrong() {
        assert_eq!(reason("{"), Reason::MalformedJson);
        assert_eq!(reason(&"[".repeat(17)), Reason::MalformedJson);
        assert_eq!(reason("[]"), Reason::InvalidRequest);
        assert_eq!(reason("7"), Reason::InvalidRequest);
        assert_eq!(reason(r#"{"id":1,"method":"ping"}"#), Reason::InvalidRequest);
        assert_eq!(reason(r#"{"jsonrpc":"2.0","method":"ping"}"#), Reason::InvalidRequest);
        assert_eq!(reason(r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#), Reason::InvalidRequest);
        assert_eq!(reason(r#"{"jsonrpc":"2.0","id":1,"method":"nope"}"#), Reason::UnknownMethod);
        assert_eq!(reason(r#"{"jsonrpc":"2.0","id":1,"method":"room.get"}"#), Reason::MissingParameter);
        let wrong_type = r#"{"jsonrpc":"2.0","id":1,"method":"room.get","params":{"room":7}}"#;
        assert_eq!(reason(wrong_type), Reason::InvalidParams);
        assert_eq!(reason(&format!("\"{}\"", "x".repeat(64 * 1024))), Reason::TooLarge);
    }

    #[test]
    fn the_id_comes_back_as_it_was() {
        let (id, command) = decode(r#"{"jsonrpc":"2.0","id":"a-1","method":"ping"}"#).expect("a frame");
        assert_eq!((id.as_json(), command.method()), ("\"a-1\"", "ping"));
        let bad = decode(r#"{"jsonrpc":"2.0","id":7,"method":"nope","params":{}}"#).expect_err("unknown");
        assert_eq!(bad.id.as_json(), "7");
    }

    #[test]
    fn brackets_in_strings_do_not_nest() {
        assert_eq!(depth(r#"{"a":"[[[[","b":[{"c":"\"[["}]}"#), 3);
    }
}
