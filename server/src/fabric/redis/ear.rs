//! One connection that listens, and what it is to listen to.
//!
//! fred forgets subscriptions when its connection breaks (its own remedy sends an empty `PSUBSCRIBE` and leaves shard
//! channels out), and calls a subscription done when it is written, before Redis has read it. So the wanted topics are
//! kept here, one task makes the connection match them, and asks Redis whether what it said is in force.

use std::collections::HashSet;
use std::sync::Arc;

use fred::error::{Error, ErrorKind};
use fred::prelude::{ClientLike, EventInterface, PubsubInterface, Server, Value};
use fred::types::Message;
use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::{Notify, watch};
use tokio::time::{Duration, Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::channel;
use super::connection::{Connection, next};
use super::link::{Link, PROBE_EVERY};
use super::listening::{Listening, here, shard_channels};
use super::script::whole;
use super::sealed::{seal, unseal};
use super::values::corrupt;
use crate::clock::every;
use crate::fabric::inbox::Inbox;
use crate::fabric::topic::Topic;
use crate::fabric::types::{BusEvent, FabricError};

/// A node that spoke and did not hear itself for so long is deaf.
const DEAF_AFTER: Duration = Duration::from_secs(3);
/// Topics in one `SUBSCRIBE`, or in one round trip.
const AT_ONCE: usize = 500;

pub(super) struct Ear {
    link: Arc<Link>,
    /// The node of a cluster it listens at, and hears the shard channels of; elsewhere there is one place only.
    pub(super) place: Option<Server>,
    /// The topic this node speaks to itself on; in a cluster, one that belongs to the place.
    pub(super) voice: Topic,
    wanted: Mutex<Wanted>,
    changed: Notify,
    /// Up to which version of `wanted` the connection matches it; `None` while there is no connection.
    matched: watch::Sender<Option<u64>>,
    heard: Mutex<Heard>,
    inbox: Arc<Inbox>,
    /// Told when what is wanted here may be elsewhere by now.
    moved: Arc<Notify>,
    stop: CancellationToken,
}

#[derive(Default)]
struct Wanted {
    topics: HashSet<Topic>,
    /// What was added or removed since the connection was last made to match.
    changes: HashSet<Topic>,
    /// What went elsewhere: Redis has unsubscribed us already, and would answer that it does not know it.
    gone: HashSet<Topic>,
    version: u64,
    /// Somebody was told that a `Resync` will come.
    resync_owed: bool,
}

#[derive(Default)]
struct Heard {
    /// When the oldest word was spoken that was not heard yet.
    unheard_since: Option<Instant>,
    last: Option<Instant>,
}

/// Where an ear listens, and what it has in common with the others.
pub(super) struct Post {
    pub(super) link: Arc<Link>,
    pub(super) place: Option<Server>,
    pub(super) voice: Topic,
    pub(super) inbox: Arc<Inbox>,
    pub(super) moved: Arc<Notify>,
    pub(super) stop: CancellationToken,
}

impl Ear {
    pub(super) fn start(post: Post) -> Result<(Arc<Self>, Connection), FabricError> {
        let Post { link, place, voice, inbox, moved, stop } = post;
        let connection = Connection::start(&link.settings, place.as_ref())?;
        let ear = Self {
            link,
            place,
            voice,
            wanted: Mutex::default(),
            changed: Notify::new(),
            matched: watch::Sender::new(None),
            heard: Mutex::default(),
            inbox,
            moved,
            stop,
        };
        Ok((Arc::new(ear), connection))
    }

    /// Wants these topics too; the version to wait for with [`follows`](Self::follows).
    pub(super) fn want(&self, topics: &[Topic]) -> u64 {
        self.change(topics, HashSet::insert)
    }

    pub(super) fn want_no_more(&self, topics: &[Topic]) {
        self.change(topics, |wanted, topic| wanted.remove(&topic));
    }

    /// Wants these and no others: topics went to other places, or came from there.
    pub(super) fn want_exactly(&self, topics: HashSet<Topic>) {
        let mut wanted = self.wanted.lock();
        let gone: Vec<Topic> = wanted.topics.difference(&topics).copied().collect();
        let new: Vec<Topic> = topics.difference(&wanted.topics).copied().collect();
        if gone.is_empty() && new.is_empty() {
            return;
        }
        wanted.gone.extend(gone);
        wanted.resync_owed |= !new.is_empty(); // nobody listened to them on the way
        wanted.changes.extend(new);
        wanted.topics = topics;
        wanted.version += 1;
        self.changed.notify_one();
    }

    pub(super) fn topics(&self) -> HashSet<Topic> {
        self.wanted.lock().topics.clone()
    }

    /// Waits until everything up to this version of what is wanted is followed, at most until `deadline`.
    pub(super) async fn follows(&self, version: u64, deadline: Instant) -> Result<(), FabricError> {
        let late = |error| {
            self.wanted.lock().resync_owed = true;
            self.changed.notify_one();
            Err(error)
        };
        if !self.is_open() {
            return late(FabricError::Down);
        }
        let mut matched = self.matched.subscribe();
        let done = matched.wait_for(|done| done.is_some_and(|done| done >= version));
        if timeout_at(deadline, done).await.is_err() {
            return late(FabricError::Timeout(self.link.settings.command_limit()));
        }
        Ok(())
    }

    fn change(&self, topics: &[Topic], change: impl Fn(&mut HashSet<Topic>, Topic) -> bool) -> u64 {
        let mut wanted = self.wanted.lock();
        let mut changed = false;
        for &topic in topics {
            if change(&mut wanted.topics, topic) {
                wanted.changes.insert(topic);
                changed = true;
            }
        }
        if changed {
            wanted.version += 1;
            self.changed.notify_one();
        }
        wanted.version
    }

    /// Whether there is a connection that matches what is wanted.
    pub(super) fn is_open(&self) -> bool {
        self.matched.borrow().is_some()
    }

    pub(super) fn is_hearing(&self) -> bool {
        self.is_open() && self.heard.lock().last.is_some_and(|last| last.elapsed() < DEAF_AFTER)
    }

    /// How long ago it heard its own voice, in seconds.
    pub(super) fn age(&self) -> f64 {
        self.heard.lock().last.map_or(f64::INFINITY, |last| last.elapsed().as_secs_f64())
    }

    /// Ends its task and its connection.
    pub(super) fn leave(&self) {
        self.stop.cancel();
    }

    /// Keeps the connection up and matching what is wanted until told to stop.
    pub(super) async fn keep(self: Arc<Self>, connection: Connection) {
        let mut ticks = every(PROBE_EVERY);
        let mut listening = self.listening(connection);
        loop {
            let mut tick = false;
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                () = next(&mut listening.connection.broken) => {
                    self.lost(&mut listening);
                    self.moved.notify_one();
                    if !listening.connection.is_over() { continue }
                }
                () = next(&mut listening.connection.made) => {
                    self.lost(&mut listening);
                    listening.is_made = true;
                    listening.last_answer = Instant::now();
                }
                () = self.changed.notified() => {}
                _ = ticks.tick() => tick = true,
            }
            let was_open = self.is_open();
            if listening.is_worth_trying() {
                self.make_match(&mut listening).await;
            }
            if self.is_open() && (tick || !was_open) {
                self.speak().await;
            }
            let is_whole = !tick || !self.is_open() || self.is_whole(&mut listening).await;
            let is_deaf = self.is_open() && self.is_deaf();
            if listening.is_lost() || is_deaf || !is_whole {
                self.replace(&mut listening);
            }
        }
        self.matched.send_replace(None);
        listening.connection.end().await;
    }

    fn listening(self: &Arc<Self>, connection: Connection) -> Listening {
        let messages = connection.client.message_rx();
        let listener = tokio::spawn(Arc::clone(self).listen(messages));
        Listening::over(connection, listener.abort_handle())
    }

    fn replace(self: &Arc<Self>, listening: &mut Listening) {
        tracing::warn!(place = ?self.place, "the bus is not heard; connecting anew");
        self.lost(listening);
        self.moved.notify_one();
        if let Ok(connection) = Connection::start(&self.link.settings, self.place.as_ref()) {
            *listening = self.listening(connection);
        }
    }

    /// The subscriptions are gone.
    fn lost(&self, listening: &mut Listening) {
        listening.have.clear();
        listening.is_made = false;
        *self.heard.lock() = Heard::default();
        if self.matched.send_replace(None).is_some() {
            self.wanted.lock().resync_owed = true;
        }
    }

    /// Subscribes to what is wanted and not there, and the other way round.
    async fn make_match(&self, listening: &mut Listening) {
        let (version, changes) = {
            let mut wanted = self.wanted.lock();
            for topic in std::mem::take(&mut wanted.gone) {
                listening.have.remove(&topic);
            }
            let mut changes = std::mem::take(&mut wanted.changes);
            if self.matched.borrow().is_none() {
                changes = wanted.topics.iter().copied().chain([self.voice]).collect();
                wanted.resync_owed |= !wanted.topics.is_empty();
            }
            let wants = |topic: &Topic| *topic == self.voice || wanted.topics.contains(topic);
            let changes: Vec<(Topic, bool)> = changes.iter().map(|topic| (*topic, wants(topic))).collect();
            (wanted.version, changes)
        };
        let (add, remove): (Vec<_>, Vec<_>) = changes
            .iter()
            .filter(|(topic, wanted)| *wanted != listening.have.contains(topic))
            .partition(|(_, wanted)| *wanted);
        let done = self.subscribe(listening, &add).await.is_ok()
            && self.unsubscribe(listening, &remove).await.is_ok();
        let mut wanted = self.wanted.lock();
        if !done {
            wanted.changes.extend(changes.iter().map(|(topic, _)| *topic));
            wanted.resync_owed = true;
            return;
        }
        self.matched.send_replace(Some(version));
        if std::mem::take(&mut wanted.resync_owed) {
            self.inbox.resync();
        }
    }

    async fn subscribe(&self, listening: &mut Listening, topics: &[&(Topic, bool)]) -> Result<(), Error> {
        for some in topics.chunks(AT_ONCE) {
            if self.place.is_some() {
                self.subscribe_to_shard(listening, some).await?;
                continue;
            }
            let client = &listening.connection.client;
            client.subscribe(self.channels(some)).await?;
            listening.in_step().await?;
            listening.have.extend(some.iter().map(|(topic, _)| *topic));
        }
        Ok(())
    }

    /// A shard channel has a command, and an answer, of its own: in one `SSUBSCRIBE` all must have one slot, and fred
    /// expects one answer to a command.
    async fn subscribe_to_shard(
        &self,
        listening: &mut Listening,
        topics: &[&(Topic, bool)],
    ) -> Result<(), Error> {
        let pipeline = listening.connection.client.pipeline();
        for channel in self.channels(topics) {
            let () = pipeline.custom(here("SSUBSCRIBE"), vec![channel]).await?;
        }
        let answers = whole(pipeline.try_all::<Value>().await, topics.len())?;
        listening.last_answer = Instant::now();
        let mut refused = None;
        for ((topic, _), answer) in topics.iter().zip(answers) {
            match answer {
                Ok(_) => drop(listening.have.insert(*topic)),
                Err(error) => refused = Some(error),
            }
        }
        let Some(error) = refused else { return Ok(()) };
        tracing::debug!(place = ?self.place, %error, "a topic is not heard here");
        self.moved.notify_one();
        Err(error)
    }

    async fn unsubscribe(&self, listening: &mut Listening, topics: &[&(Topic, bool)]) -> Result<(), Error> {
        for some in topics.chunks(AT_ONCE) {
            let client = &listening.connection.client;
            if self.place.is_some() {
                for channel in self.channels(some) {
                    client.sunsubscribe(channel).await?;
                }
            } else {
                client.unsubscribe(self.channels(some)).await?;
            }
            // An error where fred expects no answer would be taken for the answer to something else from now on.
            listening.in_step().await?;
            for (topic, _) in some {
                listening.have.remove(topic);
            }
        }
        Ok(())
    }

    /// Asks over this connection, too, whether Redis is there. In a cluster also whether it knows of all the shard
    /// channels that we think we hear: when a slot moves it drops the channels of that slot, and fred does not pass on
    /// that it said so. False when it knows of fewer.
    async fn is_whole(&self, listening: &mut Listening) -> bool {
        if self.place.is_none() {
            return listening.in_step().await.is_ok() || !listening.out_of_step;
        }
        let info = listening.connection.client.custom(here("CLIENT"), vec!["INFO"]).await;
        if !info
            .as_ref()
            .is_err_and(|error: &Error| matches!(error.kind(), ErrorKind::Timeout | ErrorKind::IO))
        {
            listening.last_answer = Instant::now();
        }
        let known = info.ok().and_then(|info: String| shard_channels(&info));
        known.is_none_or(|known| known >= listening.have.len())
    }

    fn channels(&self, topics: &[&(Topic, bool)]) -> Vec<String> {
        topics.iter().map(|(topic, _)| channel(&self.link.settings.prefix, *topic)).collect()
    }

    /// Says something to itself, through the bus.
    async fn speak(&self) {
        let spoken = Instant::now();
        self.heard.lock().unheard_since.get_or_insert(spoken);
        let word = self.link.publish("probe", channel(&self.link.settings.prefix, self.voice), seal(0, "?"));
        if word.await.is_err() {
            // Not spoken, perhaps: then nothing can be said about hearing.
            self.heard.lock().unheard_since = None;
        }
    }

    fn is_deaf(&self) -> bool {
        self.heard.lock().unheard_since.is_some_and(|since| since.elapsed() > DEAF_AFTER)
    }

    /// Passes on what is heard. Never waits for anything but the next message.
    async fn listen(self: Arc<Self>, mut messages: Receiver<Message>) {
        loop {
            match messages.recv().await {
                Ok(message) => self.hear(message),
                Err(RecvError::Lagged(lost)) => {
                    counter!("hubbub_pubsub_dropped_total").increment(lost);
                    self.inbox.resync();
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn hear(&self, message: Message) {
        let name = message.channel.strip_prefix(self.link.settings.prefix.as_str());
        let Some(topic) = name.and_then(Topic::parse) else { return };
        if topic == self.voice {
            let heard = Heard { unheard_since: None, last: Some(Instant::now()) };
            let before = std::mem::replace(&mut *self.heard.lock(), heard);
            // Whoever counted as deaf may have missed something, though the connection is the same.
            if before.last.is_some_and(|last| last.elapsed() > DEAF_AFTER) {
                self.inbox.resync();
            }
            return;
        }
        let sealed = match message.value {
            Value::String(text) => Some(text),
            _ => None,
        };
        if let Some((_, payload)) = sealed.as_ref().and_then(unseal) {
            // A copy: the slice would keep all that was read from the socket with it for as long as a slow reader's
            // outbox keeps the message.
            let payload = payload.to_string().into();
            self.inbox.deliver(BusEvent::Message { topic, payload });
        } else {
            corrupt();
            self.inbox.resync();
        }
    }
}
