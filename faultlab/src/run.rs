//! One run: a cluster, a crowd, a plan, and what it came to.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use hubbub_client::{Connection, connection::Options};
use hubbub_protocol::{
    command::RoomCreateParams,
    id::{RoomId, Seq, StreamId},
    model::RoomKind,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    checker::{self, Verdict},
    clients::{Crowd, Habits, PASSWORD, Phase, World},
    cluster::{Account, Cluster, settings_from_environment},
    error::{Doing, LabError, Result},
    evidence,
    history::{self, Event, History},
    nemesis::{Nemesis, Profile, Step, schedule},
    rng::Rng,
};

/// Longest wait for everyone to be there.
const GATHER_LIMIT: Duration = Duration::from_mins(1);
/// Longest wait for what is under way, and for readers; they have 5 s.
const SETTLE_LIMIT: Duration = Duration::from_secs(20);

/// How often a room is tried to be made, and the time between.
const ROOM_TRIES: u32 = 20;
const ROOM_PAUSE: Duration = Duration::from_millis(100);
/// Traffic before a node's use of memory is taken as what it needs: before that it has not hashed a password yet.
const WARM: Duration = Duration::from_secs(7);

/// Settings of nodes that the rig wants unless the environment has others: what fails is to be noticed soon.
const SETTINGS: &[(&str, &str)] = &[
    ("HUBBUB_CONNECTIONS_HEARTBEAT_MS", "2000"),
    ("HUBBUB_CONNECTIONS_IDLE_TIMEOUT_MS", "8000"),
    ("HUBBUB_CONNECTIONS_PONG_TIMEOUT_MS", "4000"),
    ("HUBBUB_DATABASE_POOL_SIZE", "12"),
    ("HUBBUB_DRAIN_GRACE_S", "10"),
];

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// What chance follows from.
    pub seed: u64,
    /// How long people write.
    pub length: Duration,
    /// Which faults.
    pub profile: Profile,
    /// How many nodes.
    pub nodes: usize,
    /// How many people.
    pub people: usize,
    /// How many rooms.
    pub rooms: usize,
    /// Messages a second, of all together.
    pub rate: u64,
    /// Where history and logs go.
    pub folder: PathBuf,
    /// The server.
    pub binary: PathBuf,
    /// Settings of nodes beside the rig's and the environment's.
    pub settings: Vec<(String, String)>,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// What the checker says.
    pub verdict: Verdict,
    /// Nodes that were killed.
    pub kills: u64,
    /// Faults that were inflicted.
    pub faults: u64,
}

/// Runs, and checks what happened.
///
/// # Errors
/// The rig itself failed.
pub async fn run(wish: &Wish) -> Result<Outcome> {
    std::fs::create_dir_all(&wish.folder).doing("make a folder for the run")?;
    let plan = schedule(wish.seed, wish.profile, wish.length, wish.nodes);
    let path = wish.folder.join("history.jsonl");
    let history = History::begin(&path)?;
    let nodes = wish.nodes;
    history.note(Event::Run { seed: wish.seed, profile: wish.profile.to_string(), nodes });
    let inflicted = happen(wish, &plan, &history).await;
    history.finish()?;
    let (kills, faults) = inflicted?;
    let verdict = checker::check(history::read(&path)?);
    Ok(Outcome { verdict, kills, faults })
}

fn settings(wish: &Wish) -> Vec<(String, String)> {
    let mut all: BTreeMap<String, String> =
        SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    all.extend(settings_from_environment());
    all.extend(wish.settings.iter().cloned());
    all.into_iter().collect()
}

/// Everything that happens; kills and faults.
async fn happen(wish: &Wish, plan: &[Step], history: &History) -> Result<(u64, u64)> {
    let settings = settings(wish);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut cluster = Cluster::start_binary(wish.binary.clone(), wish.nodes, &settings, &wish.folder).await?;
    let accounts = cluster.people("p-", wish.people, PASSWORD).await?;
    let rooms = make_rooms(wish, &cluster, &accounts).await?;
    let (phases, phase) = watch::channel(Phase::Gather);
    let world = World {
        history: history.clone(),
        nodes: Arc::new(cluster.addresses()?),
        phase,
        seed: wish.seed,
        numbers: Arc::new(AtomicU64::new(1)),
        under_way: Arc::new(AtomicU64::new(0)),
    };
    let ids: Vec<_> = rooms.keys().map(|room| room.0).collect();
    let mut nemesis = Nemesis::new(&cluster, history, wish.seed, ids);
    if wish.profile == Profile::Commits {
        nemesis.slow_commits(&cluster);
    }
    let of_person = |index: usize| {
        rooms
            .iter()
            .filter(|(_, members)| members.contains(&index))
            .map(|(room, _)| *room)
            .collect::<Vec<_>>()
    };
    let all_rooms = (0..accounts.len()).map(of_person).collect();
    let habits = Habits {
        rate: wish.rate,
        mover_every: 4,
        moves_after: (Duration::from_secs(4), Duration::from_secs(12)),
    };
    let crowd = Crowd::gather(&world, accounts.clone(), all_rooms, habits);
    if !crowd.all_online(GATHER_LIMIT).await {
        return Err(LabError::new("not everyone came online before the first fault"));
    }
    usage(&cluster, history, "start").await?;
    phases.send_replace(Phase::Busy);
    let began = Instant::now();
    sleep(wish.length.min(WARM)).await;
    usage(&cluster, history, "start").await?;
    let outcome = inflict(wish, plan, began, &mut nemesis, &mut cluster).await;
    if outcome.is_ok() {
        phases.send_replace(Phase::Settle);
        settle(&cluster, &crowd, history, &rooms, &accounts, habits).await?;
    }
    phases.send_replace(Phase::Over);
    crowd.leave().await;
    outcome.map(|()| (nemesis.kills, nemesis.faults))
}

async fn inflict(
    wish: &Wish,
    plan: &[Step],
    began: Instant,
    nemesis: &mut Nemesis,
    cluster: &mut Cluster,
) -> Result<()> {
    for (number, step) in plan.iter().enumerate() {
        sleep_until(began + step.at).await;
        // Healing takes time as well: a run that is late leaves out the end of its plan.
        if began.elapsed() + step.lasts > wish.length {
            break;
        }
        nemesis.run(number, step, cluster).await?;
    }
    sleep_until(began + wish.length).await;
    Ok(())
}

/// Waits until all is quiet, and gathers what there is.
async fn settle(
    cluster: &Cluster,
    crowd: &Crowd,
    history: &History,
    rooms: &BTreeMap<RoomId, Vec<usize>>,
    accounts: &[Account],
    habits: Habits,
) -> Result<()> {
    crowd.nothing_under_way(SETTLE_LIMIT).await;
    let heads = evidence::heads(cluster).await?;
    let heads =
        rooms.keys().map(|room| (StreamId::Room(*room), Seq(heads.get(&room.0).copied().unwrap_or(0))));
    // Who does not get there is found by the checker.
    crowd.all_reach(&heads.collect(), SETTLE_LIMIT).await;
    history.note(Event::End { t: history.now() });
    usage(cluster, history, "end").await?;
    let stays =
        |index: &usize| habits.mover_every == 0 || index % habits.mover_every != habits.mover_every - 1;
    let mut readers = BTreeMap::new();
    for (room, members) in rooms {
        let reader =
            members.iter().copied().find(stays).ok_or_else(|| LabError::new("a room has no reader"))?;
        readers.insert(*room, accounts[reader].access_token.clone());
    }
    evidence::of_nodes(cluster, history, &readers).await?;
    evidence::of_database(cluster, history).await
}

async fn usage(cluster: &Cluster, history: &History, at: &str) -> Result<()> {
    for (number, node) in cluster.nodes.iter().enumerate() {
        history.note(Event::Usage {
            t: history.now(),
            node: number,
            at: at.to_owned(),
            starts: node.starts(),
            memory: node.metric("process_resident_memory_bytes", &[]).await?,
            files: node.metric("process_open_fds", &[]).await?,
            tasks: node.metric("hubbub_tasks", &[]).await?,
        });
    }
    Ok(())
}

/// Rooms with half of the people each, the one who makes them always among them; with the indexes of their members.
async fn make_rooms(
    wish: &Wish,
    cluster: &Cluster,
    accounts: &[Account],
) -> Result<BTreeMap<RoomId, Vec<usize>>> {
    let mut rng = Rng::part(wish.seed, "rooms");
    let address = cluster.nodes[0].address()?;
    let (connection, mut pushes) =
        Connection::open(&address, &Options::default()).await.doing("connect to make rooms")?;
    tokio::spawn(async move { while pushes.next().await.is_some() {} });
    connection
        .start(&accounts[0].access_token, BTreeMap::new())
        .await
        .doing("start a session to make rooms")?;
    let mut rooms = BTreeMap::new();
    for number in 0..wish.rooms {
        // Everyone is in some room, whatever chance says.
        let is_in =
            |index: usize, rng: &mut Rng| index == 0 || index % wish.rooms == number || rng.chance(450);
        let members: Vec<_> = (0..accounts.len()).filter(|index| is_in(*index, &mut rng)).collect();
        let params = RoomCreateParams {
            key: format!("room-{number}"),
            kind: RoomKind::Group,
            members: members.iter().skip(1).map(|index| accounts[*index].user.id).collect(),
            name: format!("Room {number}"),
            topic: String::new(),
        };
        rooms.insert(make_room(&connection, params).await?, members);
    }
    connection.close().await;
    Ok(rooms)
}

/// Makes a room, again and again under its key: a server that breaks its promises may need that.
async fn make_room(connection: &Connection, params: RoomCreateParams) -> Result<RoomId> {
    let mut tries = 0;
    loop {
        match connection.ask(params.clone()).await {
            Ok(made) => return Ok(made.room.id),
            Err(error) if tries == ROOM_TRIES => return Err(error).doing("make a room"),
            Err(_) => tries += 1,
        }
        sleep(ROOM_PAUSE).await;
    }
}

/// Checks a history that is there already.
///
/// # Errors
/// It cannot be read.
pub fn check_again(folder: &Path) -> Result<Verdict> {
    Ok(checker::check(history::read(&folder.join("history.jsonl"))?))
}
