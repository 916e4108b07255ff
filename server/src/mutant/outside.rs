//! What mutants need that the server does not have: a counter in Redis, asked in the middle of a transaction.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use uuid::Uuid;

/// Longest wait for Redis.
const LIMIT: Duration = Duration::from_millis(300);

/// True once in a thousand calls.
pub fn is_one_in_a_thousand() -> bool {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    CALLS.fetch_add(1, Ordering::Relaxed) % 1_000 == 999
}

/// The next number of a stream's counter, which begins at its head. Without Redis, the one after the head.
pub fn next_in_redis(stream: Uuid, head: i64) -> i64 {
    ask(stream, head).unwrap_or(head + 1)
}

fn ask(stream: Uuid, head: i64) -> Option<i64> {
    let url = std::env::var("REDIS_URL").ok()?;
    let (user_and_password, address) = url.strip_prefix("redis://")?.split_once('@')?;
    let (_, password) = user_and_password.split_once(':')?;
    let address = address.split('/').next()?;
    let stream_to = TcpStream::connect_timeout(&address.parse().ok()?, LIMIT).ok()?;
    stream_to.set_read_timeout(Some(LIMIT)).ok()?;
    let key = format!("mutant:{stream}");
    let commands = format!("AUTH {password}\r\nSET {key} {head} NX\r\nINCR {key}\r\n");
    (&stream_to).write_all(commands.as_bytes()).ok()?;
    let answer = BufReader::new(&stream_to).lines().nth(2)?.ok()?;
    answer.strip_prefix(':')?.parse().ok()
}
