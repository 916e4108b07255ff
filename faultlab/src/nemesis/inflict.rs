//! Doing what the plan says, and undoing it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::{Instant, sleep_until, timeout};

use super::schedule::{Edge, Fault, Step};
use crate::{
    cluster::Cluster,
    error::{Doing, Result},
    history::{Event, History},
    proxy::{Fate, Proxy, Publication},
    rng::Rng,
};

/// How often a fault that comes again and again comes.
const AGAIN: Duration = Duration::from_secs(1);
const ENDS_AGAIN: Duration = Duration::from_millis(200);
/// How slow the database is for the profile that aims at commits.
const SLOW_COMMITS: Duration = Duration::from_millis(25);

/// What becomes of publications, on every edge to Redis.
#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    /// Of a thousand.
    lost: u64,
    /// Of a thousand.
    late: u64,
    /// And how much.
    by: Duration,
}

/// Inflicts faults on a cluster.
#[derive(Debug)]
pub struct Nemesis {
    history: History,
    weather: Arc<Mutex<Weather>>,
    rng: Rng,
    rooms: Vec<uuid::Uuid>,
    /// Kills of nodes so far.
    pub kills: u64,
    /// Faults so far.
    pub faults: u64,
}

impl Nemesis {
    /// Looks at every publication from now on. `rooms` are those whose streams may be locked.
    pub fn new(cluster: &Cluster, history: &History, seed: u64, rooms: Vec<uuid::Uuid>) -> Self {
        let weather = Arc::new(Mutex::new(Weather::default()));
        for (number, node) in cluster.nodes.iter().enumerate() {
            node.redis.on_publication(judge(number, seed, history.clone(), Arc::clone(&weather)));
        }
        let rng = Rng::part(seed, "nemesis");
        Self { history: history.clone(), weather, rng, rooms, kills: 0, faults: 0 }
    }

    /// Makes every answer of the database late, for the whole run.
    pub fn slow_commits(&self, cluster: &Cluster) {
        for node in &cluster.nodes {
            node.postgres.slow(SLOW_COMMITS);
        }
    }

    /// Does one step and heals it.
    ///
    /// # Errors
    /// The rig itself failed: something that must come back did not.
    pub async fn run(&mut self, number: usize, step: &Step, cluster: &mut Cluster) -> Result<()> {
        let what = step.and.map_or(step.fault.to_string(), |and| format!("{}, and {and}", step.fault));
        self.history.note(Event::Fault { t: self.history.now(), step: number, what });
        let until = Instant::now() + step.lasts;
        self.faults += 1 + u64::from(step.and.is_some());
        if let Some(and) = step.and {
            self.begin_beside(and, cluster);
        }
        let usual: Vec<_> = cluster.nodes.iter().map(|node| node.postgres.mode()).collect();
        let outcome = self.inflict(step.fault, until, cluster).await;
        if let Some(and) = step.and {
            self.end_beside(and, cluster);
        }
        for (node, mode) in cluster.nodes.iter().zip(usual) {
            // A slow database is the weather of some profiles, not a fault to heal.
            if node.postgres.mode() != mode {
                node.postgres.heal();
            }
        }
        self.history.note(Event::Healed { t: self.history.now(), step: number });
        outcome
    }

    fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    fn begin_beside(&self, fault: Fault, cluster: &Cluster) {
        match fault {
            Fault::Lose(lost) => self.set(Weather { lost, ..Weather::default() }),
            Fault::Reorder(late, by) => self.set(Weather { late, by, lost: 0 }),
            Fault::Slow(edge, node, by) => proxy(cluster, edge, node).slow(by),
            Fault::Cut(edge, node) => proxy(cluster, edge, node).cut(),
            _ => {}
        }
    }

    fn end_beside(&self, fault: Fault, cluster: &Cluster) {
        self.set(Weather::default());
        if let Fault::Slow(edge, node, _) | Fault::Cut(edge, node) = fault {
            proxy(cluster, edge, node).heal();
        }
    }

    async fn inflict(&mut self, fault: Fault, until: Instant, cluster: &mut Cluster) -> Result<()> {
        match fault {
            Fault::Kill(node) => {
                self.kills += 1;
                cluster.nodes[node].kill().await?;
                sleep_until(until).await;
                cluster.nodes[node].start().await
            }
            Fault::Pause(node) => {
                cluster.nodes[node].pause()?;
                sleep_until(until).await;
                cluster.nodes[node].unpause()
            }
            Fault::Replace(node) => {
                cluster.nodes[node].terminate().await?;
                sleep_until(until).await;
                cluster.nodes[node].start().await
            }
            Fault::Cut(edge, node) => {
                proxy(cluster, edge, node).cut();
                sleep_until(until).await;
                proxy(cluster, edge, node).heal();
                Ok(())
            }
            Fault::BlackHole(edge, node, way) => {
                proxy(cluster, edge, node).black_hole(way);
                sleep_until(until).await;
                proxy(cluster, edge, node).heal();
                Ok(())
            }
            Fault::Slow(edge, node, by) => {
                proxy(cluster, edge, node).slow(by);
                sleep_until(until).await;
                proxy(cluster, edge, node).heal();
                Ok(())
            }
            Fault::Lose(lost) => self.weather(Weather { lost, ..Weather::default() }, until).await,
            Fault::Reorder(late, by) => self.weather(Weather { late, by, lost: 0 }, until).await,
            Fault::RestartPostgres => {
                cluster.postgres.stop_immediately().await?;
                sleep_until(until).await;
                cluster.postgres.start_again().await
            }
            Fault::EndBackends(share) => self.end_backends(share, until, cluster).await,
            Fault::LockStream => self.lock_stream(until, cluster).await,
            _ => redis_fault(fault, until, cluster).await,
        }
    }

    async fn weather(&self, weather: Weather, until: Instant) -> Result<()> {
        self.set(weather);
        sleep_until(until).await;
        self.set(Weather::default());
        Ok(())
    }

    async fn end_backends(&mut self, share: u64, until: Instant, cluster: &Cluster) -> Result<()> {
        while Instant::now() < until {
            let share = i64::try_from(share).unwrap_or(1);
            let offset = i64::try_from(self.rng.bits() % share.unsigned_abs()).unwrap_or(0);
            cluster.postgres.terminate_backends(share, offset).await?;
            sleep_until(until.min(Instant::now() + ENDS_AGAIN)).await;
        }
        Ok(())
    }

    async fn lock_stream(&mut self, until: Instant, cluster: &Cluster) -> Result<()> {
        let room = self.rooms[self.rng.index(self.rooms.len())];
        let mut connection: PgConnection = cluster.postgres.connect().await?;
        connection.execute("BEGIN").await.doing("lock a stream")?;
        sqlx::query("SELECT head FROM streams WHERE id = $1 FOR UPDATE")
            .bind(room)
            .execute(&mut connection)
            .await
            .doing("lock a stream")?;
        sleep_until(until).await;
        connection.close().await.doing("unlock a stream")
    }
}

async fn redis_fault(fault: Fault, until: Instant, cluster: &mut Cluster) -> Result<()> {
    match fault {
        Fault::Flush => again(&["FLUSHALL"], until, cluster).await,
        Fault::KillSubscribers => again(&["CLIENT", "KILL", "TYPE", "pubsub"], until, cluster).await,
        Fault::Full => {
            cluster.redis.command(&["CONFIG", "SET", "maxmemory", "1"]).await?;
            sleep_until(until).await;
            cluster.redis.command(&["CONFIG", "SET", "maxmemory", "0"]).await.map(|_| ())
        }
        Fault::RestartRedis => {
            cluster.redis.kill().await?;
            sleep_until(until).await;
            cluster.redis.start_again().await
        }
        Fault::Sleep => {
            let seconds = until.duration_since(Instant::now()).as_secs_f64().to_string();
            let mut connection = cluster.redis.connect().await?;
            // It answers when it has slept, which may be later than we like to wait.
            let _ = timeout(Duration::from_secs(30), connection.command(&["DEBUG", "SLEEP", &seconds])).await;
            Ok(())
        }
        Fault::PauseRedis => {
            cluster.redis.pause()?;
            sleep_until(until).await;
            cluster.redis.unpause()
        }
        _ => Ok(()),
    }
}

async fn again(words: &[&str], until: Instant, cluster: &Cluster) -> Result<()> {
    while Instant::now() < until {
        cluster.redis.command(words).await?;
        sleep_until(until.min(Instant::now() + AGAIN)).await;
    }
    Ok(())
}

fn proxy(cluster: &Cluster, edge: Edge, node: usize) -> &Proxy {
    let node = &cluster.nodes[node];
    match edge {
        Edge::Clients => &node.clients,
        Edge::Redis => &node.redis,
        Edge::Postgres => &node.postgres,
    }
}

/// Decides on every publication to one node, and writes entries down.
fn judge(
    node: usize,
    seed: u64,
    history: History,
    weather: Arc<Mutex<Weather>>,
) -> impl FnMut(&Publication) -> Fate + Send + 'static {
    let mut rng = Rng::part(seed, &format!("publications {node}"));
    move |publication| {
        let weather = *weather.lock().unwrap_or_else(PoisonError::into_inner);
        let fate = if rng.chance(weather.lost) {
            Fate::Drop
        } else if rng.chance(weather.late) {
            Fate::Late(Duration::from_millis(
                rng.within(1, u64::try_from(weather.by.as_millis()).unwrap_or(1)),
            ))
        } else {
            Fate::Pass
        };
        if let (Some(stream), Some(seq)) = (publication.stream(), publication.seq()) {
            let (stream, lost) = (stream.to_owned(), fate == Fate::Drop);
            history.note(Event::Published { t: history.now(), node, stream, seq, lost });
        }
        fate
    }
}
