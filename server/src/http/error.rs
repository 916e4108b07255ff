//! Errors as problem+json (RFC 9457), with the number and the reason that the WebSocket has too.

use axum::{
    body::Body,
    extract::rejection::{PathRejection, QueryRejection},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use hubbub_protocol::error::{Problem, Reason};

use crate::error::CommandError;

/// A request that failed.
#[derive(Debug)]
pub(super) struct ApiError(pub(super) CommandError);

impl<E: Into<CommandError>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.0.log("http request");
        let problem = Problem::from(self.0.to_wire());
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&problem).expect("a problem is plain data");
        let mut response = (status, Body::from(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(ms) = problem.data.retry_after_ms {
            headers.insert(RETRY_AFTER, ms.div_ceil(1_000).into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A part of the path that is no id.
pub(super) fn bad_path(rejection: &PathRejection) -> ApiError {
    ApiError(CommandError::Explained {
        reason: Reason::InvalidParams,
        message: format!("the address cannot be read: {}", rejection.body_text()),
        field: None,
    })
}

/// A query that cannot be read, such as a limit that is no number.
pub(super) fn bad_query(rejection: &QueryRejection) -> ApiError {
    ApiError(CommandError::Explained {
        reason: Reason::InvalidParams,
        message: format!("the query cannot be read: {}", rejection.body_text()),
        field: None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt;

    use super::*;

    async fn problem(error: CommandError) -> (StatusCode, axum::http::HeaderMap, Problem) {
        let (head, body) = ApiError(error).into_response().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn each_reason_has_its_status_number_and_word() {
        for reason in Reason::ALL {
            let (status, headers, problem) = problem((*reason).into()).await;
            assert_eq!(status.as_u16(), reason.status());
            assert!(status.is_client_error() || status.is_server_error());
            assert_eq!(headers[CONTENT_TYPE], "application/problem+json");
            assert_eq!((problem.status, problem.code), (reason.status(), reason.code()));
            assert_eq!(problem.data.reason, *reason);
            assert_eq!(problem.kind, format!("urn:hubbub:error:{reason}"));
            assert_eq!(headers.contains_key(WWW_AUTHENTICATE), status == StatusCode::UNAUTHORIZED);
        }
    }

    #[tokio::test]
    async fn waiting_is_said_in_the_header_too() {
        let (status, headers, problem) =
            problem(CommandError::TooFrequent(Duration::from_millis(1_200))).await;
        assert_eq!((status, &headers[RETRY_AFTER]), (StatusCode::TOO_MANY_REQUESTS, &HeaderValue::from(2)));
        assert_eq!(problem.data.retry_after_ms, Some(1_200));
    }

    #[tokio::test]
    async fn a_source_never_leaves_the_log() {
        let (_, _, problem) = problem(CommandError::Internal("host db.internal refused".into())).await;
        assert!(!serde_json::to_string(&problem).unwrap().contains("db.internal"));
    }
}
