//! What settings may be only together.

use tracing_subscriber::EnvFilter;

use super::{settings::Config, value::Mode};

/// Everything that does not go together, in words. Whether a URL is missing is not asked where one was refused.
pub(super) fn problems(config: &Config, url_refused: bool) -> Vec<String> {
    let mut problems = Vec::new();
    let mut refuse = |wrong: bool, text: &str| {
        if wrong {
            problems.push(text.to_owned());
        }
    };
    let (database, redis) = (&config.database.url, &config.redis.url);
    refuse(
        database.as_ref().is_some_and(|url| !url.is_postgres()),
        "DATABASE_URL names no PostgreSQL database; write postgres://user:password@host/name",
    );
    refuse(
        redis.as_ref().is_some_and(super::SecretUrl::is_postgres),
        "REDIS_URL names a PostgreSQL database; write redis://:password@host:6379",
    );
    refuse(
        !url_refused && database.is_some() && redis.is_none() && config.mode != Mode::Embedded,
        "DATABASE_URL is set and REDIS_URL is not: nodes of a cluster need Redis to reach each other. \
         Set REDIS_URL too, or neither to run alone",
    );
    refuse(
        !url_refused && redis.is_some() && database.is_none() && config.mode != Mode::Embedded,
        "REDIS_URL is set and DATABASE_URL is not: nodes of a cluster share one PostgreSQL, and an SQLite file \
         belongs to one node. Set DATABASE_URL too, or neither to run alone",
    );
    refuse(
        !url_refused && config.mode == Mode::Cluster && database.is_none() && redis.is_none(),
        "mode is cluster, but neither DATABASE_URL nor REDIS_URL is set: a cluster keeps its data in PostgreSQL \
         and its nodes reach each other through Redis",
    );
    refuse(
        config.mode == Mode::Embedded && (database.is_some() || redis.is_some()),
        "mode is embedded, but DATABASE_URL or REDIS_URL is set; take them away or the mode",
    );
    refuse(
        config.listen.port() != 0 && config.listen == config.ops_listen,
        "ops_listen is the same as listen; metrics need an address of their own",
    );
    refuse(
        config.connections.idle_timeout_ms <= config.connections.heartbeat_ms,
        "connections.idle_timeout_ms must be more than connections.heartbeat_ms, or living clients are closed",
    );
    refuse(
        config.accounts.refresh_ttl_s <= config.accounts.access_ttl_s,
        "accounts.refresh_ttl_s must be more than accounts.access_ttl_s",
    );
    refuse(
        config.redis.ca_file.is_some() && !redis.as_ref().is_some_and(super::SecretUrl::is_encrypted),
        "redis.ca_file is for TLS: write rediss:// in REDIS_URL, or leave it out",
    );
    refuse(
        !config.redis.prefix.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c)),
        "redis.prefix may hold letters, digits and - _ . : only",
    );
    refuse(
        !is_log_level(&config.log.level),
        "log.level is error, warn, info, debug or trace, or a list such as info,hubbub_server::streams=debug",
    );
    problems
}

/// A word alone is a level here; `EnvFilter` would take an unknown one for the name of a module.
fn is_log_level(text: &str) -> bool {
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let words_are_levels =
        text.split(',').map(str::trim).all(|part| part.contains('=') || levels.contains(&part));
    words_are_levels && EnvFilter::builder().parse(text).is_ok()
}
