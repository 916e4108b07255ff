//! What changes on this node is told to the others.

use std::time::Duration;

use hubbub_protocol::id::UserId;

use super::{Presence, now, own::Connected, person::Devices, word::Word};
use crate::{clock::every, streams::listener::Listener};

/// How long changes gather.
const EVERY: Duration = Duration::from_millis(200);

/// Tells until the node stops.
pub(super) async fn run(presence: Presence) {
    let mut ticks = every(EVERY);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = presence.0.stop.cancelled() => return,
        }
        presence.observe();
        presence.announce().await;
    }
}

impl Presence {
    /// Takes in who came, who left, and whose time of grace is over.
    fn observe(&self) {
        let hub = self.0.streams.hub();
        let changed = hub.take_changed().into_iter();
        let changed: Vec<_> =
            changed.map(|(user, came)| (user, came, connected(&hub.of_user(user)))).collect();
        let now = now();
        let mut state = self.0.state.lock();
        let state = &mut *state;
        let mut touched: Vec<(UserId, i64)> = Vec::new();
        for (user, came, connected) in changed {
            if came {
                state.view.own.came(user);
            }
            // Who comes from another node has been online since they came to that one.
            let since = state.view.online(user).map_or(now.1, |person| person.since);
            if state.view.own.observe(user, connected, since, now) {
                touched.push((user, now.1));
            }
        }
        let left = state.view.own.take_out(now.0);
        self.0.seen.put(&left);
        for (user, left_at) in touched.into_iter().chain(left) {
            state.shelf.changed(user);
            state.view.touch(user, left_at);
        }
    }

    async fn announce(&self) {
        loop {
            let next = self.0.state.lock().view.own.announce();
            let Some(announcement) = next else { return };
            self.tell(&Word::Changed { node: self.0.node, announcement }).await;
        }
    }

    /// Tells all nodes. What does not arrive they notice by its number.
    pub(super) async fn tell(&self, word: &Word) {
        let text = serde_json::to_string(word).expect("a word is plain data");
        if let Err(error) = self.0.streams.tell_presence(text.into()).await {
            tracing::debug!(%error, "other nodes learn of presence later");
        }
    }
}

/// The connections of a person taken together.
fn connected(connections: &[Listener]) -> Option<Connected> {
    let devices = connections.iter().fold(Devices::default(), |all, connection| all.with(connection.class));
    let away = connections.iter().all(|connection| connection.is_away());
    (!connections.is_empty()).then_some(Connected { away, devices })
}
