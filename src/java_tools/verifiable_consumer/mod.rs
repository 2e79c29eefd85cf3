//! `kafka-verifiable-consumer` as Apache Kafka 4.3.1 has it: reads a topic in a group, and prints events as JSON.

pub mod steps;

use std::process::ExitCode;

use super::argparse::{Arg, Namespace, Program, parse, specs, worded};
use super::client_config::check_consumer;
use super::console::{check_consumer_servers, no_consumer};
use super::load_tools::read_file;
use super::option_table::{Tool, flag, value};
use crate::client::settings::{Origin, Settings};
use crate::error::Kind;
use crate::output::{OutputOptions, Printer, stderr_line, stdout_line};
use steps::Load;

/// Java's default of `max.poll.records`.
const DEFAULT_RECORDS_AT_ONCE: u64 = 500;

const ARGS: [Arg; 14] = [
    worded(value(
        "bootstrap-server",
        "HOST1:PORT1[,HOST2:PORT2[...]]",
        "Brokers to ask first.",
    )).required().exactly_one(),
    worded(value("topic", "TOPIC", "The topic to read.")).required(),
    worded(value(
        "group-protocol",
        "GROUP-PROTOCOL",
        "How the group is kept: classic or consumer (default: classic).",
    )),
    worded(value(
        "group-remote-assignor",
        "GROUP-REMOTE-ASSIGNOR",
        "What divides the partitions where the protocol is consumer.",
    )),
    worded(value("group-id", "GROUP-ID", "The group to read in.").differs(
        "offsets_committed says that offsets were handed to the client, which commits them every few seconds and at the end",
    )).required(),
    worded(value(
        "group-instance-id",
        "GROUP-INSTANCE-ID",
        "The name of a static member.",
    )),
    worded(value(
        "max-messages",
        "MAX-MESSAGES",
        "How many records to read; -1 is without end (default: -1).",
    )).integer(),
    worded(value(
        "session-timeout",
        "TIMEOUT-MS",
        "The session time-out of the member in milliseconds; not where the protocol is consumer.",
    )).integer(),
    worded(flag("verbose", "Prints each record.")),
    worded(flag("enable-autocommit", "Offsets are committed without an event.")),
    worded(value(
        "reset-policy",
        "RESET-POLICY",
        "Where a group without offsets begins: earliest, latest or none (default: earliest).",
    )),
    worded(value(
        "assignment-strategy",
        "ASSIGNMENT-STRATEGY",
        "What divides the partitions where the protocol is classic, as Java's class (default: RangeAssignor).",
    )),
    worded(value(
        "consumer.config",
        "CONFIG-FILE",
        "The former name of --command-config.",
    )),
    worded(value(
        "command-config",
        "CONFIG-FILE",
        "Settings of the consumer, as a Java properties file.",
    )),
];

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-verifiable-consumer",
    options: &specs(&ARGS),
};

const PROGRAM: Program = Program {
    name: "verifiable-consumer",
    about: "Reads a topic in a group, and prints what happens (partitions given and taken, records read, offsets \
            committed) as a JSON object a line.",
    args: &ARGS,
    commands: &[],
    metavar: None,
    help_fails: true,
};

pub(super) fn run(args: &[String]) -> ExitCode {
    if args.is_empty() {
        return PROGRAM.print_help();
    }
    let read = match parse(&PROGRAM, args) {
        Ok(read) => read,
        Err(stop) => return PROGRAM.stopped(stop),
    };
    let settings = match settings(&read) {
        Ok(settings) => settings,
        Err(message) => return PROGRAM.refuse(&message),
    };
    let servers = read.value("bootstrap-server").unwrap_or_default();
    let checked = check_consumer_servers(servers)
        .map_err(|reason| no_consumer(&reason))
        .and_then(|()| check_consumer(&settings).map_err(super::client_config::Refusal::reason))
        .and_then(|()| check_group(&settings));
    if let Err(message) = checked {
        stderr_line(format_args!("kafka-verifiable-consumer: {message}"));
        return ExitCode::FAILURE;
    }
    let load = Load {
        topic: read.value("topic").unwrap_or_default().to_owned(),
        records: read
            .long("max-messages")
            .and_then(|count| u64::try_from(count).ok()),
        records_at_once: (settings.get("max.poll.records"))
            .and_then(|most| most.trim().parse().ok())
            .unwrap_or(DEFAULT_RECORDS_AT_ONCE),
        is_verbose: read.has("verbose"),
        tells_commits: !read.has("enable-autocommit"),
    };
    let mut printer = Printer::new(OutputOptions::default());
    let outcome = steps::run(&load, &settings, &mut printer);
    let output = printer.finish();
    match outcome.and(output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == Kind::ClosedPipe => ExitCode::SUCCESS,
        Err(error) => {
            stderr_line(format_args!("kafka-verifiable-consumer: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn check_group(settings: &Settings) -> Result<(), String> {
    if settings
        .get("group.id")
        .is_some_and(|group| group.trim().is_empty())
    {
        return Err("The configured group.id should not be an empty string or whitespace.".to_owned());
    }
    Ok(())
}

fn settings(read: &Namespace) -> Result<Settings, String> {
    let mut settings = Settings::default();
    if read.has("consumer.config") && read.has("command-config") {
        return Err("Options --consumer.config and --command-config are mutually exclusive.".to_owned());
    }
    for option in ["consumer.config", "command-config"] {
        if let Some(file) = read.value(option) {
            if option == "consumer.config" {
                stdout_line(
                    "Option --consumer.config has been deprecated and will be removed in a future version. Use --command-config \
                     instead.",
                );
            }
            read_file(&mut settings, file)?;
        }
    }
    let mut set = |name: &str, value: &str| settings.set(name, value, Origin::Flag);
    let protocol = read.value("group-protocol").unwrap_or("classic");
    set("group.protocol", protocol);
    let is_classic = protocol.eq_ignore_ascii_case("classic");
    match (read.value("group-remote-assignor"), is_classic) {
        (Some(assignor), false) => set("group.remote.assignor", assignor),
        _ if is_classic => {
            let strategy = read.value("assignment-strategy");
            let default = "org.apache.kafka.clients.consumer.RangeAssignor";
            set("partition.assignment.strategy", strategy.unwrap_or(default));
        }
        _ => {}
    }
    if let Some(timeout) = read.value("session-timeout") {
        set("session.timeout.ms", timeout);
    }
    set("group.id", read.value("group-id").unwrap_or_default());
    if let Some(instance) = read.value("group-instance-id") {
        set("group.instance.id", instance);
    }
    set(
        "bootstrap.servers",
        read.value("bootstrap-server").unwrap_or_default(),
    );
    set(
        "auto.offset.reset",
        read.value("reset-policy").unwrap_or("earliest"),
    );
    Ok(settings)
}
