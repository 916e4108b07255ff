//! Does the rig notice? Servers with a promise broken on purpose, each in the weather that makes it show.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;

use crate::{
    checker::{Check, Verdict},
    error::{Doing, LabError, Result},
    nemesis::Profile,
    run::{self, Wish},
    services::Redis,
};

/// A promise broken on purpose, and where that must show.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// As `HUBBUB_MUTANT` names it.
    pub name: &'static str,
    /// The weather.
    pub profile: Profile,
    /// How long people write.
    pub length: Duration,
    /// Messages a second.
    pub rate: u64,
    /// Red in one of these counts; red elsewhere would be for another reason.
    pub shows_in: &'static [Check],
}

/// Those that a history shows.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "ack-before-commit",
        profile: Profile::Commits,
        length: Duration::from_mins(1),
        rate: 60,
        shows_in: &[Check::C1],
    },
    Mutant {
        name: "drop-publication",
        profile: Profile::Calm,
        length: Duration::from_mins(1),
        rate: 90,
        shows_in: &[Check::C11],
    },
    Mutant {
        name: "seq-from-redis",
        profile: Profile::Commits,
        length: Duration::from_mins(1),
        rate: 60,
        shows_in: &[Check::C4],
    },
    Mutant {
        name: "skip-fence",
        profile: Profile::Deaf,
        length: Duration::from_mins(1),
        rate: 60,
        shows_in: &[Check::C8],
    },
];

/// The one that no history shows: locks guard no promise to clients.
pub const UNLOCK: &str = "unlock-without-compare";

/// Where the programs with mutants are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The server with mutants.
    pub server: PathBuf,
    /// `server/examples/late_unlock.rs`.
    pub late_unlock: PathBuf,
}

/// Whether a mutant was noticed.
#[derive(Clone, Debug)]
pub struct Fate {
    /// The mutant, or what else was tried.
    pub name: String,
    /// Whether it went as it must.
    pub good: bool,
    /// In words.
    pub what: String,
}

/// Tries a mutant of a history.
///
/// # Errors
/// The rig itself failed.
pub async fn try_mutant(mutant: &Mutant, wish: &Wish) -> Result<Fate> {
    let outcome = run::run(&wish_for(mutant, wish)).await?;
    let verdict = &outcome.verdict;
    let found = verdict.violations.iter().find(|violation| mutant.shows_in.contains(&violation.check));
    let what = found
        .map_or_else(|| survived(verdict), |violation| format!("{}: {}", violation.check, violation.what));
    Ok(Fate { name: mutant.name.to_owned(), good: found.is_some(), what })
}

fn survived(verdict: &Verdict) -> String {
    format!(
        "survived {} acknowledged messages; broken elsewhere: {:?}",
        verdict.figures.acknowledged,
        verdict.broken()
    )
}

/// The same weather without the mutant: red there would make every other red worth nothing.
///
/// # Errors
/// The rig itself failed.
pub async fn try_healthy(mutant: &Mutant, wish: &Wish) -> Result<Fate> {
    let mut healthy = wish_for(mutant, wish);
    healthy.settings.retain(|(name, _)| name != "HUBBUB_MUTANT");
    let verdict = run::run(&healthy).await?.verdict;
    let bad = verdict.violations.first().map(|violation| format!("{}: {}", violation.check, violation.what));
    let good = bad.is_none();
    let what =
        bad.unwrap_or_else(|| format!("every promise kept, {} acknowledged", verdict.figures.acknowledged));
    Ok(Fate { name: format!("no mutant ({})", mutant.profile), good, what })
}

fn wish_for(mutant: &Mutant, wish: &Wish) -> Wish {
    let mut wish = wish.clone();
    wish.profile = mutant.profile;
    wish.length = mutant.length;
    wish.rate = mutant.rate;
    wish.settings.push(("HUBBUB_MUTANT".to_owned(), mutant.name.to_owned()));
    wish
}

/// Asks the fabric on a real Redis whether a late unlock frees the next holder's lock, without and with the mutant.
///
/// # Errors
/// The program could not try it.
pub async fn try_unlock(program: &Path) -> Result<Fate> {
    let redis = Redis::start().await?;
    let url = redis.url(redis.address());
    let frees = async |mutant: &str| {
        let mut command = Command::new(program);
        command
            .env("REDIS_URL", &url)
            .env("HUBBUB_MUTANT", mutant)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        match command.status().await.doing("run late_unlock")?.code() {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(LabError::new("late_unlock could not try it")),
        }
    };
    let (healthy, mutated) = (frees("").await?, frees(UNLOCK).await?);
    let what = match (healthy, mutated) {
        (false, true) => "a late unlock frees the next holder's lock, and only with the mutant",
        (true, _) => "a late unlock frees the next holder's lock without any mutant",
        (false, false) => "survived",
    };
    Ok(Fate { name: UNLOCK.to_owned(), good: !healthy && mutated, what: what.to_owned() })
}
