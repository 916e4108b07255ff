//! Edits and recalls: what the log and the folded messages say is changed in one transaction.

use hubbub_protocol::id::{RoomId, Seq, UserId};
use uuid::Uuid;

use super::{log::Log, on_tx};

/// A message as far as it decides who may change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// Who wrote it.
    pub sender: UserId,
    /// Whether it was taken back.
    pub recalled: bool,
    /// Whether it has been edited.
    pub edited: bool,
}

/// A message of a room.
pub async fn message(log: &mut Log, room: RoomId, seq: Seq) -> sqlx::Result<Option<MessageRow>> {
    const SQL: &str = "SELECT sender_id, recalled_at_ms, edited_at_ms FROM messages
        WHERE room_id = $1 AND seq = $2";
    let row: Option<(Uuid, Option<i64>, Option<i64>)> = on_tx!(log.tx(), conn => sqlx::query_as(SQL)
        .bind(room.as_uuid()).bind(seq.as_i64()).fetch_optional(conn))?;
    Ok(row.map(|(sender, recalled, edited)| MessageRow {
        sender: UserId(sender),
        recalled: recalled.is_some(),
        edited: edited.is_some(),
    }))
}

/// Gives a message its new text.
pub async fn edit(log: &mut Log, room: RoomId, seq: Seq, text: &str) -> sqlx::Result<()> {
    const SQL: &str = "UPDATE messages SET text = $1, edited_at_ms = $2 WHERE room_id = $3 AND seq = $4";
    let at_ms = log.at_ms();
    on_tx!(execute log.tx(), sqlx::query(SQL)
        .bind(text).bind(at_ms).bind(room.as_uuid()).bind(seq.as_i64()))?;
    Ok(())
}

/// Blanks the text of a message wherever SQL holds it: the folded message, its entry, and the entries of its edits.
pub async fn recall(log: &mut Log, room: RoomId, seq: Seq, by: UserId, edited: bool) -> sqlx::Result<()> {
    const FOLDED: &str = "UPDATE messages SET text = '', recalled_at_ms = $1, recalled_by = $2
        WHERE room_id = $3 AND seq = $4";
    const ENTRY: &str = "SELECT body FROM entries WHERE stream_id = $1 AND seq = $2";
    // Only for a message that was edited: it reads the log from the message on.
    const EDITS: &str = "SELECT seq, body FROM entries WHERE stream_id = $1 AND seq > $2 AND kind = 'edit'";
    let at_ms = log.at_ms();
    on_tx!(execute log.tx(), sqlx::query(FOLDED)
        .bind(at_ms).bind(by.as_uuid()).bind(room.as_uuid()).bind(seq.as_i64()))?;
    let mut blanked: Vec<(i64, String)> = Vec::new();
    let body: Option<String> = on_tx!(log.tx(), conn => sqlx::query_scalar(ENTRY)
        .bind(room.as_uuid()).bind(seq.as_i64()).fetch_optional(conn))?;
    blanked.extend(body.and_then(|body| blank(&body, None)).map(|body| (seq.as_i64(), body)));
    if edited {
        let edits: Vec<(i64, String)> = on_tx!(log.tx(), conn => sqlx::query_as(EDITS)
            .bind(room.as_uuid()).bind(seq.as_i64()).fetch_all(conn))?;
        blanked.extend(edits.iter().filter_map(|(at, body)| Some((*at, blank(body, Some(seq))?))));
    }
    for (at, body) in blanked {
        const BLANK: &str = "UPDATE entries SET body = $1 WHERE stream_id = $2 AND seq = $3";
        on_tx!(execute log.tx(), sqlx::query(BLANK).bind(body).bind(room.as_uuid()).bind(at))?;
    }
    Ok(())
}

/// The body with an empty text; `None` when it is an edit of another message than `target`.
fn blank(body: &str, target: Option<Seq>) -> Option<String> {
    let mut value: serde_json::Value = serde_json::from_str(body).ok()?;
    if let Some(target) = target
        && value.get("target").and_then(serde_json::Value::as_u64) != Some(target.0)
    {
        return None;
    }
    *value.get_mut("text")? = serde_json::Value::String(String::new());
    Some(value.to_string())
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::id::Seq;

    use super::blank;

    #[test]
    fn only_the_text_goes() {
        assert_eq!(
            blank(r#"{"reply_to":3,"text":"x"}"#, None).as_deref(),
            Some(r#"{"reply_to":3,"text":""}"#)
        );
        assert_eq!(blank(r#"{"target":3,"text":"x"}"#, Some(Seq(4))), None);
        assert!(blank(r#"{"target":3,"text":"x"}"#, Some(Seq(3))).is_some());
    }
}
