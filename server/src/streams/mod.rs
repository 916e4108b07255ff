//! Streams: the one mechanism. An entry is appended, sequenced, and delivered to every connection that follows.
//!
//! | file | does |
//! |---|---|
//! | `writer` | group commit of messages: a batch from many connections, one transaction |
//! | `line` | an entry as the bus and the cache carry it |
//! | `feed` | one followed stream on this node: sequencer and followers |
//! | `listener` | a connection as the hub and the feeds know it |
//! | `hub` | who is connected here, and which feeds there are |
//! | `outbox` | a connection's bounded way out |
//! | `follow` | how a connection begins to follow, and catches up |
//! | `repair` | how holes and lost tails are filled |
//! | `announce` | how lost tails are found |
//! | `read` | the log from the cache where it is provably whole, else from SQL |
//! | `bus` | what other nodes say |
//! | `control` | what all nodes must hear beside entries |

mod announce;
mod bus;
pub mod control;
pub mod feed;
mod follow;
pub mod hub;
mod line;
pub mod listener;
pub mod outbox;
mod read;
mod repair;
mod writer;

use std::{sync::Arc, time::Duration};

use hubbub_protocol::{
    entry::{Entry, EntryBody},
    frame::encode_push,
    id::{Epoch, SessionId, StreamId, UserId},
    model::SessionEnd,
    push::{Push, Signal},
};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use follow::{Followed, Start};
pub use line::Line;
pub use writer::Submitted;

use self::{
    control::Control,
    feed::{Feed, Sequenced},
    hub::Hub,
    line::signal_text,
};
use crate::{
    fabric::{self, Fabric, Payload, Publication, Topic},
    store::{Db, append::NewMessage},
};

/// Entries on their way to the other nodes; what does not fit is repaired there from SQL.
const PUBLICATIONS_QUEUED: usize = 8_192;

/// Words about presence that wait for their reader.
const OVERHEARD: usize = 4_096;

/// What the bus says that is not about streams.
#[derive(Clone, Debug)]
pub enum Overheard {
    /// A word of a node about the people connected to it.
    Presence(Payload),
    /// Words may have been lost.
    Interrupted,
}

/// How streams behave.
#[derive(Clone, Debug)]
pub struct StreamSettings {
    /// Newest entries of a stream that the cache keeps.
    pub kept: usize,
    /// How often what was written lately is compared with what was heard, so that a lost last publication is found.
    pub sweep: Duration,
    /// Connections and streams that catch up from a store at once; the others wait for their turn.
    pub catching_up: usize,
    /// Whether other nodes may write; alone, nothing can be lost on the way.
    pub clustered: bool,
}

/// Is shown what was committed.
pub type OnCommit = Box<dyn Fn(&[Entry]) + Send + Sync>;

/// The streams of this node. Clones are the same.
#[derive(Clone)]
pub struct Streams(Arc<Inner>);

struct Inner {
    db: Db,
    fabric: Fabric,
    hub: Hub,
    epoch: Epoch,
    writer: writer::Writer,
    publications: mpsc::Sender<Publication>,
    overheard: mpsc::Sender<Overheard>,
    on_commit: OnCommit,
    loads: read::Loads,
    tasks: TaskTracker,
    stop: CancellationToken,
    settings: StreamSettings,
}

impl Streams {
    /// Starts the writer, the publisher, the bus and the sweep; they end with `stop`. Each committed entry is shown to
    /// `on_commit`, which must not wait. The receiver gets what the bus says beside.
    pub fn start(
        db: Db,
        fabric: Fabric,
        epoch: Epoch,
        settings: StreamSettings,
        tasks: TaskTracker,
        stop: CancellationToken,
        on_commit: OnCommit,
    ) -> (Self, mpsc::Receiver<Overheard>) {
        let (overheard, hearing) = mpsc::channel(OVERHEARD);
        let (publications, published) = mpsc::channel(PUBLICATIONS_QUEUED);
        let (writer, lanes) = writer::Writer::new(&db);
        let loads = read::Loads::new(settings.catching_up);
        let hub = Hub::default();
        let incoming = fabric.incoming();
        let streams = Self(Arc::new(Inner {
            db,
            fabric,
            hub,
            epoch,
            writer,
            publications,
            overheard,
            on_commit,
            loads,
            tasks,
            stop,
            settings,
        }));
        for lane in lanes {
            streams.spawn(writer::run(streams.clone(), lane));
        }
        streams.spawn(bus::publish(streams.clone(), published));
        streams.spawn(bus::listen(streams.clone(), incoming));
        streams.spawn(announce::sweep(streams.clone()));
        (streams, hearing)
    }

    /// Who is connected here.
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// The life of the database.
    pub fn epoch(&self) -> Epoch {
        self.0.epoch
    }

    /// Queues a message for the next batch, in the order of the calls; the answer comes after its commit.
    pub fn submit(&self, message: NewMessage) -> Submitted {
        self.0.writer.submit(message)
    }

    /// Delivers what was committed: here at once, on other nodes through the fabric. Nothing waits for that.
    pub fn committed(&self, entries: &[Entry]) {
        (self.0.on_commit)(entries);
        for entry in entries {
            let (line, text) = Line::of(entry);
            if let Some(feed) = self.0.hub.feed(entry.stream) {
                self.deliver(&feed, line);
            }
            let publication = Publication {
                stream: entry.stream.as_uuid(),
                seq: entry.seq.0,
                payload: text.into(),
                drop_tail: matches!(entry.body, EntryBody::Recall { .. }),
            };
            if self.0.publications.try_send(publication).is_err() {
                // What the cache holds of this stream no longer tells all: a recalled text may stand in it.
                self.0.fabric.drop_tail_soon(entry.stream.as_uuid());
                metrics::counter!("hubbub_pubsub_dropped_total", "cause" => "publisher_full").increment(1);
            }
        }
    }

    /// Sends a signal to who follows a stream, on any node, but not to `except`. It may be lost.
    pub async fn signal(&self, stream: StreamId, except: Option<UserId>, signal: Signal) {
        let frame = encode_push(&Push::Signal(signal)).expect("a signal is plain data");
        let text = signal_text(except, &frame);
        let topic = Topic::Stream(stream.as_uuid());
        if let Err(error) = self.0.fabric.publish(topic, &text.into()).await {
            tracing::debug!(%error, "a signal was lost");
        }
    }

    /// Ends the connections of a session: here at once, on other nodes as soon as they hear it.
    pub fn end_session(&self, session: SessionId, end: &SessionEnd) {
        self.0.hub.end_session(session, &end.clone().into());
        let control = Control::SessionEnded { session, end: end.clone() };
        let streams = self.clone();
        self.spawn(async move {
            let text = serde_json::to_string(&control).expect("a control word is plain data");
            if let Err(error) = streams.0.fabric.publish(Topic::Control, &text.into()).await {
                tracing::warn!(%error, "other nodes learn of an ended session only from the database");
            }
        });
    }

    /// Puts an entry in line, and does what follows from it.
    fn deliver(&self, feed: &Arc<Feed>, line: Line) {
        match feed.sequence(line) {
            Sequenced::Delivered => {
                metrics::counter!("hubbub_messages_delivered_total").increment(1);
                self.follow_joins(feed);
            }
            Sequenced::Repeated => {}
            Sequenced::Early => self.repair_soon(feed),
        }
    }

    /// Tells all nodes something about presence.
    ///
    /// # Errors
    /// Redis did not take it.
    pub async fn tell_presence(&self, word: Payload) -> fabric::Result<()> {
        self.0.fabric.publish(Topic::Presence, &word).await
    }

    /// Runs until it ends or the node stops.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.0.stop.clone();
        self.0.tasks.spawn(async move {
            tokio::select! { () = task => {}, () = stop.cancelled() => {} }
        });
    }
}
