//! What other nodes say, and what this one says to them.

use std::sync::Arc;

use hubbub_protocol::id::{RoomId, StreamId, UserId};
use tokio::sync::mpsc;

use super::{Streams, control::Control, line::Heard};
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
    if let Err(error) = streams.0.fabric.follow(&[Topic::Control]).await {
        tracing::warn!(%error, "the control topic is not heard yet");
    }
    while let Some(event) = incoming.recv().await {
        match event {
            BusEvent::Message { topic: Topic::Stream(id), payload } => streams.heard(id, payload),
            BusEvent::Message { topic: Topic::Control, payload } => streams.control(&payload),
            BusEvent::Message { topic: Topic::Probe(_), .. } => {}
            BusEvent::Resync => {
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
    fn heard(&self, id: uuid::Uuid, payload: Payload) {
        // A topic does not say whether its UUID is a room or a user; at most one of them is followed.
        let hub = &self.0.hub;
        let room = hub.feed(StreamId::Room(RoomId(id)));
        let Some(feed) = room.or_else(|| hub.feed(StreamId::User(UserId(id)))) else { return };
        match Heard::parse(&payload.into_inner()) {
            Some(Heard::Line(line)) => self.deliver(&Arc::clone(&feed), line),
            Some(Heard::Signal(except, frame)) => feed.signal(except, &frame),
            None => metrics::counter!("hubbub_pubsub_errors_total", "cause" => "damaged").increment(1),
        }
    }

    fn control(&self, payload: &Payload) {
        match serde_json::from_str(payload) {
            Ok(Control::SessionEnded { session, end }) => self.0.hub.end_session(session, &end.into()),
            // A newer node's word: this one learns the same from the database.
            Err(error) => tracing::debug!(%error, "an unknown control word"),
        }
    }
}
