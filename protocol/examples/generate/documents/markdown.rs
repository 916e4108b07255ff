//! The parts of `PROTOCOL.md` that follow from the code. They stand between `<!-- generated: name -->` and
//! `<!-- end -->`; everything else of the page is written by hand.

mod example;
mod fields;
mod rows;

use std::{collections::HashSet, fmt::Write as _, fs, io, path::Path};

use hubbub_protocol::{command::METHODS, error::Reason};
use schemars::generate::SchemaSettings;
use serde_json::Value;

use self::fields::Schemas;
use super::{endpoints::ENDPOINTS, errors, types};

const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

/// The page as it should be.
///
/// # Errors
/// The page cannot be read, or a block in it has no end.
pub(super) fn page(root: &Path) -> io::Result<String> {
    let page = fs::read_to_string(root.join("PROTOCOL.md"))?;
    let writer = Writer { root, schemas: Schemas::new(types::schemas(SchemaSettings::draft2020_12())) };
    let mut out = String::new();
    let mut seen = HashSet::new();
    let mut rest = page.as_str();
    while let Some(at) = rest.find(BEGIN) {
        let (before, block) = rest.split_at(at + BEGIN.len());
        let parts = block.split_once(" -->").and_then(|(name, old)| Some((name, old.split_once(END)?.1)));
        let Some((name, after)) = parts else { return Err(io::Error::other("a generated block has no end")) };
        out.push_str(before);
        let _ = write!(out, "{name} -->\n\n{}\n\n{END}", tidy(&writer.block(name)?));
        seen.insert(name.to_owned());
        rest = after;
    }
    out.push_str(rest);
    for name in names() {
        assert!(seen.contains(&name), "PROTOCOL.md lacks the block {BEGIN}{name} -->");
    }
    Ok(out)
}

/// Without more than one empty line at a place.
fn tidy(block: &str) -> String {
    let mut tidy = block.trim().to_owned();
    while tidy.contains("\n\n\n") {
        tidy = tidy.replace("\n\n\n", "\n\n");
    }
    tidy
}

/// Every block that the page must have.
fn names() -> Vec<String> {
    let tables = ["methods", "entries", "signals", "endpoints", "types", "errors", "close codes", "limits"];
    let methods = METHODS.iter().map(|method| format!("method {}", method.name));
    let endpoints = ENDPOINTS.iter().map(|endpoint| format!("endpoint {}", endpoint.id));
    let tables = tables.into_iter().map(str::to_owned);
    tables.chain(methods).chain(endpoints).collect()
}

struct Writer<'a> {
    root: &'a Path,
    schemas: Schemas,
}

impl Writer<'_> {
    fn block(&self, name: &str) -> io::Result<String> {
        let (what, which) = name.split_once(' ').unwrap_or((name, ""));
        Ok(match (what, which) {
            ("methods", _) => rows::methods(),
            ("endpoints", _) => rows::endpoints(),
            ("types", _) => self.schemas.sections(),
            ("errors", _) => rows::catalogue(&self.schemas),
            ("close", "codes") => rows::close_codes(),
            ("limits", _) => rows::limits(),
            ("method", method) => self.method(method)?,
            ("endpoint", id) => self.endpoint(id)?,
            ("entries", _) => self.variants("EntryBody", "kind", "entry")?,
            ("signals", _) => self.variants("Signal", "type", "signal")?,
            ("golden", name) => self.json(name)?,
            _ => return Err(io::Error::other(format!("no block is called {name}"))),
        })
    }

    fn json(&self, golden: &str) -> io::Result<String> {
        Ok(format!("```json\n{}\n```", example::text(&example::frame(self.root, golden)?)))
    }

    fn method(&self, name: &str) -> io::Result<String> {
        let method = METHODS.iter().find(|method| method.name == name);
        let method = method.ok_or_else(|| io::Error::other(format!("no method is called {name}")))?;
        let own = errors::of_method(name);
        let own =
            if own.is_empty() { "those of every method.".to_owned() } else { format!("{}.", words(own)) };
        Ok(format!(
            "{}\n\n**Params**{}\n**Result**{}\n**Errors**: {own}\n\n```json\n{}\n{}\n```",
            method.summary,
            self.schemas.inline(method.params),
            self.schemas.inline(method.result),
            example::text(&example::frame(self.root, &format!("{name}.request"))?),
            example::text(&example::frame(self.root, &format!("{name}.reply"))?),
        ))
    }

    /// A table of the variants of an enum, and an example of each.
    fn variants(&self, of: &str, tag: &str, golden: &str) -> io::Result<String> {
        let mut lines = Vec::new();
        let mut examples = Vec::new();
        for (word, schema) in self.schemas.variants(of, tag) {
            let text = schema["description"].as_str().map(super::json::prose).unwrap_or_default();
            lines.push(format!("| `{word}` | {text} | {} |\n", fields::described(schema, tag, "<br>")));
            examples.push(example::text(&example::frame(self.root, &format!("{golden}.{word}"))?));
        }
        let table = rows::table(&[tag, "means", "fields"], lines.into_iter());
        Ok(format!("{table}\n```json\n{}\n```", examples.join("\n")))
    }

    fn endpoint(&self, id: &str) -> io::Result<String> {
        let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.id == id);
        let endpoint = endpoint.ok_or_else(|| io::Error::other(format!("no endpoint is called {id}")))?;
        let mut parts = vec![endpoint.summary.to_owned()];
        if !endpoint.query.is_empty() {
            let names: Vec<String> =
                endpoint.query.iter().map(|(name, text)| format!("`{name}` ({})", lower(text))).collect();
            parts.push(format!("**Query**: {}.", names.join(", ")));
        }
        if let Some(body) = endpoint.body {
            parts.push(format!("**Body**{}", self.schemas.inline(body)));
        }
        let answer =
            endpoint.answer.map_or_else(|| ": no body.".to_owned(), |name| self.schemas.inline(name));
        parts.push(format!("**Answer** {}{answer}", endpoint.status));
        let reasons = errors::of_endpoint(endpoint);
        if !reasons.is_empty() {
            parts.push(format!("**Errors**: {}.", words(&reasons)));
        }
        Ok(parts.join("\n\n"))
    }
}

/// `Only this.` as `only this`, to stand in a sentence.
fn lower(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn words(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| format!("`{reason}`")).collect::<Vec<_>>().join(", ")
}

/// What a heading becomes in a link.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
}

/// The members of a JSON object.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
