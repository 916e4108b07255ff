//! `protocol.ts`: the types of the wire, and the constants that a client needs.

use std::{collections::HashSet, fmt::Write as _};

use hubbub_protocol::{
    SUBPROTOCOL,
    close::{CloseCode, Next, next_after},
    command::METHODS,
    error::Reason,
};

use super::{layout, tables, types};

const HEAD: &str = "\
// Generated from the Rust crate `protocol`; do not edit.
// To renew it: cargo run -p hubbub-protocol --example generate

/* eslint-disable */
";

/// The text of the module.
pub(super) fn module() -> String {
    let mut out = HEAD.to_owned();
    add_types(&mut out);
    add_frames(&mut out);
    add_methods(&mut out);
    add_errors(&mut out);
    add_closes(&mut out);
    add_limits(&mut out);
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn add_types(out: &mut String) {
    // Seqs and times stay far below 2^53, where JSON numbers are exact.
    let config = ts_rs::Config::new().with_large_int("number");
    let declared = types::typescript(&config);
    let names: HashSet<&str> = declared.iter().map(|t| t.name.as_str()).collect();
    let body = declared.iter().find(|t| t.name == "EntryBody").map_or("", |t| t.declaration.as_str());
    let written_out = format!("({})", body.trim_start_matches("type EntryBody = ").trim_end_matches(';'));
    for each in &declared {
        for mention in &each.mentions {
            assert!(names.contains(mention.as_str()), "{mention}, used by {}, is not in types.rs", each.name);
        }
        // ts-rs writes flattened types out; by name they are one type for readers and for the compiler.
        let declaration = each.declaration.replace(&written_out, "EntryBody");
        let _ = write!(out, "\n{}", layout::lines(&format!("{}export {declaration}", each.docs)));
    }
    for method in METHODS {
        for name in [method.params, method.result] {
            assert!(names.contains(name), "{name}, used by {}, is not in types.rs", method.name);
        }
    }
}

fn add_frames(out: &mut String) {
    let _ = write!(
        out,
        "
/** The WebSocket subprotocol of this wire. */
export const SUBPROTOCOL = {SUBPROTOCOL:?};

/** A command: what a client sends. */
export type Request<M extends MethodName = MethodName> = {{
  jsonrpc: \"2.0\";
  id: number | string;
  method: M;
  params: Methods[M][\"params\"];
}};

/** The answer to a command, found by its `id`; `id` is null where the request's could not be read. */
export type Reply<M extends MethodName = MethodName> =
  | {{ jsonrpc: \"2.0\"; id: number | string; result: Methods[M][\"result\"] }}
  | {{ jsonrpc: \"2.0\"; id: number | string | null; error: ErrorObject }};

/** What the server says unasked. Pass over methods, entry kinds and signal types that you do not know. */
export type Notification = {{ jsonrpc: \"2.0\" }} & Push;
"
    );
}

fn add_methods(out: &mut String) {
    line(
        out,
        "\n/** Every method, with what it is given and what it answers. */\nexport interface Methods {",
    );
    for method in METHODS {
        let _ = writeln!(out, "  /** {} */", method.summary);
        let _ =
            writeln!(out, "  {:?}: {{ params: {}; result: {} }};", method.name, method.params, method.result);
    }
    line(
        out,
        "}\n\nexport type MethodName = keyof Methods;\n\nexport const METHODS: readonly MethodName[] = [",
    );
    for method in METHODS {
        let _ = writeln!(out, "  {:?},", method.name);
    }
    line(out, "];");
}

fn add_errors(out: &mut String) {
    line(
        out,
        "\n/** The catalogue of errors: number on both doors, HTTP status, and a sentence in English. */",
    );
    line(
        out,
        "export const ERRORS: Readonly<Record<Reason, { code: number; status: number; title: string }>> = {",
    );
    for reason in Reason::ALL {
        let (word, code, status, title) = (reason.as_str(), reason.code(), reason.status(), reason.title());
        let _ = writeln!(out, "  {word}: {{ code: {code}, status: {status}, title: {title:?} }},");
    }
    line(out, "};");
}

fn add_closes(out: &mut String) {
    out.push_str(
        "
/**
 * What a client does after a close: reconnect at once (with jitter) and resume; reconnect after its back-off; refresh
 * its token first; or stop until a person logs in again.
 */
export type Next = \"resume\" | \"back_off\" | \"refresh\" | \"stop\";

/** Every close code that the server sends. */
export const CLOSE_CODES = {
",
    );
    for close in CloseCode::ALL {
        let (word, code, text) = (close.reason(), close.code(), close.text());
        let next = tables::next_word(close.next());
        let _ = writeln!(out, "  {word}: {{ code: {code}, next: {next:?}, text: {text:?} }},");
    }
    line(out, "} as const satisfies Record<string, { code: number; next: Next; text: string }>;\n");
    line(out, "/** What a client does after a close with this number, known or not. */");
    line(out, "export function nextAfter(code: number): Next {");
    for (first, last, next) in close_ranges() {
        let word = tables::next_word(next);
        let test = if first == last {
            format!("code === {first}")
        } else {
            format!("code >= {first} && code <= {last}")
        };
        let _ = writeln!(out, "  if ({test}) return {word:?};");
    }
    line(out, "  return \"back_off\";\n}");
}

/// Runs of close codes that ask for something else than the back-off.
fn close_ranges() -> Vec<(u16, u16, Next)> {
    let mut ranges: Vec<(u16, u16, Next)> = Vec::new();
    for code in 1000..=4999 {
        let next = next_after(code);
        match ranges.last_mut() {
            Some((_, last, before)) if *before == next && *last + 1 == code => *last = code,
            _ => ranges.push((code, code, next)),
        }
    }
    ranges.retain(|(_, _, next)| *next != Next::BackOff);
    ranges
}

fn add_limits(out: &mut String) {
    line(out, "\n/** Every limit of the wire; the name ends in its unit. */\nexport const LIMITS = {");
    for limit in tables::limits() {
        let _ = writeln!(out, "  /** {} */", limit.text);
        let _ = match limit.least {
            Some(least) => writeln!(out, "  {}: {{ least: {least}, most: {} }},", limit.name, limit.most),
            None => writeln!(out, "  {}: {},", limit.name, limit.most),
        };
    }
    line(out, "} as const;");
}
