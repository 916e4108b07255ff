//! The rosters as they stand in the fabric, where a node that missed something reads them whole.
//!
//! A roster is written in parts, each a hash that holds the number up to which it is written. A node's lease says which
//! number each part has at least: a part that is older, or not there, is a loss of the fabric, and the reader waits
//! until the owner has written it again.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use hubbub_protocol::id::UserId;

use super::{
    own::{Own, PARTS, part_of},
    person::Person,
    word::NodeId,
};
use crate::fabric::{self, Fabric, HashOf, Key};

/// How long a part stays without being written again.
const PART_TTL: Duration = Duration::from_mins(1);
/// How long a node counts as alive after it last said so.
pub(super) const LEASE_TTL: Duration = Duration::from_secs(9);
/// How long a node stays in the list of nodes.
const LISTED_TTL: Duration = Duration::from_mins(1);
/// Parts read at once.
const PARTS_AT_ONCE: usize = 4;
/// The field that holds the number of a part.
const NUMBER: &str = "";

/// What this node has written.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// The number of each part as it was last written; `None` when it must be written anew.
    parts: [Option<u64>; PARTS],
    /// The number that everything is written up to.
    number: u64,
    /// Parts with changes that are not written yet.
    dirty: BTreeSet<usize>,
    /// The part that is written again next, though nothing changed in it.
    next: usize,
}

/// What a lease says: how far the parts of a roster are written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lease {
    /// Everything up to this number is written.
    pub(super) number: u64,
    parts: [u64; PARTS],
}

impl Lease {
    fn encode(&self) -> String {
        let numbers = [self.number].into_iter().chain(self.parts);
        numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(":")
    }

    /// Reads the text of a lease; `None` for something else.
    pub(super) fn decode(text: &str) -> Option<Self> {
        let numbers: Option<Vec<u64>> = text.split(':').map(|number| number.parse().ok()).collect();
        let numbers = numbers?;
        let (number, parts) = numbers.split_first()?;
        Some(Self { number: *number, parts: parts.try_into().ok()? })
    }
}

impl Shelf {
    /// Someone's entry is not as it was written.
    pub(super) fn changed(&mut self, user: UserId) {
        self.dirty.insert(part_of(user));
    }

    /// Whether something waits to be written.
    pub(super) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty() || self.parts.contains(&None)
    }

    /// The fabric has lost something: everything is written anew.
    pub(super) fn forget(&mut self) {
        self.parts = [None; PARTS];
    }

    /// So that no part expires: some more are written with the next ones.
    pub(super) fn refresh(&mut self, count: usize) {
        for _ in 0..count {
            self.dirty.insert(self.next);
            self.next = (self.next + 1) % PARTS;
        }
    }

    /// What is to be written now, and up to which number that is everything.
    pub(super) fn batch(&mut self, node: NodeId, own: &Own) -> Batch {
        let mut which = std::mem::take(&mut self.dirty);
        which.extend((0..PARTS).filter(|part| self.parts[*part].is_none()));
        let header = (NUMBER.to_owned(), own.number().to_string());
        let mut fields: HashMap<usize, Vec<(String, String)>> =
            which.iter().map(|part| (*part, vec![header.clone()])).collect();
        for (user, person) in own.people() {
            if let Some(fields) = fields.get_mut(&part_of(user)) {
                let person = serde_json::to_string(&person).expect("a person is plain data");
                fields.push((user.to_string(), person));
            }
        }
        let hashes = fields.into_iter().map(|(part, fields)| (Key::roster(node, part), fields)).collect();
        Batch { hashes, which, number: own.number() }
    }

    /// The outcome of a batch; gives the lease that is true now, if everything is written.
    pub(super) fn written(&mut self, batch: &Batch, well: bool) -> Option<String> {
        for part in &batch.which {
            self.parts[*part] = well.then_some(batch.number);
        }
        if well {
            self.number = batch.number;
        }
        self.lease()
    }

    /// The lease that is true now, if everything is written.
    pub(super) fn lease(&self) -> Option<String> {
        let mut parts = [0; PARTS];
        for (number, written) in parts.iter_mut().zip(self.parts) {
            *number = written?;
        }
        Some(Lease { number: self.number, parts }.encode())
    }
}

/// Parts on their way to the fabric.
#[derive(Debug)]
pub(super) struct Batch {
    /// What they hold.
    pub(super) hashes: Vec<HashOf>,
    which: BTreeSet<usize>,
    number: u64,
}

/// Writes parts, all in one round trip.
///
/// # Errors
/// The fabric did not take them, or it is not known.
pub(super) async fn write(fabric: &Fabric, batch: &Batch) -> fabric::Result<()> {
    fabric.hash_replace_all(&batch.hashes, PART_TTL).await
}

/// Says that this node lives, and how far its roster is written.
///
/// # Errors
/// The fabric did not take it, or it is not known.
pub(super) async fn hold_lease(fabric: &Fabric, node: NodeId, lease: &str) -> fabric::Result<()> {
    fabric.set(&Key::node_lease(node), lease, LEASE_TTL).await?;
    fabric.hash_set(&Key::nodes(), &node.to_string(), "", LISTED_TTL).await
}

/// The lease of each listed node; `None` for one that did not say lately that it lives.
///
/// # Errors
/// The fabric does not answer.
pub(super) async fn leases(fabric: &Fabric) -> fabric::Result<HashMap<NodeId, Option<Lease>>> {
    let listed = fabric.hash_read(&Key::nodes()).await?;
    let nodes: Vec<NodeId> = listed.keys().filter_map(|node| node.parse().ok()).collect();
    let keys: Vec<Key> = nodes.iter().map(|node| Key::node_lease(*node)).collect();
    let leases = fabric.get_all(&keys).await?;
    let decoded = leases.into_iter().map(|lease| lease.as_deref().and_then(Lease::decode));
    Ok(nodes.into_iter().zip(decoded).collect())
}

/// A whole roster and the number that it is written up to; `None` when it is not whole at the moment.
///
/// # Errors
/// The fabric does not answer.
pub(super) async fn read(
    fabric: &Fabric,
    node: NodeId,
) -> fabric::Result<Option<(u64, HashMap<UserId, Person>)>> {
    // The lease first: the parts are at least as new.
    let Some(lease) = fabric.get(&Key::node_lease(node)).await?.as_deref().and_then(Lease::decode) else {
        return Ok(None);
    };
    let mut people = HashMap::new();
    let keys: Vec<Key> = (0..PARTS).map(|part| Key::roster(node, part)).collect();
    for (some, least) in keys.chunks(PARTS_AT_ONCE).zip(lease.parts.chunks(PARTS_AT_ONCE)) {
        for (mut fields, least) in fabric.hash_read_all(some).await?.into_iter().zip(least) {
            let number: Option<u64> = fields.remove(NUMBER).and_then(|number| number.parse().ok());
            if number.is_none_or(|number| number < *least) {
                return Ok(None);
            }
            let read = fields.iter().filter_map(|(user, person)| {
                Some((user.parse().ok()?, serde_json::from_str::<Person>(person).ok()?))
            });
            people.extend(read);
        }
    }
    Ok(Some((lease.number, people)))
}

/// Takes a node from the list, and its lease.
pub(super) async fn strike(fabric: &Fabric, node: NodeId) {
    let listed = fabric.hash_delete(&Key::nodes(), &node.to_string()).await;
    let lease = fabric.delete(&Key::node_lease(node)).await;
    if let Err(error) = listed.and(lease) {
        tracing::debug!(%error, "a node that is gone stays in the list for a while");
    }
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::id::UserId;
    use tokio::time::Instant;
    use uuid::Uuid;

    use super::{Lease, PARTS, Shelf, hold_lease, leases, read, write};
    use crate::{
        fabric::{Fabric, Key},
        presence::{
            own::{Connected, Own},
            person::Devices,
        },
    };

    #[test]
    fn a_lease_is_read_back() {
        let lease = Lease { number: 7, parts: [3; PARTS] };
        assert_eq!(Lease::decode(&lease.encode()), Some(lease));
        for broken in ["", "7", "7:1:2", "x"] {
            assert_eq!(Lease::decode(broken), None, "{broken}");
        }
    }

    #[tokio::test]
    async fn what_is_written_is_read_and_what_is_lost_is_noticed() {
        let (fabric, node, mut own, mut shelf) =
            (Fabric::local(), Uuid::now_v7(), Own::default(), Shelf::default());
        assert_eq!(shelf.lease(), None, "nothing is written yet");
        for number in 0..100 {
            let user = UserId(Uuid::from_u128(number));
            let here = Connected { away: false, devices: Devices::default() };
            own.observe(user, Some(here), 5, (Instant::now(), 5));
            shelf.changed(user);
        }
        let batch = shelf.batch(node, &own);
        write(&fabric, &batch).await.expect("written");
        let lease = shelf.written(&batch, true).expect("everything is written");
        hold_lease(&fabric, node, &lease).await.expect("held");
        assert!(!shelf.is_dirty());
        assert_eq!(leases(&fabric).await.expect("read")[&node].as_ref().map(|lease| lease.number), Some(100));
        let (number, people) = read(&fabric, node).await.expect("an answer").expect("whole");
        assert_eq!((number, people.len()), (100, 100));

        fabric.delete(&Key::roster(node, 3)).await.expect("deleted");
        assert_eq!(read(&fabric, node).await.expect("an answer"), None);
        shelf.forget();
        assert!(shelf.is_dirty() && shelf.lease().is_none());
        let batch = shelf.batch(node, &own);
        assert_eq!(batch.hashes.len(), PARTS);
        write(&fabric, &batch).await.expect("written");
        assert!(shelf.written(&batch, true).is_some());
        assert!(read(&fabric, node).await.expect("an answer").is_some());
        // A batch that failed is written again.
        shelf.refresh(2);
        let batch = shelf.batch(node, &own);
        assert_eq!(shelf.written(&batch, false), None);
        assert!(shelf.is_dirty());
    }
}
