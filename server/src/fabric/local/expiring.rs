//! A map whose entries expire, and which never weighs more than it may.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use tokio::time::Instant;

/// Entries leave when their time is over, and before that when the map is too heavy: those that would expire soonest
/// go first. Nothing runs in the background; each write sweeps what has expired.
#[derive(Debug)]
pub(super) struct Expiring<K, V> {
    slots: HashMap<K, Slot<V>>,
    /// Soonest first; the number keeps two entries of one instant apart.
    by_expiry: BTreeMap<(Instant, u64), K>,
    tickets: u64,
    weight: usize,
    most: usize,
}

#[derive(Debug)]
struct Slot<V> {
    value: V,
    until: Instant,
    ticket: u64,
    weight: usize,
}

impl<K: Clone + Eq + Hash, V> Expiring<K, V> {
    /// A map that holds entries of together at most `most` weight.
    pub(super) fn at_most(most: usize) -> Self {
        Self { slots: HashMap::new(), by_expiry: BTreeMap::new(), tickets: 0, weight: 0, most }
    }

    pub(super) fn get<Q>(&self, key: &Q, now: Instant) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.slots.get(key).filter(|slot| slot.until > now).map(|slot| &slot.value)
    }

    /// The value and when it expires.
    pub(super) fn take<Q>(&mut self, key: &Q, now: Instant) -> Option<(V, Instant)>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let slot = self.slots.remove(key)?;
        self.by_expiry.remove(&(slot.until, slot.ticket));
        self.weight -= slot.weight;
        (slot.until > now).then_some((slot.value, slot.until))
    }

    /// Stores a value until `until`. One that alone is too heavy is not kept.
    pub(super) fn put(&mut self, key: K, value: V, weight: usize, until: Instant, now: Instant) {
        self.take(&key, now);
        self.sweep(weight, now);
        if weight > self.most || until <= now {
            return;
        }
        self.tickets += 1;
        self.weight += weight;
        self.by_expiry.insert((until, self.tickets), key.clone());
        self.slots.insert(key, Slot { value, until, ticket: self.tickets, weight });
    }

    /// Gives an entry another end; false when it is not there.
    pub(super) fn touch(&mut self, key: &K, until: Instant, now: Instant) -> bool {
        let Some(slot) = self.slots.get_mut(key).filter(|slot| slot.until > now) else { return false };
        self.by_expiry.remove(&(slot.until, slot.ticket));
        slot.until = until;
        self.by_expiry.insert((until, slot.ticket), key.clone());
        true
    }

    /// Removes what has expired, and then the soonest to expire until there is room for `coming`.
    fn sweep(&mut self, coming: usize, now: Instant) {
        while let Some(((until, _), key)) = self.by_expiry.first_key_value() {
            if *until > now && self.weight + coming <= self.most {
                break;
            }
            let key = key.clone();
            self.take(&key, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn entries_expire_and_are_swept_by_the_next_write() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut map = Expiring::at_most(10);
        map.put("a", 1, 1, at(1), start);
        map.put("b", 2, 1, at(5), start);
        assert_eq!((map.get("a", start), map.get("a", at(1))), (Some(&1), None));
        assert!(map.touch(&"b", at(9), at(2)));
        assert!(!map.touch(&"a", at(9), at(2)));
        map.put("c", 3, 1, at(4), at(2));
        assert_eq!(map.slots.len(), 2);
        assert_eq!(map.take("b", at(8)), Some((2, at(9))));
        assert_eq!(map.take("c", at(8)), None);
        assert_eq!((map.weight, map.by_expiry.len()), (0, 0));
    }

    #[test]
    fn the_soonest_to_expire_makes_room() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut map = Expiring::at_most(10);
        map.put("long", 1, 4, at(9), start);
        map.put("short", 2, 4, at(1), start);
        map.put("next", 3, 4, at(5), start);
        assert_eq!((map.get("short", start), map.get("long", start)), (None, Some(&1)));
        map.put("huge", 4, 11, at(5), start);
        assert!(map.get("huge", start).is_none() && map.weight <= 10);
    }
}
