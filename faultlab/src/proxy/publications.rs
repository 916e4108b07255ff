//! Publications on their way from Redis to a node.

use std::time::Duration;

use crate::resp;

/// A publication as a subscriber is handed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The whole channel, prefix included.
    pub channel: String,
    /// What was published.
    pub payload: String,
}

impl Publication {
    /// The seq of an entry; `None` for signals, control words and probes.
    pub fn seq(&self) -> Option<u64> {
        self.payload.split_once(':')?.0.parse().ok()
    }

    /// The UUID of the stream whose channel this is; `None` for other channels.
    pub fn stream(&self) -> Option<&str> {
        let (rest, stream) = self.channel.rsplit_once("stream:")?;
        let stream = stream.trim_matches(['{', '}']);
        (rest.ends_with(':') && stream.len() == 36).then_some(stream)
    }
}

/// What becomes of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is handed over.
    Pass,
    /// It is lost.
    Drop,
    /// It is handed over later, and those behind it overtake it.
    Late(Duration),
}

pub(super) type Judge = Box<dyn FnMut(&Publication) -> Fate + Send>;

/// Judges what comes from Redis.
#[derive(Default)]
pub(super) struct Filter {
    pub(super) judge: Option<Judge>,
}

impl Filter {
    /// The fate of a whole frame; everything that is no publication passes.
    pub(super) fn fate(&mut self, frame: &[u8]) -> Fate {
        let Some(judge) = &mut self.judge else { return Fate::Pass };
        let Some((channel, payload)) = resp::publication(frame) else { return Fate::Pass };
        judge(&Publication { channel, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::Publication;

    #[test]
    fn a_publication_tells_its_stream_and_seq() {
        let of = |channel: &str, payload: &str| Publication {
            channel: channel.to_owned(),
            payload: payload.to_owned(),
        };
        let id = "01890a5e-2222-7f0f-8e0e-9d0d8c0c7b0b";
        let entry = of(&format!("hubbub:on:stream:{{{id}}}"), "7:00ff:7 -\n{}");
        assert_eq!((entry.stream(), entry.seq()), (Some(id), Some(7)));
        let signal = of("hubbub:on:control", "s -\n{}");
        assert_eq!((signal.stream(), signal.seq()), (None, None));
    }
}
