//! Signing up, logging in, and the sessions that come of it.

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
};
use hubbub_protocol::{
    error::Reason,
    http::{Account, LogIn, LoggedIn, Refresh, Sessions, SignUp},
};

use super::{
    Services,
    body::{Json, NoContent},
    caller::{Authenticated, ClientAddress},
    error::{ApiError, bad_path},
};

/// `POST /v1/accounts`: 201 with the new account.
///
/// Errors: `not_allowed` where sign-up is closed, `username_taken`, `invalid_params`, `too_frequent`, `unavailable`.
pub(super) async fn sign_up(
    State(services): State<Services>,
    address: ClientAddress,
    Json(body): Json<SignUp>,
) -> Result<(StatusCode, Json<Account>), ApiError> {
    (services.admit)(address.0)?;
    let user = services.accounts.sign_up(body).await?;
    Ok((StatusCode::CREATED, Json(Account { user })))
}

/// `POST /v1/sessions`: 201 with tokens; the session before it ends.
///
/// Errors: `invalid_credentials`, `invalid_params`, `too_frequent`, `unavailable`.
pub(super) async fn log_in(
    State(services): State<Services>,
    address: ClientAddress,
    Json(body): Json<LogIn>,
) -> Result<(StatusCode, Json<LoggedIn>), ApiError> {
    (services.admit)(address.0)?;
    let logged_in = services.accounts.log_in(body, address.place()).await?;
    Ok((StatusCode::CREATED, Json(logged_in)))
}

/// `POST /v1/sessions/refresh`: new tokens for the newest refresh token.
///
/// Errors: `session_ended`, also for one that was used before, which ends the session; `unavailable`.
pub(super) async fn refresh(
    State(services): State<Services>,
    Json(body): Json<Refresh>,
) -> Result<Json<LoggedIn>, ApiError> {
    Ok(Json(services.accounts.refresh(body).await?))
}

/// `GET /v1/sessions`: the caller's live sessions.
///
/// Errors: `unauthenticated`, `session_ended`, `unavailable`.
pub(super) async fn sessions(
    State(services): State<Services>,
    Authenticated(caller): Authenticated,
) -> Result<Json<Sessions>, ApiError> {
    Ok(Json(services.accounts.list(&caller).await?))
}

/// `DELETE /v1/sessions/{id}`: logs out there; `current` is the session that asks. 204.
///
/// Errors: `unauthenticated`, `session_ended`, `unknown_session`, `unavailable`.
pub(super) async fn end(
    State(services): State<Services>,
    Authenticated(caller): Authenticated,
    id: Result<Path<String>, PathRejection>,
) -> Result<NoContent, ApiError> {
    let Path(id) = id.map_err(|rejection| bad_path(&rejection))?;
    let session = match id.as_str() {
        "current" => caller.session.id,
        id => id.parse().map_err(|_| Reason::UnknownSession)?,
    };
    services.accounts.log_out(&caller, session).await?;
    Ok(NoContent)
}
