//! Nodes replaced one after the other under load, in order and by force: nothing is lost, and each client reconnects
//! at most once for each node that was replaced under it.

use std::{process::Command, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{conversation::Conversation, lab::Lab};

async fn replaced(by_force: bool) {
    // A grace period shorter than the waves take, so that the end comes by force.
    let settings: &[(&str, &str)] =
        if by_force { &[("HUBBUB_DRAIN_GRACE_S", "6"), ("HUBBUB_DRAIN_WAVE_MS", "3000")] } else { &[] };
    let mut lab = Lab::start_with(3, settings).await;
    let people = lab.crowd("p", 9).await;
    let conversation = Conversation::begin(&lab, &people, 0, Duration::from_millis(20)).await;
    sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    for node in &mut lab.cluster.nodes {
        if by_force {
            let id = node.id().expect("the node runs").to_string();
            let status = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
            assert!(status.success());
            sleep(Duration::from_secs(1)).await;
            node.kill().await.expect("the node runs");
        } else {
            assert_eq!(node.terminate().await.expect("the node runs"), Some(0));
        }
        node.start().await.expect("the node starts");
        sleep(Duration::from_millis(500)).await;
    }
    let outcome = conversation.end(&lab, &people[0]).await;
    let most = outcome.heard.iter().map(|heard| heard.starts - 1).max().unwrap_or(0);
    println!(
        "three nodes replaced{} in {:?}: {} acknowledged, 0 lost, slowest {:?}, at most {most} reconnects of one client",
        if by_force { " by force" } else { "" },
        began.elapsed(),
        outcome.acknowledged.len(),
        outcome.slowest()
    );
    assert!(most <= 3, "a client reconnected {most} times for 3 nodes");
    assert!(outcome.slowest() < Duration::from_secs(10), "{:?}", outcome.slowest());
}

#[tokio::test]
async fn one_after_the_other() {
    replaced(false).await;
}

#[tokio::test]
async fn killed_in_the_middle_of_their_drain() {
    replaced(true).await;
}
