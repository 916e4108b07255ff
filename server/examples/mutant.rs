//! The server with a promise broken on purpose, by `HUBBUB_MUTANT`: what the fault rig has to notice.

use std::process::ExitCode;

fn main() -> ExitCode {
    hubbub_server::cli::run()
}
