//! The file in which a broker keeps what is true of the cluster, as it is read when a broker starts.

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use kafkit::broker::config::BrokerConfig;
use kafkit::broker::host::Growth;
use kafkit::broker::lifecycle::PreparedBroker;
use kafkit::records::{Batches, batch_header};

use super::golden;

const FILE: &str = "bootstrap.checkpoint";

pub(super) fn metadata_log(bytes: &[u8]) {
    static DATA: OnceLock<tempfile::TempDir> = OnceLock::new();
    let data = DATA.get_or_init(|| {
        let data = tempfile::tempdir().expect("a temporary directory");
        prepare(data.path()).expect("a new log dir");
        data
    });
    fs::write(data.path().join(FILE), sealed(bytes)).expect("the file");
    if let Ok(broker) = prepare(data.path()) {
        let _ = broker.nodes()[0].topic_count();
    }
}

fn prepare(data: &Path) -> kafkit::error::Result<PreparedBroker> {
    let listeners = ("listeners".to_owned(), "PLAINTEXT://127.0.0.1:0".to_owned());
    let config = BrokerConfig::new(data.to_owned(), [listeners])?;
    PreparedBroker::new(vec![config], Growth::Fixed, Arc::new(|_| {}))
}

/// With checksums that fit: without, everything is refused.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut sealed = bytes.to_vec();
    let mut batches = Batches::new(bytes);
    let mut ends = Vec::new();
    while batches.next().is_some_and(|batch| batch.is_ok()) {
        ends.push(batches.position());
    }
    let mut start = 0;
    for end in ends {
        if sealed.get(start + batch_header::MAGIC_AT) == Some(&2) {
            batch_header::set_crc(&mut sealed[start..end]);
        }
        start = end;
    }
    sealed
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let folder = golden("kraft-directory");
    let mut seeds = vec![fs::read(folder.join(FILE)).expect("the recorded file")];
    let log = folder.join("__cluster_metadata-0/00000000000000000000.log");
    seeds.extend(fs::read(log));
    seeds
}
