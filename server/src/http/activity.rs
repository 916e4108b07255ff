//! What went on.

use axum::extract::{Query, State, rejection::QueryRejection};
use hubbub_protocol::http::Activity;
use serde::Deserialize;

use super::{
    Services,
    body::Json,
    caller::Authenticated,
    error::{ApiError, bad_query},
};

/// What may stand behind `?`.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    days: Option<usize>,
    limit: Option<usize>,
}

/// `GET /v1/activity?days=&limit=`: messages by day, the most active rooms and people.
///
/// Errors: `unauthenticated`, `session_ended`, `invalid_params`, `unavailable`.
pub(super) async fn activity(
    State(services): State<Services>,
    Authenticated(caller): Authenticated,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Activity>, ApiError> {
    let Query(Asked { days, limit }) = asked.map_err(|rejection| bad_query(&rejection))?;
    Ok(Json(Box::pin(services.chat.activity(&caller, days, limit)).await?))
}
