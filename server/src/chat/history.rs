//! Reading: the log, the timeline, single messages.

use std::collections::BTreeMap;

use hubbub_protocol::{
    command::{
        EntriesPage, HistoryPage, MessageGetParams, MessagesResult, RoomHistoryParams, RoomReadParams,
    },
    entry::{Entry, EntryBody},
    id::{Seq, StreamId},
    limits::USERS_PER_COMMAND,
    model::{Recalled, TimelineItem},
};

use super::{Chat, text};
use crate::{
    accounts::Caller,
    error::CommandError,
    store::{self, history::Part},
    streams::Line,
};

impl Chat {
    /// Entries of a room's log, ascending and without holes.
    ///
    /// # Errors
    /// `invalid_params`, `unknown_room`, `not_a_member`, `unavailable`.
    pub async fn read(&self, caller: &Caller, params: RoomReadParams) -> Result<EntriesPage, CommandError> {
        let limit = text::page(params.limit)?;
        let head = self.readable(params.room, caller.user.id).await?;
        let stream = StreamId::Room(params.room);
        let entries = match (params.after, params.before) {
            (Some(_), Some(_)) => {
                return Err(CommandError::invalid("before", "give before or after, not both"));
            }
            (Some(after), None) => store::entries::after(&self.0.db, stream, after, limit).await?,
            (None, before) => {
                let before = before.unwrap_or(Seq(u64::MAX));
                if let Some(entries) = self.newest_below(stream, head, before, limit).await? {
                    entries
                } else {
                    store::entries::before(&self.0.db, stream, before, limit).await?
                }
            }
        };
        let head = entries.last().map_or(head, |last| last.seq.max(head));
        Ok(EntriesPage { epoch: self.0.streams.epoch(), entries, head })
    }

    /// A page from the newest entries, when they reach that far.
    async fn newest_below(
        &self,
        stream: StreamId,
        head: Seq,
        before: Seq,
        limit: u16,
    ) -> Result<Option<Vec<Entry>>, CommandError> {
        let lines = self.0.streams.newest(stream, head).await?;
        let below: Vec<_> = lines.iter().filter(|line| line.seq < before).collect();
        let limit = usize::from(limit);
        let whole = below.len() >= limit || below.first().is_some_and(|first| first.seq == Seq(1));
        if !whole {
            return Ok(None);
        }
        let page = below.iter().rev().take(limit).rev();
        Ok(page.map(|line| line.entry()).collect())
    }

    /// A part of a room's timeline, with edits and recalls folded in.
    ///
    /// # Errors
    /// `invalid_params`, `unknown_room`, `not_a_member`, `unavailable`.
    pub async fn history(
        &self,
        caller: &Caller,
        params: RoomHistoryParams,
    ) -> Result<HistoryPage, CommandError> {
        let limit = text::page(params.limit)?;
        let at = match (params.before, params.after, params.around) {
            (None, None, None) => Part::Newest,
            (Some(seq), None, None) => Part::Before(seq),
            (None, Some(seq), None) => Part::After(seq),
            (None, None, Some(seq)) => Part::Around(seq),
            _ => return Err(CommandError::invalid("before", "give at most one of before, after and around")),
        };
        let head = self.readable(params.room, caller.user.id).await?;
        if at == Part::Newest
            && let Some(page) = self.newest_page(StreamId::Room(params.room), head, limit).await?
        {
            return Ok(page);
        }
        Ok(store::history::page(&self.0.db, params.room, at, limit).await?)
    }

    /// The newest page of a timeline, folded from the cached entries when they hold all of it.
    async fn newest_page(
        &self,
        stream: StreamId,
        head: Seq,
        limit: u16,
    ) -> Result<Option<HistoryPage>, CommandError> {
        let lines = self.0.streams.newest(stream, head).await?;
        let Some(entries) = lines.iter().map(Line::entry).collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let from_start = entries.first().is_none_or(|first| first.seq == Seq(1));
        let head = entries.last().map_or(head, |last| last.seq);
        let mut items = fold(entries);
        let start = from_start && items.len() <= limit.into();
        if !from_start && items.len() < limit.into() {
            return Ok(None);
        }
        items.drain(..items.len().saturating_sub(limit.into()));
        Ok(Some(HistoryPage { items, head, start, end: true }))
    }

    /// Messages by their places.
    ///
    /// # Errors
    /// `too_large`, `unknown_room`, `not_a_member`, `unavailable`.
    pub async fn messages(
        &self,
        caller: &Caller,
        params: MessageGetParams,
    ) -> Result<MessagesResult, CommandError> {
        if params.seqs.len() > USERS_PER_COMMAND {
            return Err(CommandError::TooLarge { field: "seqs", limit: USERS_PER_COMMAND, unit: "messages" });
        }
        self.readable(params.room, caller.user.id).await?;
        let messages = store::history::messages(&self.0.db, params.room, &params.seqs).await?;
        Ok(MessagesResult { messages })
    }
}

/// The timeline that a run of entries up to the head makes: later edits and recalls are in it, so it is the present.
fn fold(entries: Vec<Entry>) -> Vec<TimelineItem> {
    let mut items: BTreeMap<Seq, TimelineItem> = BTreeMap::new();
    for entry in entries {
        match &entry.body {
            EntryBody::Edit { target, text: new } => {
                if let Some(item) = items.get_mut(target)
                    && let EntryBody::Message { text, .. } = &mut item.entry.body
                {
                    new.clone_into(text);
                    item.edited_at = Some(entry.at);
                }
            }
            EntryBody::Recall { target } => {
                if let Some(item) = items.get_mut(target)
                    && let EntryBody::Message { text, .. } = &mut item.entry.body
                {
                    text.clear();
                    item.recalled = Some(Recalled { by: entry.sender, at: entry.at });
                }
            }
            _ => {
                items.insert(entry.seq, TimelineItem { entry, edited_at: None, recalled: None });
            }
        }
    }
    items.into_values().collect()
}

#[cfg(test)]
mod tests {
    use hubbub_protocol::{
        entry::{Entry, EntryBody},
        id::{EntryId, RoomId, Seq, StreamId, UserId},
    };

    use super::fold;

    #[test]
    fn edits_and_recalls_are_folded_in() {
        let (room, sender) = (StreamId::Room(RoomId::generate()), UserId::generate());
        let message = |text: &str| EntryBody::Message { text: text.to_owned(), reply_to: None };
        let edit = |target, text: &str| EntryBody::Edit { target: Seq(target), text: text.to_owned() };
        let bodies = [
            message("one"),
            message("two"),
            edit(1, "uno"),
            edit(99, "of a message below the run"),
            EntryBody::Recall { target: Seq(2) },
        ];
        let entries = (1..).zip(bodies).map(|(seq, body)| Entry {
            stream: room,
            seq: Seq(seq),
            id: EntryId::generate(),
            at: i64::try_from(seq).expect("small"),
            sender,
            key: None,
            body,
        });
        let items = fold(entries.collect());
        assert_eq!(items.iter().map(|item| item.entry.seq.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((&items[0].entry.body, items[0].edited_at), (&message("uno"), Some(3)));
        assert_eq!((&items[1].entry.body, items[1].recalled.map(|r| r.at)), (&message(""), Some(5)));
    }
}
