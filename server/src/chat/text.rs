//! What texts, names and keys may be.

use hubbub_protocol::limits::{
    KEY_BYTES, PAGE_DEFAULT, PAGE_LIMIT, ROOM_NAME_CHARS, ROOM_TOPIC_CHARS, TEXT_BYTES,
};

use crate::{accounts, error::CommandError};

/// A text of a message.
pub(super) fn message(text: &str) -> Result<(), CommandError> {
    if text.trim().is_empty() {
        return Err(CommandError::invalid("text", "a message needs a text"));
    }
    draft(text)
}

/// A text that may be empty.
pub(super) fn draft(text: &str) -> Result<(), CommandError> {
    if text.len() > TEXT_BYTES {
        return Err(CommandError::TooLarge { field: "text", limit: TEXT_BYTES, unit: "bytes" });
    }
    no_nul("text", text)
}

/// An idempotency key.
pub(super) fn key(key: &str) -> Result<(), CommandError> {
    if key.is_empty() || key.len() > KEY_BYTES {
        return Err(CommandError::invalid("key", "a key has 1 to 64 bytes"));
    }
    no_nul("key", key)
}

/// The name of a group or channel, trimmed.
pub(super) fn room_name(name: &str) -> Result<String, CommandError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(CommandError::invalid("name", "a room needs a name"));
    }
    line("name", name, ROOM_NAME_CHARS)
}

/// What a room is about, trimmed.
pub(super) fn room_topic(topic: &str) -> Result<String, CommandError> {
    line("topic", topic.trim(), ROOM_TOPIC_CHARS)
}

fn line(field: &'static str, text: &str, limit: usize) -> Result<String, CommandError> {
    if text.chars().count() > limit {
        return Err(CommandError::TooLarge { field, limit, unit: "characters" });
    }
    if text.chars().any(accounts::disguises) {
        return Err(CommandError::invalid(field, "control and invisible characters are not allowed"));
    }
    Ok(text.to_owned())
}

/// Postgres cannot store it, and nobody means it.
fn no_nul(field: &'static str, text: &str) -> Result<(), CommandError> {
    if text.contains('\0') {
        return Err(CommandError::invalid(field, "the character U+0000 is not allowed"));
    }
    Ok(())
}

/// The size of a page.
pub(super) fn page(limit: Option<u16>) -> Result<u16, CommandError> {
    match limit {
        None => Ok(PAGE_DEFAULT),
        Some(limit) if (1..=PAGE_LIMIT).contains(&limit) => Ok(limit),
        Some(_) => Err(CommandError::invalid("limit", "limit is 1 to 200")),
    }
}

#[cfg(test)]
mod tests {
    use super::{key, message, page, room_name};

    #[test]
    fn texts_have_bounds() {
        assert!(message("你好").is_ok() && message(" \n ").is_err() && message("a\0b").is_err());
        assert!(message(&"x".repeat(16 * 1024)).is_ok() && message(&"x".repeat(16 * 1024 + 1)).is_err());
        assert!(key("k").is_ok() && key("").is_err() && key(&"k".repeat(65)).is_err());
        assert_eq!(room_name("  a b ").ok().as_deref(), Some("a b"));
        assert!(room_name("a\u{202E}b").is_err() && room_name(&"n".repeat(81)).is_err());
        assert!(page(None).is_ok() && page(Some(0)).is_err() && page(Some(201)).is_err());
    }
}
