//! Reading: one connection after the other, on any node, each going on where the one before it stopped.

use std::{collections::BTreeMap, time::Duration};

use hubbub_client::{
    Closed, Connection, Unasked,
    connection::Pushes,
    cursors::{Break, Cursors, Taken},
};
use hubbub_protocol::{close::Next, command::SessionStartResult, error::Reason, id::StreamId, push::Push};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{Live, Person, Phase, Ticket, options, until};
use crate::{history::Event, rng::Rng};

/// Longest wait between two tries to connect.
const PAUSE_MS: u64 = 300;
/// How long a connection is kept before the person goes to another node of their own accord.
const STAYS_MS: (u64, u64) = (5_000, 40_000);

/// How a connection came to its end, for the one who makes the next.
enum End {
    /// It was lost or given up: come back.
    Again,
    /// The session is over.
    Stop(String),
}

/// Reads until the run is over.
pub(super) async fn run(person: Person) {
    let mut rng = person.rng("reader");
    let mut cursors = Cursors::default();
    let mut node = rng.index(person.world.nodes.len());
    while person.world.phase() < Phase::Over {
        let ticket = person.ticket.borrow().clone();
        match visit(&person, &ticket, node, &mut cursors, &mut rng).await {
            End::Again => {}
            End::Stop(why) => {
                // Another session may have taken its place while it ended; then that one is used.
                if person.ticket.borrow().session == ticket.session && !lost(&person, &ticket, why).await {
                    return;
                }
            }
        }
        node = (node + 1 + rng.index(person.world.nodes.len().saturating_sub(1))) % person.world.nodes.len();
    }
}

/// A session ended that nobody of ours replaced: a mover logs in again, for others it must not happen.
async fn lost(person: &Person, ticket: &Ticket, why: String) -> bool {
    if !person.moves {
        let t = person.world.history.now();
        person.world.history.note(Event::SessionLost { t, person: person.number, why });
        return false;
    }
    person.ended.send_replace(true);
    tokio::select! {
        () = until(&person.ticket, |newest| newest.session != ticket.session) => true,
        () = person.world.reached(Phase::Over) => false,
    }
}

async fn visit(person: &Person, ticket: &Ticket, node: usize, cursors: &mut Cursors, rng: &mut Rng) -> End {
    let world = &person.world;
    let pause = Duration::from_millis(rng.within(20, PAUSE_MS));
    let Ok((connection, pushes)) = Connection::open(&world.nodes[node], &options()).await else {
        sleep(pause).await;
        return End::Again;
    };
    let started = match connection.start(&ticket.token, cursors.to_send()).await {
        Ok(started) => started,
        Err(error) => {
            if matches!(error.reason(), Some(Reason::SessionEnded | Reason::Unauthenticated)) {
                return End::Stop(error.to_string());
            }
            sleep(pause).await;
            return End::Again;
        }
    };
    let number = world.number();
    note_start(person, ticket, node, number, cursors, &started);
    let live = Live { connection: connection.clone(), session: ticket.session, number };
    person.live.send_replace(Some(live));
    let (tell, mut read) = watch::channel(cursors.clone());
    let listening = tokio::spawn(listen(person.clone(), number, connection.clone(), pushes, tell));
    let stays = Duration::from_millis(rng.within(STAYS_MS.0, STAYS_MS.1));
    let end = tokio::select! {
        closed = connection.closed() => after(&closed),
        // The old connection stays as long as the server lets it: it must not be able to do harm.
        () = until(&person.ticket, |newest| newest.session != ticket.session) => End::Again,
        () = world.reached(Phase::Over) => End::Again,
        () = until_wandering(person, stays) => {
            connection.clone().close().await;
            End::Again
        }
    };
    person.live.send_if_modified(|live| live.take_if(|live| live.number == number).is_some());
    if connection.ended().is_some() || world.phase() == Phase::Over {
        drop(connection);
        // What had arrived before the end is still written down, and counts as read.
        let _ = timeout(Duration::from_secs(5), listening).await;
    }
    *cursors = read.borrow_and_update().clone();
    end
}

/// Nobody changes places while the last entries are waited for.
async fn until_wandering(person: &Person, stays: Duration) {
    sleep(stays).await;
    if person.world.phase() >= Phase::Settle {
        std::future::pending::<()>().await;
    }
}

fn after(closed: &Closed) -> End {
    if closed.next() == Next::Stop { End::Stop(closed.to_string()) } else { End::Again }
}

fn note_start(
    person: &Person,
    ticket: &Ticket,
    node: usize,
    connection: u64,
    cursors: &mut Cursors,
    started: &SessionStartResult,
) {
    let reload: BTreeMap<StreamId, String> = cursors
        .start(started)
        .into_iter()
        .map(|broken| match broken {
            Break::Reload { stream, why, .. } => (stream, why),
            Break::Gone(stream) => (stream, "gone".to_owned()),
        })
        .collect();
    let positions = cursors.to_send().into_iter().map(|(stream, cursor)| (stream, cursor.seq)).collect();
    person.world.history.note(Event::Started {
        t: person.world.history.now(),
        connection,
        person: person.number,
        session: ticket.session,
        node,
        positions,
        reload,
    });
}

/// A connection that the server left open, of an old session perhaps, ends with the run.
async fn leave_when_over(person: &Person, connection: Connection) {
    person.world.reached(Phase::Over).await;
    connection.close().await;
}

/// Writes down what comes until the connection ends.
async fn listen(
    person: Person,
    number: u64,
    connection: Connection,
    mut pushes: Pushes,
    cursors: watch::Sender<Cursors>,
) {
    let history = &person.world.history;
    let mut over = std::pin::pin!(leave_when_over(&person, connection.clone()));
    let mut left = false;
    loop {
        let unasked = tokio::select! {
            unasked = pushes.next() => unasked,
            () = &mut over, if !left => {
                left = true;
                continue;
            }
        };
        let Some(unasked) = unasked else { break };
        let Unasked::Push(push) = unasked else { continue };
        let Push::Entry(entry) = *push else { continue };
        let (stream, seq, id) = (entry.stream, entry.seq, entry.id);
        history.note(Event::Frame { t: history.now(), connection: number, stream, seq, id });
        let mut taken = Taken::Repeat;
        cursors.send_modify(|cursors| taken = cursors.take(&entry));
        match taken {
            Taken::Fresh => person.reached.send_modify(|reached| {
                let newest = reached.entry(stream).or_default();
                *newest = seq.max(*newest);
            }),
            Taken::Repeat => {}
            // The checker sees it as well; a good client comes back.
            Taken::Hole { .. } => drop(connection.clone().close().await),
        }
    }
    let closed = connection.closed().await;
    let (code, reason) = (closed.code, closed.reason);
    history.note(Event::Closed { t: history.now(), connection: number, code, reason });
}
