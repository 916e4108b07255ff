//! Passwords: argon2id (RFC 9106) on a bounded pool, so that a storm of logins slows logins and nothing else.

use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash,
};
use hubbub_protocol::limits::PASSWORD_CHARS;
use tokio::sync::Semaphore;

use crate::error::CommandError;

/// Least memory, in KiB, and passes (OWASP Password Storage Cheat Sheet).
const LEAST: PasswordCost = PasswordCost { memory_kib: 19_456, passes: 2, lanes: 1 };
/// Passwords that wait for each thread; one more is answered `too_frequent` at once.
const WAITING_PER_THREAD: usize = 64;
/// Longest wait for a thread.
const WAIT_LIMIT: Duration = Duration::from_secs(4);

/// What hashing a password costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes of it.
    pub lanes: u32,
}

/// Hashes and verifies.
pub(super) struct Hasher {
    argon2: Argon2<'static>,
    threads: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// A hash of nothing anyone knows: an unknown username takes as long as a wrong password.
    decoy: String,
}

impl Hasher {
    pub(super) fn new(cost: PasswordCost, threads: usize) -> Result<Self, CommandError> {
        let params = Params::new(
            cost.memory_kib.max(LEAST.memory_kib),
            cost.passes.max(LEAST.passes),
            cost.lanes.max(LEAST.lanes),
            None,
        );
        let params = params.map_err(|error| CommandError::Internal(error.to_string().into()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&argon2, "nobody has this password")?;
        let threads = threads.max(1);
        Ok(Self {
            argon2,
            threads: Arc::new(Semaphore::new(threads)),
            waiting: Arc::new(Semaphore::new(threads * WAITING_PER_THREAD)),
            decoy,
        })
    }

    /// The PHC string of a password.
    pub(super) async fn hash(&self, password: String) -> Result<String, CommandError> {
        let argon2 = self.argon2.clone();
        self.run(move || hash(&argon2, &password)).await?
    }

    /// Whether the password is the one that was hashed; for no hash it takes as long, and is wrong.
    pub(super) async fn verify(&self, password: String, phc: Option<String>) -> Result<bool, CommandError> {
        let argon2 = self.argon2.clone();
        let (phc, known) = phc.map_or_else(|| (self.decoy.clone(), false), |phc| (phc, true));
        let matches = self.run(move || {
            PasswordHash::new(&phc)
                .is_ok_and(|hash| argon2.verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(matches.await? && known)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        let busy = || CommandError::TooFrequent(Duration::from_secs(1));
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| busy())?;
        let thread = tokio::time::timeout(WAIT_LIMIT, Arc::clone(&self.threads).acquire_owned());
        let thread = thread.await.map_err(|_| busy())?.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a caller that goes away does not make room for another.
            let (_thread, _waiting) = (thread, waiting);
            work()
        });
        done.await.map_err(|error| CommandError::Internal(Box::new(error)))
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String, CommandError> {
    let hash = argon2.hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| CommandError::Internal(error.to_string().into()))
}

/// Refuses a password that is too short to be one, or too long to be hashed.
pub(super) fn check(password: &str) -> Result<(), CommandError> {
    if PASSWORD_CHARS.contains(&password.chars().count()) {
        return Ok(());
    }
    Err(CommandError::invalid("password", "a password has 8 to 256 characters"))
}

#[cfg(test)]
mod tests {
    use super::{Hasher, LEAST, PasswordCost, check};

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let hasher = Hasher::new(LEAST, 1).expect("a hasher");
        let phc = hasher.hash("correct horse".into()).await.expect("a hash");
        assert!(hasher.verify("correct horse".into(), Some(phc.clone())).await.expect("an answer"));
        assert!(!hasher.verify("wrong horse".into(), Some(phc)).await.expect("an answer"));
        assert!(!hasher.verify("nobody has this password".into(), None).await.expect("an answer"));
        assert!(!hasher.verify("x".into(), Some("not a hash".into())).await.expect("an answer"));
    }

    #[tokio::test]
    async fn the_cost_has_a_floor() {
        let cheap = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
        let phc = Hasher::new(cheap, 1).expect("a hasher").hash("password".into()).await.expect("a hash");
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
    }

    #[test]
    fn passwords_have_bounds() {
        assert!(check("12345678").is_ok() && check("1234567").is_err() && check(&"p".repeat(257)).is_err());
    }
}
