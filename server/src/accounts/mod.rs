//! Who may come in: accounts, passwords, tokens, sessions.
//!
//! | file | does |
//! |---|---|
//! | `names` | what usernames and display names may be |
//! | `password` | argon2id, on a bounded pool |
//! | `token` | opaque tokens, stored hashed |
//! | `login` | sign up, log in, refresh |
//! | `sessions` | who is this; list, end, keep from timing out |
//! | `profiles` | people by their ids, cached |
//! | `provision` | accounts by the operator, one or many |

mod login;
mod names;
mod password;
mod profiles;
pub mod provision;
mod sessions;
mod token;

use std::{sync::Arc, time::Duration};

use hubbub_protocol::{
    entry::Entry,
    id::SessionId,
    model::{Session, SessionEnd, User},
};

pub use names::{disguises, display_name, username};
pub use password::PasswordCost;

use crate::{error::CommandError, fabric::Fabric, store::Db};

/// How accounts behave.
#[derive(Clone, Copy, Debug)]
pub struct AccountSettings {
    /// Whether people may sign up.
    pub sign_up: bool,
    /// How long an access token lives without being used.
    pub access_ttl: Duration,
    /// How long a session can be taken up again with its refresh token.
    pub refresh_ttl: Duration,
    /// What a password costs.
    pub password: PasswordCost,
    /// Passwords that are hashed at once.
    pub password_threads: usize,
}

/// Who asks, in which session.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub user: User,
    /// In which session.
    pub session: Session,
}

/// Tells every node that a session is over.
pub type Announce = Arc<dyn Fn(SessionId, &SessionEnd) + Send + Sync>;

/// Delivers entries that were committed.
pub type Committed = Arc<dyn Fn(&[Entry]) + Send + Sync>;

/// Accounts and sessions. Clones are the same.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

struct Inner {
    db: Db,
    fabric: Fabric,
    hasher: password::Hasher,
    profiles: profiles::Profiles,
    settings: AccountSettings,
    announce: Announce,
    committed: Committed,
}

impl Accounts {
    /// Over this database and fabric; `announce` is called after a session's end was committed, `committed` with
    /// entries of people's own streams.
    ///
    /// # Errors
    /// The cost of passwords cannot be used.
    pub fn new(
        db: Db,
        fabric: Fabric,
        settings: AccountSettings,
        announce: Announce,
        committed: Committed,
    ) -> Result<Self, CommandError> {
        let hasher = password::Hasher::new(settings.password, settings.password_threads)?;
        let profiles = profiles::Profiles::default();
        Ok(Self(Arc::new(Inner { db, fabric, hasher, profiles, settings, announce, committed })))
    }

    /// How accounts behave.
    pub fn settings(&self) -> &AccountSettings {
        &self.0.settings
    }
}
