//! Whether a holder that comes late to give back its lock frees the lock of the next one. Locks guard no promise to
//! clients, so no history shows it; this asks the fabric on a real Redis, named by `REDIS_URL`. Ends with 0 when the
//! second holder keeps its lock, 1 when it does not, 2 when it could not be tried.

use std::{process::ExitCode, time::Duration};

use hubbub_server::fabric::{Fabric, Key, RedisSettings};
use uuid::Uuid;

/// The first holder's time.
const SHORT: Duration = Duration::from_millis(100);
/// The second holder's: longer than all of this.
const LONG: Duration = Duration::from_mins(1);
/// Longest wait for the first holder's time to be over.
const WAIT: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match second_keeps_its_lock().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            println!("a late unlock freed the lock of the next holder");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("late_unlock: {error}");
            ExitCode::from(2)
        }
    }
}

async fn second_keeps_its_lock() -> Result<bool, Box<dyn std::error::Error>> {
    let fabric = Fabric::redis(&RedisSettings::new(&std::env::var("REDIS_URL")?)).await?;
    let key = Key::lock_of("late-unlock", Uuid::now_v7());
    let first = fabric.lock(&key, SHORT).await?.ok_or("a new lock is free")?;
    let second = fabric.lock_within(&key, LONG, WAIT).await?.ok_or("a lock expires")?;
    let freed = fabric.unlock(first).await?;
    let third = fabric.lock(&key, LONG).await?;
    let kept = fabric.unlock(second).await?;
    fabric.close().await;
    Ok(!freed && third.is_none() && kept)
}
