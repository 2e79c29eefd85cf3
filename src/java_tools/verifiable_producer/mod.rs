//! `kafka-verifiable-producer` as Apache Kafka 4.3.1 has it: sends growing numbers, and prints each result as JSON.

pub mod steps;

use std::process::ExitCode;

use super::argparse::{Arg, Namespace, Number, Program, parse, specs, worded};
use super::client_config::check_producer;
use super::console::check_producer_servers;
use super::load_tools::read_file;
use super::option_table::{Tool, value};
use crate::client::settings::{Origin, Settings};
use crate::error::Kind;
use crate::output::{OutputOptions, Printer, stderr_line, stdout_line};
use steps::Load;

const ARGS: [Arg; 10] = [
    worded(value(
        "bootstrap-server",
        "HOST1:PORT1[,HOST2:PORT2[...]]",
        "Brokers to ask first.",
    ))
    .exactly_one(),
    worded(value("topic", "TOPIC", "The topic that records are sent to.")).required(),
    worded(value(
        "max-messages",
        "MAX-MESSAGES",
        "How many records to send; -1 is without end (default: -1).",
    ))
    .integer(),
    worded(value(
        "throughput",
        "THROUGHPUT",
        "How many records a second to send at most; -1 is no limit (default: -1).",
    ))
    .integer(),
    worded(value(
        "acks",
        "ACKS",
        "Who must have a record before it counts as sent: 0, 1 or -1 (default: -1).",
    ))
    .one_of(&[0, 1, -1]),
    worded(value(
        "producer.config",
        "CONFIG-FILE",
        "The former name of --command-config.",
    )),
    worded(value(
        "message-create-time",
        "CREATE-TIME",
        "The time of the first record in milliseconds since 1970; later records follow it as time goes by.",
    ))
    .number(Number::Long),
    worded(value(
        "value-prefix",
        "VALUE-PREFIX",
        "A whole number before each value, with a dot between.",
    ))
    .integer(),
    worded(value(
        "repeating-keys",
        "REPEATING-KEYS",
        "Records have keys: 0, 1 … below this number, and 0 again.",
    ))
    .integer(),
    worded(value(
        "command-config",
        "CONFIG-FILE",
        "Settings of the producer, as a Java properties file; they win over those of the command line.",
    )),
];

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-verifiable-producer",
    options: &specs(&ARGS),
};

const PROGRAM: Program = Program {
    name: "verifiable-producer",
    about: "Sends growing numbers to a topic, and prints what became of each record as a JSON object a line.",
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
    let servers = settings.get("bootstrap.servers").unwrap_or_default();
    let checked = check_producer_servers(servers).and_then(|()| check_producer(|name| settings.get(name)));
    if let Err(message) = checked {
        stderr_line(format_args!("kafka-verifiable-producer: {message}"));
        return ExitCode::FAILURE;
    }
    let load = Load {
        topic: read.value("topic").unwrap_or_default().to_owned(),
        records: read
            .long("max-messages")
            .and_then(|count| u64::try_from(count).ok()),
        throughput: read.long("throughput").unwrap_or(-1),
        first_time: read.long("message-create-time").filter(|time| *time != -1),
        prefix: read.long("value-prefix"),
        // A number that the counter never comes to ends no round.
        keys: (read.long("repeating-keys")).map(|keys| u64::try_from(keys).ok().filter(|keys| *keys > 0)),
    };
    let mut printer = Printer::new(OutputOptions::default());
    let outcome = steps::run(&load, &settings, &mut printer);
    let output = printer.finish();
    match outcome.and(output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == Kind::ClosedPipe => ExitCode::SUCCESS,
        Err(error) => {
            stderr_line(format_args!("kafka-verifiable-producer: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn settings(read: &Namespace) -> Result<Settings, String> {
    let mut settings = Settings::default();
    let servers = read.value("bootstrap-server").unwrap_or_default();
    settings.set("bootstrap.servers", servers, Origin::Default);
    let acks = read.long("acks").unwrap_or(-1);
    settings.set("acks", acks.to_string(), Origin::Default);
    // Tests rely on it that no record is sent twice unnoticed.
    settings.set("retries", "0", Origin::Default);
    if read.has("producer.config") && read.has("command-config") {
        return Err("Options --producer.config and --command-config are mutually exclusive.".to_owned());
    }
    for option in ["producer.config", "command-config"] {
        if let Some(file) = read.value(option) {
            if option == "producer.config" {
                stdout_line(
                    "Option --producer.config has been deprecated and will be removed in a future version. Use --command-config \
                     instead.",
                );
            }
            read_file(&mut settings, file)?;
        }
    }
    Ok(settings)
}
