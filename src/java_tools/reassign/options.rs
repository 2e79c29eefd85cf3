//! The options of `kafka-reassign-partitions`.

use super::super::option_table::{OptionSpec, flag, optional, value};

pub(super) const OPTIONS: &[OptionSpec] = &[
    flag(
        "additional",
        "Starts these moves even though others are under way; also changes the throttle of moves that are.",
    ),
    optional(
        "bootstrap-controller",
        "HOST:PORT",
        "A controller to ask, for a list or a cancellation.",
    )
    .differs("a controller's own listener is not spoken to; name a broker"),
    optional("bootstrap-server", "HOST:PORT,…", "Brokers to ask first."),
    value(
        "broker-list",
        "ID,ID,…",
        "The brokers that a proposal may put replicas on.",
    ),
    flag(
        "cancel",
        "Stops the moves of the partitions in the file, and clears their throttles.",
    ),
    value("command-config", "FILE", "Client settings, as a properties file."),
    flag(
        "disable-rack-aware",
        "Lets a proposal put replicas anywhere, whatever the racks.",
    ),
    flag(
        "disallow-replication-factor-change",
        "Refuses partitions whose number of replicas would change.",
    ),
    flag(
        "execute",
        "Starts the moves in the file, after printing what to keep for the way back.",
    ),
    flag(
        "generate",
        "Proposes a new placement of some topics, and changes nothing.",
    ),
    flag("help", "Prints this text."),
    flag("list", "Shows the moves under way."),
    flag(
        "preserve-throttles",
        "Leaves throttles as they are at the end of a verification or cancellation.",
    ),
    value(
        "reassignment-json-file",
        "FILE",
        "The moves: {\"version\":1,\"partitions\":[{\"topic\":\"orders\",\"partition\":0,\"replicas\":[1,2,3], \
         \"log_dirs\":[\"any\",\"any\",\"any\"]}]}; log_dirs may be left out.",
    ),
    value(
        "replica-alter-log-dirs-throttle",
        "BYTES/S",
        "The most that moves between the directories of a broker may take. By default no limit.",
    ),
    value(
        "throttle",
        "BYTES/S",
        "The most that moves between brokers may take, on each broker. By default no limit.",
    ),
    value(
        "timeout",
        "MS",
        "How long to wait for moves between directories to begin. By default 10000.",
    ),
    value(
        "topics-to-move-json-file",
        "FILE",
        "The topics to propose for: {\"version\":1,\"topics\":[{\"topic\":\"orders\"}]}.",
    ),
    flag(
        "verify",
        "Tells how far the moves in the file are; clears the throttles when all are done.",
    ),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
    value("zookeeper", "HOST:PORT", "The ZooKeeper of old.")
        .old_spelling("there is no ZooKeeper any more: the broker on port 9092 of the same host is asked"),
];
