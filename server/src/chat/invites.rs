//! Links that let people in.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::FutureExt;
use hubbub_protocol::{command::RoomInviteParams, error::Reason, http::InviteInfo, model::Invite};

use super::{
    Chat,
    access::{Act, authorise},
};
use crate::{
    accounts::Caller,
    clock,
    error::CommandError,
    store::{self, log::logged},
};

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
        let invite = Invite {
            code: code()?,
            room: params.room,
            expires_at: clock::now_ms() + i64::try_from(lasts_s * 1_000).unwrap_or(i64::MAX),
            uses_left: params.max_uses,
        };
        let (kept, who) = (invite.clone(), caller.clone());
        logged(&self.0.db, move |log| {
            async move {
                log.require_live(who.session.id).await?;
                Ok(store::invites::insert(log.tx(), &kept, who.user.id).await?)
            }
            .boxed()
        })
        .await?;
        Ok(invite)
    }

    /// What an invitation opens, for whoever has its code.
    ///
    /// # Errors
    /// `unknown_invite`, `unavailable`.
    pub async fn invite_info(&self, code: &str) -> Result<InviteInfo, CommandError> {
        let opened = store::invites::by_code(&self.0.db, code, clock::now_ms()).await?;
        let opened = opened.ok_or(Reason::UnknownInvite)?;
        Ok(InviteInfo {
            room_name: opened.room_name,
            member_count: opened.member_count,
            invited_by: opened.invited_by,
            expires_at: opened.invite.expires_at,
        })
    }
}

/// 128 random bits: nobody guesses it.
fn code() -> Result<String, CommandError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| CommandError::Internal(error.to_string().into()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
