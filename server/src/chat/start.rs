//! How a session begins on a connection: who it is, which rooms, what was missed.

use std::collections::{BTreeMap, HashSet};

use hubbub_protocol::{
    command::{Limits, Resume, SessionStartParams, SessionStartResult},
    id::{Cursor, RoomId, Seq, StreamId},
    limits::{FRAME_BYTES, RESUME_ENTRIES, TEXT_BYTES},
    model::Room,
};

use super::Chat;
use crate::{
    accounts::Caller,
    clock,
    error::CommandError,
    store,
    streams::{Followed, Start, listener::Listener, outbox::Outbox},
};

/// Rooms joined while a session starts are looked for this often; beyond, the client tries again.
const ROUNDS: usize = 4;
/// Cursors a client may send; more than anyone has rooms.
const CURSORS: usize = 10_000;

/// A session that has started on a connection, and what is to be sent after the answer.
pub struct Started {
    /// Who.
    pub caller: Caller,
    /// The connection, as the hub knows it.
    pub listener: Listener,
    /// The answer.
    pub result: SessionStartResult,
    followed: Vec<Followed>,
    starts: Vec<Start>,
}

/// What the gateway decides about a connection.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often a client should say that it lives, in milliseconds.
    pub heartbeat_ms: u64,
    /// Commands each second, on average.
    pub commands_per_s: u32,
    /// Commands at once.
    pub commands_burst: u32,
}

impl Chat {
    /// Starts a session on a connection.
    ///
    /// # Errors
    /// `unauthenticated`, `session_ended`, `invalid_params`, `unavailable`.
    pub async fn start(
        &self,
        params: SessionStartParams,
        outbox: &Outbox,
        pace: Pace,
    ) -> Result<Started, CommandError> {
        if params.cursors.len() > CURSORS {
            return Err(CommandError::TooLarge { field: "cursors", limit: CURSORS, unit: "streams" });
        }
        let caller = self.0.accounts.authenticate(&params.token).await?;
        let listener = self.0.streams.hub().register(
            caller.user.id,
            caller.session.id,
            caller.session.device.class,
            outbox.clone(),
        );
        let started = self.begin(caller, &listener, params.cursors, pace).await;
        if started.is_err() {
            self.0.streams.hub().deregister(&listener);
        }
        started
    }

    /// Sends what was missed, then what comes, and shows the person as online. After the answer was queued.
    pub fn go_on(&self, started: Started) {
        self.0.streams.hub().show(&started.listener);
        for followed in started.followed {
            self.0.streams.catch_up(&started.listener, followed, &started.starts);
        }
    }

    async fn begin(
        &self,
        caller: Caller,
        listener: &Listener,
        cursors: BTreeMap<StreamId, Cursor>,
        pace: Pace,
    ) -> Result<Started, CommandError> {
        let user = caller.user.id;
        let (rooms, followed) = self.follow_all(listener).await?;
        // A takeover between authenticating and registering told a hub that did not know this connection yet.
        self.require_live(caller.session.id).await?;
        let own = StreamId::User(user);
        let head = store::entries::heads(&self.0.db, &[own]).await?.get(&own).copied().unwrap_or_default();
        let heads: BTreeMap<_, _> =
            rooms.iter().map(|room| (StreamId::Room(room.id), room.head)).chain([(own, head)]).collect();
        let (resumed, starts) = self.judge(&heads, &cursors);
        let result = SessionStartResult {
            user: caller.user.clone(),
            session: caller.session.clone(),
            epoch: self.0.streams.epoch(),
            head,
            rooms,
            resumed,
            drafts: self.drafts(user).await?,
            limits: Limits {
                frame_bytes: FRAME_BYTES as u64,
                text_bytes: TEXT_BYTES as u64,
                commands_per_s: pace.commands_per_s,
                commands_burst: pace.commands_burst,
            },
            heartbeat_ms: pace.heartbeat_ms,
            now: clock::now_ms(),
        };
        Ok(Started { caller, listener: listener.clone(), result, followed, starts })
    }

    /// Follows a person's own stream and rooms, and gives the rooms as they were read after that: whoever is a member
    /// then and is put out later, is put out by an entry that the feed has not passed yet.
    async fn follow_all(&self, listener: &Listener) -> Result<(Vec<Room>, Vec<Followed>), CommandError> {
        let mut known: HashSet<RoomId> =
            store::rooms::ids_of_user(&self.0.db, listener.user).await?.into_iter().collect();
        let mut new: Vec<_> = known.iter().map(|room| StreamId::Room(*room)).collect();
        new.push(StreamId::User(listener.user));
        let mut followed = Vec::new();
        for _ in 0..ROUNDS {
            followed.push(self.0.streams.add(listener, &new).await?);
            let rooms = store::rooms::of_user(&self.0.db, listener.user).await?;
            new = rooms
                .iter()
                .filter(|room| known.insert(room.id))
                .map(|room| StreamId::Room(room.id))
                .collect();
            if new.is_empty() {
                return Ok((rooms, followed));
            }
        }
        Err(CommandError::Unavailable("rooms are joined faster than they can be followed".into()))
    }

    /// What becomes of each cursor, and where each stream begins for this connection.
    fn judge(
        &self,
        heads: &BTreeMap<StreamId, Seq>,
        cursors: &BTreeMap<StreamId, Cursor>,
    ) -> (BTreeMap<StreamId, Resume>, Vec<Start>) {
        let epoch = self.0.streams.epoch();
        let mut resumed = BTreeMap::new();
        for (stream, cursor) in cursors {
            let reload = |head, why: &str| Resume::Reload { head, why: why.to_owned() };
            let outcome = match heads.get(stream) {
                None => Resume::Gone,
                Some(head) if cursor.epoch != epoch => reload(*head, "epoch"),
                Some(head) if cursor.seq > *head => reload(*head, "ahead"),
                Some(head) if head.0 - cursor.seq.0 > RESUME_ENTRIES => reload(*head, "too_far"),
                Some(head) => Resume::Following { head: *head },
            };
            resumed.insert(*stream, outcome);
        }
        let starts = heads.iter().map(|(stream, head)| {
            let goes_on = matches!(resumed.get(stream), Some(Resume::Following { .. }));
            let cursor = cursors.get(stream).filter(|_| goes_on).map_or(*head, |cursor| cursor.seq);
            Start { stream: *stream, cursor }
        });
        let starts = starts.collect();
        (resumed, starts)
    }
}
