//! What is known of a person who is online.

use hubbub_protocol::{
    id::UserId,
    model::{DeviceClass, Presence},
};
use serde::{Deserialize, Serialize};

/// How someone is online: on one node, or on all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Person {
    /// Since when, in milliseconds since 1970.
    #[serde(rename = "s")]
    pub(super) since: i64,
    /// Whether every connection says that nobody is at it.
    #[serde(rename = "a")]
    pub(super) away: bool,
    /// With what.
    #[serde(rename = "d")]
    pub(super) devices: Devices,
}

/// A set of device classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Devices(u8);

const CLASSES: [DeviceClass; 4] =
    [DeviceClass::Desktop, DeviceClass::Phone, DeviceClass::Tablet, DeviceClass::Bot];

impl Devices {
    /// With one more class.
    #[must_use]
    pub(super) fn with(self, class: DeviceClass) -> Self {
        let bit = CLASSES.iter().position(|known| *known == class).unwrap_or(0);
        Self(self.0 | 1 << bit)
    }

    /// The classes.
    pub(super) fn classes(self) -> Vec<DeviceClass> {
        CLASSES.into_iter().filter(|class| self.with(*class) == self).collect()
    }
}

impl Person {
    /// How someone is online who is so on two nodes.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            since: self.since.min(other.since),
            away: self.away && other.away,
            devices: Devices(self.devices.0 | other.devices.0),
        }
    }

    /// As the wire shows it.
    pub(super) fn on_the_wire(self, user: UserId) -> Presence {
        Presence {
            user,
            online: true,
            away: self.away,
            devices: self.devices.classes(),
            since: Some(self.since),
            last_seen_at: None,
        }
    }
}

/// Someone who is not online, as the wire shows it.
pub(super) fn offline(user: UserId, last_seen_at: Option<i64>) -> Presence {
    Presence { user, online: false, away: false, devices: Vec::new(), since: None, last_seen_at }
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::model::DeviceClass::{Bot, Desktop, Phone};

    use super::{Devices, Person};

    #[test]
    fn two_nodes_make_one_person() {
        let here = Person { since: 7, away: true, devices: Devices::default().with(Desktop) };
        let there = Person { since: 5, away: false, devices: Devices::default().with(Phone).with(Desktop) };
        let both = here.and(there);
        assert_eq!((both.since, both.away), (5, false));
        assert_eq!(both.devices.classes(), [Desktop, Phone]);
        assert_eq!(both, there.and(here));
        assert_eq!(Devices::default().with(Bot).with(Bot).classes(), [Bot]);
        assert!(here.and(Person { away: true, ..there }).away);
    }
}
