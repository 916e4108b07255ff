//! The fault rig's program.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand};
use faultlab::{
    error::{Doing as _, LabError, Result},
    nemesis::{Profile, schedule},
    node, report, rng,
    run::{self, Wish},
};

/// Breaks a cluster of Hubbub in every way there is, and looks whether it keeps its promises.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs and checks. Ends with 0 when every promise was kept, 1 when one was broken, 2 when the rig failed.
    Run(RunArguments),
    /// Prints the plan of a run without running.
    Plan(RunArguments),
    /// Checks the history of an earlier run again.
    Check {
        /// The folder of the run.
        folder: PathBuf,
    },
}

#[derive(Args)]
struct RunArguments {
    /// What all chance follows from; a random one when absent.
    #[arg(long, env = "SEED")]
    seed: Option<u64>,
    /// How long people write, in minutes.
    #[arg(long, env = "MINUTES", default_value_t = 3.0)]
    minutes: f64,
    /// Which faults.
    #[arg(long, value_enum, default_value_t = Profile::Storm)]
    profile: Profile,
    /// How many nodes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=20))]
    nodes: u16,
    /// How many people; one in four logs in anew all the time.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(4..=1_000))]
    people: u16,
    /// How many rooms; about half of the people are in each.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=100))]
    rooms: u16,
    /// Messages a second, of all together.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    rate: u64,
    /// Where history and logs go; a folder of the system's temporary ones when absent.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Removes the folder after a good run.
    #[arg(long)]
    tidy: bool,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(arguments) => run(&arguments),
        Command::Plan(arguments) => plan(&arguments),
        Command::Check { folder } => check(&folder),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("faultlab: {error}");
            ExitCode::from(2)
        }
    }
}

impl RunArguments {
    fn length(&self) -> Result<Duration> {
        Duration::try_from_secs_f64(self.minutes * 60.0).doing("read the minutes")
    }

    /// Five digits are enough to type.
    fn seed(&self) -> Result<u64> {
        self.seed.map_or_else(|| Ok(rng::unrepeatable()? % 100_000), Ok)
    }
}

fn plan(arguments: &RunArguments) -> Result<bool> {
    let seed = arguments.seed()?;
    println!("seed {seed}, profile {}", arguments.profile);
    let steps = schedule(seed, arguments.profile, arguments.length()?, arguments.nodes.into());
    print!("{}", report::plan(&steps));
    Ok(true)
}

fn run(arguments: &RunArguments) -> Result<bool> {
    let (seed, length) = (arguments.seed()?, arguments.length()?);
    let folder = arguments.folder.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("hubbub-faultlab-run-{seed}-{}", std::process::id()))
    });
    let wish = Wish {
        seed,
        length,
        profile: arguments.profile,
        nodes: arguments.nodes.into(),
        people: arguments.people.into(),
        rooms: arguments.rooms.into(),
        rate: arguments.rate,
        folder: folder.clone(),
        binary: node::binary()?,
        settings: Vec::new(),
    };
    println!("seed {seed}, {} minutes, profile {}, {}", arguments.minutes, wish.profile, folder.display());
    print!("{}", report::plan(&schedule(seed, wish.profile, length, wish.nodes)));
    let runtime = tokio::runtime::Runtime::new().doing("start the runtime")?;
    let outcome = runtime.block_on(run::run(&wish));
    runtime.shutdown_timeout(Duration::from_secs(1));
    let outcome =
        outcome.map_err(|error| LabError::new(format!("{error} (seed {seed}, {})", folder.display())))?;
    println!("\n{:<18} {:>9}\n{:<18} {:>9}", "faults", outcome.faults, "kills of nodes", outcome.kills);
    print!("{}", report::verdict(&outcome.verdict));
    let good = outcome.verdict.violations.is_empty();
    println!("seed {seed}: {}", if good { "every promise was kept" } else { "PROMISES WERE BROKEN" });
    if good && arguments.tidy {
        std::fs::remove_dir_all(&folder).doing("remove the folder")?;
    }
    Ok(good)
}

fn check(folder: &std::path::Path) -> Result<bool> {
    let verdict = run::check_again(folder)?;
    print!("{}", report::verdict(&verdict));
    Ok(verdict.violations.is_empty())
}
