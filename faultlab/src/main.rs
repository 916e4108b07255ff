//! The fault rig's program.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use faultlab::{
    error::{Doing as _, LabError, Result},
    mutants::{self, Fate, MUTANTS, Programs},
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
    /// Runs servers with a promise broken on purpose: each must turn a run red.
    Mutants {
        /// The server with mutants (`cargo build -p hubbub-server --features mutants --example mutant`).
        #[arg(long)]
        server: PathBuf,
        /// The program that tries locks (`--example late_unlock`).
        #[arg(long)]
        late_unlock: PathBuf,
        /// Only the mutants whose name holds this.
        #[arg(long)]
        only: Option<String>,
        #[command(flatten)]
        run: RunArguments,
    },
    /// Runs again what was red once, as a file of seeds has it.
    Regressions {
        /// One run a line: seed, minutes, profile, and why it is kept.
        #[arg(default_value = "faultlab/regressions/seeds.txt")]
        file: PathBuf,
    },
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
        Command::Mutants { server, late_unlock, only, run } => {
            mutants(&Programs { server, late_unlock }, only.as_deref().unwrap_or_default(), &run)
        }
        Command::Regressions { file } => regressions(&file),
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

    fn wish(&self, binary: PathBuf) -> Result<Wish> {
        let seed = self.seed()?;
        let folder = self.folder.clone().unwrap_or_else(|| {
            std::env::temp_dir().join(format!("hubbub-faultlab-run-{seed}-{}", std::process::id()))
        });
        Ok(Wish {
            seed,
            length: self.length()?,
            profile: self.profile,
            nodes: self.nodes.into(),
            people: self.people.into(),
            rooms: self.rooms.into(),
            rate: self.rate,
            folder,
            binary,
            settings: Vec::new(),
        })
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
    let wish = arguments.wish(node::binary()?)?;
    let Wish { seed, length, folder, .. } = &wish;
    println!("seed {seed}, {} minutes, profile {}, {}", arguments.minutes, wish.profile, folder.display());
    print!("{}", report::plan(&schedule(*seed, wish.profile, *length, wish.nodes)));
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
        std::fs::remove_dir_all(folder).doing("remove the folder")?;
    }
    Ok(good)
}

/// One line after the other; false when one was red.
fn regressions(file: &Path) -> Result<bool> {
    let text = std::fs::read_to_string(file).doing(&format!("read {}", file.display()))?;
    let mut all_good = true;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let mut words = line.split_whitespace();
        let values = std::array::from_fn::<_, 3, _>(|_| words.next().unwrap_or_default());
        let named = ["--seed", "--minutes", "--profile"].into_iter().zip(values).flat_map(<[&str; 2]>::from);
        let parsed = Arguments::try_parse_from(["faultlab", "run", "--tidy"].into_iter().chain(named));
        let Command::Run(wish) = parsed.doing(&format!("read the line {line:?}"))?.command else { continue };
        println!("{}", words.collect::<Vec<_>>().join(" "));
        all_good &= run(&wish)?;
    }
    Ok(all_good)
}

fn mutants(programs: &Programs, only: &str, arguments: &RunArguments) -> Result<bool> {
    let wish = arguments.wish(programs.server.clone())?;
    println!("seed {}", wish.seed);
    let runtime = tokio::runtime::Runtime::new().doing("start the runtime")?;
    let (mut fates, mut profiles): (Vec<Fate>, Vec<Profile>) = (Vec::new(), Vec::new());
    let tell = |fate: Fate, fates: &mut Vec<Fate>| {
        println!("{:<24} {:<8} {}", fate.name, if fate.good { "good" } else { "BAD" }, fate.what);
        fates.push(fate);
    };
    for mutant in MUTANTS.iter().filter(|mutant| mutant.name.contains(only)) {
        let of = |name: &str| Wish { folder: wish.folder.join(name), ..wish.clone() };
        if !profiles.contains(&mutant.profile) {
            profiles.push(mutant.profile);
            let folder = format!("healthy-{}", mutant.profile);
            tell(runtime.block_on(mutants::try_healthy(mutant, &of(&folder)))?, &mut fates);
        }
        tell(runtime.block_on(mutants::try_mutant(mutant, &of(mutant.name)))?, &mut fates);
    }
    if mutants::UNLOCK.contains(only) {
        tell(runtime.block_on(mutants::try_unlock(&programs.late_unlock))?, &mut fates);
    }
    let good = fates.iter().filter(|fate| fate.good).count();
    println!(
        "seed {}: {good} of {} as they must be; mutants must be noticed, healthy servers not",
        wish.seed,
        fates.len()
    );
    Ok(good == fates.len() && good > 0)
}

fn check(folder: &Path) -> Result<bool> {
    let verdict = run::check_again(folder)?;
    print!("{}", report::verdict(&verdict));
    Ok(verdict.violations.is_empty())
}
