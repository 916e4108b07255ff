//! The plan of a run: a pure function of its seed, its length and the number of nodes.

use std::{fmt, time::Duration};

use crate::{proxy::Way, rng::Rng};

/// Calm before the first fault: what is wrong in good weather shows here.
const CALM_FIRST: Duration = Duration::from_secs(8);
/// Calm at the end of the plan.
const CALM_LAST: Duration = Duration::from_secs(3);
/// Calm between two faults, in milliseconds; every third time long enough to see all lag made good.
const CALM_MS: (u64, u64) = (1_000, 2_500);
const LONG_CALM_MS: (u64, u64) = (6_000, 7_500);

/// What kind of weather a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// Every fault.
    Storm,
    /// No fault at all: everything out of order is the server's own doing.
    Calm,
    /// Nodes and backends of the database die while commits are slow.
    Commits,
    /// Words between nodes are lost: what is true must not depend on them.
    Deaf,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Storm => "storm",
            Self::Calm => "calm",
            Self::Commits => "commits",
            Self::Deaf => "deaf",
        })
    }
}

/// An edge of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Between clients and the node.
    Clients,
    /// Between the node and Redis.
    Redis,
    /// Between the node and Postgres.
    Postgres,
}

/// What is done, and undone at the end of its step. Nodes count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL; started again.
    Kill(usize),
    /// SIGSTOP; SIGCONT.
    Pause(usize),
    /// SIGTERM and, when it has ended, a new process.
    Replace(usize),
    /// Connections are reset and refused.
    Cut(Edge, usize),
    /// Bytes are swallowed, one way or both.
    BlackHole(Edge, usize, Way),
    /// Bytes come later.
    Slow(Edge, usize, Duration),
    /// Of a thousand publications on their way to any node, so many are lost.
    Lose(u64),
    /// Of a thousand, so many are late and overtaken.
    Reorder(u64, Duration),
    /// `FLUSHALL`, again and again.
    Flush,
    /// `CLIENT KILL TYPE pubsub`, again and again.
    KillSubscribers,
    /// `maxmemory` of one byte: every write that needs memory is refused.
    Full,
    /// Redis is killed, and started again empty.
    RestartRedis,
    /// `DEBUG SLEEP`.
    Sleep,
    /// Redis is stopped (SIGSTOP).
    PauseRedis,
    /// `pg_ctl restart -m immediate`.
    RestartPostgres,
    /// One in so many backends is ended, again and again.
    EndBackends(u64),
    /// The row of a room's stream is locked.
    LockStream,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edge = |edge: &Edge| match edge {
            Edge::Clients => "clients",
            Edge::Redis => "Redis",
            Edge::Postgres => "Postgres",
        };
        match self {
            Self::Kill(node) => write!(f, "kill -9 node {}", node + 1),
            Self::Pause(node) => write!(f, "SIGSTOP node {}", node + 1),
            Self::Replace(node) => write!(f, "SIGTERM and replace node {}", node + 1),
            Self::Cut(of, node) => write!(f, "cut node {} from {}", node + 1, edge(of)),
            Self::BlackHole(of, node, way) => {
                write!(f, "black hole between node {} and {} ({way:?})", node + 1, edge(of))
            }
            Self::Slow(of, node, by) => write!(f, "{by:?} between node {} and {}", node + 1, edge(of)),
            Self::Lose(share) => write!(f, "lose {share} of 1000 publications"),
            Self::Reorder(share, by) => write!(f, "{share} of 1000 publications late by {by:?}"),
            Self::Flush => f.write_str("FLUSHALL every second"),
            Self::KillSubscribers => f.write_str("CLIENT KILL TYPE pubsub every second"),
            Self::Full => f.write_str("Redis full"),
            Self::RestartRedis => f.write_str("Redis killed, back empty"),
            Self::Sleep => f.write_str("Redis DEBUG SLEEP"),
            Self::PauseRedis => f.write_str("SIGSTOP Redis"),
            Self::RestartPostgres => f.write_str("Postgres restarted at once"),
            Self::EndBackends(share) => write!(f, "end one in {share} backends every 200 ms"),
            Self::LockStream => f.write_str("lock the stream of a room"),
        }
    }
}

/// One step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When it begins, at the earliest.
    pub at: Duration,
    /// How long it lasts before it is healed.
    pub lasts: Duration,
    /// What.
    pub fault: Fault,
    /// What else, at the same time.
    pub and: Option<Fault>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:7.1} s  {:4.1} s  {}", self.at.as_secs_f64(), self.lasts.as_secs_f64(), self.fault)?;
        self.and.map_or(Ok(()), |and| write!(f, ", and {and}"))
    }
}

/// The plan for a seed.
pub fn schedule(seed: u64, profile: Profile, length: Duration, nodes: usize) -> Vec<Step> {
    let mut rng = Rng::part(seed, "schedule");
    let (mut steps, mut at) = (Vec::new(), CALM_FIRST);
    if profile == Profile::Calm {
        return steps;
    }
    loop {
        let (fault, lasts) = match profile {
            Profile::Storm | Profile::Calm => any(&mut rng, nodes),
            Profile::Commits => commits(&mut rng, nodes),
            Profile::Deaf => deaf(&mut rng, nodes),
        };
        if at + lasts + CALM_LAST > length {
            return steps;
        }
        let and = (profile == Profile::Storm && rng.chance(200)).then(|| beside(&mut rng, nodes));
        steps.push(Step { at, lasts, fault, and });
        let calm = if steps.len().is_multiple_of(3) { LONG_CALM_MS } else { CALM_MS };
        at += lasts + Duration::from_millis(rng.within(calm.0, calm.1));
    }
}

fn ms(rng: &mut Rng, least: u64, most: u64) -> Duration {
    Duration::from_millis(rng.within(least, most))
}

fn edge(rng: &mut Rng) -> Edge {
    [Edge::Clients, Edge::Redis, Edge::Postgres][rng.index(3)]
}

fn way(rng: &mut Rng) -> Way {
    [Way::Both, Way::Forth, Way::Back][rng.index(3)]
}

/// Any fault, and how long it lasts.
fn any(rng: &mut Rng, nodes: usize) -> (Fault, Duration) {
    let node = rng.index(nodes);
    match rng.within(0, 99) {
        0..=23 => (Fault::Kill(node), ms(rng, 200, 2_000)),
        24..=31 => (Fault::Pause(node), ms(rng, 1_000, 15_000)),
        32..=36 => (Fault::Replace(node), ms(rng, 100, 500)),
        37..=43 => (Fault::Cut(edge(rng), node), ms(rng, 500, 6_000)),
        44..=53 => (Fault::BlackHole(edge(rng), node, way(rng)), ms(rng, 1_000, 10_000)),
        54..=58 => {
            let by = ms(rng, 50, 1_500);
            (Fault::Slow(edge(rng), node, by), ms(rng, 2_000, 6_000))
        }
        59..=65 => (Fault::Lose(rng.within(50, 1_000)), ms(rng, 2_000, 8_000)),
        66..=69 => {
            let by = ms(rng, 20, 400);
            (Fault::Reorder(rng.within(100, 700), by), ms(rng, 2_000, 6_000))
        }
        70..=73 => (Fault::Flush, ms(rng, 1_000, 5_000)),
        74..=77 => (Fault::KillSubscribers, ms(rng, 1_000, 4_000)),
        78..=80 => (Fault::Full, ms(rng, 2_000, 6_000)),
        81..=84 => (Fault::RestartRedis, ms(rng, 100, 4_000)),
        85..=87 => (Fault::Sleep, ms(rng, 500, 4_000)),
        88..=89 => (Fault::PauseRedis, ms(rng, 1_000, 6_000)),
        90..=93 => (Fault::RestartPostgres, ms(rng, 0, 2_000)),
        94..=97 => (Fault::EndBackends(rng.within(1, 4)), ms(rng, 1_000, 5_000)),
        _ => (Fault::LockStream, ms(rng, 5_000, 10_000)),
    }
}

/// A smaller fault beside another one.
fn beside(rng: &mut Rng, nodes: usize) -> Fault {
    let node = rng.index(nodes);
    match rng.within(0, 3) {
        0 => Fault::Lose(rng.within(50, 500)),
        1 => Fault::Reorder(rng.within(100, 500), ms(rng, 20, 200)),
        2 => Fault::Slow(edge(rng), node, ms(rng, 50, 300)),
        _ => Fault::Cut(Edge::Redis, node),
    }
}

/// Faults that hit between an acknowledgement and its commit, if there is a between.
fn commits(rng: &mut Rng, nodes: usize) -> (Fault, Duration) {
    match rng.within(0, 9) {
        0..=2 => (Fault::Kill(rng.index(nodes)), ms(rng, 100, 500)),
        3..=4 => (Fault::RestartPostgres, ms(rng, 0, 200)),
        _ => (Fault::EndBackends(rng.within(1, 2)), ms(rng, 1_500, 3_000)),
    }
}

/// Faults that keep words from the nodes.
fn deaf(rng: &mut Rng, nodes: usize) -> (Fault, Duration) {
    match rng.within(0, 9) {
        0..=4 => (Fault::Lose(1_000), ms(rng, 4_000, 8_000)),
        5..=6 => (Fault::PauseRedis, ms(rng, 4_000, 6_000)),
        _ => (Fault::Cut(Edge::Redis, rng.index(nodes)), ms(rng, 4_000, 6_000)),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, mem::discriminant, time::Duration};

    use super::{Profile, schedule};

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_seed_is_a_plan() {
        let plan = |seed| schedule(seed, Profile::Storm, HOUR, 3);
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
        // A longer run begins like a shorter one.
        let short = schedule(7, Profile::Storm, Duration::from_mins(5), 3);
        assert_eq!(plan(7)[..short.len()], short[..]);
    }

    #[test]
    fn an_hour_has_every_fault_and_fifty_kills_in_half_of_it() {
        let plan = schedule(1, Profile::Storm, HOUR, 3);
        let kinds: HashSet<_> = plan.iter().map(|step| discriminant(&step.fault)).collect();
        assert_eq!(kinds.len(), 17, "{kinds:?}");
        assert!(schedule(1, Profile::Calm, HOUR, 3).is_empty());
    }

    #[test]
    fn every_step_is_healed_before_the_end() {
        for seed in 0..50 {
            for profile in [Profile::Storm, Profile::Commits, Profile::Deaf] {
                let length = Duration::from_mins(3);
                let plan = schedule(seed, profile, length, 3);
                assert!(plan.iter().all(|step| step.at + step.lasts < length));
                assert!(plan.windows(2).all(|pair| pair[0].at + pair[0].lasts < pair[1].at));
                assert!(plan.len() > 5, "{seed} {profile}: {}", plan.len());
            }
        }
    }
}
