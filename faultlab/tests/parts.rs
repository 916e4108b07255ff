//! The parts of the rig do what they say: services, proxies and nodes, with the real programs.

use std::time::Duration;

use faultlab::{
    cluster::Cluster,
    proxy::{Fate, Mode, Proxy, Way},
    services::{Postgres, Redis},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

/// Longest wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long nothing must come.
const QUIET: Duration = Duration::from_millis(200);

/// A server that says everything back.
async fn echo() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await.ok();
            });
        }
    });
    address
}

async fn say(stream: &mut TcpStream, word: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(word).await?;
    let mut heard = vec![0; word.len()];
    stream.read_exact(&mut heard).await?;
    Ok(heard)
}

#[tokio::test]
async fn an_edge_is_cut_swallows_slows_and_heals() {
    let proxy = Proxy::start(Some(echo().await)).await.unwrap();
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(say(&mut stream, b"hello").await.unwrap(), b"hello");

    proxy.slow(Duration::from_millis(150));
    let began = Instant::now();
    assert_eq!(say(&mut stream, b"slow").await.unwrap(), b"slow");
    assert!(began.elapsed() >= Duration::from_millis(300), "each way is slow: {:?}", began.elapsed());

    proxy.black_hole(Way::Back);
    assert_eq!(proxy.mode(), Mode::BlackHole(Way::Back));
    let mut saying = Box::pin(say(&mut stream, b"lost?"));
    assert!(timeout(QUIET, &mut saying).await.is_err(), "nothing comes out of a black hole");
    proxy.heal();
    assert_eq!(timeout(PATIENCE, saying).await.unwrap().unwrap(), b"lost?");

    proxy.cut();
    let lost = timeout(PATIENCE, say(&mut stream, b"gone")).await.unwrap();
    assert!(lost.is_err(), "a cut resets connections");
    let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(timeout(PATIENCE, say(&mut refused, b"no")).await.unwrap().is_err(), "a cut refuses new ones");
    proxy.heal();
    let mut again = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(say(&mut again, b"back").await.unwrap(), b"back");
}

#[tokio::test]
async fn services_are_killed_and_come_back() {
    let (mut postgres, mut redis) = tokio::try_join!(Postgres::start(), Redis::start()).unwrap();
    redis.command(&["SET", "a", "1"]).await.unwrap();
    redis.kill().await.unwrap();
    assert!(redis.command(&["PING"]).await.is_err());
    redis.start_again().await.unwrap();
    assert_eq!(redis.command(&["EXISTS", "a"]).await.unwrap().as_text(), Some("0"), "it comes back empty");
    postgres.sql("CREATE TABLE kept (one INT)").await.unwrap();
    postgres.restart_immediately().await.unwrap();
    postgres.sql("DROP TABLE kept").await.unwrap();
}

#[tokio::test]
async fn publications_are_lost_and_come_late() {
    let redis = Redis::start().await.unwrap();
    let proxy = Proxy::start_before_redis(redis.address()).await.unwrap();
    let mut count = 0;
    proxy.on_publication(move |publication| {
        count += 1;
        assert_eq!(publication.channel, "news");
        match count {
            1 => Fate::Drop,
            2 => Fate::Late(Duration::from_millis(100)),
            _ => Fate::Pass,
        }
    });
    let mut subscriber = TcpStream::connect(proxy.address()).await.unwrap();
    let password = redis.url(proxy.address());
    let password = password.split(':').nth(2).unwrap().split('@').next().unwrap().to_owned();
    subscriber.write_all(format!("AUTH {password}\r\nSUBSCRIBE news\r\n").as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    let mut until = async |word: &[u8], stream: &mut TcpStream| {
        while !heard.windows(word.len()).any(|part| part == word) {
            assert_ne!(timeout(PATIENCE, stream.read_buf(&mut heard)).await.unwrap().unwrap(), 0);
        }
        String::from_utf8(heard.clone()).unwrap()
    };
    until(b"subscribe", &mut subscriber).await;
    for word in ["first", "second", "third"] {
        redis.command(&["PUBLISH", "news", word]).await.unwrap();
    }
    let text = until(b"second", &mut subscriber).await;
    assert!(!text.contains("first"), "{text}");
    assert!(text.find("third") < text.find("second"), "the late one was overtaken: {text}");
}

#[tokio::test]
async fn a_node_is_killed_paused_and_comes_back_at_its_address() {
    let logs = std::env::temp_dir().join(format!("hubbub-faultlab-parts-{}", std::process::id()));
    let mut cluster = Cluster::start(2, &[], &logs).await.unwrap();
    let people = cluster.people("p-", 2, "correct horse battery").await.unwrap();
    assert_eq!(people.len(), 2);
    let node = &mut cluster.nodes[0];
    assert_eq!(node.http().unwrap().server().await.unwrap().name, "Hubbub");
    assert!(node.metric("process_open_fds", &[]).await.unwrap() > 0.0);
    node.pause().unwrap();
    let asking = node.http().unwrap();
    assert!(timeout(QUIET, asking.server()).await.is_err(), "a paused node does not answer");
    node.unpause().unwrap();
    timeout(PATIENCE, asking.server()).await.unwrap().unwrap();
    node.kill().await.unwrap();
    assert!(timeout(PATIENCE, node.http().unwrap().server()).await.unwrap().is_err());
    node.start().await.unwrap();
    node.http().unwrap().server().await.unwrap();
    assert_eq!(node.terminate().await.unwrap(), Some(0));
    std::fs::remove_dir_all(logs).unwrap();
}
