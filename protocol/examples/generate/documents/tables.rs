//! The tables of the wire as plain rows: what is not a type.

use std::ops::RangeInclusive;

use hubbub_protocol::{close::Next, limits};

/// A limit of the wire.
pub(super) struct Limit {
    /// Its name, in lower case.
    pub(super) name: String,
    /// What it bounds, with its unit.
    pub(super) text: String,
    /// Least and most allowed; a plain limit has only a most.
    pub(super) least: Option<u64>,
    /// The most that is allowed.
    pub(super) most: u64,
}

trait Bounds {
    fn bounds(&self) -> (Option<u64>, u64);
}

impl Bounds for usize {
    fn bounds(&self) -> (Option<u64>, u64) {
        (None, *self as u64)
    }
}

impl Bounds for u64 {
    fn bounds(&self) -> (Option<u64>, u64) {
        (None, *self)
    }
}

impl Bounds for u16 {
    fn bounds(&self) -> (Option<u64>, u64) {
        (None, u64::from(*self))
    }
}

impl Bounds for RangeInclusive<usize> {
    fn bounds(&self) -> (Option<u64>, u64) {
        (Some(*self.start() as u64), *self.end() as u64)
    }
}

macro_rules! limits {
    ($($name:ident)+) => {
        fn values() -> Vec<(&'static str, (Option<u64>, u64))> {
            vec![$((stringify!($name), limits::$name.bounds()),)+]
        }
    };
}

limits! {
    FRAME_BYTES FRAME_REFUSED_BYTES BODY_BYTES TEXT_BYTES JSON_DEPTH KEY_BYTES REQUEST_ID_BYTES USERNAME_CHARS
    DISPLAY_NAME_CHARS PASSWORD_CHARS ROOM_NAME_CHARS ROOM_TOPIC_CHARS USERS_PER_COMMAND PRESENCE_USERS
    PRESENCE_ROOM_MEMBERS ACTIVITY_DAYS ACTIVITY_LIMIT PAGE_LIMIT PAGE_DEFAULT
    RESUME_ENTRIES START_DEADLINE_MS COMMANDS_IN_FLIGHT DEVICE_CHARS
}

/// Every limit, in the order of its source file, which also holds what each means.
pub(super) fn limits() -> Vec<Limit> {
    let values = values();
    let mut rows = Vec::new();
    let mut text = Vec::new();
    for line in include_str!("../../../src/limits.rs").lines() {
        if let Some(comment) = line.strip_prefix("/// ") {
            text.push(comment.replace("[`FRAME_REFUSED_BYTES`]", "`frame_refused_bytes`"));
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let name = rest.split(':').next().unwrap_or_default();
            let Some((_, (least, most))) = values.iter().find(|(known, _)| *known == name) else {
                panic!("{name} of limits.rs is missing in the list of limits in tables.rs");
            };
            rows.push(Limit { name: name.to_lowercase(), text: text.join(" "), least: *least, most: *most });
            text.clear();
        }
    }
    rows
}

/// The word for what a client does after a close.
pub(super) fn next_word(next: Next) -> &'static str {
    match next {
        Next::Resume => "resume",
        Next::BackOff => "back_off",
        Next::Refresh => "refresh",
        Next::Stop => "stop",
    }
}
