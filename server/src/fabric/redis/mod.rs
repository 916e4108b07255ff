//! The fabric of a cluster: Redis.

mod settings;

pub use self::settings::RedisSettings;
