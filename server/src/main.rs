//! The server binary.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // One provider of cryptography for every TLS connection; before the first of them.
    rustls::crypto::ring::default_provider().install_default().ok();
    hubbub_server::cli::run()
}
