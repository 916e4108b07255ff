//! One connection through a proxy: two pumps, one each way.

use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Fate, Mode, Shared, Way, reset};
use crate::resp::frame_length;

/// Pieces on their way at once, each way; beyond, nothing more is read.
const PIECES: usize = 256;
/// Most bytes of a piece.
const PIECE_BYTES: usize = 32 * 1024;
/// Longest wait for a side that takes nothing, before the connection is given up.
const WRITE_LIMIT: Duration = Duration::from_mins(2);

pub(super) struct Edge {
    pub(super) client: TcpStream,
    pub(super) server: TcpStream,
    pub(super) shared: Arc<Shared>,
    pub(super) cut: CancellationToken,
}

/// A side that is gone without a goodbye.
struct Broken;

/// Bytes, and when they may go on.
struct Piece {
    due: Instant,
    /// Those behind it do not wait for it.
    late: bool,
    bytes: Bytes,
}

impl Edge {
    pub(super) async fn run(self) {
        let Self { mut client, mut server, shared, cut } = self;
        // Small frames are to leave at once, as they would without us.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let orderly = {
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            let forth = pump(from_client, to_server, &shared, Way::Forth);
            let back = pump(from_server, to_client, &shared, Way::Back);
            tokio::select! {
                ended = async { tokio::try_join!(forth, back) } => ended.is_ok(),
                () = cut.cancelled() => false,
            }
        };
        if !orderly {
            reset(&client);
            reset(&server);
        }
    }
}

async fn pump(reader: ReadHalf<'_>, writer: WriteHalf<'_>, shared: &Shared, way: Way) -> Result<(), Broken> {
    let (pieces, queue) = mpsc::channel(PIECES);
    tokio::try_join!(read(reader, pieces, shared, way), write(writer, queue, shared, way)).map(|_| ())
}

async fn read(
    mut reader: ReadHalf<'_>,
    pieces: mpsc::Sender<Piece>,
    shared: &Shared,
    way: Way,
) -> Result<(), Broken> {
    let mut judged = shared.filter.is_some() && way == Way::Back;
    let mut buffer = BytesMut::with_capacity(PIECE_BYTES);
    loop {
        match reader.read_buf(&mut buffer).await {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(_) => return Err(Broken),
        }
        let due = Instant::now() + shared.mode.borrow().delay();
        if !judged {
            send(&pieces, Piece { due, late: false, bytes: buffer.split().freeze() }).await?;
            continue;
        }
        // What is not understood passes unjudged, from there on.
        judged = judge(&mut buffer, &pieces, shared, due).await?;
    }
}

/// Passes on the whole frames in the buffer, each by its fate; false when there is something that is no frame.
async fn judge(
    buffer: &mut BytesMut,
    pieces: &mpsc::Sender<Piece>,
    shared: &Shared,
    due: Instant,
) -> Result<bool, Broken> {
    loop {
        let length = match frame_length(buffer) {
            Ok(Some(length)) => length,
            Ok(None) => return Ok(true),
            Err(_) => {
                send(pieces, Piece { due, late: false, bytes: buffer.split().freeze() }).await?;
                return Ok(false);
            }
        };
        let bytes = buffer.split_to(length).freeze();
        let fate = match &shared.filter {
            Some(filter) => filter.lock().unwrap_or_else(PoisonError::into_inner).fate(&bytes),
            None => Fate::Pass,
        };
        match fate {
            Fate::Drop => {}
            Fate::Pass => send(pieces, Piece { due, late: false, bytes }).await?,
            Fate::Late(by) => send(pieces, Piece { due: due + by, late: true, bytes }).await?,
        }
    }
}

async fn send(pieces: &mpsc::Sender<Piece>, piece: Piece) -> Result<(), Broken> {
    pieces.send(piece).await.map_err(|_| Broken)
}

async fn write(
    mut writer: WriteHalf<'_>,
    mut queue: mpsc::Receiver<Piece>,
    shared: &Shared,
    way: Way,
) -> Result<(), Broken> {
    let mut late = BinaryHeap::new();
    let mut mode = shared.mode.subscribe();
    loop {
        let next_late = late.peek().map(|LateFirst(piece): &LateFirst| piece.due);
        let piece = tokio::select! {
            piece = queue.recv() => piece,
            () = until(next_late) => late.pop().map(|LateFirst(piece)| piece),
        };
        let Some(piece) = piece else { break };
        if piece.late && piece.due > Instant::now() {
            late.push(LateFirst(piece));
            continue;
        }
        sleep_until(piece.due).await;
        pass(&mut writer, &mut mode, way, &piece.bytes).await?;
    }
    while let Some(LateFirst(piece)) = late.pop() {
        sleep_until(piece.due).await;
        pass(&mut writer, &mut mode, way, &piece.bytes).await?;
    }
    // A goodbye does not get through a black hole either.
    wait_while_swallowed(&mut mode, way).await?;
    writer.shutdown().await.map_err(|_| Broken)
}

async fn pass(
    writer: &mut WriteHalf<'_>,
    mode: &mut tokio::sync::watch::Receiver<Mode>,
    way: Way,
    bytes: &[u8],
) -> Result<(), Broken> {
    wait_while_swallowed(mode, way).await?;
    match timeout(WRITE_LIMIT, writer.write_all(bytes)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Broken),
    }
}

async fn wait_while_swallowed(mode: &mut tokio::sync::watch::Receiver<Mode>, way: Way) -> Result<(), Broken> {
    mode.wait_for(|mode| !mode.swallows(way)).await.map(|_| ()).map_err(|_| Broken)
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Orders a heap by the earliest moment.
struct LateFirst(Piece);

impl PartialEq for LateFirst {
    fn eq(&self, other: &Self) -> bool {
        self.0.due == other.0.due
    }
}

impl Eq for LateFirst {}

impl PartialOrd for LateFirst {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LateFirst {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.due.cmp(&self.0.due)
    }
}
