//! The options of `kafka-client-metrics`.

use super::super::option_table::{OptionSpec, flag, value};

pub(super) const OPTIONS: &[OptionSpec] = &[
    flag("alter", "Sets what one resource asks of clients."),
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
    flag("delete", "Takes a resource away."),
    flag(
        "describe",
        "Prints what resources ask of clients: of one, or of all.",
    ),
    flag("generate-name", "Gives the resource a new name."),
    flag("help", "Prints this text."),
    value(
        "interval",
        "MILLISECONDS",
        "The time from one push of metrics to the next.",
    ),
    flag("list", "Prints the names of the resources."),
    value(
        "match",
        "NAME=PATTERN,…",
        "Which clients: by client_id, client_instance_id, client_software_name, client_software_version, \
         client_source_address, client_source_port.",
    )
    .repeats(),
    value("metrics", "PREFIX,…", "Beginnings of the names of the metrics.").repeats(),
    value("name", "NAME", "The resource."),
    flag("version", "Prints the version of Apache Kafka that is kept to."),
];
