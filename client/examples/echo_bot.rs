//! Answers every message of its rooms with the same text.
//!
//! ```sh
//! HUBBUB_URL=http://127.0.0.1:8080 HUBBUB_TOKEN=… cargo run -p hubbub-client --example echo_bot
//! ```

use std::error::Error;

use hubbub_client::{
    Client, ServerAddress,
    protocol::{
        command::MessageSendParams,
        entry::{Entry, EntryBody},
        id::{StreamId, UserId},
    },
    reconnect::{Event, Settings},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server: ServerAddress = std::env::var("HUBBUB_URL")?.parse()?;
    let token = std::env::var("HUBBUB_TOKEN")?;
    let (client, mut events) = Client::start(Settings::new(vec![server], token));
    let mut me = None;
    while let Some(event) = events.next().await {
        match event {
            Event::Started(started) => {
                println!("connected as {} in {} rooms", started.user.username, started.rooms.len());
                me = Some(started.user.id);
            }
            Event::Entry(entry) => {
                if let Some(answer) = me.and_then(|me| answer_to(&entry, me)) {
                    client.ask(answer).await?;
                }
            }
            Event::Lost { closed, retry_in } => println!("lost ({closed}), back in {retry_in:?}"),
            Event::Stopped(stop) => println!("stopped: {stop:?}"),
            _ => {}
        }
    }
    Ok(())
}

/// The answer to a message that is not our own. Its key is made of the message's id, so that a bot that is started
/// again and meets the message again answers it once.
fn answer_to(entry: &Entry, me: UserId) -> Option<MessageSendParams> {
    let (StreamId::Room(room), EntryBody::Message { text, .. }) = (entry.stream, &entry.body) else {
        return None;
    };
    // A recalled message has no text any more.
    let worth_answering = entry.sender != me && !text.is_empty();
    worth_answering.then(|| MessageSendParams {
        room,
        key: format!("echo-{}", entry.id),
        text: text.clone(),
        reply_to: Some(entry.seq),
    })
}
