//! The words of other tools for what kafkit does: Apache Kafka's own, kcat, kaf, rpk, kafkactl, kcl.
//!
//! Data only; `habits` uses them.

/// Other names of a command: its parent command (any if empty), its name, the others.
pub(super) const ALIASES: &[(&str, &str, &[&str])] = &[
    ("kafkit", "topics", &["topic"]),
    ("kafkit", "groups", &["group"]),
    ("kafkit", "offsets", &["offset"]),
    ("kafkit", "records", &["record"]),
    ("kafkit", "transactions", &["transaction", "txn"]),
    ("kafkit", "leaders", &["leader"]),
    ("kafkit", "users", &["user"]),
    ("kafkit", "quotas", &["quota"]),
    ("kafkit", "acls", &["acl"]),
    ("kafkit", "completions", &["completion"]),
    ("describe", "topic", &["topics"]),
    ("describe", "group", &["groups"]),
    ("describe", "broker", &["brokers"]),
    ("describe", "transaction", &["transactions"]),
    ("acls", "add", &["create"]),
    ("acls", "remove", &["rm", "delete"]),
    ("", "list", &["ls"]),
    ("", "delete", &["rm"]),
];

/// Other names of a flag.
pub(super) struct FlagAlias {
    /// The command with the flag; any if empty.
    pub(super) of: &'static str,
    /// Its long name.
    pub(super) flag: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) short: Option<char>,
}

const fn alias(of: &'static str, flag: &'static str, aliases: &'static [&'static str]) -> FlagAlias {
    FlagAlias {
        of,
        flag,
        aliases,
        short: None,
    }
}

pub(super) const FLAG_ALIASES: &[FlagAlias] = &[
    alias(
        "",
        "bootstrap-server",
        &["bootstrap-servers", "brokers", "broker-list"],
    ),
    FlagAlias {
        short: Some('c'),
        ..alias("consume", "count", &["max-messages", "num", "limit"])
    },
    FlagAlias {
        short: Some('c'),
        ..alias("produce", "count", &[])
    },
    alias("consume", "isolation", &["isolation-level"]),
    alias("consume", "partition", &["partitions"]),
    alias("consume", "since", &["from-timestamp"]),
    alias("consume", "until", &["to-timestamp"]),
    alias("produce", "compression", &["compression-codec"]),
    alias("create", "replication-factor", &["replicas"]),
    alias("delete", "yes", &["no-confirm", "noconfirm"]),
];

/// A flag of another tool.
pub(super) struct Flag {
    /// The beginnings of lines that may have it.
    pub(super) of: &'static [&'static str],
    pub(super) old: &'static [&'static str],
    pub(super) takes_value: bool,
    /// Its replacement, `{}` for its value. Empty: the value has no flag in kafkit, and follows the command.
    pub(super) new: &'static [&'static str],
    /// Whether the meaning differs slightly, so that the line is shown instead of being run.
    pub(super) is_told: bool,
}

const fn flag(
    of: &'static [&'static str],
    old: &'static [&'static str],
    new: &'static [&'static str],
) -> Flag {
    Flag {
        of,
        old,
        takes_value: false,
        new,
        is_told: false,
    }
}

const fn told(mut flag: Flag) -> Flag {
    flag.is_told = true;
    flag
}

const fn with_value(mut flag: Flag) -> Flag {
    flag.takes_value = true;
    flag
}

const RESET: &[&str] = &["groups reset", "group reset"];

pub(super) const FLAGS: &[Flag] = &[
    with_value(flag(
        &["consume", "produce", "offset", "topic", "records delete"],
        &["-t", "--topic"],
        &[],
    )),
    with_value(flag(&["describe topic"], &["-t", "--topic"], &[])),
    with_value(flag(
        &["describe group", "groups ", "group "],
        &["-g", "--group"],
        &[],
    )),
    flag(&["consume"], &["-C"], &[]),
    flag(&["produce"], &["-P"], &[]),
    with_value(flag(&["consume", "produce"], &["-c"], &["-n", "{}"])),
    flag(&["consume"], &["--from-beginning"], &["-o", "earliest"]),
    flag(&["consume", "produce"], &["-J"], &["--json"]),
    flag(&["consume"], &["-u"], &[]),
    with_value(flag(
        &["consume"],
        &["-G", "--consumer-group"],
        &["--group", "{}"],
    )),
    with_value(flag(&["produce"], &["-l"], &["{}"])),
    with_value(told(flag(
        &["topics alter", "topic alter"],
        &["--num", "-n"],
        &["--partitions", "{}"],
    ))),
    told(flag(RESET, &["--to-earliest", "--oldest"], &["--to", "earliest"])),
    told(flag(RESET, &["--to-latest", "--newest"], &["--to", "latest"])),
    with_value(told(flag(
        RESET,
        &["--to-offset", "--to-datetime", "--shift-by"],
        &["--to", "{}"],
    ))),
    with_value(told(flag(RESET, &["--by-duration"], &["--to", "-{}"]))),
    told(flag(RESET, &["--execute"], &["--yes"])),
    told(flag(RESET, &["--all-topics"], &[])),
    told(flag(
        &[
            "topics delete",
            "groups delete",
            "records delete",
            "topic delete",
            "group delete",
        ],
        &["--force"],
        &["--yes"],
    )),
    // They ask nothing.
    flag(
        &["reassign execute", "reassign undo", "reassign cancel"],
        &["--yes"],
        &[],
    ),
    with_value(flag(
        &["acls ", "acl "],
        &["--allow-principal", "--principal"],
        &[],
    )),
    with_value(flag(&["acls ", "acl "], &["--deny-principal"], &["{}", "--deny"])),
    with_value(told(flag(
        &["quotas set", "quota set"],
        &["--add-config"],
        &["{}"],
    ))),
];

/// kcat's letter for reading as a member of a group, which is followed by the group's name.
pub(super) const KCAT_GROUP: &str = "-G";

/// kcat's letters for its modes; if one occurs twice, the first line that clap accepts counts.
pub(super) const KCAT_MODES: &[(&str, &[&str])] = &[
    ("-C", &["consume"]),
    ("-P", &["produce"]),
    ("-L", &["describe", "cluster"]),
    ("-L", &["describe", "topic"]),
    ("-Q", &["offsets"]),
    (KCAT_GROUP, &["consume"]),
];

/// An action that is a flag in Apache Kafka's tools.
pub(super) struct JavaVerb {
    pub(super) nouns: &'static [&'static str],
    pub(super) flag: &'static str,
    pub(super) command: &'static [&'static str],
}

const fn verb(
    nouns: &'static [&'static str],
    flag: &'static str,
    command: &'static [&'static str],
) -> JavaVerb {
    JavaVerb { nouns, flag, command }
}

const TOPICS: &[&str] = &["topics", "topic"];
const GROUPS: &[&str] = &["groups", "group", "consumer-groups", "consumer-group"];
const ACLS: &[&str] = &["acls", "acl"];

pub(super) const JAVA_VERBS: &[JavaVerb] = &[
    verb(TOPICS, "--list", &["topics", "list"]),
    verb(TOPICS, "--create", &["topics", "create"]),
    verb(TOPICS, "--describe", &["topics", "describe"]),
    verb(TOPICS, "--alter", &["topics", "alter"]),
    verb(TOPICS, "--delete", &["topics", "delete"]),
    verb(GROUPS, "--list", &["groups", "list"]),
    verb(GROUPS, "--describe", &["describe", "group"]),
    verb(GROUPS, "--reset-offsets", &["groups", "reset"]),
    verb(GROUPS, "--delete", &["groups", "delete"]),
    verb(ACLS, "--list", &["acls", "list"]),
    verb(ACLS, "--add", &["acls", "add"]),
    verb(ACLS, "--remove", &["acls", "remove"]),
    verb(
        &["reassign", "reassign-partitions"],
        "--execute",
        &["reassign", "execute"],
    ),
    verb(
        &["reassign", "reassign-partitions"],
        "--verify",
        &["reassign", "verify"],
    ),
    verb(
        &["reassign", "reassign-partitions"],
        "--list",
        &["reassign", "list"],
    ),
];

/// First words of a line, and their replacements.
pub(super) const WORDS: &[(&[&str], &[&str])] = &[
    // The verb first, as in kubectl and kafkactl.
    (&["get", "topics"], &["topics", "list"]),
    (&["get", "groups"], &["groups", "list"]),
    (&["get", "consumer-groups"], &["groups", "list"]),
    (&["get", "brokers"], &["describe", "broker"]),
    (&["get", "acls"], &["acls", "list"]),
    (&["get", "acl"], &["acls", "list"]),
    (&["get", "users"], &["users", "list"]),
    (&["list", "topics"], &["topics", "list"]),
    (&["list", "groups"], &["groups", "list"]),
    (&["show", "topics"], &["topics", "list"]),
    (&["create", "topic"], &["topics", "create"]),
    (&["create", "user"], &["users", "create"]),
    (&["alter", "topic"], &["topics", "alter"]),
    (&["delete", "topic"], &["topics", "delete"]),
    (&["rm", "topic"], &["topics", "delete"]),
    (&["delete", "group"], &["groups", "delete"]),
    (&["delete", "consumer-group"], &["groups", "delete"]),
    (&["reset", "offset"], &["groups", "reset"]),
    (&["reset", "offsets"], &["groups", "reset"]),
    (&["reset", "consumer-group-offset"], &["groups", "reset"]),
    (&["describe", "consumer-group"], &["describe", "group"]),
    (&["describe", "node"], &["describe", "broker"]),
    (&["describe", "nodes"], &["describe", "broker"]),
    // The noun first, with other verbs.
    (&["topic", "consume"], &["consume"]),
    (&["topics", "consume"], &["consume"]),
    (&["topic", "produce"], &["produce"]),
    (&["topics", "produce"], &["produce"]),
    (&["topic", "add-partitions"], &["topics", "alter"]),
    (&["topics", "add-partitions"], &["topics", "alter"]),
    (&["topic", "alter-config"], &["topics", "alter"]),
    (&["topic", "trim-prefix"], &["records", "delete"]),
    (&["topic", "offsets"], &["offsets"]),
    (&["group", "describe"], &["describe", "group"]),
    (&["groups", "describe"], &["describe", "group"]),
    (&["group", "lag"], &["describe", "group"]),
    (&["group", "seek"], &["groups", "reset"]),
    (&["groups", "seek"], &["groups", "reset"]),
    (&["group", "offset-delete"], &["groups", "delete-offsets"]),
    (&["cluster"], &["describe", "cluster"]),
    (&["cluster", "info"], &["describe", "cluster"]),
    (&["cluster", "describe"], &["describe", "cluster"]),
    (&["cluster", "metadata"], &["describe", "cluster"]),
    (&["cluster", "health"], &["doctor"]),
    (&["cluster", "logdirs", "describe"], &["describe", "log-dirs"]),
    (&["metadata"], &["describe", "cluster"]),
    (&["nodes"], &["describe", "broker"]),
    (&["node", "ls"], &["describe", "broker"]),
    (&["brokers"], &["describe", "broker"]),
    (&["broker", "list"], &["describe", "broker"]),
    (&["broker", "ls"], &["describe", "broker"]),
    (&["security", "acl", "list"], &["acls", "list"]),
    (&["security", "acl", "create"], &["acls", "add"]),
    (&["security", "acl", "delete"], &["acls", "remove"]),
    (&["security", "user", "list"], &["users", "list"]),
    (&["security", "user", "create"], &["users", "create"]),
    (&["security", "user", "delete"], &["users", "delete"]),
    (&["cluster", "quotas", "describe"], &["quotas", "list"]),
    // Apache Kafka's tools without `kafka-`.
    (&["console-consumer"], &["consume"]),
    (&["console-producer"], &["produce"]),
    (&["consumer-groups"], &["groups"]),
    (&["log-dirs"], &["describe", "log-dirs"]),
    (&["get-offsets"], &["offsets"]),
    (&["delete-records"], &["records", "delete"]),
    (&["leader-election"], &["leaders", "elect"]),
    (&["dump"], &["dump-log"]),
    (&["server-start"], &["broker"]),
    (&["start"], &["broker"]),
    (&["stop"], &["broker", "stop"]),
    // Names in other tools.
    (&["ls"], &["topics", "list"]),
    (&["list"], &["topics", "list"]),
    (&["lag"], &["describe", "group"]),
    (&["head"], &["consume", "--head", "10"]),
    (&["tail"], &["consume", "-o", "-10"]),
    (&["count"], &["topics", "count"]),
    (&["reset"], &["groups", "reset"]),
    (&["watch"], &["groups", "watch"]),
    (&["info"], &["describe", "cluster"]),
    (&["health"], &["doctor"]),
    (&["consumer"], &["consume"]),
    (&["subscribe"], &["consume"]),
    (&["cat"], &["consume"]),
    (&["producer"], &["produce"]),
    (&["publish"], &["produce"]),
    (&["send"], &["produce"]),
    (&["mirror"], &["copy"]),
    (&["clone", "topic"], &["copy"]),
    (&["config", "use-cluster"], &["profile", "use"]),
    (&["config", "use-context"], &["profile", "use"]),
    (&["config", "get-contexts"], &["profile", "list"]),
    (&["config", "current-context"], &["profile", "show"]),
    (&["config", "view"], &["config", "explain"]),
    (&["generate", "shell-completion"], &["completions"]),
];
