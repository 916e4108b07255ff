//! A node: put together, run, drained.

mod health;
mod watch;

use std::{
    fs::{File, TryLockError},
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use hubbub_protocol::id::Epoch;
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::health::Health;
use crate::{
    accounts::{AccountSettings, Accounts, PasswordCost},
    chat::{Chat, ChatSettings},
    config::Config,
    counters::Counters,
    error::CommandError,
    fabric::{Fabric, FabricError, LocalSettings, RedisSettings},
    gateway::{self, Gateway, listener},
    http,
    limits::AddressLimit,
    presence::Presence,
    store::{DatabaseSettings, Db, StoreError},
    streams::{StreamSettings, Streams},
};

/// How often followed streams are compared with their heads.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// How long a draft stays in the fabric without being changed.
const DRAFT_TTL: Duration = Duration::from_hours(30 * 24);
/// How long a draft waits before it is written to SQL.
const DRAFT_DELAY: Duration = Duration::from_secs(2);
/// Passwords tried from one address: a second, and at once.
const PASSWORDS_PER_S: u32 = 20;
const PASSWORDS_BURST: u32 = 600;
/// A drain sends this share of the connections elsewhere with each wave.
const DRAIN_WAVES: usize = 10;
/// What is left of the grace period for the last writes.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address of Redis is none.
    #[error(transparent)]
    Fabric(#[from] FabricError),
    /// Another server uses the same SQLite file.
    #[error(
        "the data in {0} is used by another hubbub: choose another folder with --data-dir, or stop that one"
    )]
    DataTaken(PathBuf),
    /// The data folder cannot be written to.
    #[error("the data folder {0} cannot be used")]
    DataDir(PathBuf, #[source] io::Error),
    /// The settings of accounts cannot be used.
    #[error(transparent)]
    Accounts(#[from] CommandError),
    /// A back-up took the place of the database that this node was started on.
    #[error("the database was restored: this node belonged to its earlier life and has to be started again")]
    Replaced,
}

/// A node that is ready to serve.
pub struct Node {
    config: Arc<Config>,
    db: Db,
    fabric: Fabric,
    streams: Streams,
    accounts: Accounts,
    chat: Chat,
    health: Arc<Health>,
    /// What runs until the streams are no longer needed.
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Held while this process serves the SQLite file.
    _data_lock: Option<File>,
}

/// Half of the connections to the database: the other half is for what is new.
fn catching_up(config: &Config) -> usize {
    usize::try_from(config.database.pool_size / 2).unwrap_or(1).clamp(1, 16)
}

/// A session that starts asks the database a few times. As many as there are connections: more would only wait inside.
fn starts_at_once(config: &Config) -> usize {
    usize::try_from(config.database.pool_size).unwrap_or(1).clamp(4, 32)
}

/// The database that this configuration names.
pub fn database_settings(config: &Config) -> DatabaseSettings {
    DatabaseSettings {
        url: config.database.url.as_ref().map(|url| url.expose().to_owned()),
        data_dir: config.data_dir.clone(),
        max_connections: config.database.pool_size,
        start_wait: Duration::from_secs(config.database.start_wait_s),
    }
}

async fn fabric(config: &Config, epoch: Epoch) -> Result<Fabric, FabricError> {
    let (tail_kept, tail_ttl) = (config.cache.entries, Duration::from_secs(config.cache.ttl_s));
    match &config.redis.url {
        None => Ok(Fabric::local_with(LocalSettings { tail_kept, tail_ttl, ..LocalSettings::default() })),
        Some(url) => {
            let settings = RedisSettings {
                ca_file: config.redis.ca_file.clone(),
                prefix: fabric_prefix(&config.redis.prefix, epoch),
                command_timeout: Duration::from_millis(config.redis.command_timeout_ms),
                tail_kept,
                tail_ttl,
                ..RedisSettings::new(url.expose())
            };
            Fabric::redis(&settings).await
        }
    }
}

/// What Redis keeps belongs to one life of the database: a tail cached before a back-up was restored may hold entries
/// that are no longer, under seqs that are given again. The last 48 bits of an epoch are random.
fn fabric_prefix(configured: &str, epoch: Epoch) -> String {
    format!("{configured}:{:012x}:", epoch.as_uuid().as_u128() & 0xffff_ffff_ffff)
}

/// Two servers on one SQLite file would each deliver only what they wrote themselves.
fn lock_data(data_dir: &Path) -> Result<File, NodeError> {
    let unusable = |error| NodeError::DataDir(data_dir.to_owned(), error);
    std::fs::create_dir_all(data_dir).map_err(unusable)?;
    let file = File::create(data_dir.join("hubbub.lock")).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(NodeError::DataTaken(data_dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// How accounts behave with this configuration.
pub fn account_settings(config: &Config) -> AccountSettings {
    let accounts = &config.accounts;
    AccountSettings {
        sign_up: accounts.sign_up,
        access_ttl: Duration::from_secs(accounts.access_ttl_s),
        refresh_ttl: Duration::from_secs(accounts.refresh_ttl_s),
        password: PasswordCost {
            memory_kib: accounts.password_memory_kib,
            passes: accounts.password_passes,
            lanes: accounts.password_lanes,
        },
        password_threads: accounts.password_threads,
    }
}

impl Node {
    /// Opens the database and the fabric, and starts what runs behind the doors.
    ///
    /// # Errors
    /// The database does not answer within 30 s, or refuses; the address of Redis is none.
    pub async fn start(config: Config) -> Result<Self, NodeError> {
        let config = Arc::new(config);
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let data_lock = if config.database.url.is_none() { Some(lock_data(&config.data_dir)?) } else { None };
        let db = Db::open(&database_settings(&config)).await?;
        let fabric = fabric(&config, db.epoch()).await?;
        let settings = StreamSettings {
            kept: config.cache.entries,
            sweep: SWEEP_EVERY,
            clustered: config.is_cluster(),
            catching_up: catching_up(&config),
        };
        let epoch = db.epoch();
        let counters = Counters::start(db.clone(), fabric.clone(), &tasks, stop.clone());
        let counting = counters.clone();
        let on_commit = Box::new(move |entries: &[_]| counting.committed(entries));
        let (stopped, tracked) = (stop.clone(), tasks.clone());
        let (streams, overheard) =
            Streams::start(db.clone(), fabric.clone(), epoch, settings, tracked, stopped, on_commit);
        let announcing = streams.clone();
        let announce = Arc::new(move |session, end: &_| announcing.end_session(session, end));
        let delivering = streams.clone();
        let committed = Arc::new(move |entries: &[_]| delivering.committed(entries));
        let accounts =
            Accounts::new(db.clone(), fabric.clone(), account_settings(&config), announce, committed)?;
        let settings = ChatSettings { draft_ttl: DRAFT_TTL, draft_delay: DRAFT_DELAY };
        let presence =
            Presence::start(db.clone(), fabric.clone(), streams.clone(), overheard, &tasks, stop.clone());
        let (of_streams, of_accounts) = (streams.clone(), accounts.clone());
        let chat =
            Chat::new(db.clone(), fabric.clone(), of_streams, of_accounts, presence, counters, settings);
        let health = Arc::new(Health::new());
        Ok(Self { config, db, fabric, streams, accounts, chat, health, tasks, stop, _data_lock: data_lock })
    }

    /// Serves both addresses until `stop`, then drains: unready, connections sent elsewhere in waves, what is in
    /// flight answered, drafts written, all within the grace period.
    ///
    /// # Errors
    /// `Replaced` when it stopped by itself because the database was restored from a back-up.
    pub async fn serve(
        self,
        main: TcpListener,
        ops: TcpListener,
        stop: CancellationToken,
    ) -> Result<(), NodeError> {
        let gateway = Arc::new(Gateway {
            config: Arc::clone(&self.config),
            accounts: self.accounts.clone(),
            chat: self.chat.clone(),
            streams: self.streams.clone(),
            starts: Semaphore::new(starts_at_once(&self.config)),
            tasks: TaskTracker::new(),
            drain: self.health.drain.clone(),
        });
        let closing = CancellationToken::new();
        let doors = TaskTracker::new();
        doors.spawn(self.accept(main, self.main_door(&gateway), &doors, &closing));
        doors.spawn(self.accept(
            ops,
            http::Door { router: http::ops_router(), sockets: None },
            &doors,
            &closing,
        ));
        let replaced = CancellationToken::new();
        self.watch(&replaced);
        self.tasks.spawn(self.chat.clone().write_drafts(self.stop.clone()));
        tokio::select! { () = stop.cancelled() => {}, () = replaced.cancelled() => {} }
        let grace = Duration::from_secs(self.config.drain.grace_s);
        let sent = tokio::time::timeout(grace.saturating_sub(LAST_WRITES), self.drain(&gateway)).await;
        if sent.is_err() {
            tracing::warn!("the grace period is over: connections are cut");
        }
        closing.cancel();
        self.stop.cancel();
        doors.close();
        self.tasks.close();
        let finished = async {
            doors.wait().await;
            self.tasks.wait().await;
            self.db.close().await;
            self.fabric.close().await;
        };
        if tokio::time::timeout(LAST_WRITES, finished).await.is_err() {
            tracing::warn!("not everything ended in time");
        }
        tracing::info!("stopped");
        if replaced.is_cancelled() { Err(NodeError::Replaced) } else { Ok(()) }
    }

    /// Starts what looks after the node; `replaced` is cancelled when its database is no longer the one it began with.
    fn watch(&self, replaced: &CancellationToken) {
        let (health, stop) = (&self.health, &self.stop);
        let database = watch::database(self.db.clone(), Arc::clone(health), replaced.clone(), stop.clone());
        self.tasks.spawn(database);
        self.tasks.spawn(watch::fabric(self.fabric.clone(), Arc::clone(health), stop.clone()));
        self.tasks.spawn(watch::sessions(self.accounts.clone(), self.streams.clone(), stop.clone()));
        self.tasks.spawn(watch::clean(self.db.clone(), self.fabric.clone(), stop.clone()));
    }

    fn main_door(&self, gateway: &Arc<Gateway>) -> http::Door {
        let passwords = AddressLimit::new(PASSWORDS_PER_S, PASSWORDS_BURST);
        let (health, shaking) = (Arc::clone(&self.health), Arc::clone(gateway));
        let services = http::Services {
            config: Arc::clone(&self.config),
            accounts: self.accounts.clone(),
            chat: self.chat.clone(),
            readiness: Arc::new(move || health.readiness()),
            admit: Arc::new(move |address| passwords.take(address).map_err(CommandError::TooFrequent)),
        };
        let mut paths = vec![gateway::PATH];
        if self.config.conformance_echo {
            paths.push(gateway::ECHO_PATH);
        }
        let shake = Arc::new(move |request| gateway::shake(&shaking, request));
        http::Door { router: http::router(services), sockets: Some(http::Sockets { paths, shake }) }
    }

    fn accept(
        &self,
        listener: TcpListener,
        door: http::Door,
        doors: &TaskTracker,
        closing: &CancellationToken,
    ) -> impl Future<Output = ()> + Send + 'static + use<> {
        let limits = &self.config.connections;
        let places = listener::Places::new(limits.max, limits.max_per_address);
        let config = Arc::clone(&self.config);
        let counts = move |address: IpAddr| {
            let trusted = config.trusted_proxies.iter().any(|network| network.contains(address));
            !address.is_loopback() && !trusted
        };
        let (door, drain) = (Arc::new(door), closing.clone());
        let serve = move |stream, peer| http::serve(stream, peer, Arc::clone(&door), drain.clone());
        listener::accept(listener, places, doors.clone(), closing.clone(), counts, serve)
    }

    /// Says that this node is not ready, and sends its connections elsewhere in waves.
    async fn drain(&self, gateway: &Gateway) {
        self.health.drain.cancel();
        let connections = self.streams.hub().connections();
        tracing::info!(connections = connections.len(), "draining");
        let wave = connections.len().div_ceil(DRAIN_WAVES).max(1);
        for some in connections.chunks(wave) {
            for connection in some {
                connection.leave.cancel();
            }
            tokio::time::sleep(Duration::from_millis(self.config.drain.wave_ms)).await;
        }
        gateway.tasks.close();
        gateway.tasks.wait().await;
    }
}

/// Accounts beside running nodes, or without any: what the command line needs.
///
/// # Errors
/// As [`Node::start`].
pub async fn accounts_alone(config: &Config) -> Result<Accounts, NodeError> {
    let db = Db::open(&database_settings(config)).await?;
    let fabric = Fabric::local();
    Ok(Accounts::new(db, fabric, account_settings(config), Arc::new(|_, _: &_| {}), Arc::new(|_: &[_]| {}))?)
}

/// The database beside a running node, or without any: what the command line needs.
///
/// # Errors
/// As [`Node::start`].
pub async fn database_alone(config: &Config) -> Result<Db, NodeError> {
    Ok(Db::open(&database_settings(config)).await?)
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::id::Epoch;

    use super::fabric_prefix;

    #[test]
    fn each_life_of_a_database_has_keys_of_its_own() {
        let (one, other) = (Epoch::generate(), Epoch::generate());
        let prefix = fabric_prefix("hubbub", one);
        assert!(prefix.starts_with("hubbub:") && prefix.ends_with(':') && prefix.len() == 20, "{prefix}");
        assert_eq!(prefix, fabric_prefix("hubbub", one));
        assert_ne!(prefix, fabric_prefix("hubbub", other));
    }
}
