//! Bytes of any kind as each kind of file that dump-log reads: no panic, no loop, no room taken on a length's word.
//!
//! The file goes through the same walks as for a user, of either face. What they print goes to stdout and
//! stderr, which nobody needs: `-close_fd_mask=3`.

#![no_main]

use std::path::{Path, PathBuf};

use kafkit::client::settings::Settings;
use kafkit::commands::context::Context;
use kafkit::commands::dump_log::{Action, Range, Records, View, run};
use kafkit::internal_records::coordinator::Topic;
use kafkit::internal_records::{cluster_metadata, control, json, remote_log};
use kafkit::java_tools::dump_log::steps::{Decoder, ElementDecoder, JavaDump, run as run_java};
use kafkit::output::{OutputOptions, Printer};
use libfuzzer_sys::fuzz_target;

/// Longer input of these kinds is only more of the same.
const LONGEST_INDEX: usize = 4096;
const TEXT: Decoder = Decoder::Elements {
    key: ElementDecoder::Text,
    value: ElementDecoder::Text,
};

fuzz_target!(|bytes: &[u8]| {
    let folder = std::env::temp_dir().join(format!("kafkit-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let file = |name: &str| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("a temporary file");
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
    let recovered = folder.join("recovered");
    native(&log, View::Recover(recovered.clone()));
    // There is none of what is no log.
    let _ = std::fs::remove_file(recovered);
    for decoder in [TEXT, Decoder::Offsets, Decoder::ClusterMetadata] {
        java(&log, decoder);
    }
    std::fs::remove_file(&log).expect("the temporary file");
    if bytes.len() <= LONGEST_INDEX {
        for name in ["index", "timeindex", "txnindex", "snapshot"] {
            let path = file(&format!("00000000000000000000.{name}"));
            native(&path, View::Batches);
            native(&path, View::Verify);
            java(&path, TEXT);
            std::fs::remove_file(&path).expect("the temporary file");
        }
        decode(bytes);
    }
});

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

/// What a broker writes for itself, without the batches around it.
fn decode(bytes: &[u8]) {
    let mut out = Vec::new();
    let key = bytes.get(..bytes.len() / 3).unwrap_or_default();
    for topic in [
        Topic::ConsumerOffsets,
        Topic::TransactionState,
        Topic::ShareGroupState,
    ] {
        let _ = topic.decode(key, bytes.get(key.len()..));
    }
    if let Ok(record) = cluster_metadata::decode_record(bytes) {
        record.write_json(&mut out);
    }
    let _ = remote_log::to_text(bytes);
    for control_type in 2..7 {
        if let Some(Ok(record)) = control::decode_value(control_type, bytes) {
            json::write_struct(&record, &mut out);
        }
    }
}
