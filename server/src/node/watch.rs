//! What a node looks after, again and again, while it serves.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::health::Health;
use crate::{
    accounts::Accounts,
    clock::{self, every},
    fabric::{Fabric, Key},
    store::{self, Db},
    streams::Streams,
};

/// How often the database and the fabric are asked whether they answer.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// How often the sessions served here are compared with the database: an end whose word was lost is found.
const SESSIONS_EVERY: Duration = Duration::from_secs(3);
/// How often the time-outs of the sessions served here begin anew.
const TOUCH_EVERY: Duration = Duration::from_mins(1);
/// How often what nobody can use any more is deleted, by one node of the cluster.
const CLEAN_EVERY: Duration = Duration::from_hours(1);
/// How long the one that does it has the right to.
const CLEAN_LEASE: Duration = Duration::from_mins(5);

/// Asks the database each second whether it can be written to, and still is the one that this node was started on.
pub(super) async fn database(
    db: Db,
    health: Arc<Health>,
    replaced: CancellationToken,
    stop: CancellationToken,
) {
    let mut ticks = every(CHECK_EVERY);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let answer = db.ping().await;
        health.database(answer.is_ok());
        measure(&db, &health, answer.is_ok());
        if answer.is_ok_and(|epoch| epoch != db.epoch()) {
            tracing::error!("the database was restored from a back-up: this node stops");
            return replaced.cancel();
        }
    }
}

fn measure(db: &Db, health: &Health, answers: bool) {
    if let Some((open, resting)) = db.connections() {
        metrics::gauge!("hubbub_pg_pool_connections", "state" => "idle").set(resting);
        metrics::gauge!("hubbub_pg_pool_connections", "state" => "used").set(open.saturating_sub(resting));
    }
    let ready = health.readiness().ready;
    metrics::gauge!("hubbub_ready").set(u32::from(ready));
    metrics::gauge!("hubbub_draining").set(u32::from(health.drain.is_cancelled()));
    if !answers {
        metrics::counter!("hubbub_dep_errors_total", "dep" => "database", "op" => "ping").increment(1);
    }
}

/// Looks each second whether Redis answers and is heard. It asks nothing: the fabric probes itself.
pub(super) async fn fabric(fabric: Fabric, health: Arc<Health>, stop: CancellationToken) {
    let mut ticks = every(CHECK_EVERY);
    ticks.reset();
    loop {
        tokio::select! {
            _ = ticks.tick() => health.fabric(fabric.is_up(), fabric.is_hearing()),
            () = stop.cancelled() => return,
        }
    }
}

/// Finds sessions that ended without this node hearing of it, and keeps those in use from timing out.
pub(super) async fn sessions(accounts: Accounts, streams: Streams, stop: CancellationToken) {
    let (mut checks, mut touches) = (every(SESSIONS_EVERY), every(TOUCH_EVERY));
    loop {
        tokio::select! {
            _ = checks.tick() => match accounts.ended_among(&streams.hub().sessions()).await {
                Ok(ended) => {
                    for (session, end) in ended {
                        streams.hub().end_session(session, &end.into());
                    }
                }
                Err(error) => error.log("compare sessions with the database"),
            },
            _ = touches.tick() => {
                let served = streams.hub().connections().into_iter().map(|connection| (connection.session, connection.user));
                accounts.touch(&served.collect()).await;
            }
            () = stop.cancelled() => return,
        }
    }
}

/// Deletes what nobody can use any more. A lock keeps the nodes from doing the same work; nothing depends on it.
pub(super) async fn clean(db: Db, fabric: Fabric, stop: CancellationToken) {
    let mut ticks = every(CLEAN_EVERY);
    // A start has other things to do.
    ticks.reset();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let Ok(Some(lock)) = fabric.lock(&Key::lock("clean"), CLEAN_LEASE).await else { continue };
        match store::expired::delete(&db, clock::now_ms()).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "deleted ended sessions and invitations"),
            Err(error) => tracing::warn!(%error, "ended sessions and invitations were not deleted"),
        }
        fabric.unlock(lock).await.ok();
    }
}
