//! Reading rooms, and what an invitation opens.

use axum::extract::{
    Path, Query, State,
    rejection::{PathRejection, QueryRejection},
};
use hubbub_protocol::{
    command::{EntriesPage, HistoryPage, RoomHistoryParams, RoomReadParams},
    error::Reason,
    http::InviteInfo,
    id::{RoomId, Seq},
};
use serde::Deserialize;

use super::{
    Services,
    body::Json,
    caller::Authenticated,
    error::{ApiError, bad_path, bad_query},
};

/// Which part of a log or a timeline.
#[derive(Deserialize)]
pub(super) struct Page {
    before: Option<Seq>,
    after: Option<Seq>,
    around: Option<Seq>,
    limit: Option<u16>,
}

type RoomPath = Result<Path<RoomId>, PathRejection>;
type PageQuery = Result<Query<Page>, QueryRejection>;

/// `GET /v1/rooms/{room}/entries?before=&after=&limit=`: entries of a room's log, ascending, without holes.
///
/// Seqs are exclusive; `limit` is 1 to 200, 50 when absent.
/// Errors: `unauthenticated`, `session_ended`, `invalid_params`, `unknown_room`, `not_a_member`, `unavailable`.
pub(super) async fn entries(
    State(services): State<Services>,
    Authenticated(caller): Authenticated,
    room: RoomPath,
    page: PageQuery,
) -> Result<Json<EntriesPage>, ApiError> {
    let Path(room) = room.map_err(|rejection| bad_path(&rejection))?;
    let Query(Page { before, after, limit, .. }) = page.map_err(|rejection| bad_query(&rejection))?;
    Ok(Json(services.chat.read(&caller, RoomReadParams { room, before, after, limit }).await?))
}

/// `GET /v1/rooms/{room}/messages?before=&after=&around=&limit=`: a part of a room's timeline, edits and recalls
/// folded in. At most one of `before`, `after` and `around`; none is the newest.
///
/// Errors: as for entries.
pub(super) async fn messages(
    State(services): State<Services>,
    Authenticated(caller): Authenticated,
    room: RoomPath,
    page: PageQuery,
) -> Result<Json<HistoryPage>, ApiError> {
    let Path(room) = room.map_err(|rejection| bad_path(&rejection))?;
    let Query(Page { before, after, around, limit }) = page.map_err(|rejection| bad_query(&rejection))?;
    Ok(Json(services.chat.history(&caller, RoomHistoryParams { room, before, after, around, limit }).await?))
}

/// `GET /v1/invites/{code}`: what an invitation opens, for whoever has its code.
///
/// Errors: `unknown_invite`, `unavailable`.
pub(super) async fn invite(
    State(services): State<Services>,
    code: Result<Path<String>, PathRejection>,
) -> Result<Json<InviteInfo>, ApiError> {
    let Path(code) = code.map_err(|_| Reason::UnknownInvite)?;
    Ok(Json(services.chat.invite_info(&code).await?))
}
