//! The options of `kafka-delegation-tokens`.

use super::super::option_table::{OptionSpec, flag, optional, optional_number, value};

pub(super) const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        "HOST:PORT,…",
        "Brokers to ask first. Required.",
    ),
    value(
        "command-config",
        "FILE",
        "Client settings, as a Java properties file. Required: tokens are for those who have logged in.",
    ),
    flag("create", "Creates a token."),
    flag("renew", "Lets a token live longer."),
    flag("expire", "Lets a token expire."),
    flag(
        "describe",
        "Prints the tokens of some principals, or all that may be seen.",
    ),
    optional(
        "owner-principal",
        "TYPE:NAME",
        "With create: for whom the token is (default: who asks). With describe: whose tokens. May be repeated.",
    )
    .repeats(),
    optional(
        "renewer-principal",
        "TYPE:NAME",
        "With create: who may renew the token. May be repeated.",
    )
    .repeats(),
    optional_number(
        "max-life-time-period",
        "MS",
        "With create, and required: how long the token can be renewed; -1 is as long as the cluster allows.",
    ),
    optional_number(
        "renew-time-period",
        "MS",
        "With renew, and required: how long from now; -1 is as long as the cluster allows.",
    ),
    optional_number(
        "expiry-time-period",
        "MS",
        "With expire, and required: how long from now; -1 is at once.",
    ),
    optional("hmac", "HMAC", "With renew and expire, and required: which token."),
    flag("help", "Prints this text."),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
];
