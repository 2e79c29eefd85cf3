//! `kafka-leader-election` as Apache Kafka 4.3.1 has it: its checks in their order, and how it ends.

mod options;
mod steps;

use std::process::ExitCode;

use super::admin_tool::{self, Failure};
use super::option_parser::{OptionError, Parsed, check_invalid, parse};
use super::option_table::Tool;
use super::usage::{help_or_version, refuse};
use crate::client::admin::elections::ElectionType;
use crate::client::settings::{Origin, Settings};
use crate::output::stdout_line;
use crate::topic_partition::TopicPartition;
use options::OPTIONS;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-leader-election",
    options: OPTIONS,
};

const ABOUT: &str = "This tool attempts to elect a new leader for a set of topic partitions. The type of elections \
                     supported are preferred replicas and unclean replicas.";

/// Settings of the tool if the file does not set them, in milliseconds.
const TIMEOUTS: [(&str, &str); 2] = [
    ("default.api.timeout.ms", "30000"),
    ("request.timeout.ms", "15000"),
];

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return failed(&Failure::from(error)),
    };
    if let Some(answer) = help_or_version(&TOOL, &parsed, ABOUT) {
        return answer;
    }
    if let Err(failure) = check_needed(&parsed) {
        return failed(&failure);
    }
    if let Err(message) = check_invalid(&parsed, "admin.config", &["command-config"]) {
        return refuse(&TOOL, &message);
    }
    match check_partitions(&parsed).and_then(|()| prepare_and_run(&parsed)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> ExitCode {
    failure.ends(&TOOL, &failure.message)
}

fn check_needed(parsed: &Parsed) -> Result<(), Failure> {
    let missing: Vec<&str> = ["bootstrap-server", "election-type"]
        .into_iter()
        .filter(|name| !parsed.has(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(", ");
    Err(Failure::of(format!("Missing required option(s): {missing}")))
}

fn check_partitions(parsed: &Parsed) -> Result<(), Failure> {
    let ways = ["topic", "all-topic-partitions", "path-to-json-file"];
    if ways.iter().filter(|way| parsed.has(way)).count() != 1 {
        return Err(Failure::of(format!(
            "One and only one of the following options is required: {}",
            ways.join(", ")
        )));
    }
    match (parsed.has("topic"), parsed.has("partition")) {
        (true, false) => Err(Failure::of("Missing required option(s): partition")),
        (false, true) => Err(Failure::of("Option partition is only allowed if topic is used")),
        _ => Ok(()),
    }
}

/// Converts the values in Java's order; each may fail only when it is converted.
fn prepare_and_run(parsed: &Parsed) -> Result<(), Failure> {
    let election = election_type(parsed)?;
    let from_file = match parsed.value("path-to-json-file")? {
        Some(file) => Some(steps::partitions_of_file(file)?),
        None => None,
    };
    let topic = parsed.value("topic")?;
    let partition = parsed.integer("partition")?;
    let one = topic
        .zip(partition)
        .map(|(topic, partition)| vec![TopicPartition::new(topic, partition)]);
    let mut settings = Settings::default();
    let config = if parsed.has("admin.config") {
        stdout_line(
            "Option --admin.config has been deprecated and will be removed in a future version. Use --command-config \
             instead.",
        );
        parsed.value("admin.config")?
    } else {
        parsed.value("command-config")?
    };
    for (name, millis) in TIMEOUTS {
        settings.set(name, millis, Origin::Default);
    }
    if let Some(file) = config {
        admin_tool::read_config(file, &mut settings)?;
    }
    let mut context = admin_tool::context_of(settings, parsed.value("bootstrap-server")?)?;
    steps::run(election, from_file.or(one), &mut context)
}

/// Java converts every value before it refuses several.
fn election_type(parsed: &Parsed) -> Result<ElectionType, Failure> {
    let types = parsed.values("election-type").iter().map(|word| {
        if word.eq_ignore_ascii_case("preferred") {
            Ok(ElectionType::Preferred)
        } else if word.eq_ignore_ascii_case("unclean") {
            Ok(ElectionType::Unclean)
        } else {
            Err(OptionError::CannotParse {
                option: "election-type",
                argument: word.clone(),
            })
        }
    });
    let types = types.collect::<Result<Vec<_>, _>>()?;
    match types[..] {
        [election] => Ok(election),
        _ => Err(OptionError::MultipleArguments("election-type").into()),
    }
}
