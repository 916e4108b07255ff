//! A node that speaks and does not hear: it says so within 5 s, delivers all the same, and hears again by itself.

use std::time::Duration;

use faultlab::proxy::Fate;
use tokio::time::Instant;

use crate::{lab::Lab, support::eventually};

#[tokio::test]
async fn is_unready_and_still_delivers() {
    let lab = Lab::start(2).await;
    let [ann, bea] = lab.people().await;
    let (ann_link, bea_link) = (ann.connect_to(&lab.address(0)).await, bea.connect_to(&lab.address(1)).await);
    let room = ann_link.group(&[&bea]).await;
    bea_link.joined(room).await;
    lab.cluster.nodes[1].redis.on_publication(|_| Fate::Drop);
    let deaf = Instant::now();
    let words = async {
        let mut late = Duration::ZERO;
        for number in 0..10 {
            let sent = ann_link.say(room, &number.to_string()).await;
            let said = Instant::now();
            bea_link.until_seq(room, sent.seq).await;
            late = late.max(said.elapsed());
        }
        late
    };
    let unready = async {
        eventually("a deaf node that says so", async || {
            let (status, body) = lab.readiness(1).await;
            (status == 503 && body.contains("deaf")).then_some(())
        })
        .await;
        deaf.elapsed()
    };
    let (late, seen) = tokio::join!(words, unready);
    assert_eq!(lab.readiness(0).await.0, 200, "the node that hears is well");
    lab.cluster.nodes[1].redis.pass_publications();
    let heals = Instant::now();
    eventually("a node that hears", async || (lab.readiness(1).await.0 == 200).then_some(())).await;
    println!(
        "deaf: seen after {seen:?}, messages at most {late:?} late, well again {:?} after",
        heals.elapsed()
    );
    assert!(seen < Duration::from_secs(7), "seen only after {seen:?}");
    assert!(late < Duration::from_secs(5), "{late:?} late");
}
