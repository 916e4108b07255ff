//! The server with a promise broken on purpose, by `HUBBUB_MUTANT`: what the fault rig has to notice.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rustls::crypto::ring::default_provider().install_default().ok();
    hubbub_server::cli::run()
}
