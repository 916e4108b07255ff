//! One edge between two processes, in our hands: it can be cut, fall silent, or be slow, and the edge to Redis can
//! lose publications and hand them over late.

mod edge;
mod publications;

pub use publications::{Fate, Publication};

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use self::{edge::Edge, publications::Filter};
use crate::error::{Doing, Result};

/// Longest wait for the other side.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// What an edge does with bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Passes them on.
    #[default]
    Through,
    /// Refuses connections; those that were there have been reset.
    Cut,
    /// Takes bytes and connections and passes nothing on until it is healed: what a lost route looks like.
    BlackHole(Way),
    /// Passes everything on this much later, in order.
    Slow(Duration),
}

/// Which way a black hole swallows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the side that connected to the other.
    Forth,
    /// Back to the side that connected.
    Back,
    /// Both.
    Both,
}

impl Mode {
    fn swallows(self, way: Way) -> bool {
        matches!(self, Self::BlackHole(Way::Both)) || self == Self::BlackHole(way)
    }

    fn delay(self) -> Duration {
        if let Self::Slow(delay) = self { delay } else { Duration::ZERO }
    }
}

/// A proxy before one address. Ends with this value.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    upstream: watch::Sender<Option<SocketAddr>>,
    mode: watch::Sender<Mode>,
    /// Cancelled with all present connections, and replaced.
    connections: Mutex<CancellationToken>,
    filter: Option<Mutex<Filter>>,
    accepted: AtomicU64,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("mode", &*self.mode.borrow()).finish_non_exhaustive()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut_present();
    }
}

impl Proxy {
    /// A proxy that does not look into what it passes on.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(upstream: Option<SocketAddr>) -> Result<Self> {
        Self::begin(upstream, None).await
    }

    /// A proxy before Redis: it can tell publications from replies, see [`Proxy::on_publication`].
    ///
    /// # Errors
    /// No port is free.
    pub async fn start_before_redis(upstream: SocketAddr) -> Result<Self> {
        Self::begin(Some(upstream), Some(Mutex::new(Filter::default()))).await
    }

    async fn begin(upstream: Option<SocketAddr>, filter: Option<Mutex<Filter>>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.doing("open a proxy")?;
        let address = listener.local_addr().doing("open a proxy")?;
        let shared = Arc::new(Shared {
            upstream: watch::Sender::new(upstream),
            mode: watch::Sender::new(Mode::Through),
            connections: Mutex::new(CancellationToken::new()),
            filter,
            accepted: AtomicU64::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, accepting })
    }

    /// Where to connect; it stays the same whatever stands behind.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What stands behind from now on; `None` for nothing. Present connections stay.
    pub fn set_upstream(&self, upstream: Option<SocketAddr>) {
        self.shared.upstream.send_replace(upstream);
    }

    /// Resets all connections and refuses new ones.
    pub fn cut(&self) {
        self.shared.mode.send_replace(Mode::Cut);
        self.cut_present();
    }

    /// Resets all connections; new ones are welcome.
    pub fn cut_present(&self) {
        let mut token = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        token.cancel();
        *token = CancellationToken::new();
    }

    /// Swallows bytes, one way or both. What came meanwhile is passed on when it is healed.
    pub fn black_hole(&self, way: Way) {
        self.shared.mode.send_replace(Mode::BlackHole(way));
    }

    /// Passes everything on this much later.
    pub fn slow(&self, delay: Duration) {
        self.shared.mode.send_replace(Mode::Slow(delay));
    }

    /// Passes everything on at once, as in the beginning. Publications are still judged.
    pub fn heal(&self) {
        self.shared.mode.send_replace(Mode::Through);
    }

    /// What it does now.
    pub fn mode(&self) -> Mode {
        *self.shared.mode.borrow()
    }

    /// Connections taken so far.
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    /// Judges every publication on its way from Redis to this node from now on. Does nothing on an edge that was not
    /// started with [`Proxy::start_before_redis`].
    pub fn on_publication(&self, judge: impl FnMut(&Publication) -> Fate + Send + 'static) {
        if let Some(filter) = &self.shared.filter {
            filter.lock().unwrap_or_else(PoisonError::into_inner).judge = Some(Box::new(judge));
        }
    }

    /// Lets all publications pass again.
    pub fn pass_publications(&self) {
        if let Some(filter) = &self.shared.filter {
            filter.lock().unwrap_or_else(PoisonError::into_inner).judge = None;
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        // Nothing but a lack of files makes this fail; the next try may find some.
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        shared.accepted.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(serve(client, Arc::clone(&shared)));
    }
}

async fn serve(client: TcpStream, shared: Arc<Shared>) {
    let cut = shared.connections.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut mode = shared.mode.subscribe();
    if *mode.borrow() == Mode::Cut {
        return reset(&client);
    }
    // Whoever connects into a black hole waits for an answer that does not come.
    let opened = tokio::select! {
        _ = mode.wait_for(|mode| !mode.swallows(Way::Forth)) => true,
        () = cut.cancelled() => false,
    };
    let upstream = *shared.upstream.borrow();
    let Some(upstream) = upstream.filter(|_| opened) else { return reset(&client) };
    match timeout(CONNECT_LIMIT, TcpStream::connect(upstream)).await {
        Ok(Ok(server)) => Edge { client, server, shared, cut }.run().await,
        _ => reset(&client),
    }
}

/// Closes a connection the hard way: the other side sees a reset, not an end.
fn reset(stream: &TcpStream) {
    // A socket that is gone already needs none.
    let _ = stream.set_zero_linger();
}
