//! Faults: which and when is a function of the seed; each is healed.

mod inflict;
mod schedule;

pub use inflict::Nemesis;
pub use schedule::{Edge, Fault, Profile, Step, schedule};
