//! `hubbub database …`: what an operator does to the database as a whole.

use std::{
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use serde_json::json;

use super::{Failure, arguments::ConfigArguments, cannot_start, print};
use crate::{
    clock, node,
    store::{Db, life},
    telemetry,
};

#[derive(Args, Debug)]
pub(super) struct RenewEpoch {
    /// Also ends every session: one that was logged out after the back-up was made would live again.
    #[arg(long)]
    end_sessions: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

#[derive(Args, Debug)]
pub(super) struct Backup {
    /// The new file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Gives the database a new epoch; prints it.
pub(super) fn renew_epoch(arguments: &RenewEpoch) -> Result<(), Failure> {
    with_database(&arguments.config, async |db| {
        let renewed = life::renew(db, arguments.end_sessions, clock::now_ms()).await?;
        let line = json!({ "epoch": renewed.epoch, "sessions_ended": renewed.sessions_ended });
        print(&format!("{line}\n"))
    })
}

/// Copies an SQLite database into a file.
pub(super) fn backup(arguments: &Backup) -> Result<(), Failure> {
    let file = &arguments.file;
    let (config, _) = arguments.config.load()?;
    if config.database.url.is_some() {
        return Err("PostgreSQL is backed up with pg_dump; deploy/backup does it".into());
    }
    // Opening a folder without a database would make one, and its empty copy would pass for a back-up.
    if !config.data_dir.join("hubbub.db").is_file() {
        return Err(format!("there is no database in {}", config.data_dir.display()).into());
    }
    private_new_file(file).map_err(|error| format!("{} cannot be made: {error}", file.display()))?;
    let outcome = with_database(&arguments.config, async |db| Ok(life::copy_into(db, file).await?));
    if outcome.is_err() {
        // Half a copy must not be taken for one.
        std::fs::remove_file(file).ok();
    }
    outcome?;
    print(&format!("{}\n", file.display()))
}

/// An empty file that only its owner can read: everybody's messages come into it.
fn private_new_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn with_database(
    arguments: &ConfigArguments,
    work: impl AsyncFnOnce(&Db) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (config, _) = arguments.load()?;
    telemetry::install(&config.log);
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(async {
        let db = node::database_alone(&config).await;
        let db = db.map_err(|error| cannot_start(error, config.database.url.as_ref()))?;
        let outcome = work(&db).await;
        db.close().await;
        outcome
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    outcome
}
