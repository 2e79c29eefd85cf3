//! The options of `kafka-acls`.

use super::super::option_table::{OptionSpec, flag, optional, value};

pub(super) const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        "HOST:PORT,…",
        "Brokers to ask first. This or --bootstrap-controller is required.",
    ),
    value(
        "bootstrap-controller",
        "HOST:PORT,…",
        "Controllers to ask, instead of brokers.",
    ),
    optional(
        "command-config",
        "FILE",
        "Client settings, as a Java properties file.",
    ),
    flag("add", "Adds ACLs."),
    flag("remove", "Removes ACLs; asks first."),
    flag(
        "list",
        "Prints ACLs: those of the resources given, or all.",
    ),
    value("topic", "TOPIC", "A topic; * is every one. May be repeated.").repeats(),
    value("group", "GROUP", "A consumer group; * is every one. May be repeated.").repeats(),
    flag("cluster", "The cluster itself."),
    value("transactional-id", "ID", "A transactional id; * is every one. May be repeated.").repeats(),
    value("delegation-token", "ID", "A delegation token; * is every one. May be repeated.").repeats(),
    value("user-principal", "USER", "A user, as what the ACL is about. May be repeated.").repeats(),
    value(
        "resource-pattern-type",
        "TYPE",
        "literal (the default) or prefixed: names begin with the one given. To list and remove also any: of either type, \
         and match: every one that is about the name.",
    ),
    value(
        "operation",
        "OPERATION",
        "What is allowed or denied: Read, Write, Create, Delete, Alter, Describe, ClusterAction, DescribeConfigs, \
         AlterConfigs, IdempotentWrite, CreateTokens, DescribeTokens, TwoPhaseCommit or All (the default). May be \
         repeated.",
    )
    .repeats(),
    value("allow-principal", "TYPE:NAME", "Who is allowed to; User:* is everybody. May be repeated.").repeats(),
    value("deny-principal", "TYPE:NAME", "Who is not; a denial wins. May be repeated.").repeats(),
    value("allow-host", "ADDRESS", "Where --allow-principal comes from (default: anywhere). May be repeated.").repeats(),
    value("deny-host", "ADDRESS", "Where --deny-principal comes from (default: anywhere). May be repeated.").repeats(),
    optional("principal", "TYPE:NAME", "With list: only what this principal has. May be repeated.").repeats(),
    flag(
        "producer",
        "What a producer needs: Write, Describe and Create on topics, Write and Describe on transactional ids.",
    ),
    flag(
        "consumer",
        "What a consumer needs: Read and Describe on topics, Read on groups.",
    ),
    flag("idempotent", "With --producer: IdempotentWrite on the cluster as well."),
    flag("force", "Does not ask."),
    flag("help", "Prints this text."),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
];
