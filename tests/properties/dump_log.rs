//! No file makes dump-log panic, hang or forget that it was asked for an exit code: bytes of any kind under any
//! name, and Apache Kafka's own files with bytes changed, cut off or added.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use crate::support::suite::Suite;

const NAMES: &[&str] = &[
    "00000000000000000000.log",
    "00000000000000000000.index",
    "00000000000000000000.timeindex",
    "00000000000000000000.txnindex",
    "00000000000000000025.snapshot",
    "bootstrap.checkpoint",
    "leader-epoch-checkpoint",
    "replication-offset-checkpoint",
    "partition.metadata",
    "meta.properties",
    "unknown",
];
const SEGMENTS: &[&str] = &["many", "zstd", "lz4", "txn", "magic1-gzip", "headers", "live"];

/// A folder with the files of a segment, one of them changed, or one made up.
fn folder(
    suite: &Suite,
    segment: usize,
    name: usize,
    damage: &[(prop::sample::Index, u8)],
    noise: &[u8],
    cut: bool,
) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/segments")
        .join(SEGMENTS[segment]);
    for entry in fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut bytes = fs::read(&path).unwrap();
        if name.starts_with("00000000000000000000.") && !bytes.is_empty() {
            for (at, byte) in damage {
                let at = at.index(bytes.len().min(4096));
                bytes[at] = *byte;
            }
            if cut {
                bytes.truncate(damage.first().map_or(0, |(at, _)| at.index(bytes.len())));
            }
        }
        suite.file(&name, bytes);
    }
    if !noise.is_empty() {
        suite.file(NAMES[name], noise);
    }
    suite.home().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_file_makes_dump_log_panic(
        segment in 0..SEGMENTS.len(),
        name in 0..NAMES.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        noise in prop::collection::vec(any::<u8>(), 0..200),
        cut in any::<bool>(),
    ) {
        let suite = Suite::new();
        let folder = folder(&suite, segment, name, &damage, &noise, cut);
        let folder = folder.to_string_lossy().into_owned();
        let log = format!("{folder}/00000000000000000000.log");
        // Kafka's tool wants a segment's name, and `dump-log` of a folder stays out of those below it.
        let recovered = suite.file("recovered/name", "").with_file_name("00000000000000000000.log");
        let recovered = recovered.to_string_lossy().into_owned();
        let index = format!("{folder}/00000000000000000000.index,{folder}/00000000000000000000.timeindex");
        for args in [
            vec!["dump-log", "-q", &folder],
            vec!["dump-log", "-q", "--verify", &folder],
            vec!["dump-log", "-q", "--stats", &folder],
            vec!["dump-log", "-q", "--json", &log],
            vec!["dump-log", "-q", "--recover", &recovered, &log],
            vec!["kafka-dump-log", "--print-data-log", "--files", &log],
            vec!["kafka-dump-log", "--offsets-decoder", "--files", &log],
            vec!["kafka-dump-log", "--files", &index],
        ] {
            let outcome = suite.run(&args);
            prop_assert!(matches!(outcome.code, Some(0 | 1 | 5 | 6)), "{args:?}: {outcome:?}");
            prop_assert!(!outcome.stderr.contains("panicked"), "{args:?}: {outcome:?}");
        }
        let good = suite.run(["kafka-dump-log", "--files", &recovered]).succeeds().stdout();
        prop_assert!(!good.contains("isvalid: false"), "{good}");
    }
}
