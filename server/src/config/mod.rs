//! Every setting: its default, where else it may come from, and what it may be.
//!
//! Layers, each over the one before: defaults, a TOML file, environment variables, flags. Where the value in force
//! came from is kept, so that `hubbub config check` can say it.

mod address;
mod check;
mod declare;
mod explain;
mod load;
mod origin;
mod secret;
mod settings;
mod value;

#[cfg(test)]
mod tests;

pub use self::{
    address::{Network, client_address, place},
    declare::Setting,
    explain::{REFERENCE_BELOW, reference, table},
    load::{Problem, Problems, Source, Sources, load},
    origin::Origin,
    secret::SecretUrl,
    settings::{
        AccountSettings, CacheSettings, Config, ConnectionSettings, DatabaseSettings, DrainSettings,
        LogSettings, RedisSettings, SETTINGS,
    },
    value::{LogFormat, Mode},
};
