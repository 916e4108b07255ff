//! One fault at a time, on real nodes with services of their own that are stopped, stalled, emptied and cut off. Each
//! test prints its figures; run with `--nocapture` to see them.

#[path = "../guarantees/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "shared with the guarantees, which use all of it"
)]
mod support;

mod conversation;
mod deaf;
mod lab;
mod lost_tail;
mod redis_away;
mod replaced;
mod sql_away;
mod sql_held;
mod stale;
mod storm;
