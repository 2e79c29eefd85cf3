//! Everything that only Apache Kafka's own tools have: their options, the order of their checks, texts and exit codes.
//!
//! A tool has a folder: `options` (the option table), `steps` (its requests, where they are not a native command) and
//! `words` (its output). Common parts of several tools are beside the folders. Known by `lib.rs` alone.

pub mod acls;
mod admin_tool;
mod argparse;
pub mod broker_api_versions;
mod client_config;
pub mod client_metrics;
pub mod cluster;
pub mod completion;
mod config_rules;
pub mod configs;
mod console;
pub mod console_consumer;
pub mod console_producer;
pub mod console_voice;
pub mod consumer_groups;
pub mod consumer_perf_test;
pub mod delegation_tokens;
pub mod delete_records;
pub mod dump_log;
pub mod e2e_latency;
pub mod errors;
mod feature_levels;
pub mod features;
pub mod flag_table;
pub mod get_offsets;
pub mod group_tools;
pub mod groups;
pub mod leader_election;
pub mod load_tools;
pub mod log_dirs;
pub mod log_line;
pub mod metadata_quorum;
pub mod multicall;
pub mod option_parser;
pub mod option_table;
pub mod producer_perf_test;
pub mod reassign;
pub mod server;
pub mod share_groups;
pub mod storage;
mod topic_filter;
pub mod topics;
pub mod transactions;
pub mod usage;
mod value_list;
pub mod verifiable_consumer;
pub mod verifiable_producer;

use std::ffi::OsString;
use std::process::ExitCode;

use multicall::JavaTool;
use option_table::Tool;

/// The version of Apache Kafka whose behaviour the faces have, and which `--version` prints.
pub const KAFKA_VERSION: &str = "4.3.1";

/// The tools that have an option table, in the order of the documentation.
pub const TOOLS: &[Tool] = &[
    topics::TOOL,
    console_producer::TOOL,
    console_consumer::TOOL,
    reassign::TOOL,
    dump_log::TOOL,
    get_offsets::TOOL,
    delete_records::TOOL,
    log_dirs::TOOL,
    leader_election::TOOL,
    consumer_groups::TOOL,
    groups::TOOL,
    share_groups::TOOL,
    configs::TOOL,
    features::TOOL,
    client_metrics::TOOL,
    cluster::TOOL,
    broker_api_versions::TOOL,
    acls::TOOL,
    delegation_tokens::TOOL,
    transactions::TOOL,
    metadata_quorum::TOOL,
    storage::TOOL,
    producer_perf_test::TOOL,
    consumer_perf_test::TOOL,
    e2e_latency::TOOL,
    verifiable_producer::TOOL,
    verifiable_consumer::TOOL,
];

/// Runs a Java tool with the arguments after its name. Bytes that are not UTF-8 become U+FFFD, as in Java.
pub fn run(tool: JavaTool, args: &[OsString]) -> ExitCode {
    let args: Vec<String> = args
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    match tool {
        JavaTool::Topics => topics::run(&args),
        JavaTool::ConsoleProducer => console_producer::run(&args),
        JavaTool::ConsoleConsumer => console_consumer::run(&args),
        JavaTool::ReassignPartitions => reassign::run(&args),
        JavaTool::DumpLog => dump_log::run(&args),
        JavaTool::GetOffsets => get_offsets::run(&args),
        JavaTool::DeleteRecords => delete_records::run(&args),
        JavaTool::LogDirs => log_dirs::run(&args),
        JavaTool::LeaderElection => leader_election::run(&args),
        JavaTool::ConsumerGroups => consumer_groups::run(&args),
        JavaTool::Groups => groups::run(&args),
        JavaTool::ShareGroups => share_groups::run(&args),
        JavaTool::Configs => configs::run(&args),
        JavaTool::Features => features::run(&args),
        JavaTool::ClientMetrics => client_metrics::run(&args),
        JavaTool::Cluster => cluster::run(&args),
        JavaTool::BrokerApiVersions => broker_api_versions::run(&args),
        JavaTool::Acls => acls::run(&args),
        JavaTool::DelegationTokens => delegation_tokens::run(&args),
        JavaTool::Transactions => transactions::run(&args),
        JavaTool::MetadataQuorum => metadata_quorum::run(&args),
        JavaTool::Storage => storage::run(&args),
        JavaTool::ProducerPerfTest => producer_perf_test::run(&args),
        JavaTool::ConsumerPerfTest => consumer_perf_test::run(&args),
        JavaTool::EndToEndLatency => e2e_latency::run(&args),
        JavaTool::VerifiableProducer => verifiable_producer::run(&args),
        JavaTool::VerifiableConsumer => verifiable_consumer::run(&args),
        JavaTool::ServerStart => server::start(&args),
        JavaTool::ServerStop => server::stop(&args),
        JavaTool::ZooKeeperServerStart => server::start_zookeeper(&args),
        JavaTool::ZooKeeperServerStop => server::stop_zookeeper(&args),
    }
}
