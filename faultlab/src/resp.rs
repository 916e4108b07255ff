//! Redis' protocol, as much of it as a rig needs: commands and replies, and where a frame ends.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::error::{Doing, LabError, Result};

/// Longest wait for Redis.
const LIMIT: Duration = Duration::from_secs(5);
/// Largest frame that is understood, in bytes.
const FRAME_BYTES: usize = 16 * 1024 * 1024;
/// Deepest nesting of arrays that is understood.
const DEPTH: usize = 8;

/// What Redis says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A text, a number, a status: as it stands on the wire.
    Text(String),
    /// An array, a set, a map (keys and values in turn), a push.
    List(Vec<Reply>),
    /// Nothing.
    Nil,
}

impl Reply {
    /// The text of a text.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// A connection that asks one thing after the other.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    /// Connects and authenticates.
    ///
    /// # Errors
    /// Nobody listens, or the password is wrong.
    pub async fn open(address: SocketAddr, password: &str) -> Result<Self> {
        let stream = timeout(LIMIT, TcpStream::connect(address)).await.doing("connect to Redis")?;
        let mut connection = Self { stream: stream.doing("connect to Redis")?, read: Vec::new() };
        connection.command(&["AUTH", password]).await?;
        Ok(connection)
    }

    /// Runs one command.
    ///
    /// # Errors
    /// No answer within 5 s, or an error of Redis.
    pub async fn command(&mut self, words: &[&str]) -> Result<Reply> {
        // The words stay out of the error: one of them may be a password.
        let name = words.first().copied().unwrap_or_default().to_owned();
        timeout(LIMIT, self.exchange(words))
            .await
            .doing(&format!("Redis {name}"))?
            .doing(&format!("Redis {name}"))
    }

    async fn exchange(&mut self, words: &[&str]) -> Result<Reply> {
        let words: Vec<_> = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        let text = format!("*{}\r\n{}", words.len(), words.concat());
        self.stream.write_all(text.as_bytes()).await.doing("write to Redis")?;
        loop {
            if let Some((reply, length)) = parse(&self.read)? {
                self.read.drain(..length);
                return reply.map_err(LabError::new);
            }
            if self.stream.read_buf(&mut self.read).await.doing("read from Redis")? == 0 {
                return Err(LabError::new("Redis closed the connection"));
            }
        }
    }
}

/// A reply, or the words of an error.
type Outcome = Result<Reply, String>;

/// The first reply in `bytes` and its length; `None` when more must come.
fn parse(bytes: &[u8]) -> Result<Option<(Outcome, usize)>> {
    let Some(length) = frame_length(bytes).map_err(|Garbled| LabError::new("Redis speaks something else"))?
    else {
        return Ok(None);
    };
    let mut rest = &bytes[..length];
    Ok(Some((take(&mut rest), length)))
}

/// Reads a frame that is known to be whole.
fn take(rest: &mut &[u8]) -> Outcome {
    let Some((kind, line)) = take_line(rest) else { return Ok(Reply::Nil) };
    let count = || line.parse::<i64>().ok().and_then(|count| usize::try_from(count).ok());
    match kind {
        b'-' => Err(line),
        b'$' | b'=' => Ok(count().map_or(Reply::Nil, |length| {
            let text = String::from_utf8_lossy(&rest[..length]).into_owned();
            *rest = &rest[length + 2..];
            Reply::Text(text)
        })),
        b'*' | b'>' | b'~' | b'%' => {
            let Some(count) = count() else { return Ok(Reply::Nil) };
            let count = if kind == b'%' { count * 2 } else { count };
            (0..count).map(|_| take(rest)).collect::<Result<_, _>>().map(Reply::List)
        }
        b'_' => Ok(Reply::Nil),
        _ => Ok(Reply::Text(line)),
    }
}

fn take_line(rest: &mut &[u8]) -> Option<(u8, String)> {
    let end = find_line_end(rest)?;
    let line = String::from_utf8_lossy(&rest[1..end]).into_owned();
    let kind = rest[0];
    *rest = &rest[end + 2..];
    Some((kind, line))
}

fn find_line_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|pair| pair == b"\r\n")
}

/// These bytes are not RESP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garbled;

/// How long the first frame of RESP 2 or 3 in `bytes` is; `None` when it is not whole yet.
///
/// # Errors
/// It is no frame, or larger than 16 MiB.
pub fn frame_length(bytes: &[u8]) -> Result<Option<usize>, Garbled> {
    length_at(bytes, 0, DEPTH)
}

/// The end of the frame that begins at `start`.
fn length_at(bytes: &[u8], start: usize, depth: usize) -> Result<Option<usize>, Garbled> {
    let Some(kind) = bytes.get(start) else { return Ok(None) };
    let Some(line_end) = find_line_end(&bytes[start..]).map(|end| start + end) else {
        return if bytes.len() - start > 64 * 1024 { Err(Garbled) } else { Ok(None) };
    };
    let number = || std::str::from_utf8(&bytes[start + 1..line_end]).ok()?.parse::<i64>().ok();
    let body = line_end + 2;
    match kind {
        b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => Ok(Some(body)),
        b'$' | b'=' | b'!' => match number().ok_or(Garbled)? {
            ..0 => Ok(Some(body)),
            length => {
                let length = usize::try_from(length).map_err(|_| Garbled)?;
                if length > FRAME_BYTES { Err(Garbled) } else { Ok(whole(bytes, body + length + 2)) }
            }
        },
        b'*' | b'>' | b'~' | b'%' | b'|' => {
            let count = usize::try_from(number().ok_or(Garbled)?.max(0)).map_err(|_| Garbled)?;
            let count = if matches!(kind, b'%' | b'|') { count.saturating_mul(2) } else { count };
            let depth = depth.checked_sub(1).ok_or(Garbled)?;
            let mut end = body;
            for _ in 0..count {
                match length_at(bytes, end, depth)? {
                    Some(next) => end = next,
                    None => return Ok(None),
                }
            }
            Ok(Some(end))
        }
        _ => Err(Garbled),
    }
}

fn whole(bytes: &[u8], end: usize) -> Option<usize> {
    (bytes.len() >= end).then_some(end)
}

/// Channel and payload of a frame that hands a publication to a subscriber; `None` for every other frame.
pub fn publication(frame: &[u8]) -> Option<(String, String)> {
    if !matches!(frame.first(), Some(b'*' | b'>')) {
        return None;
    }
    let mut rest = frame;
    let Ok(Reply::List(parts)) = take(&mut rest) else { return None };
    let mut texts =
        parts.into_iter().map(|part| if let Reply::Text(text) = part { Some(text) } else { None });
    let kind = texts.next()??;
    if kind == "pmessage" {
        texts.next()?;
    } else if !matches!(kind.as_str(), "message" | "smessage") {
        return None;
    }
    Some((texts.next()??, texts.next()??))
}

#[cfg(test)]
mod tests {
    use super::{Garbled, Reply, frame_length, parse, publication};

    #[test]
    fn the_end_of_a_frame_is_found_and_never_before_it_is_there() {
        let frames: [&[u8]; 6] = [
            b"+OK\r\n",
            b"$5\r\nhe\r\no\r\n",
            b"$-1\r\n",
            b"*2\r\n:1\r\n*1\r\n$1\r\nx\r\n",
            b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n",
            b"%1\r\n+a\r\n_\r\n",
        ];
        for frame in frames {
            for part in 0..frame.len() {
                assert_eq!(frame_length(&frame[..part]), Ok(None), "{part} of {frame:?}");
            }
            let more = [frame, b"+more\r\n"].concat();
            assert_eq!(frame_length(&more), Ok(Some(frame.len())));
        }
        assert_eq!(frame_length(b"GET / HTTP/1.1\r\n"), Err(Garbled));
        assert_eq!(frame_length(b"$x\r\n"), Err(Garbled));
    }

    #[test]
    fn publications_are_told_from_replies() {
        let of = |frame: &[u8]| publication(frame).map(|(channel, payload)| channel + "=" + &payload);
        assert_eq!(of(b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n").as_deref(), Some("c=hi"));
        assert_eq!(of(b"*3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n").as_deref(), Some("c=hi"));
        assert_eq!(
            of(b"*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nc\r\n$2\r\nhi\r\n").as_deref(),
            Some("c=hi")
        );
        assert_eq!(of(b">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"), None);
        assert_eq!(of(b"$7\r\nmessage\r\n"), None);
    }

    #[test]
    fn replies_are_read() {
        let read = |bytes: &[u8]| parse(bytes).unwrap().unwrap().0;
        assert_eq!(read(b"$2\r\nhi\r\n"), Ok(Reply::Text("hi".to_owned())));
        assert_eq!(
            read(b"*2\r\n$-1\r\n:7\r\n"),
            Ok(Reply::List(vec![Reply::Nil, Reply::Text("7".to_owned())]))
        );
        assert_eq!(read(b"-OOM no room\r\n"), Err("OOM no room".to_owned()));
    }
}
