//! Every key and every topic Hubbub uses in the fabric.
//!
//! A name is made of fixed words and ids only, never of text a person chose, so no input can reach another key.
//! The braces are Redis' hash tag: what one script touches (a tail, its lease and the topic of its stream; a lock and
//! its fence) has one cluster slot. Every key has a tag, so that a new one is in the right place by itself. A pipeline
//! may go to many slots, a script to one. The prefix (`hubbub:` by default) is put in front by the Redis implementation.

use std::fmt;
use std::net::IpAddr;

use uuid::Uuid;

/// The name of one value in the fabric. Build it with one of its constructors; there is no other way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// Which session of an account is the live one.
    pub fn active_session(user: impl Into<Uuid>) -> Self {
        Self(format!("active:{{{}}}", user.into()))
    }

    /// Which session of an account is the live one on one class of device; `class` is a word of ours.
    pub fn active_session_on(user: impl Into<Uuid>, class: &'static str) -> Self {
        Self(format!("active:{{{}}}:{class}", user.into()))
    }

    /// A session looked up by its id.
    pub fn session(session: impl Into<Uuid>) -> Self {
        Self(format!("session:{{{}}}", session.into()))
    }

    /// The public face of an account: name, picture.
    pub fn profile(user: impl Into<Uuid>) -> Self {
        Self(format!("profile:{{{}}}", user.into()))
    }

    /// The unsent texts of an account, a hash with one field a room.
    pub fn drafts(user: impl Into<Uuid>) -> Self {
        Self(format!("drafts:{{{}}}", user.into()))
    }

    /// Which nodes there are, a hash with one field a node.
    pub fn nodes() -> Self {
        Self("presence:{nodes}".to_owned())
    }

    /// There while a node lives; holds how far its roster is written.
    pub fn node_lease(node: impl Into<Uuid>) -> Self {
        Self(format!("presence:{{{}}}:lease", node.into()))
    }

    /// A part of who is connected to a node, a hash with one field a person.
    pub fn roster(node: impl Into<Uuid>, part: usize) -> Self {
        Self(format!("presence:{{{}:{part}}}:roster", node.into()))
    }

    /// How far a day (counted from 1970-01-01) is counted, and where.
    pub fn activity_day(day: i64) -> Self {
        Self(format!("activity:{{{day}}}:day"))
    }

    /// Messages of a day by `what`, a sorted set; `run` tells one counting of the day from another.
    pub fn activity(day: i64, run: impl Into<Uuid>, what: &'static str) -> Self {
        Self(format!("activity:{{{day}:{what}}}:{}", run.into()))
    }

    /// Messages of a slice of time (counted from 1970-01-01) by `what`, a sorted set.
    pub fn activity_slice(slice: i64, what: &'static str) -> Self {
        Self(format!("activity:{{s{slice}:{what}}}"))
    }

    /// The cached facts of a room: name, members.
    pub fn room(room: impl Into<Uuid>) -> Self {
        Self(format!("room:{{{}}}", room.into()))
    }

    /// The first answer to a command, by the sender and the idempotency key it made.
    pub fn answer(sender: impl Into<Uuid>, idempotency_key: impl Into<Uuid>) -> Self {
        Self(format!("answer:{{{}}}:{}", sender.into(), idempotency_key.into()))
    }

    /// How often `who` did `what` in the present window.
    pub fn rate(what: &'static str, who: impl Into<Uuid>) -> Self {
        Self(format!("rate:{what}:{{{}}}", who.into()))
    }

    /// How often one network address did `what` in the present window.
    pub fn rate_of_address(what: &'static str, address: IpAddr) -> Self {
        // An IPv6 address has colons, and they are harmless here: nothing follows.
        Self(format!("rate:{what}:{{{address}}}"))
    }

    /// How often something only known by a digest (a name tried at login) did `what` in the present window.
    pub fn rate_of_digest(what: &'static str, digest: [u8; 16]) -> Self {
        Self(format!("rate:{what}:{{{:032x}}}", u128::from_be_bytes(digest)))
    }

    /// A number the nodes keep together.
    pub fn counter(what: &'static str) -> Self {
        Self(format!("counter:{{{what}}}"))
    }

    /// A lock there is one of.
    pub fn lock(what: &'static str) -> Self {
        Self(format!("lock:{{{what}}}"))
    }

    /// A lock there is one of for each `id`.
    pub fn lock_of(what: &'static str, id: impl Into<Uuid>) -> Self {
        Self(format!("lock:{what}:{{{}}}", id.into()))
    }

    /// A value `what` of one `id`, for uses without a constructor of their own.
    pub fn of(what: &'static str, id: impl Into<Uuid>) -> Self {
        Self(format!("{what}:{{{}}}", id.into()))
    }

    /// The number a lock's next holder gets, kept beside the lock.
    pub(super) fn fence(&self) -> Self {
        Self(format!("{}:fence", self.0))
    }

    /// The cached newest entries of a stream.
    pub(super) fn tail(stream: Uuid) -> Self {
        Self(format!("stream:{{{stream}}}:tail"))
    }

    /// Who may refill the tail of a stream.
    pub(super) fn lease(stream: Uuid) -> Self {
        Self(format!("stream:{{{stream}}}:lease"))
    }

    /// The name without the prefix.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name messages are published under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// What was appended to one stream.
    Stream(Uuid),
    /// What every node must hear: a session ended, a profile changed.
    Control,
    /// Who came online on a node and who went offline.
    Presence,
    /// What one node says to itself to know that it hears; the fabric's own, never given to its user.
    Probe(Uuid),
}

impl Topic {
    /// The topic a name without prefix stands for; `None` when it is none of ours.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let name = name.strip_prefix("topic:")?;
        match name {
            "control" => return Some(Self::Control),
            "presence" => return Some(Self::Presence),
            _ => {}
        }
        let (kind, id) = name.split_once(':')?;
        let id = Uuid::try_parse(id.strip_prefix('{')?.strip_suffix('}')?).ok()?;
        match kind {
            "stream" => Some(Self::Stream(id)),
            "probe" => Some(Self::Probe(id)),
            _ => None,
        }
    }
}

/// The name without the prefix.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(stream) => write!(f, "topic:stream:{{{stream}}}"),
            Self::Control => f.write_str("topic:control"),
            Self::Presence => f.write_str("topic:presence"),
            Self::Probe(node) => write!(f, "topic:probe:{{{node}}}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_read_back_from_its_name() {
        for topic in
            [Topic::Control, Topic::Presence, Topic::Stream(Uuid::now_v7()), Topic::Probe(Uuid::now_v7())]
        {
            assert_eq!(Topic::parse(&topic.to_string()), Some(topic));
        }
        for name in ["", "control", "topic:", "topic:stream:x", "topic:stream:{x}", "topic:other:{}"] {
            assert_eq!(Topic::parse(name), None, "{name}");
        }
    }

    #[test]
    fn what_one_script_touches_has_one_cluster_slot() {
        let slot = |name: &str| fred::util::redis_keyslot(format!("hubbub:{name}").as_bytes());
        for _ in 0..20 {
            let stream = Uuid::now_v7();
            let topic = slot(&Topic::Stream(stream).to_string());
            assert_eq!(slot(Key::tail(stream).as_str()), topic);
            assert_eq!(slot(Key::lease(stream).as_str()), topic);
            for lock in [Key::lock("announcer"), Key::lock_of("room", stream)] {
                assert_eq!(slot(lock.as_str()), slot(lock.fence().as_str()));
            }
        }
    }

    #[test]
    fn names_are_told_apart() {
        let stream = Uuid::now_v7();
        let lock = Key::lock("announcer");
        assert_eq!(lock.fence().as_str(), "lock:{announcer}:fence");
        assert_ne!(Key::rate("login", stream), Key::rate("send", stream));
        assert_ne!(Key::active_session(stream), Key::active_session_on(stream, "phone"));
    }
}
