//! What other nodes tell is taken in.

use tokio::sync::mpsc;

use super::{Presence, now, own::GRACE, word::Word};
use crate::{fabric::Payload, streams::Overheard};

/// Hears until the node stops.
pub(super) async fn run(presence: Presence, mut overheard: mpsc::Receiver<Overheard>) {
    loop {
        let heard = tokio::select! {
            heard = overheard.recv() => heard,
            () = presence.0.stop.cancelled() => return,
        };
        match heard {
            Some(Overheard::Presence(word)) => presence.hear(&word),
            Some(Overheard::Interrupted) => {
                let mut state = presence.0.state.lock();
                state.view.others.values_mut().for_each(|other| other.roster.doubt());
            }
            None => return,
        }
    }
}

impl Presence {
    fn hear(&self, word: &Payload) {
        let now = now();
        match serde_json::from_str(word) {
            Ok(Word::Changed { node, .. } | Word::Beat { node, .. } | Word::Bye { node })
                if node == self.0.node => {}
            Ok(Word::Changed { node, announcement }) => {
                self.0.state.lock().view.heard(node, announcement, now);
            }
            Ok(Word::Beat { node, number }) => {
                self.0.state.lock().view.other(node, now.0).roster.told(number);
            }
            Ok(Word::Bye { node }) => {
                if let Some(other) = self.0.state.lock().view.others.get_mut(&node) {
                    other.leaves = Some(now.0 + GRACE);
                }
            }
            // A newer node's word: what it means is read from the fabric.
            Err(error) => tracing::debug!(%error, "an unknown word about presence"),
        }
    }
}
