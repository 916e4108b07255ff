//! The layers of the server: imports point down, and some words are spoken on one floor only.
//!
//! It reads the source, so it holds for every build and needs no crate for each layer.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The house, the top floor first. A module imports from the floors below its own, never from its own or one above.
const FLOORS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["node"],
    &["gateway", "http"],
    &["chat"],
    &["accounts"],
    &["presence"],
    &["streams"],
    &["idempotency", "limits", "locks", "counters"],
    &["store", "fabric"],
    &["telemetry"],
    &["config", "clock", "digest", "error", "mutant"],
    &["jitter"],
];

/// What only one module speaks of: what is looked for, the module, and what is allowed everywhere.
const SPOKEN_IN: &[(&str, &str, &[&str])] = &[
    ("axum", "http", &[]),
    ("tower_http", "http", &[]),
    ("tungstenite", "gateway", &[]),
    ("tokio_tungstenite", "gateway", &[]),
    ("fred", "fabric", &[]),
    ("sqlx", "store", &["sqlx::Error", "sqlx::Result"]),
];

/// Words that make a text SQL.
const SQL: &[&str] = &[
    "SELECT ",
    "INSERT INTO ",
    "UPDATE ",
    "DELETE FROM ",
    "CREATE TABLE ",
    "ALTER TABLE ",
    "ON CONFLICT",
    "FOR SHARE",
    "FOR UPDATE",
    "RETURNING ",
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Everything in a file of `module` that the house does not allow, in words.
fn violations(module: &str, source: &str) -> Vec<String> {
    let code = without_comments(source);
    let Some(own) = floor(module) else {
        return vec![format!("{module} stands on no floor: add it to FLOORS")];
    };
    let mut found = Vec::new();
    for imported in modules_named(&code) {
        match floor(&imported) {
            _ if imported == module => {}
            Some(theirs) if theirs > own => {}
            Some(theirs) if theirs == own => found.push(format!("{module} imports its neighbour {imported}")),
            Some(_) => found.push(format!("{module} imports {imported} from above")),
            None => found.push(format!("{module} imports {imported}, which stands on no floor")),
        }
    }
    for (name, home, allowed) in SPOKEN_IN {
        if module != *home && mentions(&code, name, allowed) {
            found.push(format!("{module} speaks of {name}, which belongs to {home}"));
        }
    }
    if module != "store" {
        let words = SQL.iter().filter(|word| string_literals(&code).iter().any(|text| text.contains(**word)));
        found.extend(words.map(|word| format!("{module} speaks SQL: {}", word.trim())));
    }
    found
}

/// The source without its comments, which may name what they like.
fn without_comments(source: &str) -> String {
    source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The modules of this crate that the code names, by `crate::…` wherever it stands.
fn modules_named(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, path) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue; // `some_crate::`
        }
        let rest = &code[at + path.len()..];
        match rest.strip_prefix('{') {
            Some(group) => named.extend(first_words(group)),
            None => named.extend(first_word(rest)),
        }
    }
    named
}

/// The first word of each path in a group such as `a::b, c::{d, e}, f}`.
fn first_words(group: &str) -> Vec<String> {
    let (mut words, mut depth, mut starts) = (Vec::new(), 0_usize, true);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => starts = true,
            letter if starts && (letter.is_alphabetic() || letter == '_') => {
                words.extend(first_word(&group[at..]));
                starts = false;
            }
            _ => {}
        }
    }
    words
}

/// A word of lower case: a module. `crate::Thing` names an item of the root, of which there is none.
fn first_word(path: &str) -> Option<String> {
    let end = path.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(path.len());
    let word = &path[..end];
    word.starts_with(|c: char| c.is_lowercase()).then(|| word.to_owned())
}

/// Whether the code names a crate otherwise than in one of the allowed ways.
fn mentions(code: &str, name: &str, allowed: &[&str]) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let is_path = code[at + name.len()..].starts_with("::") || code[..at].ends_with("use ");
        let is_whole_word = !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '"');
        let ends =
            |text: &str| !code[at + text.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let is_allowed = allowed.iter().any(|text| code[at..].starts_with(text) && ends(text));
        is_path && is_whole_word && !is_allowed
    })
}

/// What stands between double quotes; near enough for finding SQL.
fn string_literals(code: &str) -> Vec<&str> {
    code.split('"').skip(1).step_by(2).collect()
}

/// The module that a file belongs to: `chat` for `chat/send.rs`, `node` for `node.rs`.
fn module_of(source: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(source).expect("a file of the source");
    let first = relative.components().next().expect("a name");
    Path::new(first.as_os_str()).file_stem().expect("a name").to_string_lossy().into_owned()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the source") {
        let path = entry.expect("an entry of the folder").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn imports_point_down() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = files_below(&source);
    assert!(files.len() > 20, "the source was not found");
    let mut found = Vec::new();
    for file in files {
        let module = module_of(&source, &file);
        if module == "lib" {
            continue; // The list of modules.
        }
        let text = std::fs::read_to_string(&file).expect("source is text");
        let name = file.strip_prefix(&source).expect("a file of the source").display().to_string();
        found.extend(violations(&module, &text).into_iter().map(|violation| format!("{name}: {violation}")));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_violation_is_found_in_every_form() {
    let found = |module: &str, source: &str| violations(module, source).len();
    // Upward, alone, in a group, nested, in the middle of code.
    assert_eq!(found("chat", "use crate::gateway::Gateway;"), 1);
    assert_eq!(found("chat", "use crate::{error::CommandError, gateway::{self, Door}, store};"), 1);
    assert_eq!(found("store", "use crate::{\n    clock,\n    streams::hub::Hub,\n};"), 1);
    assert_eq!(found("fabric", "fn f() { crate::chat::send(); }"), 1);
    assert_eq!(found("error", "pub(in crate::fabric) fn f() {}"), 1);
    // Sideways.
    assert_eq!(found("http", "use crate::gateway;"), 1);
    assert_eq!(found("store", "use crate::fabric::Fabric;"), 1);
    // Words of another floor.
    assert_eq!(found("gateway", "use axum::Router;"), 1);
    assert_eq!(found("http", "use tokio_tungstenite::WebSocketStream;"), 1);
    assert_eq!(found("streams", "let c: fred::clients::Client;"), 1);
    assert_eq!(found("chat", "sqlx::query(sql)"), 1);
    assert_eq!(found("accounts", r#"let sql = "SELECT id FROM users";"#), 1);
    // A module that nobody placed.
    assert_eq!(found("attic", ""), 1);
    assert_eq!(found("chat", "use crate::attic::Box;"), 1);
}

#[test]
fn what_is_allowed_is_not_found() {
    let found = |module: &str, source: &str| violations(module, source);
    let none = Vec::<String>::new();
    assert_eq!(found("chat", "use crate::{accounts::Caller, store::{self, history::At}, streams};"), none);
    assert_eq!(
        found("gateway", "use tokio_tungstenite::tungstenite::Message;\nuse crate::chat::Chat;"),
        none
    );
    assert_eq!(found("error", "impl From<sqlx::Error> for CommandError {}"), none);
    assert_eq!(found("store", r#"const SQL: &str = "SELECT 1 FOR UPDATE"; use sqlx::query;"#), none);
    assert_eq!(found("fabric", "pub(in crate::fabric) use fred::clients::Client;"), none);
    assert_eq!(found("chat", "// axum::Router, crate::gateway, SELECT\nlet alfred = 1;"), none);
    assert_eq!(found("config", r#"let text = "UPDATED"; let crates = other_crate::gateway;"#), none);
}
