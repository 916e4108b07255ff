//! Accounts by the operator, one or many, and their sessions without the front door: load tests and bots need them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::FutureExt;
use hubbub_protocol::{
    error::Reason,
    id::{SessionId, UserId},
    model::{Device, DeviceClass, User},
};
use serde::Serialize;

use super::{Accounts, names, password};
use crate::{
    clock,
    error::CommandError,
    store::{
        sessions::{self, NewSession},
        users::{self, NewUser},
    },
};

/// Accounts in one transaction.
const BATCH: usize = 200;

/// What is to be made.
#[derive(Clone, Debug)]
pub struct Provision {
    /// The usernames.
    pub usernames: Vec<String>,
    /// The password of all of them; without one and without tokens, each gets one of its own.
    pub password: Option<String>,
    /// Whether each gets a session with its tokens.
    pub tokens: bool,
}

/// One account that was made; what is absent does not exist.
#[derive(Clone, Debug, Serialize)]
pub struct Provisioned {
    /// The account.
    #[serde(flatten)]
    pub user: User,
    /// Its password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Its session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The access token of that session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// The refresh token of that session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

impl Accounts {
    /// Makes accounts, a batch in a transaction, and gives each batch to `made`.
    ///
    /// # Errors
    /// `invalid_params`, `username_taken` for the first name that is taken (its batch is not made), `unavailable`.
    pub async fn provision(
        &self,
        wish: Provision,
        mut made: impl FnMut(Vec<Provisioned>),
    ) -> Result<(), CommandError> {
        let shared = match &wish.password {
            Some(password) => {
                password::check(password)?;
                Some(self.0.hasher.hash(password.clone()).await?)
            }
            None => None,
        };
        for names in wish.usernames.chunks(BATCH) {
            made(self.provision_batch(names, &wish, shared.as_deref()).await?);
        }
        Ok(())
    }

    async fn provision_batch(
        &self,
        usernames: &[String],
        wish: &Provision,
        shared_hash: Option<&str>,
    ) -> Result<Vec<Provisioned>, CommandError> {
        let (mut accounts, mut logins, mut made) = (Vec::new(), Vec::new(), Vec::new());
        let at_ms = clock::now_ms();
        for name in usernames {
            let username = names::username(name)?;
            let user = User { id: UserId::generate(), display_name: username.clone(), username };
            let (password, password_hash) = match shared_hash {
                Some(hash) => (None, Some(hash.to_owned())),
                None if wish.tokens => (None, None),
                None => {
                    let password = random_password()?;
                    let hash = self.0.hasher.hash(password.clone()).await?;
                    (Some(password), Some(hash))
                }
            };
            let mut one = Provisioned {
                user: user.clone(),
                password,
                session_id: None,
                access_token: None,
                refresh_token: None,
            };
            if wish.tokens {
                let tokens = self.mint()?;
                let id = SessionId::generate();
                let device = Device {
                    id: format!("provisioned-{id}"),
                    class: DeviceClass::Bot,
                    name: "provisioned".into(),
                };
                let place = "operator".to_owned();
                logins
                    .push((NewSession { id, user: user.id, device, place, tokens: tokens.hashes, at_ms }, 0));
                one.session_id = Some(id);
                one.access_token = Some(tokens.access);
                one.refresh_token = Some(tokens.refresh);
            }
            accounts.push(NewUser { user, password_hash, at_ms });
            made.push(one);
        }
        self.insert(accounts, logins).await?;
        Ok(made)
    }

    async fn insert(
        &self,
        accounts: Vec<NewUser>,
        logins: Vec<(NewSession, i64)>,
    ) -> Result<(), CommandError> {
        let transaction = self.0.db.transact(move |tx| {
            async move {
                let made = users::insert_many(tx, &accounts).await?;
                if let Some(taken) = accounts.iter().find(|account| !made.contains(&account.user.id)) {
                    return Err(CommandError::Explained {
                        reason: Reason::UsernameTaken,
                        message: format!("the username {} is taken", taken.user.username),
                        field: Some("username"),
                    });
                }
                sessions::insert_many(tx, &logins).await?;
                Ok(())
            }
            .boxed()
        });
        transaction.await
    }
}

fn random_password() -> Result<String, CommandError> {
    let mut bytes = [0_u8; 15];
    getrandom::fill(&mut bytes).map_err(|error| CommandError::Internal(error.to_string().into()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
