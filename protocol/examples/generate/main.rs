//! Writes what is generated from this crate: TypeScript, JSON Schema, OpenAPI, AsyncAPI and the tables of `PROTOCOL.md`.
//!
//! `cargo run -p hubbub-protocol --example generate`; the test `generated_is_fresh` says when it is needed.

mod documents;

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for document in documents::all(&root)? {
        let path = root.join(document.path);
        if fs::read_to_string(&path).is_ok_and(|old| old == document.text) {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, document.text)?;
        println!("wrote {}", document.path);
    }
    Ok(())
}
