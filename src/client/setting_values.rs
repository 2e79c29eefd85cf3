//! The values of client settings that have a fixed set of them, by Java's and librdkafka's names.
//!
//! For completion. The code that reads a setting decides what a value means, and whether it can be honoured.

/// Settings and their values, in the order of the names.
const WORDS: &[(&str, &[&str])] = &[
    ("acks", &["all", "1", "0"]),
    (
        "auto.offset.reset",
        &["earliest", "latest", "none", "by_duration:PT1H"],
    ),
    ("broker.address.family", &["any", "v4", "v6"]),
    (
        "client.dns.lookup",
        &["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"],
    ),
    ("compression.codec", COMPRESSIONS),
    ("compression.type", COMPRESSIONS),
    ("group.protocol", &["classic", "consumer"]),
    ("isolation.level", &["read_committed", "read_uncommitted"]),
    ("metadata.recovery.strategy", &["rebootstrap", "none"]),
    (
        "partition.assignment.strategy",
        &["range", "roundrobin", "cooperative-sticky"],
    ),
    (
        "partitioner",
        &[
            "random",
            "consistent",
            "consistent_random",
            "murmur2",
            "murmur2_random",
            "fnv1a",
            "fnv1a_random",
        ],
    ),
    ("request.required.acks", &["all", "1", "0"]),
    ("sasl.mechanism", MECHANISMS),
    ("sasl.mechanisms", MECHANISMS),
    ("sasl.oauthbearer.method", &["default", "oidc"]),
    (
        "security.protocol",
        &["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL", "SSL"],
    ),
    ("ssl.endpoint.identification.algorithm", &["https", "none"]),
    ("ssl.keystore.type", STORES),
    ("ssl.truststore.type", STORES),
];

const COMPRESSIONS: &[&str] = &["none", "gzip", "snappy", "lz4", "zstd"];
const MECHANISMS: &[&str] = &["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];
const STORES: &[&str] = &["JKS", "PEM", "PKCS12"];
const BOOLEANS: &[&str] = &["true", "false"];

/// Boolean settings, beside those whose name says so.
const SWITCHES: &[&str] = &[
    "allow.auto.create.topics",
    "check.crcs",
    "partitioner.ignore.keys",
    "partitioner.adaptive.partitioning.enable",
    "socket.keepalive.enable",
    "socket.nagle.disable",
];

/// The values of a setting; empty if it has no fixed set.
pub fn words(name: &str) -> &'static [&'static str] {
    if name.starts_with("enable.") || SWITCHES.contains(&name) {
        return BOOLEANS;
    }
    let found = WORDS.iter().find(|(known, _)| *known == name);
    found.map_or(&[], |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::setting_keys;

    #[test]
    fn every_setting_with_words_exists() {
        let named = WORDS
            .iter()
            .map(|(name, _)| *name)
            .chain(SWITCHES.iter().copied());
        for name in named {
            assert!(setting_keys::is_known(setting_keys::canonical(name)), "{name}");
        }
    }
}
