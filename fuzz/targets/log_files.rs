//! Files of a log dir: as dump-log reads them, as a log is opened from them, and the small text files.
//!
//! The file goes through the same walks as for a user, of either face. What they print goes to stdout and stderr,
//! which nobody needs: `-close_fd_mask=3`.

use std::fs;
use std::path::{Path, PathBuf};

use kafkit::client::settings::Settings;
use kafkit::commands::context::Context;
use kafkit::commands::dump_log::{Action, Range, Records, View, run};
use kafkit::java_tools::dump_log::steps::{Decoder, ElementDecoder, JavaDump, run as run_java};
use kafkit::output::{OutputOptions, Printer};
use kafkit::records::BatchBuilder;
use kafkit::records::batch_builder::BatchOptions;
use kafkit::storage::meta_properties::MetaProperties;
use kafkit::storage::{LogConfig, PartitionLog, Recovery, checkpoint, leader_epochs, partition_metadata};

use super::{recorded, texts};

/// Longer input of these kinds is only more of the same.
const LONGEST_INDEX: usize = 4096;
const TEXT: Decoder = Decoder::Elements {
    key: ElementDecoder::Text,
    value: ElementDecoder::Text,
};

pub(super) fn seeds() -> Vec<Vec<u8>> {
    recorded("segments")
}

/// An empty folder of this thread's own.
fn folder(name: &str) -> PathBuf {
    let thread = format!("{:?}", std::thread::current().id());
    let own = format!("kafkit-fuzz-{name}-{}-{thread}", std::process::id());
    let folder = std::env::temp_dir().join(own);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

pub(super) fn log_files(bytes: &[u8]) {
    let folder = folder("dump");
    let file = |name: &str| {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("a temporary file");
        path
    };
    let log = file("00000000000000000000.log");
    for view in [
        View::Batches,
        View::Stats,
        View::Verify,
        View::Records(Records::Json),
    ] {
        native(&log, view);
    }
    native(&log, View::Recover(folder.join("recovered")));
    for decoder in [TEXT, Decoder::Offsets, Decoder::ClusterMetadata] {
        java(&log, decoder);
    }
    fs::remove_file(&log).expect("the temporary file");
    if bytes.len() <= LONGEST_INDEX {
        for name in ["index", "timeindex", "txnindex", "snapshot"] {
            let path = file(&format!("00000000000000000000.{name}"));
            native(&path, View::Batches);
            native(&path, View::Verify);
            java(&path, TEXT);
            fs::remove_file(&path).expect("the temporary file");
        }
    }
    fs::remove_dir_all(folder).expect("the temporary folder");
}

/// A log that is opened with these files, read, and appended to; after a crash, and after a stop in order.
pub(super) fn recovery(bytes: &[u8]) {
    for clean_shutdown in [true, false] {
        let folder = folder("open");
        let (log, rest) = bytes.split_at(bytes.len() - bytes.len() / 4);
        fs::write(folder.join("00000000000000000000.log"), log).expect("a temporary file");
        for name in [
            "00000000000000000000.index",
            "00000000000000000000.timeindex",
            "00000000000000000000.txnindex",
            "00000000000000000000.snapshot",
            "00000000000000000003.snapshot",
        ] {
            fs::write(folder.join(name), rest).expect("a temporary file");
        }
        let recovery = Recovery {
            clean_shutdown,
            ..Recovery::default()
        };
        if let Ok(mut log) = PartitionLog::open(&folder, LogConfig::default(), recovery, 0) {
            use_log(&mut log);
        }
        fs::remove_dir_all(folder).expect("the temporary folder");
    }
}

fn use_log(log: &mut PartitionLog) {
    let (start, end) = (log.log_start_offset(), log.log_end_offset());
    for offset in [start, start + (end - start) / 2, end] {
        if let Ok(slice) = log.read(offset, 1 << 16, end, true) {
            let _ = slice.to_vec();
        }
    }
    let _ = log.offset_for_timestamp(0);
    let _ = log.max_timestamp_offset();
    let _ = log.aborted_transactions(start, end);
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.append(0, None, Some(b"after"), &[]);
    let _ = log.append(&mut builder.finish_uncompressed(), 0, 0);
    let _ = log.apply_retention(i64::MAX / 2, end);
    let _ = log.close(false);
}

pub(super) fn checkpoints(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = checkpoint::parse_offsets(&text);
    let _ = leader_epochs::parse(&text);
    let _ = partition_metadata::parse(&text);
    let _ = MetaProperties::parse(&text);
}

pub(super) fn checkpoint_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "0\n2\na 1 5\nb-c 0 0\n",
        "0\n2\n0 0\n1 17\n",
        "version: 0\ntopic_id: zGKPPDjCRcu1a5_t6TVvog",
        "#\ncluster.id=zGKPPDjCRcu1a5_t6TVvog\nnode.id=1\nversion=1\n",
    ])
}

fn printer() -> Printer {
    Printer::new(OutputOptions::default())
}

fn native(path: &Path, view: View) {
    let range = Range {
        from: i64::MIN,
        to: i64::MAX,
        since: None,
        until: None,
    };
    let action = Action {
        paths: vec![PathBuf::from(path)],
        view,
        range,
    };
    let _ = run(&action, &mut Context::new(Settings::default(), printer()));
}

fn java(path: &Path, decoder: Decoder) {
    let dump = JavaDump {
        files: vec![path.display().to_string()],
        deep: true,
        print_contents: true,
        skip_record_metadata: false,
        verify_only: false,
        sanity_only: false,
        decoder: Ok(decoder),
        max_bytes: Ok(i32::MAX),
        max_message_size: Ok(5 * 1024 * 1024),
    };
    let _ = run_java(&dump, printer());
}
