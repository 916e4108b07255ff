//! How a connection begins to follow a stream, and catches up with it.
//!
//! A connection is added to the feed first, as one that catches up and gets nothing. Then its membership is read
//! from SQL: a removal that is committed later than that is above the feed's position, so the feed will see it. Only
//! then are missed entries read and sent, and the connection made live.

use std::{sync::Arc, time::Duration};

use hubbub_protocol::{
    close::CloseCode,
    id::{RoomId, Seq, StreamId},
};
use tokio::time::Instant;

use super::{
    Streams,
    feed::{Feed, Progress},
    listener::Listener,
};
use crate::{
    error::CommandError,
    fabric::Topic,
    jitter::jittered,
    store::{
        self,
        rooms::{self, Access},
    },
};

/// How long a connection that cannot catch up, because the database does not answer, is kept.
const PATIENCE: Duration = Duration::from_secs(30);
/// About how long it waits between two tries.
const RETRY: Duration = Duration::from_millis(500);
/// How long a connection waits until a stream that another one opens is open.
const OPEN_WAIT: Duration = Duration::from_secs(4);

/// Where a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The stream.
    pub stream: StreamId,
    /// It has everything up to and including this seq.
    pub cursor: Seq,
}

/// Streams that a connection follows but gets nothing of yet.
pub struct Followed(Vec<Arc<Feed>>);

impl Streams {
    /// Adds a connection to the feeds of these streams; it gets nothing until [`Streams::catch_up`].
    ///
    /// # Errors
    /// `unavailable` when the heads cannot be read.
    pub async fn add(&self, listener: &Listener, streams: &[StreamId]) -> Result<Followed, CommandError> {
        let (all, new) = self.0.hub.add(listener, streams);
        if listener.outbox.is_shut() {
            // Deregistered meanwhile, perhaps before it stood among the followers.
            self.0.hub.deregister(listener);
        }
        if let Err(error) = self.open(&new).await {
            for feed in new {
                self.0.hub.forget(&feed);
            }
            return Err(error);
        }
        for feed in &all {
            let open = tokio::time::timeout(OPEN_WAIT, feed.wait_open()).await;
            if !matches!(open, Ok(true)) {
                return Err(CommandError::Unavailable("the head of a stream cannot be read".into()));
            }
        }
        Ok(Followed(all))
    }

    /// Subscribes first and reads the heads then, so that nothing falls between.
    async fn open(&self, feeds: &[Arc<Feed>]) -> Result<(), CommandError> {
        if feeds.is_empty() {
            return Ok(());
        }
        let topics: Vec<_> = feeds.iter().map(|feed| Topic::Stream(feed.stream.as_uuid())).collect();
        if let Err(error) = self.0.fabric.follow(&topics).await {
            // The fabric subscribes as soon as it can and then asks for a comparison with the heads.
            tracing::debug!(%error, "streams are followed without the bus for now");
        }
        let ids: Vec<_> = feeds.iter().map(|feed| feed.stream).collect();
        let heads = store::entries::heads(&self.0.db, &ids).await?;
        for feed in feeds {
            feed.open(heads.get(&feed.stream).copied().unwrap_or_default());
        }
        Ok(())
    }

    /// Sends what a connection misses of each stream, in order, and makes it live there. It runs beside the
    /// connection and ends it with "resume" when a store fails midway.
    pub fn catch_up(&self, listener: &Listener, followed: Followed, starts: &[Start]) {
        for feed in followed.0 {
            let Some(start) = starts.iter().find(|start| start.stream == feed.stream) else {
                self.0.hub.remove(listener, feed.stream);
                continue;
            };
            // The common case needs no task: nothing is missing.
            match feed.progress(listener.id, start.cursor) {
                Progress::Live => {}
                Progress::Gone => self.0.hub.remove(listener, feed.stream),
                Progress::Missing(_) => {
                    let (streams, listener, cursor) = (self.clone(), Arc::clone(listener), start.cursor);
                    self.spawn(async move { streams.catch_up_feed(&listener, &feed, cursor).await });
                }
            }
        }
    }

    async fn catch_up_feed(&self, listener: &Listener, feed: &Arc<Feed>, mut cursor: Seq) {
        metrics::counter!("hubbub_recover_total", "result" => "following").increment(1);
        let began = Instant::now();
        loop {
            let target = match feed.progress(listener.id, cursor) {
                Progress::Live => return,
                Progress::Gone => return self.0.hub.remove(listener, feed.stream),
                Progress::Missing(target) => target,
            };
            let lines = match self.lines(feed.stream, cursor, target).await {
                Ok(lines) if !lines.is_empty() => lines,
                Err(_) if began.elapsed() < PATIENCE && !listener.outbox.is_shut() => {
                    tokio::time::sleep(jittered(RETRY)).await;
                    continue;
                }
                outcome => {
                    let error = outcome.err();
                    tracing::warn!(stream = %feed.stream, ?error, "catching up failed; the client resumes");
                    return listener.outbox.close(CloseCode::Internal.into());
                }
            };
            for line in lines.iter() {
                if listener.outbox.send(line.frame.clone()).await.is_err() {
                    return;
                }
                cursor = line.seq;
            }
        }
    }

    /// Follows the rooms that someone's own stream said they joined.
    pub(super) fn follow_joins(&self, feed: &Feed) {
        if !matches!(feed.stream, StreamId::User(_)) {
            return;
        }
        for (listener, room, seq) in feed.take_joins() {
            let streams = self.clone();
            self.spawn(async move {
                // From the joining entry on, that one included.
                let cursor = Seq(seq.0.saturating_sub(1));
                let began = Instant::now();
                while let Err(error) = streams.follow_room(&listener, room, cursor).await {
                    if listener.outbox.is_shut() {
                        return;
                    }
                    if began.elapsed() > PATIENCE {
                        error.log("follow a joined room");
                        return listener.outbox.close(CloseCode::Internal.into());
                    }
                    tokio::time::sleep(jittered(RETRY)).await;
                }
            });
        }
    }

    async fn follow_room(&self, listener: &Listener, room: RoomId, cursor: Seq) -> Result<(), CommandError> {
        let stream = StreamId::Room(room);
        let followed = self.add(listener, &[stream]).await?;
        let starts = match rooms::access(&self.0.db, room, listener.user).await? {
            Access::Member { .. } => vec![Start { stream, cursor }],
            _ => Vec::new(),
        };
        self.catch_up(listener, followed, &starts);
        Ok(())
    }
}
