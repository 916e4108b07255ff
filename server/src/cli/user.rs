//! `hubbub user create`: accounts by the operator.

use std::{io::Read, time::Duration};

use clap::{ArgGroup, Args};

use super::{Failure, arguments::ConfigArguments, cannot_start, print};
use crate::{
    accounts::provision::{Provision, Provisioned},
    node, telemetry,
};

/// Most accounts in one go.
const MOST: u64 = 1_000_000;

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("who").required(true).args(["username", "count"])))]
pub(super) struct Create {
    /// The username of one account.
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Makes that many accounts, called by the prefix and a number from 1 on.
    #[arg(long, value_name = "NUMBER", requires = "prefix", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    count: Option<u64>,
    /// What the usernames of many accounts begin with.
    #[arg(long, value_name = "TEXT", conflicts_with = "username")]
    prefix: Option<String>,
    /// Reads the password from standard input; without it, each account gets a random one, which is printed.
    #[arg(long)]
    password_stdin: bool,
    /// Also logs each account in and prints the tokens; without `--password-stdin` it then has no password.
    #[arg(long)]
    tokens: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

impl Create {
    fn usernames(&self) -> Vec<String> {
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let many = (1..=self.count.unwrap_or(0)).map(|number| format!("{prefix}{number}"));
        self.username.iter().cloned().chain(many).collect()
    }

    fn password(&self) -> Result<Option<String>, Failure> {
        if !self.password_stdin {
            return Ok(None);
        }
        let mut text = String::new();
        // A password has at most 256 characters; whatever is longer is refused later.
        std::io::stdin().take(4_096).read_to_string(&mut text)?;
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

/// Makes the accounts; prints one JSON object a line, as they are committed.
pub(super) fn create(arguments: &Create) -> Result<(), Failure> {
    let (config, _) = arguments.config.load()?;
    telemetry::install(&config.log);
    let wish = Provision {
        usernames: arguments.usernames(),
        password: arguments.password()?,
        tokens: arguments.tokens,
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(async {
        let accounts = node::accounts_alone(&config).await;
        let accounts = accounts.map_err(|error| cannot_start(error, config.database.url.as_ref()))?;
        let mut printed = Ok(());
        let made = |batch: Vec<Provisioned>| {
            if printed.is_ok() {
                printed = print(&lines(&batch));
            }
        };
        accounts.provision(wish, made).await?;
        printed
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    outcome
}

fn lines(batch: &[Provisioned]) -> String {
    let json = |one| serde_json::to_string(one).expect("an account is plain data") + "\n";
    batch.iter().map(json).collect()
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::Create;

    fn create(line: &str) -> Result<Create, clap::Error> {
        let matches = Create::augment_args(Command::new("create")).try_get_matches_from(line.split(' '))?;
        Create::from_arg_matches(&matches)
    }

    #[test]
    fn one_account_or_many() {
        assert_eq!(create("create --username ann").unwrap().usernames(), ["ann"]);
        assert_eq!(create("create --count 2 --prefix load-").unwrap().usernames(), ["load-1", "load-2"]);
        for wrong in [
            "create",
            "create --count 2",
            "create --username a --count 2 --prefix b",
            "create --count 0 --prefix a",
        ] {
            assert!(create(wrong).is_err(), "{wrong}");
        }
    }
}
