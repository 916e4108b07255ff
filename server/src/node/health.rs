//! What `/readyz` says: whether this node delivers, and what does not work.

use hubbub_protocol::http::Readiness;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// Checks of the database in a row that fail before the node is unready; they come each second.
const DATABASE_FAILED: u32 = 3;
/// Three missed echoes in a row are one such check; a node that has just started has heard none yet.
const DEAF_FAILED: u32 = 2;
/// Checks in a row that pass before it is ready again.
const PASSED: u32 = 2;

/// Something that is checked again and again; one answer alone does not turn it.
struct Watched {
    what: &'static str,
    enough: u32,
    well: bool,
    /// Checks in a row that said the opposite.
    against: u32,
}

impl Watched {
    fn new(what: &'static str, enough: u32) -> Self {
        Self { what, enough, well: true, against: 0 }
    }

    fn saw(&mut self, well: bool) {
        self.against = if well == self.well { 0 } else { self.against + 1 };
        if self.against < if well { PASSED } else { self.enough } {
            return;
        }
        (self.well, self.against) = (well, 0);
        if well {
            tracing::info!(what = self.what, "well again");
        } else {
            tracing::error!(what = self.what, "not well");
        }
    }
}

/// The health of a node.
pub(super) struct Health {
    watched: Mutex<Parts>,
    /// Cancelled when the node stops taking clients.
    pub(super) drain: CancellationToken,
}

struct Parts {
    /// The database answers, and can be written to.
    database: Watched,
    /// What other nodes say is heard, while Redis answers.
    hearing: Watched,
    /// Redis answers. Without it everything works, more slowly: no reason to send clients elsewhere.
    redis: Watched,
}

impl Health {
    pub(super) fn new() -> Self {
        let watched = Parts {
            database: Watched::new("database", DATABASE_FAILED),
            hearing: Watched::new("hearing", DEAF_FAILED),
            redis: Watched::new("redis", 1),
        };
        Self { watched: Mutex::new(watched), drain: CancellationToken::new() }
    }

    pub(super) fn readiness(&self) -> Readiness {
        let watched = self.watched.lock();
        let mut why_not = Vec::new();
        let mut reason = |holds: bool, word: &str| {
            if holds {
                why_not.push(word.to_owned());
            }
        };
        reason(self.drain.is_cancelled(), "draining");
        reason(!watched.database.well, "database");
        reason(!watched.hearing.well, "deaf");
        let degraded = if watched.redis.well { Vec::new() } else { vec!["redis".to_owned()] };
        Readiness { ready: why_not.is_empty(), why_not, degraded }
    }

    pub(super) fn database(&self, answers: bool) {
        self.watched.lock().database.saw(answers);
    }

    /// `up`: Redis answers; `hearing`: this node's own voice comes back through it.
    pub(super) fn fabric(&self, up: bool, hearing: bool) {
        let mut watched = self.watched.lock();
        watched.redis.saw(up);
        // While nobody can speak, not hearing is no fault of this node.
        watched.hearing.saw(hearing || !up);
    }
}

#[cfg(test)]
mod tests {
    use super::Health;

    #[test]
    fn the_database_may_miss_two_checks() {
        let health = Health::new();
        health.database(false);
        health.database(false);
        assert!(health.readiness().ready);
        health.database(true);
        health.database(false);
        health.database(false);
        assert!(health.readiness().ready);
        health.database(false);
        assert_eq!(health.readiness().why_not, ["database"]);
        health.database(true);
        assert!(!health.readiness().ready, "one good answer may be luck");
        health.database(true);
        assert!(health.readiness().ready);
    }

    #[test]
    fn a_deaf_node_is_unready_and_one_without_redis_only_degraded() {
        let health = Health::new();
        health.fabric(true, false);
        health.fabric(true, false);
        assert_eq!(health.readiness().why_not, ["deaf"]);
        health.fabric(false, false);
        health.fabric(false, false);
        let readiness = health.readiness();
        assert!(readiness.ready, "{readiness:?}");
        assert_eq!(readiness.degraded, ["redis"]);
    }
}
