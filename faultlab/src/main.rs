//! The fault rig's program.

fn main() {}
