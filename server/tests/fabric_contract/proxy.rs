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
    /// Nothing comes through in either direction.
    swallows: AtomicBool,
    /// Lines end with the first answer.
    cuts: AtomicBool,
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

    /// Whether all that is sent is lost, also on new connections, which are taken.
    pub(crate) fn swallow(&self, everything: bool) {
        self.lines.swallows.store(everything, Ordering::SeqCst);
    }

    /// From now on connections end when Redis answers, without its answer.
    pub(crate) fn cut_before_answers(&self) {
        self.lines.cuts.store(true, Ordering::SeqCst);
    }

    pub(crate) fn pass_answers(&self) {
        self.lines.cuts.store(false, Ordering::SeqCst);
    }
}

async fn accept(listener: TcpListener, redis: u16, lines: Arc<Lines>) {
    while let Ok((client, _)) = listener.accept().await {
        let line = lines.count.fetch_add(1, Ordering::SeqCst);
        let Ok(server) = TcpStream::connect(("127.0.0.1", redis)).await else { continue };
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        let listens = Arc::new(AtomicBool::new(false));
        let (asked, there, back) = (Arc::clone(&listens), Arc::clone(&lines), Arc::clone(&lines));
        tokio::spawn(pass(from_client, to_server, move |bytes| {
            if bytes.windows(9).any(|word| word == b"SUBSCRIBE") {
                asked.store(true, Ordering::SeqCst);
            }
            let swallowed = there.swallows.load(Ordering::SeqCst);
            if swallowed { Passing::Lost } else { Passing::Through }
        }));
        tokio::spawn(pass(from_server, to_client, move |_| {
            let silent = listens.load(Ordering::SeqCst) && line < back.silent_before.load(Ordering::SeqCst);
            if back.cuts.load(Ordering::SeqCst) {
                Passing::Cut
            } else if silent || back.swallows.load(Ordering::SeqCst) {
                Passing::Lost
            } else {
                Passing::Through
            }
        }));
    }
}

/// What becomes of bytes that come by.
#[derive(PartialEq)]
enum Passing {
    Through,
    Lost,
    /// They are lost, and the line with them.
    Cut,
}

/// Passes bytes on as it is told, until one side ends.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, passing: impl Fn(&[u8]) -> Passing) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let passing = passing(&bytes[..count]);
        let ends = passing == Passing::Through && to.write_all(&bytes[..count]).await.is_err();
        if ends || passing == Passing::Cut {
            return;
        }
    }
}
