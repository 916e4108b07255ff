//! The contract of operations on many keys, and of sorted sets.

use std::collections::HashMap;
use std::time::Duration;

use hubbub_server::fabric::{Fabric, Key};
use uuid::Uuid;

use crate::{LONG, RedisServer, SHORT, connected, contract, eventually, local};

contract! {
    many_values_are_read_in_their_order
    many_hashes_are_replaced_whole
    replaced_hashes_expire
    scores_add_up
    scores_expire_together
    the_highest_scores_come_first
    a_removed_set_begins_anew
}

fn key() -> Key {
    Key::of("thing", Uuid::now_v7())
}

fn pairs<V: Clone>(pairs: &[(&str, V)]) -> Vec<(String, V)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn hash(fields: &[(&str, &str)]) -> HashMap<String, String> {
    fields.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
}

fn texts(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    hash(fields).into_iter().collect()
}

async fn many_values_are_read_in_their_order(fabric: Fabric) {
    assert_eq!(fabric.get_all(&[]).await.unwrap(), []);
    let keys = [key(), key(), key()];
    fabric.set(&keys[0], "first", LONG).await.unwrap();
    fabric.set(&keys[2], "third", LONG).await.unwrap();
    let read = fabric.get_all(&keys).await.unwrap();
    assert_eq!(read, [Some("first".to_owned()), None, Some("third".to_owned())]);
    // What is of another kind is as good as absent, and no harm to the others.
    fabric.hash_set(&keys[0], "field", "value", LONG).await.ok();
    fabric.delete(&keys[0]).await.unwrap();
    fabric.hash_set(&keys[0], "field", "value", LONG).await.unwrap();
    assert_eq!(fabric.get_all(&keys).await.unwrap(), [None, None, Some("third".to_owned())]);
}

async fn many_hashes_are_replaced_whole(fabric: Fabric) {
    let keys = [key(), key(), key()];
    fabric.hash_set(&keys[0], "old", "gone", LONG).await.unwrap();
    let hashes =
        [(keys[0].clone(), texts(&[("a", "1"), ("b", "2")])), (keys[1].clone(), texts(&[("c", "3")]))];
    fabric.hash_replace_all(&hashes, LONG).await.unwrap();
    let read = fabric.hash_read_all(&keys).await.unwrap();
    assert_eq!(read, [hash(&[("a", "1"), ("b", "2")]), hash(&[("c", "3")]), HashMap::new()]);
    fabric.hash_replace_all(&[(keys[0].clone(), texts(&[("b", "4")]))], LONG).await.unwrap();
    assert_eq!(fabric.hash_read(&keys[0]).await.unwrap(), hash(&[("b", "4")]));
    fabric.hash_replace_all(&[], LONG).await.unwrap();
    // More fields than a script's stack would take at once.
    let large: Vec<_> = (0..9_000).map(|number| (format!("f{number}"), number.to_string())).collect();
    fabric.hash_replace_all(&[(keys[2].clone(), large)], LONG).await.unwrap();
    assert_eq!(fabric.hash_read(&keys[2]).await.unwrap().len(), 9_000);
}

async fn replaced_hashes_expire(fabric: Fabric) {
    let hashes = [(key(), texts(&[("a", "1")])), (key(), texts(&[("b", "2")]))];
    fabric.hash_replace_all(&hashes, SHORT).await.unwrap();
    let keys = hashes.map(|(key, _)| key);
    let is_there = |read: Vec<HashMap<_, _>>| read.iter().all(|hash| !hash.is_empty());
    assert!(is_there(fabric.hash_read_all(&keys).await.unwrap()));
    eventually("both are gone", async || {
        fabric.hash_read_all(&keys).await.unwrap().iter().all(HashMap::is_empty)
    })
    .await;
}

async fn scores_add_up(fabric: Fabric) {
    let keys = [key(), key()];
    let sets =
        [(keys[0].clone(), pairs(&[("ann", 2_i64), ("bea", 3)])), (keys[1].clone(), pairs(&[("ann", 7)]))];
    assert_eq!(fabric.scores_add(&sets, LONG).await.unwrap(), [vec![2, 3], vec![7]]);
    let more = [(keys[0].clone(), pairs(&[("ann", 5_i64), ("cyd", 1_i64 << 40), ("bea", -1)]))];
    assert_eq!(fabric.scores_add(&more, LONG).await.unwrap(), [[7, 1 << 40, 2]]);
    assert!(fabric.scores_add(&[], LONG).await.unwrap().is_empty());
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let asked = [
        (keys[0].clone(), names(&["bea", "nobody", "ann"])),
        (keys[1].clone(), names(&["ann"])),
        (key(), names(&["ann", "bea"])),
    ];
    let scores = fabric.scores(&asked).await.unwrap();
    assert_eq!(scores, [vec![Some(2), None, Some(7)], vec![Some(7)], vec![None, None]]);
    assert!(fabric.scores(&[]).await.unwrap().is_empty());
}

async fn scores_expire_together(fabric: Fabric) {
    let set = key();
    fabric.scores_add(&[(set.clone(), pairs(&[("ann", 1_i64)]))], LONG).await.unwrap();
    fabric.scores_add(&[(set.clone(), pairs(&[("bea", 1_i64)]))], Duration::from_millis(300)).await.unwrap();
    let keys = [set];
    eventually("it is gone", async || fabric.top(&keys, 10).await.unwrap()[0].is_empty()).await;
}

async fn the_highest_scores_come_first(fabric: Fabric) {
    let keys = [key(), key(), key()];
    let scores: Vec<_> = (0..100_i64).map(|number| (format!("m{number:03}"), (number * 37) % 100)).collect();
    let sets = [(keys[0].clone(), scores), (keys[2].clone(), pairs(&[("a", 1_i64), ("c", 1), ("b", 1)]))];
    fabric.scores_add(&sets, LONG).await.unwrap();
    let top = fabric.top(&keys, 3).await.unwrap();
    assert_eq!(top[0].iter().map(|(_, score)| *score).collect::<Vec<_>>(), [99, 98, 97]);
    assert!(top[1].is_empty());
    assert_eq!(top[2], pairs(&[("c", 1_i64), ("b", 1), ("a", 1)]));
    assert_eq!(fabric.top(&keys[..1], 1_000).await.unwrap()[0].len(), 100);
    assert!(fabric.top(&[], 3).await.unwrap().is_empty());
}

async fn a_removed_set_begins_anew(fabric: Fabric) {
    let set = key();
    let add = [(set.clone(), pairs(&[("ann", 4_i64)]))];
    fabric.scores_add(&add, LONG).await.unwrap();
    assert!(fabric.delete(&set).await.unwrap());
    assert!(!fabric.delete(&set).await.unwrap());
    assert_eq!(fabric.scores_add(&add, LONG).await.unwrap(), [[4]]);
}
