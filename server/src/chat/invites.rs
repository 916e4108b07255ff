//! Links that let people in.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hubbub_protocol::{
    command::RoomInviteParams,
    error::Reason,
    http::InviteInfo,
    model::Invite,
};

use super::{
    Chat,
    access::{Act, authorise},
};
use crate::{accounts::Caller, clock, error::CommandError, store};

const DAY_S: u64 = 24 * 60 * 60;

impl Chat {
    /// Makes an invitation.
    ///
    /// # Errors
    /// `invalid_params`, `unknown_room`, `not_a_member`, `not_allowed` in a direct room, `unavailable`.
    pub async fn invite(&self, caller: &Caller, params: RoomInviteParams) -> Result<Invite, CommandError> {
        let lasts_s = params.expires_in_s.unwrap_or(7 * DAY_S);
        if !(60..=30 * DAY_S).contains(&lasts_s) {
            return Err(CommandError::invalid("expires_in_s", "an invitation lasts 60 s to 30 days"));
        }
        if params.max_uses.is_some_and(|uses| uses == 0 || uses > 1_000_000) {
            return Err(CommandError::invalid("max_uses", "an invitation is used 1 to 1000000 times"));
        }
        let room = self.room(caller, params.room).await?.room;
        authorise(room.role, room.kind, Act::Invite)?;
        if store::sessions::live(&self.0.db, &[caller.session.id]).await?.is_empty() {
            return Err(Reason::SessionEnded.into());
        }
        let invite = Invite {
            code: code()?,
            room: params.room,
            expires_at: clock::now_ms() + i64::try_from(lasts_s * 1_000).unwrap_or(i64::MAX),
            uses_left: params.max_uses,
        };
        store::rooms::insert_invite(&self.0.db, &invite, caller.user.id).await?;
        Ok(invite)
    }

    /// What an invitation opens, for whoever has its code.
    ///
    /// # Errors
    /// `unknown_invite`, `unavailable`.
    pub async fn invite_info(&self, code: &str) -> Result<InviteInfo, CommandError> {
        store::rooms::invite_info(&self.0.db, code).await?.ok_or_else(|| Reason::UnknownInvite.into())
    }
}

/// 128 random bits: nobody guesses it.
fn code() -> Result<String, CommandError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| CommandError::Internal(error.to_string().into()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
