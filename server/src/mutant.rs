//! Faults that are built in on purpose, to see that the fault rig notices them. An ordinary build has none of this:
//! [`active`] is a constant `false` there.

#[cfg(feature = "mutants")]
mod outside;

#[cfg(feature = "mutants")]
pub use outside::{is_one_in_a_thousand, next_in_redis};

/// A promise broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// A message is acknowledged first and committed then.
    AckBeforeCommit,
    /// One publication in a thousand is not made.
    DropPublication,
    /// Seqs come from a counter in Redis instead of the stream's row.
    SeqFromRedis,
    /// A write does not ask whether its session lives.
    SkipFence,
    /// A lock is given back without looking whose it is.
    UnlockWithoutCompare,
}

/// Whether this promise is broken: never, but in a build with the feature `mutants`.
#[cfg(not(feature = "mutants"))]
pub const fn active(_: Mutant) -> bool {
    false
}

/// Whether this promise is broken: the one that `HUBBUB_MUTANT` names.
#[cfg(feature = "mutants")]
pub fn active(mutant: Mutant) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<Mutant>> = std::sync::LazyLock::new(chosen);
    *CHOSEN == Some(mutant)
}

#[cfg(feature = "mutants")]
fn chosen() -> Option<Mutant> {
    let name = std::env::var("HUBBUB_MUTANT").ok()?;
    let mutant = match name.as_str() {
        "ack-before-commit" => Mutant::AckBeforeCommit,
        "drop-publication" => Mutant::DropPublication,
        "seq-from-redis" => Mutant::SeqFromRedis,
        "skip-fence" => Mutant::SkipFence,
        "unlock-without-compare" => Mutant::UnlockWithoutCompare,
        "" => return None,
        _ => panic!("HUBBUB_MUTANT names no mutant: {name}"),
    };
    tracing::error!(?mutant, "this server breaks a promise on purpose");
    Some(mutant)
}

/// The mutants' own deeds are there in their build only; here they are never asked for.
#[cfg(not(feature = "mutants"))]
pub const fn is_one_in_a_thousand() -> bool {
    false
}

/// The seq after `head`.
#[cfg(not(feature = "mutants"))]
pub const fn next_in_redis(_stream: uuid::Uuid, head: i64) -> i64 {
    head + 1
}
