//! dump-log beside the Java tool: a segment of 256 MB, plain and zstd, and a small file; start included.

use std::path::{Path, PathBuf};

use kafkit::records::batch_builder::{BatchBuilder, BatchOptions};
use kafkit::records::compression::Codec;

use crate::KAFKIT;
use crate::measure::cheapest;
use crate::table::Row;

const SEGMENT: usize = 256 << 20;

pub fn segments() {
    let directory = tempfile::tempdir().expect("a directory");
    let plain = write_segment(directory.path(), "plain", Codec::None, SEGMENT);
    let zstd = write_segment(directory.path(), "zstd", Codec::Zstd, SEGMENT / 3);
    let small = write_segment(directory.path(), "small", Codec::None, 1 << 16);
    dump("dump-log, 256 MB, --print-data-log", &plain, "--print-data-log");
    dump("dump-log, 256 MB, batches only", &plain, "");
    dump(
        "dump-log, 85 MB of zstd, --print-data-log",
        &zstd,
        "--print-data-log",
    );
    dump("dump-log, 85 MB of zstd, batches only", &zstd, "");
    dump("dump-log, 64 KB, --print-data-log", &small, "--print-data-log");
}

fn dump(question: &str, segment: &Path, flags: &str) {
    // The shell is replaced by the tool: its own process would cost as much as a small file.
    let arguments = format!("kafka-dump-log {flags} --files {} > /dev/null", segment.display());
    let ours = cheapest(&format!("exec {KAFKIT} {arguments}"), 5, |cost| cost.wall);
    let mut wall = vec![("kafkit", ours.wall)];
    if let Ok(apache) = std::env::var("APACHE_KAFKA") {
        wall.push((
            "Java",
            cheapest(&format!("exec {apache} run {arguments}"), 2, |cost| cost.wall).wall,
        ));
    }
    Row::new(format!("{question}, wall"), "s", wall).print();
}

/// A segment of 100-byte records in 16 KB batches, with consecutive offsets.
fn write_segment(directory: &Path, name: &str, codec: Codec, bytes: usize) -> PathBuf {
    let folder = directory.join(name);
    std::fs::create_dir(&folder).expect("a folder");
    let mut content = Vec::with_capacity(bytes + (1 << 16));
    let mut offset = 0_i64;
    while content.len() < bytes {
        let mut builder = BatchBuilder::new(BatchOptions {
            codec,
            base_offset: offset,
            ..BatchOptions::default()
        });
        for _ in 0..150 {
            let mixed = (offset as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let value = format!(
                "{offset:010} {mixed:016x} the quick brown fox jumps over the lazy dog and runs away ........"
            );
            builder.append(
                1_700_000_000_000 + offset,
                Some(format!("key-{}", offset % 1000).as_bytes()),
                Some(value.as_bytes()),
                &[],
            );
            offset += 1;
        }
        content.extend_from_slice(&builder.finish().expect("a batch"));
    }
    let path = folder.join("00000000000000000000.log");
    std::fs::write(&path, content).expect("a segment");
    path
}
