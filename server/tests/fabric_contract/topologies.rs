//! The contract on Sentinel, Cluster and TLS.

use std::time::Duration;

use hubbub_server::fabric::{BusEvent, Fabric, RedisSettings, Topic};
use tokio::sync::mpsc::Receiver;
use uuid::Uuid;

use super::redis_faults::{heard, resync};
use super::redis_server::{PASSWORD_IN_URL, RedisServer};
use super::topology::{Cluster, Folder, Sentinel, Tls, certify, rules, until};
use super::{connected_to, eventually, many, refill};

/// Every operation of the contract.
async fn everything(settings: &RedisSettings) {
    super::the_whole_contract(settings).await;
    many::the_whole_contract(settings).await;
}

#[tokio::test]
async fn the_contract_holds_behind_sentinel() {
    let redis = Sentinel::start();
    everything(&redis.settings()).await;
}

#[tokio::test]
async fn the_contract_holds_in_a_cluster() {
    let redis = Cluster::start(false);
    everything(&redis.settings()).await;
}

#[tokio::test]
async fn the_contract_holds_over_tls() {
    let redis = Tls::start("IP:127.0.0.1", false);
    everything(&redis.settings("rediss", Some(&redis.authority))).await;
}

#[tokio::test]
async fn a_cluster_is_spoken_to_over_tls() {
    let redis = Tls::start("IP:127.0.0.1", true);
    let fabric = connected_to(redis.settings("rediss-cluster", Some(&redis.authority))).await;
    let mut events = fabric.incoming();
    let stream = Uuid::now_v7();
    fabric.follow(&[Topic::Stream(stream)]).await.unwrap();
    refill(&fabric, stream, 3).await;
    fabric.publish(Topic::Stream(stream), &"hello".into()).await.unwrap();
    heard(&mut events, Topic::Stream(stream), "hello").await;
}

#[tokio::test]
async fn a_certificate_is_verified() {
    let good = Tls::start("IP:127.0.0.1", false);
    let elsewhere = Tls::start("DNS:elsewhere.example", false);
    let stranger = Folder::create();
    let stranger = certify(&stranger.0, "IP:127.0.0.1");
    for (why, settings) in [
        ("another authority signed it", good.settings("rediss", Some(&stranger))),
        ("no authority of this machine signed it", good.settings("rediss", None)),
        ("it has another name", elsewhere.settings("rediss", Some(&elsewhere.authority))),
    ] {
        let settings = RedisSettings { connect_timeout: Duration::from_millis(700), ..settings };
        let fabric = Fabric::redis(&settings).await.unwrap();
        assert!(!fabric.is_up() && fabric.ping().await.is_err(), "{why}");
    }
    assert!(connected_to(good.settings("rediss", Some(&good.authority))).await.is_up());
    for broken in ["/nowhere/ca.pem", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")] {
        let refused = Fabric::redis(&good.settings("rediss", Some(broken.as_ref()))).await.unwrap_err();
        assert!(refused.to_string().contains(broken), "{refused}");
    }
}

/// With no more rights than the documentation gives.
#[tokio::test]
async fn a_user_with_the_least_rights_is_enough() {
    let redis = RedisServer::start_with(|_| {
        let options = ["--enable-debug-command", "yes", "--user", "hubbub"].map(str::to_owned).to_vec();
        [options, rules()].concat()
    });
    let url = format!("redis://hubbub:{PASSWORD_IN_URL}@127.0.0.1:{}/0", redis.port);
    everything(&RedisSettings::new(url)).await;
    assert_eq!(redis.tell("ACL LOG"), "*0", "something it asked for was refused");

    for command in [
        "FLUSHALL",
        "FLUSHDB",
        "CONFIG GET *",
        "KEYS *",
        "SCAN 0",
        "DEBUG SLEEP 0",
        "ACL LIST",
        "SHUTDOWN",
        "MONITOR",
        "PSUBSCRIBE *",
        "SUBSCRIBE other:topic",
        "PUBLISH other:topic x",
        "SPUBLISH other:topic x",
        "GET other:key",
        "SET other:key x",
        "EVALSHA 0000000000000000000000000000000000000000 1 other:key",
        "SCRIPT FLUSH",
        "CLIENT KILL TYPE normal",
        "FUNCTION LIST",
        "CLUSTER RESET",
        "REPLICAOF NO ONE",
    ] {
        let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        let answer = redis.ask_as("hubbub", &words);
        assert!(answer.starts_with("-NOPERM"), "{command}: {answer}");
    }
    // A script is no way around: what it calls is refused as well.
    for text in [
        "return redis.call('GET','other:key')",
        "return redis.call('FLUSHALL')",
        "return redis.call('PUBLISH','other:topic','x')",
    ] {
        let answer = redis.ask_as("hubbub", &[b"EVAL", text.as_bytes(), b"0"]);
        assert!(answer.contains("can't") || answer.contains("NOPERM"), "{text}: {answer}");
    }
}

#[tokio::test]
async fn a_slot_that_moves_takes_its_topics_along() {
    let redis = Cluster::start(false);
    let [here, there] = [connected_to(redis.settings()).await, connected_to(redis.settings()).await];
    let mut events = here.incoming();
    let topics: Vec<Topic> = (0..30).map(|_| Topic::Stream(Uuid::now_v7())).collect();
    here.follow(&topics).await.unwrap();
    let slot = redis.servers[0].tell(&format!("CLUSTER KEYSLOT hubbub:{}", topics[0]));
    let slot: usize = slot.trim_start_matches(':').parse().unwrap();
    let from = [5_461, 10_923].iter().filter(|first| slot >= **first).count();
    let to = (from + 1) % 3;
    let [old, new] = [from, to].map(|server| redis.servers[server].tell("CLUSTER MYID"));
    for (server, what) in [
        (to, format!("IMPORTING {old}")),
        (from, format!("MIGRATING {new}")),
        (to, format!("NODE {new}")),
        (from, format!("NODE {new}")),
    ] {
        assert_eq!(redis.servers[server].tell(&format!("CLUSTER SETSLOT {slot} {what}")), "+OK");
    }
    until("everybody knows", || {
        redis.servers.iter().all(|server| server.tell("CLUSTER INFO").contains("cluster_state:ok"))
    });
    resync(&mut events).await;
    everything_is_heard(&here, &there, &topics, &mut events).await;
    // fred's own remedy leaves shard channels out.
    for server in &redis.servers {
        server.tell("CLIENT KILL TYPE pubsub");
        resync(&mut events).await;
        everything_is_heard(&here, &there, &topics, &mut events).await;
    }
}

async fn everything_is_heard(
    here: &Fabric,
    there: &Fabric,
    topics: &[Topic],
    events: &mut Receiver<BusEvent>,
) {
    eventually("all is heard", async || here.is_hearing() && there.is_hearing()).await;
    for topic in topics {
        let word = Uuid::now_v7().to_string();
        eventually("the word is said", async || there.publish(*topic, &word.clone().into()).await.is_ok())
            .await;
        heard(events, *topic, &word).await;
    }
}
