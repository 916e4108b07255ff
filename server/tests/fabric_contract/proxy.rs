//! A way to Redis that can fall silent without breaking.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Passes bytes on between the fabric and Redis.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    lines: Arc<Lines>,
}

#[derive(Default)]
struct Lines {
    count: AtomicUsize,
    /// Of the lines before this one, those that subscribed carry nothing back.
    silent_before: AtomicUsize,
}

impl Proxy {
    pub(crate) async fn before(redis: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let lines = Arc::<Lines>::default();
        tokio::spawn(accept(listener, redis, Arc::clone(&lines)));
        Self { port, lines }
    }

    /// From now on the connections that listen hear nothing, and are not closed. New ones are as they should be.
    pub(crate) fn silence_listeners(&self) {
        self.lines.silent_before.store(self.lines.count.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

async fn accept(listener: TcpListener, redis: u16, lines: Arc<Lines>) {
    while let Ok((client, _)) = listener.accept().await {
        let line = lines.count.fetch_add(1, Ordering::SeqCst);
        let Ok(server) = TcpStream::connect(("127.0.0.1", redis)).await else { continue };
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        let listens = Arc::new(AtomicBool::new(false));
        let (asked, lines) = (Arc::clone(&listens), Arc::clone(&lines));
        tokio::spawn(pass(from_client, to_server, move |bytes| {
            if bytes.windows(9).any(|word| word == b"SUBSCRIBE") {
                asked.store(true, Ordering::SeqCst);
            }
            true
        }));
        tokio::spawn(pass(from_server, to_client, move |_| {
            !listens.load(Ordering::SeqCst) || line >= lines.silent_before.load(Ordering::SeqCst)
        }));
    }
}

/// Passes on what `lets_through` allows, until one side ends.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, lets_through: impl Fn(&[u8]) -> bool) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if lets_through(&bytes[..count]) && to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
