//! The options of `kafka-topics`.

use super::super::option_table::{OptionSpec, flag, value};

pub(super) const OPTIONS: &[OptionSpec] = &[
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
