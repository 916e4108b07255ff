//! Everything that is generated, as text; the example writes it, a test compares it with what is committed.

mod asyncapi;
mod endpoints;
mod errors;
mod json;
mod layout;
mod markdown;
mod openapi;
mod schema;
mod tables;
mod types;
mod typescript;

use std::{io, path::Path};

/// A generated file.
pub(crate) struct Document {
    /// Where it lives, below the top of the repository.
    pub(crate) path: &'static str,
    /// What it should hold.
    pub(crate) text: String,
}

/// Every generated file. `root` is the top of the repository, where files that are generated in part are read.
pub(crate) fn all(root: &Path) -> io::Result<Vec<Document>> {
    Ok(vec![
        Document { path: "web-client/src/wire/protocol.ts", text: typescript::module() },
        Document { path: "protocol/generated/schema.json", text: schema::document() },
        Document { path: "protocol/generated/openapi.json", text: openapi::document() },
        Document { path: "protocol/generated/asyncapi.json", text: asyncapi::document() },
        Document { path: "PROTOCOL.md", text: markdown::page(root)? },
    ])
}
