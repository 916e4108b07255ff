//! Who is this; and their sessions: list, end, keep from timing out.

use std::{collections::HashMap, time::Duration};

use hubbub_protocol::{
    close::EndReason,
    error::Reason,
    http::Sessions,
    id::{SessionId, UserId},
    model::{Session, SessionEnd},
};

use super::{Accounts, Caller, token};
use crate::{clock, error::CommandError, fabric::Key, store::sessions};

impl Accounts {
    /// Whose access token this is. SQL says so; what the fabric says makes nothing true.
    ///
    /// # Errors
    /// `unauthenticated` for an unknown or timed-out token, `session_ended`, `unavailable`.
    pub async fn authenticate(&self, access_token: &str) -> Result<Caller, CommandError> {
        let hash = token::hash(access_token).ok_or(Reason::Unauthenticated)?;
        let stored = sessions::by_access_hash(&self.0.db, &hash).await?.ok_or(Reason::Unauthenticated)?;
        if let Some(end) = stored.end {
            return Err(CommandError::SessionEnded(Box::new(end)));
        }
        if stored.access_expires_at_ms <= clock::now_ms() {
            return Err(CommandError::Explained {
                reason: Reason::Unauthenticated,
                message: "this access token timed out; refresh it".to_owned(),
                field: None,
            });
        }
        let session = Session { current: true, ..stored.session };
        let caller = Caller { user: stored.user, session };
        let lives_ms = i64::try_from(self.0.settings.access_ttl.as_millis()).unwrap_or(i64::MAX);
        if clock::now_ms() - caller.session.used_at > sessions::used_step_ms(lives_ms) {
            self.touch(&HashMap::from([(caller.session.id, caller.user.id)])).await;
        }
        Ok(caller)
    }

    /// Begins the time-outs of sessions in use anew, in SQL and in the active-session keys, so that both forget at the
    /// same moment. Written at most once a minute.
    pub async fn touch(&self, used: &HashMap<SessionId, UserId>) {
        let settings = &self.0.settings;
        let now = clock::now_ms();
        let after = |ttl: Duration| now + i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX / 2);
        let (access, refresh) = (after(settings.access_ttl), after(settings.refresh_ttl));
        let ids: Vec<_> = used.keys().copied().collect();
        match sessions::touch(&self.0.db, &ids, now, access, refresh).await {
            Ok(0) => {}
            Ok(_) => {
                for user in used.values() {
                    // A hint: without it the next check asks SQL.
                    self.0.fabric.touch(&Key::active_session(*user), settings.access_ttl).await.ok();
                }
            }
            Err(error) => tracing::debug!(%error, "sessions were not kept from timing out"),
        }
    }

    /// The account's live sessions, newest first.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn list(&self, caller: &Caller) -> Result<Sessions, CommandError> {
        let mut sessions = sessions::live_of(&self.0.db, caller.user.id, clock::now_ms()).await?;
        for session in &mut sessions {
            session.current = session.id == caller.session.id;
        }
        Ok(Sessions { sessions })
    }

    /// Logs a session of the account out, this one or another: it is over on every node.
    ///
    /// # Errors
    /// `unknown_session`, `unavailable`.
    pub async fn log_out(&self, caller: &Caller, session: SessionId) -> Result<(), CommandError> {
        let end = SessionEnd {
            reason: EndReason::LoggedOut,
            device: Some(caller.session.device.clone()),
            place: Some(caller.session.place.clone()),
            at: clock::now_ms(),
        };
        if !sessions::end(&self.0.db, caller.user.id, session, end.clone()).await? {
            return Err(Reason::UnknownSession.into());
        }
        self.release(caller.user.id, session).await;
        (self.0.announce)(session, &end);
        Ok(())
    }

    /// Takes the active-session key away, unless a session that logged in meanwhile holds it.
    async fn release(&self, user: UserId, session: SessionId) {
        let (key, value) = (Key::active_session(user), session.to_string());
        if let Ok(Some(held)) = self.0.fabric.ranked(&key).await
            && held.value == value
        {
            self.0.fabric.compare_and_delete_ranked(&key, held.rank, &value).await.ok();
        }
    }

    /// Those of the sessions that are over, with their ends: what a node asks for the sessions it serves.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn ended_among(
        &self,
        ids: &[SessionId],
    ) -> Result<HashMap<SessionId, SessionEnd>, CommandError> {
        Ok(sessions::ended_among(&self.0.db, ids, clock::now_ms()).await?)
    }
}
