//! People who talk while something breaks: every send is repeated with its key until it is answered, and what each of
//! them heard is compared with the log at the end.

use std::time::Duration;

use hubbub_client::{
    Client,
    reconnect::{Event, Events},
};
use hubbub_protocol::{
    command::Sent,
    entry::Entry,
    id::{RoomId, Seq, StreamId},
};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep},
};

use crate::{
    lab::Lab,
    support::{
        PATIENCE, Person,
        link::{assert_dense, entry_at, message, texts},
        within,
    },
};

/// A message that was acknowledged, and how long that took.
pub(crate) struct Acknowledged {
    pub(crate) sent: Sent,
    pub(crate) text: String,
    pub(crate) took: Duration,
}

/// Someone who keeps sending and hearing, on whichever node there is.
pub(crate) struct Talker {
    sending: JoinHandle<Vec<Acknowledged>>,
    hearing: JoinHandle<Heard>,
    stop: watch::Sender<bool>,
    upto: watch::Sender<Option<Seq>>,
}

/// What someone heard of a room.
pub(crate) struct Heard {
    pub(crate) entries: Vec<Entry>,
    /// How often a session was started on a connection.
    pub(crate) starts: usize,
}

/// A conversation in one room.
pub(crate) struct Conversation {
    pub(crate) room: RoomId,
    talkers: Vec<Talker>,
}

/// How a conversation went.
pub(crate) struct Outcome {
    pub(crate) acknowledged: Vec<Acknowledged>,
    pub(crate) heard: Vec<Heard>,
    /// From the last acknowledgement until everybody had everything.
    pub(crate) caught_up_in: Duration,
}

impl Conversation {
    /// Begins: each of the people sends one message after the other, this long apart; the first of them sits on node
    /// `first`, the next one on the next.
    pub(crate) async fn begin(lab: &Lab, people: &[Person], first: usize, pause: Duration) -> Self {
        let nodes = lab.cluster.nodes.len();
        let owner = people[0].connect_to(&lab.address(first % nodes)).await;
        let others: Vec<_> = people[1..].iter().collect();
        let room = owner.group(&others).await;
        let talkers = people
            .iter()
            .enumerate()
            .map(|(number, person)| {
                Talker::begin(person, lab.addresses_from((first + number) % nodes), room, number, pause)
            })
            .collect();
        Self { room, talkers }
    }

    /// Stops sending, and waits until everybody has heard what was acknowledged.
    pub(crate) async fn end(self, lab: &Lab, reader: &Person) -> Outcome {
        self.end_with_others(lab, reader, 0).await
    }

    /// As [`Conversation::end`], where somebody else said so many messages beside.
    pub(crate) async fn end_with_others(self, lab: &Lab, reader: &Person, others: usize) -> Outcome {
        let (mut acknowledged, mut hearing) = (Vec::new(), Vec::new());
        for talker in self.talkers {
            talker.stop.send_replace(true);
            let sent = within(PATIENCE, "the last acknowledgements", talker.sending).await;
            acknowledged.extend(sent.expect("the talker did not panic"));
            hearing.push((talker.hearing, talker.upto));
        }
        let last = acknowledged.iter().map(|one| one.sent.seq).max().expect("something was sent");
        let stopped = Instant::now();
        for (_, upto) in &hearing {
            upto.send_replace(Some(last));
        }
        let mut heard = Vec::new();
        for (hearing, _) in hearing {
            let one = within(PATIENCE, "the rest of the conversation", hearing).await;
            heard.push(one.expect("the hearer did not panic"));
        }
        let outcome = Outcome { acknowledged, heard, caught_up_in: stopped.elapsed() };
        outcome.check(&reader.connect_to(&lab.address(0)).await.log(self.room).await, others);
        outcome
    }
}

impl Talker {
    fn begin(
        person: &Person,
        addresses: Vec<hubbub_client::ServerAddress>,
        room: RoomId,
        number: usize,
        pause: Duration,
    ) -> Self {
        let (client, events) = person.keep_connected_to(addresses);
        let (stop, stopped) = watch::channel(false);
        let (upto, until) = watch::channel(None);
        let sending = tokio::spawn(send(client.clone(), room, number, pause, stopped));
        let hearing = tokio::spawn(hear(client, events, room, until));
        Self { sending, hearing, stop, upto }
    }
}

async fn send(
    client: Client,
    room: RoomId,
    number: usize,
    pause: Duration,
    stopped: watch::Receiver<bool>,
) -> Vec<Acknowledged> {
    let mut acknowledged = Vec::new();
    while !*stopped.borrow() {
        let text = format!("{number} says {}", acknowledged.len());
        let began = Instant::now();
        let sent = client.ask(message(room, &text)).await.expect("an acknowledgement, however late");
        acknowledged.push(Acknowledged { sent, text, took: began.elapsed() });
        sleep(pause).await;
    }
    acknowledged
}

/// The client is held so that it does not end before everything was heard.
async fn hear(
    _client: Client,
    mut events: Events,
    room: RoomId,
    mut until: watch::Receiver<Option<Seq>>,
) -> Heard {
    let mut heard = Heard { entries: Vec::new(), starts: 0 };
    loop {
        let last = heard.entries.last().map_or(Seq::ZERO, |entry| entry.seq);
        if until.borrow().is_some_and(|until| last >= until) {
            return heard;
        }
        tokio::select! {
            event = events.next() => match event {
                Some(Event::Entry(entry)) if entry.stream == StreamId::Room(room) => heard.entries.push(*entry),
                Some(Event::Started(_)) => heard.starts += 1,
                Some(Event::Entry(_) | Event::Signal(_) | Event::Lost { .. }) => {}
                other => panic!("the conversation broke off: {other:?}"),
            },
            changed = until.changed() => changed.expect("the conversation goes on"),
        }
    }
}

impl Outcome {
    /// Nothing lost, nothing twice, one order; and what was acknowledged is what is stored.
    fn check(&self, log: &[Entry], others: usize) {
        assert_dense(log, 1);
        for one in &self.acknowledged {
            let entry = entry_at(log, one.sent.seq);
            assert_eq!(
                (entry.id, texts(std::slice::from_ref(entry))),
                (one.sent.id, vec![one.text.as_str()])
            );
        }
        let mut stored = texts(log);
        let all = stored.len();
        stored.sort_unstable();
        stored.dedup();
        assert_eq!(stored.len(), all, "a message is stored twice");
        assert_eq!(all, self.acknowledged.len() + others, "a message is stored that nobody was answered for");
        for heard in &self.heard {
            let first = usize::try_from(heard.entries[0].seq.0 - 1).expect("a small number");
            assert_eq!(
                heard.entries[..],
                log[first..][..heard.entries.len()],
                "what was heard differs from the log"
            );
        }
    }

    /// The longest time an acknowledgement took.
    pub(crate) fn slowest(&self) -> Duration {
        self.acknowledged.iter().map(|one| one.took).max().unwrap_or_default()
    }

    /// The time within which 99 of 100 acknowledgements came.
    pub(crate) fn p99(&self) -> Duration {
        percentile(99, self.acknowledged.iter().map(|one| one.took).collect())
    }
}

/// The time within which so many of 100 were over.
pub(crate) fn percentile(of_100: usize, mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) * of_100 / 100).copied().unwrap_or_default()
}
