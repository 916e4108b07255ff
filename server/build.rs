//! The web client is inside the binary: a release build follows its files.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // A debug build reads them from the disk while it runs, and need not be built again for them.
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=../web-client/dist");
    }
}
