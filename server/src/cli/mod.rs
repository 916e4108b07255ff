//! The command line.

mod arguments;
mod database;
mod listen;
mod serve;
mod user;

use std::{
    error::Error,
    fmt,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use self::arguments::ConfigArguments;
use crate::{
    config::{self, SecretUrl},
    node::NodeError,
};

/// Hubbub: a real-time chat server.
#[derive(Debug, Parser)]
#[command(name = "hubbub", version, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a node: alone, or in a cluster where `DATABASE_URL` and `REDIS_URL` are set.
    Serve(ConfigArguments),
    /// Looks at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Backs the database up, and gives a restored one its new epoch.
    #[command(subcommand)]
    Database(DatabaseCommand),
    /// Manages accounts, beside running nodes or without any.
    #[command(subcommand)]
    User(UserCommand),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Prints every value in force with where it came from, or what is wrong.
    Check(ConfigArguments),
    /// Prints the reference of all settings, or writes it to the end of a file, below its marker.
    #[command(hide = true)]
    Docs {
        #[arg(long, value_name = "FILE")]
        into: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum DatabaseCommand {
    /// Begins a new life of the database, after a back-up was restored: clients reload instead of missing messages.
    ///
    /// Prints one JSON object. Nodes that run on this database stop with status 1 within 2 s, and must be started again.
    RenewEpoch(database::RenewEpoch),
    /// Writes a copy of the SQLite database of a server that runs alone, which may go on meanwhile.
    Backup(database::Backup),
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Makes accounts; prints one JSON object a line.
    Create(user::Create),
}

/// Why the program ends before its time: a sentence, and what lies beneath it.
#[derive(Debug)]
struct Failure(Box<dyn Error + Send + Sync>);

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.to_string().trim_end())?;
        let (mut said, mut source) = (self.0.to_string(), self.0.source());
        while let Some(error) = source {
            let text = error.to_string();
            // Some errors repeat what is beneath them.
            if !said.contains(&text) {
                write!(f, ": {text}")?;
            }
            (said, source) = (text, error.source());
        }
        Ok(())
    }
}

/// Does what the arguments ask. 0 when it went well, 1 when it failed, 2 for arguments that make no sense.
pub fn run() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Config(ConfigCommand::Check(arguments)) => check(&arguments),
        Command::Config(ConfigCommand::Docs { into: None }) => print(&config::reference()),
        Command::Config(ConfigCommand::Docs { into: Some(file) }) => write_reference(&file),
        Command::Database(DatabaseCommand::RenewEpoch(arguments)) => database::renew_epoch(&arguments),
        Command::Database(DatabaseCommand::Backup(arguments)) => database::backup(&arguments),
        Command::User(UserCommand::Create(arguments)) => user::create(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("hubbub: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Says which database a failure is about, without its password.
fn cannot_start(error: NodeError, database: Option<&SecretUrl>) -> Failure {
    let is_of_database = matches!(error, NodeError::Store(_));
    let cause = Failure::from(error);
    match database {
        Some(url) if is_of_database => format!("{cause} (DATABASE_URL is {url})").into(),
        _ => cause,
    }
}

fn check(arguments: &ConfigArguments) -> Result<(), Failure> {
    let (config, sources) = arguments.load()?;
    let data = config.data_dir.display();
    let kind = if config.is_cluster() {
        "This is a node of a cluster: data in PostgreSQL, other nodes through Redis.".to_owned()
    } else {
        format!("This server runs alone: its data is in {data}.")
    };
    print(&format!("{kind}\n\n{}", config::table(&config, &sources)))
}

fn write_reference(file: &Path) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file)?;
    let (prose, _) =
        text.split_once(config::REFERENCE_BELOW).ok_or("the file has no marker for the reference")?;
    Ok(std::fs::write(file, format!("{prose}{}{}", config::REFERENCE_BELOW, config::reference()))?)
}

/// Prints at once; a reader that goes away, such as `head`, is no failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use clap::CommandFactory;

    use super::{Arguments, Failure};

    #[test]
    fn the_arguments_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_failure_says_what_lies_beneath_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("the database cannot be opened")]
        struct Outer(#[source] io::Error);
        let failure = Failure::from(Outer(io::Error::other("connection refused")));
        assert_eq!(failure.to_string(), "the database cannot be opened: connection refused");
    }
}
