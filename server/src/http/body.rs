//! JSON bodies: type, size, depth and shape, each with its own answer.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{
        HeaderMap,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hubbub_protocol::{
    error::Reason,
    frame::depth,
    limits::{BODY_BYTES, JSON_DEPTH},
};
use serde::{Serialize, de::DeserializeOwned};

use super::error::ApiError;
use crate::error::CommandError;

/// A body of JSON, both ways.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_plain_json(request.headers()) {
            return Err(Reason::UnsupportedMediaType.into());
        }
        let bytes = match Limited::new(request.into_body(), BODY_BYTES).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return Err(CommandError::TooLarge { field: "body", limit: BODY_BYTES, unit: "bytes" }.into());
            }
            Err(_) => return Err(malformed("the body did not arrive whole").into()),
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| malformed("the body is not UTF-8"))?;
        Ok(Self(decode(text)?))
    }
}

fn malformed(message: &str) -> CommandError {
    CommandError::Explained { reason: Reason::MalformedJson, message: message.to_owned(), field: None }
}

/// JSON that is not compressed: what is inflated has no size that could be known before.
fn is_plain_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let encoding =
        headers.get(CONTENT_ENCODING).map_or("identity", |encoding| encoding.to_str().unwrap_or("?"));
    kind.eq_ignore_ascii_case("application/json") && encoding.eq_ignore_ascii_case("identity")
}

fn decode<T: DeserializeOwned>(text: &str) -> Result<T, CommandError> {
    if depth(text) > JSON_DEPTH {
        return Err(malformed("JSON may be nested at most 16 deep"));
    }
    serde_json::from_str(text).map_err(|error| {
        // serde's words for a wrong value may quote it, and it may be a password: only the names of fields are told.
        let words = error.to_string();
        let field = words.split('`').nth(1).unwrap_or("a field");
        let (reason, message) = if !error.is_data() {
            (Reason::MalformedJson, "the body is not valid JSON".to_owned())
        } else if words.starts_with("missing field") {
            (Reason::MissingParameter, format!("{field} is missing"))
        } else {
            let (line, column) = (error.line(), error.column());
            let place = format!("at line {line}, column {column}");
            (Reason::InvalidParams, format!("a field has the wrong type or value, {place}"))
        };
        CommandError::Explained { reason, message, field: None }
    })
}

/// Nothing to say: 204.
pub(super) struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        let mut response = Body::empty().into_response();
        *response.status_mut() = axum::http::StatusCode::NO_CONTENT;
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, extract::FromRequest, http::Request};
    use hubbub_protocol::{error::Reason, http::SignUp};

    use super::Json;

    async fn refused(kind: Option<&str>, body: impl Into<Body>) -> (Reason, String) {
        let request =
            kind.into_iter().fold(Request::post("/"), |request, kind| request.header("content-type", kind));
        let outcome = Json::<SignUp>::from_request(request.body(body.into()).unwrap(), &()).await;
        let error = outcome.err().expect("a refusal").0;
        (error.reason(), error.to_string())
    }

    #[tokio::test]
    async fn each_fault_has_its_reason() {
        let json = Some("application/json");
        assert_eq!(refused(None, "{}").await.0, Reason::UnsupportedMediaType);
        assert_eq!(refused(Some("text/plain"), "{}").await.0, Reason::UnsupportedMediaType);
        assert_eq!(refused(json, "").await.0, Reason::MalformedJson);
        assert_eq!(refused(json, "{").await.0, Reason::MalformedJson);
        assert_eq!(refused(json, vec![b'"', 0xff, b'"']).await.0, Reason::MalformedJson);
        assert_eq!(refused(json, "[".repeat(17)).await.0, Reason::MalformedJson);
        assert_eq!(refused(json, " ".repeat(65 * 1024)).await.0, Reason::TooLarge);
        assert_eq!(refused(json, "[]").await.0, Reason::InvalidParams);
        let (reason, message) = refused(json, r#"{"password":"long enough"}"#).await;
        assert_eq!((reason, message.as_str()), (Reason::MissingParameter, "username is missing"));
    }

    #[tokio::test]
    async fn a_wrong_value_is_not_repeated() {
        let (reason, message) =
            refused(Some("application/json"), r#"{"username":"a","password":123454321}"#).await;
        assert_eq!(reason, Reason::InvalidParams);
        assert!(!message.contains("123454321"), "{message}");
    }

    #[tokio::test]
    async fn a_charset_is_no_other_type() {
        let request = Request::post("/")
            .header("content-type", "Application/JSON; charset=utf-8")
            .body(Body::from(r#"{"username":"ann","password":"long enough"}"#));
        let Json(body) = Json::<SignUp>::from_request(request.unwrap(), &()).await.ok().unwrap();
        assert_eq!(body.username, "ann");
    }
}
