//! `kafka-topics` as Apache Kafka 4.3.1 has it: its options, and its checks in their order.

use std::path::Path;
use std::process::ExitCode;

use super::console::check_client_bootstrap;
use super::option_parser::{OptionError, Parsed, check_invalid, check_required, parse};
use super::option_table::{OptionSpec, Tool, flag, value};
use super::usage::{help_or_version, refuse};
use crate::client::settings::{Origin, Settings};
use crate::commands::Context;
use crate::commands::java_topics::{self, Action, Alteration, Creation, Description, Failure, Selection};
use crate::error::Error;
use crate::java::hash_order::hash_order;
use crate::output::java_topics::{Report, failure};
use crate::output::{OutputOptions, Printer, stderr_line};
use crate::topic_config;
use crate::topic_partition::BrokerId;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-topics",
    options: OPTIONS,
};

const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        "HOST:PORT,…",
        "Brokers to ask first. Required.",
    ),
    value(
        "command-config",
        "FILE",
        "Client settings, as a Java properties file.",
    ),
    flag("create", "Creates a topic."),
    flag("list", "Prints the names of topics, one a line."),
    flag(
        "describe",
        "Prints topics with their configs and, for each partition, its leader, replicas and in-sync replicas.",
    ),
    flag(
        "alter",
        "Gives topics more partitions. Configs are changed with kafka-configs.",
    ),
    flag(
        "delete",
        "Deletes topics with all their records. It does not ask.",
    ),
    value(
        "topic",
        "NAME",
        "The topic; to list, describe, alter and delete, a regular expression that whole names match, in which \
         a comma means \"or\".",
    ),
    value(
        "topic-id",
        "ID",
        "Describes the topic with this id, whatever --topic says.",
    ),
    value(
        "partitions",
        "COUNT",
        "Partitions of the new topic, or of the altered topic in all.",
    ),
    value(
        "replication-factor",
        "COUNT",
        "Copies of each partition of the new topic.",
    ),
    value(
        "replica-assignment",
        "ID:ID,ID:ID,…",
        "The brokers of each partition: a colon between the replicas of one, the preferred leader first, a \
         comma between partitions.",
    )
    .differs(
        "with --alter the new partitions get their brokers in the order given; Java mixes them up from the \
         seventeenth partition on",
    ),
    value(
        "config",
        "NAME=VALUE",
        "A config of the new topic. May be repeated.",
    )
    .repeats(),
    value(
        "delete-config",
        "NAME",
        "No longer does anything; says so on stderr.",
    )
    .repeats(),
    flag(
        "if-exists",
        "With alter, delete and describe: a topic that is not there is no failure.",
    ),
    flag(
        "if-not-exists",
        "With create: a topic that is there already is no failure.",
    ),
    flag(
        "exclude-internal",
        "With list and describe: leaves out the topics that Kafka keeps for itself.",
    ),
    flag(
        "under-replicated-partitions",
        "With describe: only partitions with replicas that are not in sync.",
    ),
    flag(
        "unavailable-partitions",
        "With describe: only partitions without a leader that is up.",
    ),
    flag(
        "under-min-isr-partitions",
        "With describe: only partitions with fewer in-sync replicas than min.insync.replicas.",
    ),
    flag(
        "at-min-isr-partitions",
        "With describe: only partitions with just as many in-sync replicas as min.insync.replicas.",
    ),
    flag(
        "topics-with-overrides",
        "With describe: only topics with configs of their own, without partitions.",
    ),
    value(
        "partition-size-limit-per-response",
        "COUNT",
        "With describe: at most so many partitions in one answer of a broker (default: 2000).",
    ),
    flag("help", "Prints this text."),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
    value("zookeeper", "HOST:PORT,…", "").old_spelling(
        "there is no ZooKeeper: the same host is asked on port 9092, and a line on stderr says so",
    ),
    flag("force", "").old_spelling("accepted, nothing to force"),
    flag("disable-rack-aware", "").old_spelling("accepted, the broker places replicas"),
];

const ACTIONS: [&str; 5] = ["create", "list", "alter", "describe", "delete"];
const REPORTS: [&str; 4] = [
    "under-replicated-partitions",
    "under-min-isr-partitions",
    "at-min-isr-partitions",
    "unavailable-partitions",
];

/// Why the tool ends before it looks for a cluster.
enum Refusal {
    /// A message and the table of options.
    Usage(String),
    /// A message alone.
    Plain(String),
}

pub(super) fn run(args: &[String]) -> ExitCode {
    if args.is_empty() {
        return refuse(&TOOL, "Create, delete, describe, or change a topic.");
    }
    let parsed = match parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return plain(error),
    };
    let about = "This tool helps to create, delete, describe, or change a topic.";
    if let Some(answer) = help_or_version(&TOOL, &parsed, about) {
        return answer;
    }
    match check(&parsed) {
        Ok(()) => {}
        Err(Refusal::Usage(message)) => return refuse(&TOOL, &message),
        Err(Refusal::Plain(message)) => return plain(message),
    }
    let settings = match settings(&parsed) {
        Ok(settings) => settings,
        Err(message) => return plain(message),
    };
    let mut context = Context::new(settings, Printer::new(OutputOptions::default()));
    let outcome = match action(&parsed) {
        Ok(action) => java_topics::run(&action, &mut context),
        Err(message) => Err(Failure::Executing(message)),
    };
    match outcome {
        Ok(()) | Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(Failure::NoClient(message)) => plain(no_client(&message)),
        Err(Failure::Executing(message)) => {
            let told = failure(&mut context.printer, &message);
            // A reader that has gone misses it; the exit code says it too.
            let _ = told.and(context.printer.flush());
            // Java logs it on stderr besides, with a stack trace.
            stderr_line(format_args!("kafka-topics: {message}"));
            ExitCode::FAILURE
        }
    }
}

fn plain(message: impl std::fmt::Display) -> ExitCode {
    stderr_line(message);
    ExitCode::FAILURE
}

/// Java's checks, in Java's order.
fn check(parsed: &Parsed) -> Result<(), Refusal> {
    if ACTIONS.iter().filter(|action| parsed.has(action)).count() != 1 {
        return Err(Refusal::Usage(
            "Command must include exactly one action: --list, --describe, --create, --alter or --delete"
                .to_owned(),
        ));
    }
    if parsed.has("delete-config") {
        stderr_line(
            "delete-config option is no longer supported and deprecated since version 4.0. The config will be \
             fully removed in future releases.",
        );
    }
    check_required_options(parsed)?;
    check_combinations(parsed).map_err(Refusal::Usage)
}

fn check_required_options(parsed: &Parsed) -> Result<(), Refusal> {
    if !parsed.has("bootstrap-server") && !parsed.has("zookeeper") {
        return Err(Refusal::Plain("--bootstrap-server must be specified".to_owned()));
    }
    if parsed.has("describe") && parsed.has("if-exists") {
        match (parsed.has("topic"), parsed.has("topic-id")) {
            (false, false) => {
                return Err(Refusal::Usage(
                    "--topic or --topic-id is required to describe a topic".to_owned(),
                ));
            }
            (true, true) => {
                crate::output::stdout_line(
                    "Only topic id will be used when both --topic and --topic-id are specified and topicId is \
                     not Uuid.ZERO_UUID",
                );
            }
            _ => {}
        }
    }
    if !parsed.has("list") && !parsed.has("describe") {
        check_required(parsed, &["topic"]).map_err(Refusal::Usage)?;
    }
    if parsed.has("alter") {
        if parsed.has("config") {
            return Err(Refusal::Usage(
                "Option combination \"[[bootstrap-server], [config]]\" can't be used with option \"[alter]\" \
                 (To alter topic configurations, the kafka-configs tool can be used.)"
                    .to_owned(),
            ));
        }
        check_required(parsed, &["partitions"]).map_err(Refusal::Usage)?;
    }
    Ok(())
}

fn check_combinations(parsed: &Parsed) -> Result<(), String> {
    let only_with = |option: &str, actions: &[&str], others: &[&str]| {
        let mut invalid: Vec<&str> = ACTIONS
            .into_iter()
            .filter(|action| !actions.contains(action))
            .collect();
        invalid.extend(others);
        check_invalid(parsed, option, &invalid)
    };
    only_with("config", &["alter", "create"], &[])?;
    only_with("partitions", &["alter", "create"], &[])?;
    only_with("replication-factor", &["create"], &[])?;
    only_with("replica-assignment", &["alter", "create"], &[])?;
    if parsed.has("create") {
        check_invalid(
            parsed,
            "replica-assignment",
            &["partitions", "replication-factor"],
        )?;
    }
    for report in REPORTS {
        only_with(report, &["describe"], &["topics-with-overrides"])?;
    }
    only_with("topics-with-overrides", &["describe"], &REPORTS)?;
    only_with("if-exists", &["alter", "delete", "describe"], &[])?;
    only_with("if-not-exists", &["create"], &[])?;
    only_with("exclude-internal", &["list", "describe"], &[])
}

/// The client's settings; what is wrong with them is said before anything else happens.
fn settings(parsed: &Parsed) -> Result<Settings, String> {
    let mut settings = Settings::default();
    settings.set("default.api.timeout.ms", "60000", Origin::Default);
    if let Some(path) = parsed
        .value("command-config")
        .map_err(|error| error.to_string())?
    {
        settings
            .read_properties_file(Path::new(path))
            .map_err(|error: Error| error.message())?;
    }
    let servers = match parsed
        .value("bootstrap-server")
        .map_err(|error| error.to_string())?
    {
        Some(servers) => servers.to_owned(),
        None => servers_beside_zookeeper(parsed).map_err(|error| error.to_string())?,
    };
    if !servers.trim().is_empty() && servers.split(',').any(|part| part.trim().is_empty()) {
        return Err("Configuration 'bootstrap.servers' values must not be empty.".to_owned());
    }
    check_client_bootstrap(&servers).map_err(|reason| no_client(&reason))?;
    settings.set("bootstrap.servers", servers.as_str(), Origin::Flag);
    match settings.bootstrap_servers() {
        Ok(_) => Ok(settings),
        Err(_) => Err(no_client(&format!("Invalid url in bootstrap.servers: {servers}"))),
    }
}

/// Java says the first line; the second is why.
fn no_client(reason: &str) -> String {
    format!("Failed to create new KafkaAdminClient\n{reason}")
}

/// The brokers that old command lines mean when they name ZooKeeper's hosts: the same hosts on Kafka's port.
fn servers_beside_zookeeper(parsed: &Parsed) -> Result<String, OptionError> {
    let hosts = parsed.value("zookeeper")?.unwrap_or_default();
    let hosts = hosts.split_once('/').map_or(hosts, |(hosts, _)| hosts);
    let servers: Vec<String> = hosts
        .split(',')
        .map(|host| {
            let host = host.trim();
            let without_port = host.rsplit_once(':').map_or(host, |(name, _)| name);
            format!("{without_port}:9092")
        })
        .collect();
    let servers = servers.join(",");
    stderr_line(format_args!(
        "kafka-topics: there is no ZooKeeper any more; --zookeeper is taken for --bootstrap-server {servers}"
    ));
    Ok(servers)
}

/// Reads the values that the action needs, in Java's order; the error is the message of Java's exception.
fn action(parsed: &Parsed) -> Result<Action, String> {
    let text = |error: OptionError| error.to_string();
    if parsed.has("create") {
        return creation(parsed).map(Action::Create);
    }
    if parsed.has("alter") {
        let given = creation(parsed)?;
        return Ok(Action::Alter(Alteration {
            selection: selection(parsed).map_err(text)?,
            if_exists: parsed.has("if-exists"),
            partitions: given.partitions.unwrap_or_default(),
            assignment: given.assignment,
        }));
    }
    if parsed.has("list") {
        return Ok(Action::List(selection(parsed).map_err(text)?));
    }
    if parsed.has("delete") {
        return Ok(Action::Delete {
            selection: selection(parsed).map_err(text)?,
            if_exists: parsed.has("if-exists"),
        });
    }
    let topic_id = parsed.value("topic-id").map_err(text)?.map(str::to_owned);
    Ok(Action::Describe(Description {
        selection: selection(parsed).map_err(text)?,
        topic_id,
        if_exists: parsed.has("if-exists"),
        report: Report {
            under_replicated: parsed.has("under-replicated-partitions"),
            unavailable: parsed.has("unavailable-partitions"),
            under_min_isr: parsed.has("under-min-isr-partitions"),
            at_min_isr: parsed.has("at-min-isr-partitions"),
            overrides: parsed.has("topics-with-overrides"),
        },
        partitions_per_answer: parsed
            .integer("partition-size-limit-per-response")
            .map_err(text)?,
    }))
}

fn selection(parsed: &Parsed) -> Result<Selection, OptionError> {
    Ok(Selection {
        topic: parsed.value("topic")?.map(str::to_owned),
        exclude_internal: parsed.has("exclude-internal"),
    })
}

fn creation(parsed: &Parsed) -> Result<Creation, String> {
    let text = |error: OptionError| error.to_string();
    Ok(Creation {
        name: parsed
            .value("topic")
            .map_err(text)?
            .unwrap_or_default()
            .to_owned(),
        partitions: parsed.integer("partitions").map_err(text)?,
        replication_factor: parsed.integer("replication-factor").map_err(text)?,
        assignment: match parsed.value("replica-assignment").map_err(text)? {
            Some(list) if !list.is_empty() => {
                Some(assignment(list)?).filter(|partitions| !partitions.is_empty())
            }
            _ => None,
        },
        configs: configs(parsed.values("config"))?,
        if_not_exists: parsed.has("if-not-exists"),
    })
}

/// `1:2,2:3`: the replicas of each partition. Nothing but commas counts as not given.
fn assignment(list: &str) -> Result<Vec<Vec<BrokerId>>, String> {
    let mut partitions: Vec<Vec<BrokerId>> = Vec::new();
    for (number, partition) in java_split(list, ',').into_iter().enumerate() {
        let mut replicas = Vec::new();
        for word in java_split(partition, ':') {
            let word = word.trim_matches(|character| character <= ' ');
            let broker = word
                .parse()
                .map_err(|_| format!("For input string: \"{word}\""))?;
            replicas.push(broker);
        }
        let duplicates = duplicates(&replicas);
        if !duplicates.is_empty() {
            return Err(format!(
                "Partition replica lists may not contain duplicate entries: {}",
                duplicates.join(",")
            ));
        }
        if partitions
            .first()
            .is_some_and(|first| first.len() != replicas.len())
        {
            return Err(format!(
                "Partition {number} has different replication factor: {replicas:?}"
            ));
        }
        partitions.push(replicas);
    }
    Ok(partitions)
}

/// `String.split`: empty words at the end are dropped, unless there was nothing to split.
fn java_split(text: &str, separator: char) -> Vec<&str> {
    let mut words: Vec<&str> = text.split(separator).collect();
    if words.len() > 1 {
        while words.last().is_some_and(|word| word.is_empty()) {
            words.pop();
        }
    }
    words
}

fn duplicates(replicas: &[BrokerId]) -> Vec<String> {
    let mut sorted = replicas.to_vec();
    sorted.sort_unstable();
    let (_, mut repeated) = sorted
        .iter()
        .fold((None, Vec::new()), |(last, mut repeated), id| {
            if last == Some(id) {
                repeated.push(*id);
            }
            (Some(id), repeated)
        });
    repeated.dedup();
    repeated.iter().map(ToString::to_string).collect()
}

/// `--config` words as names and values, checked as Kafka's tool checks them before it asks a broker.
fn configs(words: &[String]) -> Result<Vec<(String, String)>, String> {
    let mut configs: Vec<(String, String)> = Vec::new();
    for word in words {
        let parts = java_split(word, '=');
        let [name, value] = parts.as_slice() else {
            return Err(
                "requirement failed: Invalid topic config: all configs to be added must be in the format \
                 \"key=val\"."
                    .to_owned(),
            );
        };
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        match configs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => configs.push((name, value)),
        }
    }
    let configs = hash_order(configs, |(name, _)| name);
    let pairs: Vec<(&str, &str)> = configs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    topic_config::validate(&pairs)?;
    Ok(configs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_read_and_refused_as_in_java() {
        assert_eq!(assignment("1:2,2:3"), Ok(vec![vec![1, 2], vec![2, 3]]));
        assert_eq!(assignment("1, 2,"), Ok(vec![vec![1], vec![2]]));
        assert_eq!(assignment(","), Ok(Vec::new()));
        for (list, words) in [
            ("one", "For input string: \"one\""),
            ("1,,1", "For input string: \"\""),
            (
                "1:1",
                "Partition replica lists may not contain duplicate entries: 1",
            ),
            ("1,1:2", "Partition 1 has different replication factor: [1, 2]"),
            ("99999999999", "For input string: \"99999999999\""),
        ] {
            assert_eq!(assignment(list).unwrap_err(), words, "{list}");
        }
    }

    #[test]
    fn configs_are_two_words_around_an_equals_sign() {
        let read = |words: &[&str]| configs(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(
            read(&["retention.ms = 5"]),
            Ok(vec![("retention.ms".to_owned(), "5".to_owned())])
        );
        for word in ["retention.ms", "retention.ms=", "a=b=c", ""] {
            assert!(
                read(&[word]).unwrap_err().starts_with("requirement failed"),
                "{word}"
            );
        }
        assert_eq!(read(&["a=1"]).unwrap_err(), "Unknown topic config name: a");
    }

    #[test]
    fn zookeeper_hosts_are_brokers() {
        let words = ["--zookeeper", "one:2181,two/chroot", "--list"].map(str::to_owned);
        let parsed = parse(OPTIONS, &words).unwrap();
        assert_eq!(servers_beside_zookeeper(&parsed).unwrap(), "one:9092,two:9092");
    }
}
