//! The web client is inside the binary, so that binary follows its files.

use std::path::Path;

fn main() {
    let built = Path::new("../web-client/dist");
    // A server can be built without the web client; then it serves a page that says so.
    if let Err(error) = std::fs::create_dir_all(built) {
        println!("cargo:warning=the folder of the web client cannot be made: {error}");
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", built.display());
}
