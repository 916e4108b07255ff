//! What is generated and committed is what the generator makes of today's types.

#[path = "../examples/generate/documents/mod.rs"]
mod documents;

use std::{fs, path::Path};

#[test]
fn generated_files_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let documents = documents::all(&root).expect("PROTOCOL.md and the golden frames can be read");
    let is_stale = |document: &&documents::Document| {
        fs::read_to_string(root.join(document.path)).ok().as_ref() != Some(&document.text)
    };
    let stale: Vec<&str> = documents.iter().filter(is_stale).map(|document| document.path).collect();
    assert!(stale.is_empty(), "stale: {stale:?}; run: cargo run -p hubbub-protocol --example generate");
}
