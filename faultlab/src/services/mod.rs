//! A private Postgres and a private Redis, which the rig may treat as badly as it likes.

mod folder;
mod postgres;
mod redis;

pub use folder::Folder;
pub use postgres::Postgres;
pub use redis::Redis;

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{
    error::{Doing, LabError, Result},
    rng::{Rng, unrepeatable},
};

/// Longest wait for a service that was started.
const START_LIMIT: Duration = Duration::from_mins(1);
/// How often it is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// Ports tried before it is given up.
const ATTEMPTS: usize = 5;
/// Ports below those that the system gives to outgoing connections: what is restarted finds its own free.
const PORTS: (u64, u64) = (12_000, 31_999);

/// A port that nobody listens on.
fn free_port(rng: &mut Rng) -> Result<u16> {
    for _ in 0..100 {
        let port = u16::try_from(rng.within(PORTS.0, PORTS.1)).doing("choose a port")?;
        if TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).is_ok() {
            return Ok(port);
        }
    }
    Err(LabError::new("no free port was found"))
}

/// Starts something on a free port, and on another one when that fails: somebody may have taken it first.
async fn on_free_port(mut start: impl AsyncFnMut(u16) -> Result<()>) -> Result<()> {
    let mut rng = chance();
    for _ in 1..ATTEMPTS {
        if start(free_port(&mut rng)?).await.is_ok() {
            return Ok(());
        }
    }
    start(free_port(&mut rng)?).await
}

/// A password that nobody knows.
fn password() -> Result<String> {
    Ok(format!("{:016x}{:016x}", unrepeatable()?, unrepeatable()?))
}

/// Asks again and again until the answer is yes.
async fn until_ready(what: &str, mut ask: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + START_LIMIT;
    while !ask().await? {
        if Instant::now() > deadline {
            return Err(LabError::new(format!("{what} did not get ready within {START_LIMIT:?}")));
        }
        sleep(ASK_EVERY).await;
    }
    Ok(())
}

/// Numbers that differ from run to run, for ports.
fn chance() -> Rng {
    Rng::new(unrepeatable().unwrap_or_else(|_| u64::from(std::process::id())))
}
