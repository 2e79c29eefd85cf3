//! Which face answers: decided by the name the program was started under, or by its first word.
//!
//! Owns the table of Java tool names. A name may have the suffix `.sh`, and must match as a whole; any other name is
//! the native face.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// One of Apache Kafka's command-line tools that this binary replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JavaTool {
    Topics,
    ConsoleProducer,
    ConsoleConsumer,
    ReassignPartitions,
    DumpLog,
    GetOffsets,
    DeleteRecords,
    LogDirs,
    LeaderElection,
    ConsumerGroups,
    Groups,
    ShareGroups,
    Configs,
    Features,
    ClientMetrics,
    Cluster,
    BrokerApiVersions,
    Acls,
    DelegationTokens,
    Transactions,
    MetadataQuorum,
    Storage,
    ProducerPerfTest,
    ConsumerPerfTest,
    EndToEndLatency,
    VerifiableProducer,
    VerifiableConsumer,
    ServerStart,
    ServerStop,
    ZooKeeperServerStart,
    ZooKeeperServerStop,
}

/// Every tool and its name, without `.sh`.
const JAVA_TOOLS: &[(&str, JavaTool)] = &[
    ("kafka-topics", JavaTool::Topics),
    ("kafka-console-producer", JavaTool::ConsoleProducer),
    ("kafka-console-consumer", JavaTool::ConsoleConsumer),
    ("kafka-reassign-partitions", JavaTool::ReassignPartitions),
    ("kafka-dump-log", JavaTool::DumpLog),
    ("kafka-get-offsets", JavaTool::GetOffsets),
    ("kafka-delete-records", JavaTool::DeleteRecords),
    ("kafka-log-dirs", JavaTool::LogDirs),
    ("kafka-leader-election", JavaTool::LeaderElection),
    ("kafka-consumer-groups", JavaTool::ConsumerGroups),
    ("kafka-groups", JavaTool::Groups),
    ("kafka-share-groups", JavaTool::ShareGroups),
    ("kafka-configs", JavaTool::Configs),
    ("kafka-features", JavaTool::Features),
    ("kafka-client-metrics", JavaTool::ClientMetrics),
    ("kafka-cluster", JavaTool::Cluster),
    ("kafka-broker-api-versions", JavaTool::BrokerApiVersions),
    ("kafka-acls", JavaTool::Acls),
    ("kafka-delegation-tokens", JavaTool::DelegationTokens),
    ("kafka-transactions", JavaTool::Transactions),
    ("kafka-metadata-quorum", JavaTool::MetadataQuorum),
    ("kafka-storage", JavaTool::Storage),
    ("kafka-producer-perf-test", JavaTool::ProducerPerfTest),
    ("kafka-consumer-perf-test", JavaTool::ConsumerPerfTest),
    ("kafka-e2e-latency", JavaTool::EndToEndLatency),
    ("kafka-verifiable-producer", JavaTool::VerifiableProducer),
    ("kafka-verifiable-consumer", JavaTool::VerifiableConsumer),
    ("kafka-server-start", JavaTool::ServerStart),
    ("kafka-server-stop", JavaTool::ServerStop),
    ("zookeeper-server-start", JavaTool::ZooKeeperServerStart),
    ("zookeeper-server-stop", JavaTool::ZooKeeperServerStop),
];

impl JavaTool {
    /// Its name, without `.sh`.
    pub fn name(self) -> &'static str {
        let named = JAVA_TOOLS.iter().find(|(_, tool)| *tool == self);
        named.map_or("", |(name, _)| name)
    }
}

/// The face of a command line, and its arguments.
#[derive(Debug, PartialEq, Eq)]
pub enum Face {
    /// kafkit's own spelling; the arguments include the program's name.
    Native(Vec<OsString>),
    /// A Java tool's spelling; the arguments do not include the program's name.
    Java(JavaTool, Vec<OsString>),
}

/// Decides the face from the whole argv.
pub fn face(mut argv: Vec<OsString>) -> Face {
    for position in 0..argv.len().min(2) {
        if let Some(tool) = argv.get(position).and_then(|word| tool_named(word)) {
            return Face::Java(tool, argv.split_off(position + 1));
        }
    }
    Face::Native(argv)
}

/// Every tool's name, with and without `.sh`: the links that `install-links` makes.
pub fn link_names() -> Vec<String> {
    let names = JAVA_TOOLS.iter();
    names
        .flat_map(|(name, _)| [(*name).to_owned(), format!("{name}.sh")])
        .collect()
}

fn tool_named(word: &OsStr) -> Option<JavaTool> {
    let name = Path::new(word).file_name()?.to_str()?;
    let name = name.strip_suffix(".sh").unwrap_or(name);
    JAVA_TOOLS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, tool)| *tool)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn the_program_name_or_the_first_word_chooses_the_tool() {
        for argv in [
            &["/opt/kafka/bin/kafka-topics.sh", "--list"][..],
            &["kafka-topics", "--list"],
            &["kafkit", "kafka-topics", "--list"],
            &["kafkit", "kafka-topics.sh", "--list"],
        ] {
            assert_eq!(
                face(words(argv)),
                Face::Java(JavaTool::Topics, words(&["--list"])),
                "{argv:?}"
            );
        }
    }

    #[test]
    fn anything_else_is_native() {
        for argv in [
            &["kafkit", "topics", "list"][..],
            &["kafkit"],
            &[],
            &["kafka-topics.bat", "list"],
        ] {
            assert_eq!(face(words(argv)), Face::Native(words(argv)), "{argv:?}");
        }
    }
}
