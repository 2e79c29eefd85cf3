//! A mini broker that is killed, stopped, filled up and cheated under load keeps its word: what it has acknowledged is
//! there, once and in order; transactions are whole; committed offsets never go back.
//!
//! `storms` breaks things, by a schedule drawn from a seed; `producers`, `transactions` and `commits` are clients that
//! remember every answer; `programs` are kafkit's own commands, killed and started again. `make torture SECONDS=600
//! SEED=7` runs it for long. The schedule of a seed is always the same; what the machine makes of it is not, so that a
//! failure may want its seed more than once. `tests/interop/torture.py` does the like with other people's clients.

#![allow(
    clippy::print_stdout,
    reason = "what was done is shown with --nocapture, and with a failure"
)]

mod commits;
mod link;
mod producers;
mod programs;
mod soak;
mod storms;
mod transactions;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::support::cluster::Cluster;
use crate::support::random::{Random, seeds};
use crate::support::suite::Suite;
use link::Addresses;

/// Seconds of storms on one node, and again on three.
const SECONDS: u64 = 4;
const PARTITIONS: i32 = 3;

/// What all clients of a run share.
#[derive(Debug)]
pub(super) struct Shared {
    addresses: Addresses,
    /// Clients finish what they have begun, and begin nothing more.
    is_over: AtomicBool,
    broken: Mutex<Vec<String>>,
}

impl Shared {
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// A promise was not kept.
    pub(super) fn broke(&self, what: String) {
        self.broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what);
    }
}

fn seconds() -> u64 {
    let given = std::env::var("KAFKIT_TORTURE_SECONDS").ok();
    given.and_then(|given| given.parse().ok()).unwrap_or(SECONDS)
}

/// Ports below those that the system gives away, so that a broker finds its own again when it comes back; other ones for
/// each number of nodes, whose tests run at the same time.
fn free_ports(nodes: u16) -> u16 {
    const ROOM: u16 = 200;
    let lowest = if nodes == 1 { 23_200 } else { 23_200 + ROOM };
    let first = (std::process::id() % u32::from(ROOM)) as u16;
    let bases = (0..ROOM).map(|n| lowest + (first + n) % (ROOM - nodes));
    let is_free = |base: &u16| {
        let mut ports = *base..*base + nodes;
        ports.all(|port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok())
    };
    bases.into_iter().find(is_free).expect("free ports")
}

fn torture(nodes: u16, seed: u64) {
    println!("KAFKIT_SEED={seed} on {nodes} node(s)");
    let mut random = Random::new(seed);
    let port = free_ports(nodes);
    let listen = format!("127.0.0.1:{port}");
    let count = nodes.to_string();
    let mut flags = vec!["--nodes", &count];
    let flushes = random.chance(50);
    if flushes {
        flags.push("--flush");
    }
    let replication = nodes.min(3).to_string();
    let settings = [
        "offsets.topic.num.partitions=3".to_owned(),
        format!("default.replication.factor={replication}"),
        format!("offsets.topic.replication.factor={replication}"),
        format!("transaction.state.log.replication.factor={replication}"),
        format!("min.insync.replicas={}", nodes.min(2)),
        "log.flush.offset.checkpoint.interval.ms=500".to_owned(),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let mut cluster = Cluster::start_all(
        if nodes == 1 { &flags[2..] } else { &flags },
        &[&listen],
        &settings,
    );
    let suite = Suite::new();
    let shared = Shared {
        addresses: Addresses::new(port, nodes),
        is_over: AtomicBool::new(false),
        broken: Mutex::default(),
    };
    for topic in ["numbers", "transactions", "lines", "copies"] {
        let partitions = PARTITIONS.to_string();
        let bootstrap = shared.addresses.bootstrap();
        let words = [
            "topics",
            "create",
            topic,
            "-q",
            "-b",
            &bootstrap,
            "--partitions",
            &partitions,
        ];
        let words = words
            .into_iter()
            .chain(["--config", "internal.segment.bytes=50000"]);
        suite.run(words).succeeds();
    }
    std::thread::scope(|scope| {
        let numbers = scope.spawn(|| producers::run(&shared));
        let transactional = scope.spawn(|| transactions::run(&shared));
        let committing = scope.spawn(|| commits::run(&shared));
        let programs = scope.spawn(|| programs::run(&shared, &suite, seed));
        let end = Instant::now() + Duration::from_secs(seconds());
        let told = storms::run(&mut cluster, &mut random, end, nodes, flushes);
        shared.is_over.store(true, Ordering::Relaxed);
        let sent = numbers.join().expect("a producer");
        let transactions = transactional.join().expect("a transactional producer");
        let commits = committing.join().expect("a client that commits");
        let programs = programs.join().expect("programs");
        let found = link::read(&suite, &shared, "numbers");
        sent.check(&shared, &found);
        transactions.check(&shared, &link::read(&suite, &shared, "transactions"));
        programs.check(&suite, &shared, &found);
        println!(
            "seed {seed}, {nodes} node(s){}: {told}; {} records acknowledged, {} transactions ended, {commits} commits, {programs}",
            if flushes { ", flushing" } else { "" },
            sent.len(),
            transactions.len(),
        );
    });
    let broken = shared.broken.lock().unwrap_or_else(PoisonError::into_inner);
    let first: Vec<&String> = broken.iter().take(10).collect();
    assert!(
        broken.is_empty(),
        "KAFKIT_SEED={seed}: {} promises broken: {first:#?}",
        broken.len()
    );
}

#[test]
fn one_node_keeps_its_word_through_storms() {
    for (seed, _) in seeds(1, 0) {
        torture(1, seed);
    }
}

#[test]
fn three_nodes_keep_their_word_through_storms() {
    for (seed, _) in seeds(1, 0) {
        torture(3, seed);
    }
}
