//! The fault rig: real nodes on a real Postgres and a real Redis, a proxy on every edge between them, faults by a
//! seed, clients that write down everything they asked and saw, and a checker that reads it afterwards.
//!
//! | module | does |
//! |---|---|
//! | [`services`] | starts, pauses, kills and restarts a private Postgres and Redis |
//! | [`proxy`] | one edge that can be cut, silenced, slowed, and made to lose or reorder publications |
//! | [`node`] | the real `hubbub serve` behind its proxies |
//! | [`cluster`] | services and nodes together |
//! | [`clients`] | people who write, read, resume and log in again |
//! | [`nemesis`] | which fault when: a function of the seed |
//! | [`history`] | what happened, one JSON object a line |
//! | [`evidence`] | what is there when all is quiet |
//! | [`checker`] | what must hold of it |
//! | [`mod@run`] | all of it, once |
//! | [`report`] | what is printed |
//! | [`mutants`] | whether broken promises are noticed |
//!
//! The first four are useful alone, to test one fault: see [`cluster::Cluster::start`].

pub mod checker;
pub mod clients;
pub mod cluster;
pub mod error;
pub mod evidence;
pub mod history;
pub mod mutants;
pub mod nemesis;
pub mod node;
pub mod process;
pub mod proxy;
pub mod report;
pub mod resp;
pub mod rng;
pub mod run;
pub mod services;
