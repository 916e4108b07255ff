//! Profiles.

use futures_util::FutureExt;
use hubbub_protocol::{
    command::{UserFindParams, UserGetParams, UserResult, UserUpdateParams, UsersResult},
    entry::EntryBody,
    error::Reason,
    id::StreamId,
    limits::{DISPLAY_NAME_CHARS, USERS_PER_COMMAND},
};

use super::{Chat, text};
use crate::{
    accounts::{self, Caller},
    error::CommandError,
    store::{self, log::logged},
};

impl Chat {
    /// People by their ids; unknown ones are left out.
    ///
    /// # Errors
    /// `too_large`, `unavailable`.
    pub async fn users(&self, params: UserGetParams) -> Result<UsersResult, CommandError> {
        if params.users.len() > USERS_PER_COMMAND {
            return Err(CommandError::TooLarge { field: "users", limit: USERS_PER_COMMAND, unit: "people" });
        }
        Ok(UsersResult { users: self.0.accounts.profiles(&params.users).await? })
    }

    /// People whose username or display name begins so.
    ///
    /// # Errors
    /// `invalid_params`, `unavailable`.
    pub async fn find_users(&self, params: UserFindParams) -> Result<UsersResult, CommandError> {
        let query = params.query.trim().to_lowercase();
        if query.is_empty() || query.chars().count() > DISPLAY_NAME_CHARS || query.contains('\0') {
            return Err(CommandError::invalid("query", "a query has 1 to 64 characters"));
        }
        let limit = text::page(params.limit)?;
        Ok(UsersResult { users: store::users::find(&self.0.db, &query, None, limit).await? })
    }

    /// Changes what others read as the caller's name.
    ///
    /// # Errors
    /// `invalid_params`, `session_ended`, `unavailable`.
    pub async fn update_user(
        &self,
        caller: &Caller,
        params: UserUpdateParams,
    ) -> Result<UserResult, CommandError> {
        let name = accounts::display_name(&params.display_name)?;
        let who = caller.clone();
        let (user, entries) = logged(&self.0.db, move |log| {
            async move {
                log.require_live(who.session.id).await?;
                let own = StreamId::User(who.user.id);
                log.lock(&[own]).await?;
                let user = store::users::set_display_name(log.tx(), who.user.id, &name).await?;
                let user = user.ok_or(Reason::UnknownUser)?;
                log.append(own, user.id, None, EntryBody::ProfileChanged { user: user.clone() });
                Ok(user)
            }
            .boxed()
        })
        .await?;
        self.0.accounts.forget_profile(user.id).await;
        self.0.streams.committed(&entries);
        Ok(UserResult { user })
    }
}
