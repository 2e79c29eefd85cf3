//! The options of `kafka-console-consumer`, and which of them exclude each other.

use super::super::option_parser::{self, Parsed};
use super::super::option_table::{OptionSpec, flag, value};
use super::Refusal;
use crate::output::stderr_line;

const NO_GROUP: &str =
    "without --group the partitions are read directly: no throw-away group is made on the cluster";

pub(super) const OPTIONS: &[OptionSpec] = &[
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

/// Old names and new ones.
const RENAMED: &[(&str, &str)] = &[
    ("property", "formatter-property"),
    ("consumer-property", "command-property"),
    ("consumer.config", "command-config"),
];

/// What Java checks before it reads any value.
pub(super) fn check(parsed: &Parsed) -> Result<(), Refusal> {
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
