//! The HTTP door: sign up, log in, refresh, sessions, history.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hubbub_protocol::{
    command::{EntriesPage, HistoryPage, RoomHistoryParams, RoomReadParams},
    error::Problem,
    http::{Account, Activity, LogIn, LoggedIn, Refresh, ServerInfo, Sessions, SignUp},
    id::SessionId,
};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::address::ServerAddress;

/// Longest wait for an answer. Logging in is slow on purpose.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// Largest answer that is read, in bytes.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The server refused it, and says why.
    #[error("refused: {} ({})", .0.detail, .0.data.reason)]
    Refused(Box<Problem>),
    /// An answer that is none of this API: something between us and the server, perhaps.
    #[error("unexpected answer with status {status}")]
    Unexpected {
        /// The HTTP status.
        status: u16,
    },
    /// No answer in time: whether it was done is not known.
    #[error("no answer in time")]
    TimedOut,
    /// The server cannot be reached, or the connection broke.
    #[error("no connection to the server")]
    Network(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// An HTTP answer, whatever it says.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: header::HeaderMap,
    /// The body, read whole.
    pub body: Bytes,
}

/// Calls the HTTP API of one server. Clones share their connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: Client<HttpConnector, Full<Bytes>>,
    server: ServerAddress,
}

impl HttpClient {
    /// A client for this server; nothing is connected yet.
    pub fn new(server: ServerAddress) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(TIME_LIMIT));
        Self { client: Client::builder(TokioExecutor::new()).build(connector), server }
    }

    /// `GET /v1/server`: what a client needs before anyone signs in.
    pub async fn server(&self) -> Result<ServerInfo, HttpError> {
        self.call(Method::GET, "/v1/server", None, None::<&()>).await
    }

    /// `POST /v1/accounts`: signs up.
    pub async fn sign_up(&self, account: &SignUp) -> Result<Account, HttpError> {
        self.call(Method::POST, "/v1/accounts", None, Some(account)).await
    }

    /// `POST /v1/sessions`: logs in; ends the session that the account had before.
    pub async fn log_in(&self, log_in: &LogIn) -> Result<LoggedIn, HttpError> {
        self.call(Method::POST, "/v1/sessions", None, Some(log_in)).await
    }

    /// `POST /v1/sessions/refresh`: spends a refresh token for new tokens of the same session.
    pub async fn refresh(&self, refresh_token: &str) -> Result<LoggedIn, HttpError> {
        let body = Refresh { refresh_token: refresh_token.to_owned() };
        self.call(Method::POST, "/v1/sessions/refresh", None, Some(&body)).await
    }

    /// `GET /v1/sessions`: the account's live sessions.
    pub async fn sessions(&self, access_token: &str) -> Result<Sessions, HttpError> {
        self.call(Method::GET, "/v1/sessions", Some(access_token), None::<&()>).await
    }

    /// `DELETE /v1/sessions/{id}`: logs out, here or on another device.
    pub async fn end_session(&self, access_token: &str, session: SessionId) -> Result<(), HttpError> {
        let path = format!("/v1/sessions/{session}");
        let answer = self.send(self.request(Method::DELETE, &path, Some(access_token), None::<&()>)?).await?;
        if answer.status.is_success() { Ok(()) } else { Err(problem(&answer)) }
    }

    /// `GET /v1/activity`: messages by day, the most active rooms and people.
    pub async fn activity(
        &self,
        access_token: &str,
        days: usize,
        limit: usize,
    ) -> Result<Activity, HttpError> {
        let path = format!("/v1/activity?days={days}&limit={limit}");
        self.call(Method::GET, &path, Some(access_token), None::<&()>).await
    }

    /// `GET /v1/rooms/{room}/entries`: a page of a room's log.
    pub async fn entries(&self, access_token: &str, page: &RoomReadParams) -> Result<EntriesPage, HttpError> {
        let mut query = Vec::new();
        query.extend(page.before.map(|seq| format!("before={seq}")));
        query.extend(page.after.map(|seq| format!("after={seq}")));
        query.extend(page.limit.map(|limit| format!("limit={limit}")));
        let path = format!("/v1/rooms/{}/entries?{}", page.room, query.join("&"));
        self.call(Method::GET, &path, Some(access_token), None::<&()>).await
    }

    /// `GET /v1/rooms/{room}/messages`: a page of a room's timeline, edits and recalls folded in.
    pub async fn history(
        &self,
        access_token: &str,
        page: &RoomHistoryParams,
    ) -> Result<HistoryPage, HttpError> {
        let mut query = Vec::new();
        query.extend(page.before.map(|seq| format!("before={seq}")));
        query.extend(page.after.map(|seq| format!("after={seq}")));
        query.extend(page.around.map(|seq| format!("around={seq}")));
        query.extend(page.limit.map(|limit| format!("limit={limit}")));
        let path = format!("/v1/rooms/{}/messages?{}", page.room, query.join("&"));
        self.call(Method::GET, &path, Some(access_token), None::<&()>).await
    }

    /// A request of this API, ready to be sent; `path` begins with a slash.
    ///
    /// # Errors
    /// The path or the token has characters that HTTP does not carry.
    pub fn request<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        access_token: Option<&str>,
        body: Option<&B>,
    ) -> Result<Request<Full<Bytes>>, HttpError> {
        let mut builder = Request::builder().method(method).uri(format!("{}{path}", self.server));
        if let Some(token) = access_token {
            builder = builder.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let bytes = match body {
            Some(body) => {
                builder = builder.header(header::CONTENT_TYPE, "application/json");
                Bytes::from(serde_json::to_vec(body).map_err(network)?)
            }
            None => Bytes::new(),
        };
        builder.body(Full::new(bytes)).map_err(network)
    }

    /// Sends a request and reads the answer whole, whatever its status.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, HttpError> {
        tokio::time::timeout(TIME_LIMIT, self.exchange(request)).await.map_err(|_| HttpError::TimedOut)?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, HttpError> {
        let response = self.client.request(request).await.map_err(network)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES).collect().await.map_err(HttpError::Network)?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    async fn call<B: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        access_token: Option<&str>,
        body: Option<&B>,
    ) -> Result<A, HttpError> {
        let answer = self.send(self.request(method, path, access_token, body)?).await?;
        if !answer.status.is_success() {
            return Err(problem(&answer));
        }
        let status = answer.status.as_u16();
        serde_json::from_slice(&answer.body).map_err(|_| HttpError::Unexpected { status })
    }
}

fn network(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> HttpError {
    HttpError::Network(error.into())
}

fn problem(answer: &Answer) -> HttpError {
    let status = answer.status.as_u16();
    serde_json::from_slice(&answer.body)
        .map_or(HttpError::Unexpected { status }, |problem| HttpError::Refused(Box::new(problem)))
}
