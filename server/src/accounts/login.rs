//! Sign up, log in, refresh.

use futures_util::FutureExt;
use hubbub_protocol::{
    entry::EntryBody,
    error::Reason,
    http::{LogIn, LoggedIn, Refresh, SignUp},
    id::{SessionId, StreamId, UserId},
    model::{Session, User},
};

use super::{Accounts, names, password, token};
use crate::{
    clock,
    error::CommandError,
    fabric::Key,
    store::{
        log::logged,
        sessions::{self, NewSession, Rotation, Stored, TokenHashes},
        users::{self, Inserted, NewUser},
    },
};

/// The tokens of a session, and what is stored of them.
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) hashes: TokenHashes,
}

impl Accounts {
    /// Makes an account.
    ///
    /// # Errors
    /// `invalid_params`, `username_taken`, `not_allowed` where people may not sign up, `unavailable`.
    pub async fn sign_up(&self, wish: SignUp) -> Result<User, CommandError> {
        if !self.0.settings.sign_up {
            return Err(CommandError::Explained {
                reason: Reason::NotAllowed,
                message: "this server makes no accounts by itself; ask its operator".to_owned(),
                field: None,
            });
        }
        let username = names::username(&wish.username)?;
        let display_name =
            wish.display_name.as_deref().map_or_else(|| Ok(username.clone()), names::display_name)?;
        password::check(&wish.password)?;
        let hash = self.0.hasher.hash(wish.password).await?;
        let user = User { id: UserId::generate(), username, display_name };
        let new = NewUser { user: user.clone(), password_hash: Some(hash), at_ms: clock::now_ms() };
        match users::insert(&self.0.db, new).await? {
            Inserted::Yes => Ok(user),
            Inserted::UsernameTaken => Err(Reason::UsernameTaken.into()),
        }
    }

    /// Logs in from `place`; the account's session before is over from then on, on every node.
    ///
    /// # Errors
    /// `invalid_params`, `invalid_credentials` (the same for an unknown name), `too_frequent`, `unavailable`.
    pub async fn log_in(&self, wish: LogIn, place: String) -> Result<LoggedIn, CommandError> {
        let device = names::device(wish.device)?;
        // What cannot be a username is an unknown one, and takes as long.
        let known = match names::username(&wish.username) {
            Ok(username) => users::by_username(&self.0.db, &username).await?,
            Err(_) => None,
        };
        let hash = known.as_ref().and_then(|known| known.password_hash.clone());
        let right = self.0.hasher.verify(wish.password, hash).await?;
        metrics::counter!("hubbub_auth_total", "result" => if right { "ok" } else { "refused" }).increment(1);
        let Some(known) = known.filter(|_| right) else { return Err(Reason::InvalidCredentials.into()) };
        let tokens = self.mint()?;
        let new = NewSession {
            id: SessionId::generate(),
            user: known.user.id,
            device,
            place,
            tokens: tokens.hashes.clone(),
            at_ms: clock::now_ms(),
        };
        let session = new.id;
        let begun = sessions::begin(&self.0.db, new).await?.ok_or(Reason::InvalidCredentials)?;
        self.claim(known.user.id, session, begun.fence).await;
        for displaced in begun.displaced {
            metrics::counter!("hubbub_session_displaced_total").increment(1);
            (self.0.announce)(displaced, &begun.end);
        }
        let stored = sessions::by_access_hash(&self.0.db, &tokens.hashes.access).await?;
        let stored = stored.ok_or(Reason::SessionEnded)?;
        self.note(stored.user.id, stored.session.clone()).await;
        Ok(self.logged_in(stored, tokens))
    }

    /// Says in the account's own stream that a device logged in. The login stands without it.
    async fn note(&self, user: UserId, session: Session) {
        let noted = logged(&self.0.db, move |log| {
            async move {
                let own = StreamId::User(user);
                log.lock(&[own]).await?;
                log.append(own, user, None, EntryBody::SessionStarted { session });
                Ok(())
            }
            .boxed()
        });
        match noted.await {
            Ok(((), entries)) => (self.0.committed)(&entries),
            Err(error) => error.log("note a login"),
        }
    }

    /// Gives a session new tokens for its refresh token. A spent one ends the session.
    ///
    /// # Errors
    /// `unauthenticated`, `session_ended`, `unavailable`.
    pub async fn refresh(&self, wish: Refresh) -> Result<LoggedIn, CommandError> {
        let spent = token::hash(&wish.refresh_token).ok_or(Reason::Unauthenticated)?;
        let tokens = self.mint()?;
        match sessions::rotate(&self.0.db, spent, tokens.hashes.clone(), clock::now_ms()).await? {
            Rotation::Rotated(stored) => Ok(self.logged_in(*stored, tokens)),
            Rotation::Reused(session, end) => {
                metrics::counter!("hubbub_security_event_total", "kind" => "refresh_reused").increment(1);
                (self.0.announce)(session, &end);
                Err(CommandError::SessionEnded(Box::new(end)))
            }
            Rotation::Ended(end) => Err(CommandError::SessionEnded(Box::new(end))),
            Rotation::Unknown => Err(Reason::Unauthenticated.into()),
        }
    }

    pub(super) fn mint(&self) -> Result<Tokens, CommandError> {
        let (access, refresh, now) = (token::mint()?, token::mint()?, clock::now_ms());
        let after = |ttl: std::time::Duration| now + i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX / 2);
        let hashes = TokenHashes {
            access: access.hash,
            access_expires_at_ms: after(self.0.settings.access_ttl),
            refresh: refresh.hash,
            refresh_expires_at_ms: after(self.0.settings.refresh_ttl),
        };
        Ok(Tokens { access: access.token, refresh: refresh.token, hashes })
    }

    /// Sets the active-session key. It makes checks fast; what is true is the fence in SQL, so it may fail.
    async fn claim(&self, user: UserId, session: SessionId, fence: i64) {
        let (key, value) = (Key::active_session(user), session.to_string());
        if let Err(error) = self.0.fabric.raise(&key, fence, &value, self.0.settings.access_ttl).await {
            tracing::debug!(%error, "the active-session key is not set");
        }
    }

    fn logged_in(&self, stored: Stored, tokens: Tokens) -> LoggedIn {
        let session = Session { current: true, ..stored.session };
        LoggedIn {
            user: stored.user,
            session,
            access_token: tokens.access,
            expires_in_s: self.0.settings.access_ttl.as_secs(),
            refresh_token: tokens.refresh,
            refresh_expires_in_s: self.0.settings.refresh_ttl.as_secs(),
        }
    }
}
