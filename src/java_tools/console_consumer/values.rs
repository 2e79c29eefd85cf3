//! The values of `kafka-console-consumer`'s options: converted in Java's order, with Java's error messages.

use std::path::PathBuf;

use super::super::client_config::{self, check_consumer};
use super::super::console::{self, KeyValue};
use super::super::log_line;
use super::super::option_parser::{OptionError, Parsed};
use super::words::coordinator_formatter::{CoordinatorFormatter, RemoteLogFormatter};
use super::words::default_formatter::{DefaultFormatter, NoOpFormatter};
use super::{Refusal, options};
use crate::client::record_source::Position;
use crate::client::settings::{Origin, Settings};
use crate::commands::consume::Topics;
use crate::error::Result;
use crate::java::classes;
use crate::java::hash_order::hash_order;
use crate::java::regex::JavaRegex;
use crate::output::record::RecordFormatter;
use crate::output::stderr_line;

/// The values of the command line.
pub(super) struct Asked {
    pub(super) settings: Settings,
    pub(super) topics: Topics,
    pub(super) partition: Option<i32>,
    pub(super) group: Option<String>,
    /// The position of `--offset` or `--from-beginning`.
    pub(super) start: Option<Position>,
    /// `auto.offset.reset` in Java's spelling.
    pub(super) reset: String,
    pub(super) isolation: String,
    /// `--max-messages`; -1 for no limit.
    pub(super) limit: Option<i32>,
    /// `--timeout-ms`, in milliseconds.
    pub(super) idle: Option<i64>,
    pub(super) formatter: Box<dyn RecordFormatter>,
    pub(super) skips_bad: bool,
}

/// Converts and checks in Java's order: errors of values that Java converts while it runs are log lines.
pub(super) fn read(parsed: &Parsed) -> Result<Asked, Refusal> {
    options::check(parsed)?;
    let mut settings = settings(parsed)?;
    let is_from_beginning = parsed.has("from-beginning");
    let partition = parsed.integer("partition")?;
    let group = group(parsed, partition.is_some())?;
    if let Some(group) = &group {
        settings.set("group.id", group.clone(), Origin::Flag);
    }
    let reset = reset(&settings, is_from_beginning)?;
    let start = start(parsed, is_from_beginning)?;
    let formatter = formatter(parsed)?;
    let idle = parsed.long("timeout-ms")?;
    let topics = topics(parsed)?;
    let isolation = isolation(parsed, &settings)?;
    let servers = settings.get("bootstrap.servers").unwrap_or_default();
    console::check_consumer_servers(servers)
        .and_then(|()| check_consumer(&settings).map_err(client_config::Refusal::reason))
        .map_err(Refusal::Logged)?;
    Ok(Asked {
        limit: limit(parsed)?,
        skips_bad: parsed.has("skip-message-on-error"),
        settings,
        topics,
        partition,
        group,
        start,
        reset,
        isolation,
        idle,
        formatter,
    })
}

/// The value of `auto.offset.reset`.
fn reset(settings: &Settings, is_from_beginning: bool) -> Result<String, Refusal> {
    match settings.get("auto.offset.reset") {
        Some(reset) if is_from_beginning && reset != "earliest" => Err(Refusal::Line(format!(
            "Can't simultaneously specify --from-beginning and 'auto.offset.reset={reset}', please remove one option"
        ))),
        Some(reset) => Ok(reset.to_owned()),
        None => Ok(if is_from_beginning { "earliest" } else { "latest" }.to_owned()),
    }
}

/// The limit of records; Java converts the number only when it has begun to count.
fn limit(parsed: &Parsed) -> Result<Option<i32>, Refusal> {
    parsed.integer("max-messages").map_err(|error| {
        stderr_line("Processed a total of 0 messages");
        Refusal::Logged(error.to_string())
    })
}

/// Where `--partition` starts; `None` leaves it to the offset reset.
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

/// The group from the three places where it may be given, which must agree.
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
        let distinct = hash_order(distinct, |group| group);
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
    // The option's default overrides the properties only if the option is given, as in Java.
    if matches!(level, "read_committed" | "read_uncommitted") {
        return Ok(level.to_owned());
    }
    Err(Refusal::Logged(format!(
        "Invalid value {level} for configuration isolation.level: String must be one of: read_committed, read_uncommitted"
    )))
}

fn formatter(parsed: &Parsed) -> Result<Box<dyn RecordFormatter>, Refusal> {
    // Java's error about these is followed by the table of options.
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
                stderr_line(log_line::line(
                    "ERROR",
                    &format!("Unable to instantiate a deserializer from {class}"),
                    "org.apache.kafka.tools.consumer.DefaultMessageFormatter",
                ));
            }
            Ok(Box::new(formatter))
        }
        Some("NoOpMessageFormatter") => Ok(Box::new(NoOpFormatter)),
        _ => Err(Refusal::Usage(no_formatter(class))),
    }
}

/// Java's message about a class that is not a formatter, or does not exist.
fn no_formatter(name: &str) -> String {
    let Some(class) = classes::find(name) else {
        return name.to_owned();
    };
    match class.not_instantiated("org.apache.kafka.tools.consumer.ConsoleConsumerOptions") {
        Some((_, why)) => why,
        None => class.not_cast_to("org.apache.kafka.common.MessageFormatter"),
    }
}
