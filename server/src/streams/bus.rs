//! What other nodes say, and what this one says to them.

use tokio::sync::mpsc;

use super::{Overheard, Streams, control::Control, line::Heard};
use crate::{
    fabric::{BusEvent, Payload, Publication, Topic},
    mutant::{self, Mutant},
};

/// Publications that share one round trip.
const BATCH: usize = 64;

/// Extends the cached tails and tells the other nodes, in the order of the commits of this node.
pub(super) async fn publish(streams: Streams, mut queue: mpsc::Receiver<Publication>) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        if mutant::active(Mutant::DropPublication) {
            batch.retain(|_| !mutant::is_one_in_a_thousand());
        }
        if let Err(error) = streams.0.fabric.append(&batch).await {
            metrics::counter!("hubbub_pubsub_errors_total").increment(batch.len() as u64);
            tracing::debug!(%error, entries = batch.len(), "not published; the other nodes find it in the database");
        }
        batch.clear();
    }
}

/// Hears the other nodes until the bus is gone with the node.
pub(super) async fn listen(streams: Streams, mut incoming: mpsc::Receiver<BusEvent>) {
    if let Err(error) = streams.0.fabric.follow(&[Topic::Control, Topic::Presence]).await {
        tracing::warn!(%error, "what concerns all nodes is not heard yet");
    }
    while let Some(event) = incoming.recv().await {
        match event {
            BusEvent::Message { topic: Topic::Stream(id), payload } => streams.heard(id, payload),
            BusEvent::Message { topic: Topic::Control, payload } => streams.control(&payload),
            BusEvent::Message { topic: Topic::Presence, payload } => {
                streams.overheard(Overheard::Presence(payload));
            }
            BusEvent::Message { topic: Topic::Probe(_), .. } => {}
            BusEvent::Resync => {
                streams.overheard(Overheard::Interrupted);
                let streams = streams.clone();
                streams.clone().spawn(async move {
                    if let Err(error) = streams.resync().await {
                        error.log("compare streams with their heads");
                    }
                });
            }
        }
    }
}

impl Streams {
    fn overheard(&self, what: Overheard) {
        // A queue that is full loses words; who reads them notices by their numbers.
        if self.0.overheard.try_send(what).is_err() {
            metrics::counter!("hubbub_pubsub_dropped_total", "cause" => "presence_full").increment(1);
        }
    }

    fn heard(&self, id: uuid::Uuid, payload: Payload) {
        let Some(feed) = self.0.hub.feed_of(id) else { return };
        match Heard::parse(&payload.into_inner()) {
            Some(Heard::Line(line)) => self.deliver(&feed, line),
            Some(Heard::Signal(except, frame)) => feed.signal(except, &frame),
            None => metrics::counter!("hubbub_pubsub_errors_total", "cause" => "damaged").increment(1),
        }
    }

    fn control(&self, payload: &Payload) {
        match serde_json::from_str(payload) {
            Ok(Control::SessionEnded { session, end }) => self.0.hub.end_session(session, &end.into()),
            Ok(Control::Heads { heads }) => self.compare(&heads),
            // A newer node's word: this one learns the same from the database.
            Err(error) => tracing::debug!(%error, "an unknown control word"),
        }
    }
}
