//! The options of `kafka-configs`.

use super::super::option_table::{OptionSpec, flag, value};

pub(super) const OPTIONS: &[OptionSpec] = &[
    value(
        "add-config",
        "NAME=VALUE,…",
        "Configs to set. A value with commas in it stands in square brackets: name=[a,b].",
    ),
    value("add-config-file", "FILE", "A properties file with configs to set."),
    flag("all", "With describe: every config in force, also those that were not set while the brokers ran."),
    flag("alter", "Changes configs."),
    value(
        "bootstrap-controller",
        "HOST:PORT,…",
        "Controllers to ask first, in the place of brokers.",
    ),
    value("bootstrap-server", "HOST:PORT,…", "Brokers to ask first."),
    value("broker", "ID", "A broker."),
    flag("broker-defaults", "What all brokers take as their default."),
    value("broker-logger", "ID", "The loggers of a broker."),
    value("client", "ID", "A client id."),
    flag("client-defaults", "Every client id without a quota of its own."),
    value("client-metrics", "NAME", "Metrics that clients send to the brokers."),
    value("command-config", "FILE", "Client settings, as a Java properties file."),
    value("delete-config", "NAME,…", "Configs to take away.").repeats(),
    flag("describe", "Prints configs."),
    flag("entity-default", "The default of the type that was named."),
    value("entity-name", "NAME", "The name of an entity of the type that was named.").repeats(),
    value(
        "entity-type",
        "TYPE",
        "What has the configs: topics, clients, users, brokers, broker-loggers, ips, client-metrics, groups. Users and \
         clients may be named together.",
    )
    .repeats(),
    value("group", "ID", "A group."),
    flag("help", "Prints this text."),
    value("ip", "ADDRESS", "An address that clients connect from."),
    flag("ip-defaults", "Every address without a quota of its own."),
    value("topic", "NAME", "A topic."),
    value("user", "NAME", "A user."),
    flag("user-defaults", "Every user without a quota of its own."),
    flag("version", "Prints the version of Apache Kafka that is kept to."),
];
