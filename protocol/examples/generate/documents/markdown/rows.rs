//! Tables that are the same rows in Rust.

use hubbub_protocol::{close::CloseCode, command::METHODS, error::Reason};

use super::{
    super::{
        endpoints::{ENDPOINTS, Endpoint},
        tables,
    },
    anchor,
    fields::Schemas,
};

/// Every method, with a link to its section.
pub(super) fn methods() -> String {
    let row = |name: &str, summary: &str| format!("| [`{name}`](#{}) | {summary} |\n", anchor(name));
    table(&["method", "does"], METHODS.iter().map(|method| row(method.name, method.summary)))
}

/// Every address.
pub(super) fn endpoints() -> String {
    let row = |endpoint: &Endpoint| {
        let token = if endpoint.signed_in { "yes" } else { "no" };
        format!(
            "| `{} {}` | {token} | {} |\n",
            endpoint.method.to_uppercase(),
            endpoint.path,
            endpoint.summary
        )
    };
    table(&["request", "token", "does"], ENDPOINTS.iter().map(row))
}

/// Every error.
pub(super) fn catalogue(schemas: &Schemas) -> String {
    let advice = |reason: Reason| {
        let text = schemas.word("Reason", reason.as_str());
        // The schema says what happened first, then what to do.
        let happened = format!("{}.", reason.title());
        text.strip_prefix(&happened).map(|advice| advice.trim().to_owned()).unwrap_or_default()
    };
    let row = |reason: &Reason| {
        format!(
            "| {} | `{reason}` | {} | {} | {} |\n",
            reason.code(),
            reason.status(),
            reason.title(),
            advice(*reason)
        )
    };
    table(&["code", "reason", "HTTP", "means", "more"], Reason::ALL.iter().map(row))
}

/// Every close code.
pub(super) fn close_codes() -> String {
    let row = |close: &CloseCode| {
        let next = tables::next_word(close.next());
        format!("| {} | `{}` | {} | {next} |\n", close.code(), close.reason(), close.text())
    };
    table(&["code", "reason", "means", "next"], CloseCode::ALL.iter().map(row))
}

/// Every limit.
pub(super) fn limits() -> String {
    let row = |limit: &tables::Limit| {
        let value =
            limit.least.map_or_else(|| limit.most.to_string(), |least| format!("{least} to {}", limit.most));
        format!("| `{}` | {value} | {} |\n", limit.name, limit.text)
    };
    table(&["limit", "value", "what"], tables::limits().iter().map(row))
}

/// A table with these columns.
pub(super) fn table(columns: &[&str], rows: impl Iterator<Item = String>) -> String {
    let head = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    head + &rows.collect::<Vec<_>>().concat()
}
