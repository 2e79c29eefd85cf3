//! `kafka-console-consumer` as Apache Kafka 4.3.1 has it: its options, checks and words.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::client_config::{self, check_consumer};
use super::console::{self, KeyValue};
use super::offset_reset;
use super::option_parser::{self, OptionError, Parsed};
use super::option_table::{OptionSpec, Tool, flag, value};
use super::usage;
use crate::client::record_source::Position;
use crate::client::settings::{Origin, Settings};
use crate::commands::Context;
use crate::commands::consume::{self, Action, End, Missing, Outcome, Start, Topics};
use crate::error::{Error, Result};
use crate::java::regex::JavaRegex;
use crate::output::java_coordinator::{CoordinatorFormatter, RemoteLogFormatter};
use crate::output::java_record::{DefaultFormatter, NoOpFormatter};
use crate::output::record::RecordFormatter;
use crate::output::{OutputOptions, Printer, java_log, stderr_line, stdout_line};

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-console-consumer",
    options: OPTIONS,
};

const ABOUT: &str = "This tool helps to read data from Kafka topics and outputs it to standard output.";
const LOGGER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const NO_GROUP: &str =
    "without --group the partitions are read directly: no throw-away group is made on the cluster";

const OPTIONS: &[OptionSpec] = &[
    value("bootstrap-server", "HOST:PORT,…", "Brokers to ask first. Required."),
    value("command-config", "FILE", "A properties file for the client."),
    value("command-property", "NAME=VALUE", "A setting for the client; may be repeated.").repeats(),
    value("consumer-property", "NAME=VALUE", "The older name of --command-property.").repeats(),
    value("consumer.config", "FILE", "The older name of --command-config."),
    flag("enable-systest-events", "Prints shutdown_complete at the end."),
    value(
        "formatter",
        "CLASS",
        "How records are printed: org.apache.kafka.tools.consumer.DefaultMessageFormatter (the default), \
         LoggingMessageFormatter, NoOpMessageFormatter, and for Kafka's internal topics OffsetsMessageFormatter, \
         GroupMetadataMessageFormatter, TransactionLogMessageFormatter, ShareGroupMessageFormatter.",
    ),
    value("formatter-config", "FILE", "A properties file for the formatter."),
    value(
        "formatter-property",
        "NAME=VALUE",
        "A setting of the formatter; may be repeated. print.timestamp, print.partition, print.offset, print.epoch, \
         print.delivery, print.headers, print.key, print.value=true|false; key.separator, line.separator, \
         headers.separator, null.literal; key.deserializer, value.deserializer, headers.deserializer.",
    )
    .repeats(),
    flag("from-beginning", "Starts with the first record there is where no offset is committed."),
    value("group", "NAME", "Reads as a member of this group, and commits what was printed.").differs(NO_GROUP),
    flag("help", "Prints this text."),
    value("include", "REGEX", "Reads every topic whose whole name matches this Java regular expression."),
    value("isolation-level", "LEVEL", "read_committed or read_uncommitted. Default read_uncommitted."),
    value("key-deserializer", "CLASS", "The deserializer of keys."),
    value("max-messages", "COUNT", "Ends after so many records."),
    value("offset", "OFFSET", "earliest, latest or a number, for the one partition that is read. Default latest."),
    value("partition", "NUMBER", "Reads this partition alone."),
    value("property", "NAME=VALUE", "The older name of --formatter-property.").repeats(),
    flag("skip-message-on-error", "Goes on after a record that cannot be printed."),
    value("timeout-ms", "MS", "Ends after so long without a record."),
    value("topic", "NAME", "The topic to read."),
    value("value-deserializer", "CLASS", "The deserializer of values."),
    flag("version", "Prints the version of Apache Kafka whose behaviour is kept."),
    value("whitelist", "REGEX", "").old_spelling("the same as --include; one line on stderr says so"),
    value("zookeeper", "HOST:PORT", "")
        .old_spelling("there is no ZooKeeper: the same host on port 9092 is asked; one line on stderr says so"),
];

/// Old names and new.
const RENAMED: &[(&str, &str)] = &[
    ("property", "formatter-property"),
    ("consumer-property", "command-property"),
    ("consumer.config", "command-config"),
];

/// A refusal, and whether the table of options follows it.
enum Refusal {
    Usage(String),
    Line(String),
    /// Texts of Java's logging.
    Logged(String),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Line(error.to_string())
    }
}

impl From<OptionError> for Refusal {
    fn from(error: OptionError) -> Self {
        Refusal::Line(error.to_string())
    }
}

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match option_parser::parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return usage::refuse(&TOOL, &error.to_string()),
    };
    if let Some(exit) = usage::help_or_version(&TOOL, &parsed, ABOUT) {
        return exit;
    }
    match consume(&parsed) {
        Ok(exit) => exit,
        Err(Refusal::Usage(message)) => usage::refuse(&TOOL, &message),
        Err(Refusal::Line(message)) => {
            stderr_line(message);
            ExitCode::FAILURE
        }
        Err(Refusal::Logged(message)) => {
            log(
                "ERROR",
                &format!("Unknown error when running consumer: {message}"),
            );
            ExitCode::FAILURE
        }
    }
}

fn log(level: &str, text: &str) {
    stderr_line(java_log::line(level, text, LOGGER));
}

fn consume(parsed: &Parsed) -> Result<ExitCode, Refusal> {
    check(parsed)?;
    let mut settings = settings(parsed)?;
    let is_from_beginning = parsed.has("from-beginning");
    let partition = parsed.integer("partition")?;
    let group = group(parsed, partition.is_some())?;
    if let Some(group) = &group {
        settings.set("group.id", group.clone(), Origin::Flag);
    }
    let reset = settings.get("auto.offset.reset").map(str::to_owned);
    if let Some(reset) = reset
        .as_deref()
        .filter(|reset| is_from_beginning && *reset != "earliest")
    {
        return Err(Refusal::Line(format!(
            "Can't simultaneously specify --from-beginning and 'auto.offset.reset={reset}', please remove one option"
        )));
    }
    let start = start(parsed, is_from_beginning)?;
    let reset = reset.unwrap_or_else(|| if is_from_beginning { "earliest" } else { "latest" }.to_owned());
    let formatter = formatter(parsed)?;
    let idle = parsed.long("timeout-ms")?;
    // What Java reads only when it runs, it complains about in its log.
    let topics = topics(parsed)?;
    let isolation = isolation(parsed, &settings)?;
    let servers = settings.get("bootstrap.servers").unwrap_or_default();
    console::check_client_servers(servers)
        .and_then(|()| console::check_resolvable(servers))
        .and_then(|()| check_consumer(&settings).map_err(client_config::Refusal::reason))
        .map_err(Refusal::Logged)?;
    let limit = limit(parsed)?;
    let is_undefined = reset == "none" && start.is_none() && partition.is_none();
    if is_undefined && group.is_none() {
        return Ok(finish(&undefined_offset(), parsed.has("enable-systest-events")));
    }
    let since = offset_reset::since(&reset, group.is_some()).map_err(Refusal::Logged)?;
    let start = match (start, since) {
        (Some(start), _) => start,
        // A partition that is named is read from its end, whatever else says.
        (None, _) if partition.is_some() => Position::End,
        (None, Some(since)) => Position::Time(since),
        (None, None) if reset == "earliest" => Position::Beginning,
        (None, None) => Position::End,
    };
    let reset = offset_reset::word(reset);
    settings.set("auto.offset.reset", reset.clone(), Origin::Flag);
    let action = Action {
        topics,
        partitions: partition.map(|partition| vec![partition]),
        start: Start::At(start),
        until: None,
        exits_at_end: false,
        limit: limit
            .filter(|limit| *limit != -1)
            .map(|limit| u64::try_from(limit).unwrap_or(0)),
        idle: idle
            .and_then(|idle| u64::try_from(idle).ok())
            .map(Duration::from_millis),
        formatter,
        skips_bad: parsed.has("skip-message-on-error"),
        missing: Missing::Wait,
        is_member: group.is_some(),
        patience: Duration::from_secs(60),
        overrides: vec![
            ("isolation.level".into(), isolation),
            ("auto.offset.reset".into(), reset),
        ],
        defaults: vec![
            ("client.id".into(), "console-consumer".into()),
            ("allow.auto.create.topics".into(), "true".into()),
        ],
        bad_record: |problem| {
            let text = format!("Error processing message, skipping this message: {problem}");
            java_log::line("ERROR", &text, LOGGER)
        },
        notice: |line| java_log::line("WARN", line, "org.apache.kafka.clients.NetworkClient"),
    };
    let mut context = Context::new(settings, Printer::new(OutputOptions::default()));
    let outcome =
        consume::consume(action, &mut context).map_err(|error| Refusal::Logged(error.to_string()))?;
    Ok(finish(&outcome, parsed.has("enable-systest-events")))
}

/// Where nothing is committed, and nothing says where to begin.
fn undefined_offset() -> Outcome {
    Outcome {
        records: 0,
        end: End::Failed(Error::failed("undefined offset with no reset policy")),
    }
}

/// How many records at most; Java reads the number only when it has begun to count.
fn limit(parsed: &Parsed) -> Result<Option<i32>, Refusal> {
    parsed.integer("max-messages").map_err(|error| {
        stderr_line("Processed a total of 0 messages");
        Refusal::Logged(error.to_string())
    })
}

/// Says how it went, in Java's order, and gives its exit code.
fn finish(outcome: &Outcome, has_events: bool) -> ExitCode {
    match &outcome.end {
        End::Idle => log(
            "ERROR",
            "Error processing message, terminating consumer process: no record within --timeout-ms",
        ),
        End::Failed(error) => log(
            "ERROR",
            &format!("Error processing message, terminating consumer process: {error}"),
        ),
        End::ClosedPipe => stderr_line("Unable to write to standard out, closing consumer."),
        End::Complete | End::Interrupted(_) | End::BadRecord(_) => {}
    }
    stderr_line(format_args!("Processed a total of {} messages", outcome.records));
    if let End::BadRecord(problem) = &outcome.end {
        log(
            "ERROR",
            &format!("Unknown error when running consumer: {problem}"),
        );
    }
    if has_events {
        stdout_line("shutdown_complete");
    }
    match &outcome.end {
        End::BadRecord(_) => ExitCode::FAILURE,
        End::Interrupted(code) => ExitCode::from(*code),
        _ => ExitCode::SUCCESS,
    }
}

/// What Java checks before it reads any value.
fn check(parsed: &Parsed) -> Result<(), Refusal> {
    let include = parsed.has("include") || parsed.has("whitelist");
    if parsed.has("topic") == include {
        return Err(Refusal::Usage(
            "Exactly one of the following arguments is required: [topic], [include]".into(),
        ));
    }
    if parsed.has("partition") && !parsed.has("topic") {
        return Err(Refusal::Usage(
            "The topic is required when partition is specified.".into(),
        ));
    }
    if parsed.has("offset") && !parsed.has("partition") {
        return Err(Refusal::Usage(
            "The partition is required when offset is specified.".into(),
        ));
    }
    if parsed.has("offset") && parsed.has("from-beginning") {
        return Err(Refusal::Usage(
            "Options from-beginning and offset cannot be specified together.".into(),
        ));
    }
    if !parsed.has("zookeeper") {
        option_parser::check_required(parsed, &["bootstrap-server"]).map_err(Refusal::Usage)?;
    }
    for (old, new) in RENAMED {
        if parsed.has(old) && parsed.has(new) {
            return Err(Refusal::Usage(format!(
                "Options --{old} and --{new} cannot be specified together."
            )));
        }
    }
    for (old, new) in RENAMED {
        if parsed.has(old) {
            stderr_line(format_args!(
                "Option --{old} is deprecated and will be removed in a future version. Use --{new} instead."
            ));
        }
    }
    if parsed.has("whitelist") {
        stderr_line("Option --whitelist is gone from Apache Kafka since 4.0; it is taken as --include here.");
    }
    Ok(())
}

/// Where `--partition` starts; None leaves it to the offset reset.
fn start(parsed: &Parsed, is_from_beginning: bool) -> Result<Option<Position>, Refusal> {
    let Some(text) = parsed.value("offset")? else {
        return Ok((is_from_beginning).then_some(Position::Beginning));
    };
    match text.to_lowercase().as_str() {
        "earliest" => Ok(Some(Position::Beginning)),
        "latest" => Ok(Some(Position::End)),
        number => match number.parse() {
            Ok(offset) if offset >= 0 => Ok(Some(Position::At(offset))),
            _ => Err(Refusal::Usage(format!(
                "The provided offset value '{text}' is incorrect. Valid values are 'earliest', 'latest', or a \
                 non-negative long."
            ))),
        },
    }
}

fn settings(parsed: &Parsed) -> Result<Settings, Refusal> {
    let mut settings = Settings::default();
    for option in ["command-config", "consumer.config"] {
        if let Some(file) = parsed.value(option)? {
            settings.read_properties_file(&PathBuf::from(file))?;
        }
    }
    for (name, value) in console::pairs(parsed, &["command-property", "consumer-property"]) {
        settings.set(name, value, Origin::SetFlag);
    }
    let servers = match (parsed.value("bootstrap-server")?, parsed.value("zookeeper")?) {
        (Some(servers), _) => servers.to_owned(),
        (None, Some(zookeeper)) => {
            let host = zookeeper.split([':', '/', ',']).next().unwrap_or_default();
            stderr_line(format_args!(
                "Option --zookeeper is gone from Apache Kafka since 2.0: there is no ZooKeeper, asking {host}:9092."
            ));
            format!("{host}:9092")
        }
        (None, None) => String::new(),
    };
    settings.set("bootstrap.servers", servers, Origin::Flag);
    Ok(settings)
}

/// The group from the three places where it may stand, which must agree.
fn group(parsed: &Parsed, has_partition: bool) -> Result<Option<String>, Refusal> {
    let mut found: Vec<String> = Vec::new();
    found.extend(parsed.value("group")?.map(str::to_owned));
    let pairs = console::pairs(parsed, &["command-property", "consumer-property"]);
    let property = pairs.iter().rev().find(|(name, _)| name == "group.id");
    found.extend(property.map(|(_, group)| group.clone()));
    for option in ["command-config", "consumer.config"] {
        if let Some(file) = parsed.value(option)? {
            let entries = console::properties_file(file)?;
            found.extend(
                entries
                    .into_iter()
                    .rev()
                    .find(|(name, _)| name == "group.id")
                    .map(|(_, group)| group),
            );
        }
    }
    let mut distinct: Vec<&String> = Vec::new();
    for group in &found {
        if !distinct.contains(&group) {
            distinct.push(group);
        }
    }
    if distinct.len() > 1 {
        let list: Vec<String> = distinct.iter().map(|group| format!("'{group}'")).collect();
        return Err(Refusal::Usage(format!(
            "The group ids provided in different places (directly using '--group', via '--consumer-property', or via \
             '--consumer.config') do not match. Detected group ids: {}",
            list.join(", ")
        )));
    }
    let group = found.into_iter().next();
    if has_partition && group.is_some() {
        return Err(Refusal::Usage(
            "Options group and partition cannot be specified together.".into(),
        ));
    }
    if let Some(group) = group.as_deref().filter(|group| group.trim().is_empty()) {
        let problem = "The configured group.id should not be an empty string or whitespace.";
        return Err(Refusal::Logged(format!("{problem} ({group:?})")));
    }
    Ok(group)
}

fn topics(parsed: &Parsed) -> Result<Topics, Refusal> {
    let logged = |error: OptionError| Refusal::Logged(error.to_string());
    if let Some(topic) = parsed.value("topic").map_err(logged)? {
        if topic.trim().is_empty() {
            let problem = "Topic collection to subscribe to cannot contain null or empty topic";
            return Err(Refusal::Logged(problem.into()));
        }
        return Ok(Topics::Named(vec![topic.to_owned()]));
    }
    let pattern = match parsed.value("include").map_err(logged)? {
        Some(pattern) => pattern,
        None => parsed.value("whitelist").map_err(logged)?.unwrap_or_default(),
    };
    if pattern.is_empty() {
        let problem = "Topic pattern to subscribe to cannot be empty";
        return Err(Refusal::Logged(problem.into()));
    }
    match JavaRegex::new(pattern) {
        Some(pattern) => Ok(Topics::Matching(pattern)),
        None => Err(Refusal::Logged(format!("invalid regular expression: {pattern}"))),
    }
}

fn isolation(parsed: &Parsed, settings: &Settings) -> Result<String, Refusal> {
    let given = parsed.value("isolation-level")?;
    let level = given
        .or_else(|| settings.get("isolation.level"))
        .unwrap_or("read_uncommitted");
    // The option's default is written over the properties, as in Java, only when it is given.
    if matches!(level, "read_committed" | "read_uncommitted") {
        return Ok(level.to_owned());
    }
    Err(Refusal::Logged(format!(
        "Invalid value {level} for configuration isolation.level: String must be one of: read_committed, read_uncommitted"
    )))
}

fn formatter(parsed: &Parsed) -> Result<Box<dyn RecordFormatter>, Refusal> {
    // What is wrong with these Java follows up with the table of options.
    let refused = |error: OptionError| Refusal::Usage(error.to_string());
    let mut properties: Vec<KeyValue> = Vec::new();
    if let Some(file) = parsed.value("formatter-config").map_err(refused)? {
        std::fs::read(file).map_err(|error| Refusal::Usage(console::unreadable(file, &error).to_owned()))?;
        properties = console::properties_file(file)?;
    }
    for (option, name) in [
        ("key-deserializer", "key.deserializer"),
        ("value-deserializer", "value.deserializer"),
    ] {
        let class = parsed.value(option).map_err(refused)?;
        if let Some(class) = class.filter(|class| !class.is_empty()) {
            properties.push((name.into(), class.into()));
        }
    }
    properties.extend(console::pairs(parsed, &["formatter-property", "property"]));
    let class = parsed
        .value("formatter")
        .map_err(refused)?
        .unwrap_or("org.apache.kafka.tools.consumer.DefaultMessageFormatter");
    if let Some(formatter) = CoordinatorFormatter::of_class(class) {
        return Ok(Box::new(formatter));
    }
    if class == RemoteLogFormatter::CLASS {
        return Ok(Box::new(RemoteLogFormatter));
    }
    match class.strip_prefix("org.apache.kafka.tools.consumer.") {
        Some("DefaultMessageFormatter" | "LoggingMessageFormatter") => {
            let formatter = DefaultFormatter::new(&properties);
            for class in &formatter.unknown_classes {
                stderr_line(java_log::line(
                    "ERROR",
                    &format!("Unable to instantiate a deserializer from {class}"),
                    "org.apache.kafka.tools.consumer.DefaultMessageFormatter",
                ));
            }
            Ok(Box::new(formatter))
        }
        Some("NoOpMessageFormatter") => Ok(Box::new(NoOpFormatter)),
        _ => Err(Refusal::Usage(class.to_owned())),
    }
}
