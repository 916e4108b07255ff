//! ts-rs writes declarations without line breaks; here they get them.

use std::fmt::Write as _;

use super::json::prose;

/// A declaration of ts-rs, a member a line, with comments of one line.
pub(super) fn lines(declaration: &str) -> String {
    let mut out = String::new();
    let mut deep = 0;
    let mut rest = declaration.trim();
    while let Some(next) = rest.chars().next() {
        let mut length = next.len_utf8();
        match next {
            '/' if rest.starts_with("/**") => {
                length = rest.find("*/").map_or(rest.len(), |end| end + 2);
                let lines = rest[3..length - 2].lines().map(|line| line.trim_start_matches([' ', '*']));
                let text = lines.collect::<Vec<_>>().join("\n");
                let _ = write!(out, "/** {} */", prose(text.trim()));
                newline(&mut out, deep);
            }
            '"' | '`' => {
                length = rest[1..].find(next).map_or(rest.len(), |end| end + 2);
                out.push_str(&rest[..length]);
            }
            '{' if rest.starts_with("{ [") => {
                length = rest.find('}').map_or(rest.len(), |end| end + 1);
                out.push_str(&rest[..length]);
            }
            '{' if rest[1..].trim_start().starts_with('}') => {
                length = rest.find('}').map_or(rest.len(), |end| end + 1);
                out.push_str("{}");
            }
            '{' => {
                deep += 1;
                out.push('{');
                newline(&mut out, deep);
            }
            '}' => {
                deep -= 1;
                newline(&mut out, deep);
                out.push('}');
            }
            // Not between the parameters of a type.
            ',' if out.matches('<').count() == out.matches('>').count() => {
                out.push(';');
                newline(&mut out, deep);
            }
            '\n' | ' ' if out.ends_with([' ', '\n']) => {}
            '\n' => out.push(' '),
            other => out.push(other),
        }
        rest = &rest[length..];
    }
    out.push('\n');
    out
}

fn newline(out: &mut String, deep: usize) {
    out.truncate(out.trim_end().len());
    out.push('\n');
    out.push_str(&"  ".repeat(deep));
}
