//! kafkit beside Apache Kafka's tools, kcat and kfake, in one run on one machine.
//!
//! `benches/run` installs the peers and starts this; a missing peer is a failure unless named in
//! `BENCH_WITHOUT`. Wall times vary with the load of the machine: compare CPU seconds and ratios.
//! Arguments select sections by name: `clients`, `lane`, `nodes`, `start`, `broker`, `replication`, `transactions`,
//! `topics`, `faces`, `completion`, `dump-log`, `planner`, `copy`, `big-cluster`, `filters`.

#![allow(clippy::print_stdout, reason = "a benchmark's result is its output")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a benchmark that cannot measure must stop"
)]
#![allow(clippy::indexing_slicing, reason = "its peers are programs we started")]
#![allow(unreachable_pub, reason = "its modules are one program")]

mod big_cluster;
mod brokers;
mod clients;
mod completion;
mod copy;
mod dump_log;
mod faces;
mod filters;
mod lane;
mod load;
mod measure;
mod mini_broker;
mod planner;
mod probe;
mod replication;
mod scripted_cluster;
mod table;
mod topics;
mod transactions;

/// The binary that is measured.
const KAFKIT: &str = env!("CARGO_BIN_EXE_kafkit");

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if probe::run(&words) {
        return;
    }
    let wanted: Vec<String> = words.into_iter().filter(|word| !word.starts_with('-')).collect();
    let sections: [(&str, fn()); 15] = [
        ("start", mini_broker::start),
        ("broker", mini_broker::throughput),
        ("replication", replication::three_nodes),
        ("transactions", transactions::of_a_thousand_records),
        ("topics", topics::ten_thousand),
        ("clients", clients::produce_and_consume),
        ("lane", lane::speeds),
        ("nodes", lane::nodes),
        ("copy", copy::batch_to_batch),
        ("faces", faces::start_up),
        ("completion", completion::waits),
        ("dump-log", dump_log::segments),
        ("planner", planner::plans),
        ("big-cluster", big_cluster::looks),
        ("filters", filters::rates),
    ];
    for (name, section) in sections {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            section();
        }
    }
}
