//! Reports the records of batches that were given up, one by one.

use super::partition_queue::Batch;
use crate::client::admin::ApiError;
use crate::client::batch_bytes::BatchBytes;
use crate::client::record_sink::{DeliveryFailure, DeliveryListener, RecordView};
use crate::error::Kind;
use crate::records;
use crate::wire::error_codes as codes;

/// The limit for inflating one of our own batches, in bytes.
const LARGEST_BATCH: usize = 1 << 30;

/// The message for a broker's error code.
pub(super) fn refused(code: i16) -> String {
    let refusal = ApiError { code, message: None };
    match code {
        codes::INVALID_TOPIC_EXCEPTION => {
            "names of topics have up to 249 letters and digits of ASCII, '.', '_' and '-'".to_owned()
        }
        codes::MESSAGE_TOO_LARGE | codes::RECORD_LIST_TOO_LARGE => {
            format!(
                "it is larger than the topic's max.message.bytes [{}]",
                refusal.name()
            )
        }
        _ => refusal.to_string(),
    }
}

/// Reports a record that was not taken.
pub(super) fn report_one(
    record: &RecordView<'_>,
    tag: u64,
    (kind, reason): &(Kind, String),
    listener: &mut dyn DeliveryListener,
) {
    listener.failed(&DeliveryFailure {
        tag,
        partition: record.partition,
        reason,
        kind: *kind,
        key_bytes: record.key.map_or(0, <[u8]>::len),
        value_bytes: record.value.map_or(0, <[u8]>::len),
    });
}

/// Reports every record of a batch. Sizes are read from its bytes, if it has any.
pub(super) fn report(
    batch: &Batch,
    partition: Option<i32>,
    kind: Kind,
    reason: &str,
    listener: &mut dyn DeliveryListener,
) {
    let mut scratch = Vec::new();
    let bytes = batch.bytes.as_ref().map(BatchBytes::whole).unwrap_or_default();
    let stored = records::Batch::parse(&bytes).ok();
    let mut records = stored.and_then(|stored| stored.records(&mut scratch, LARGEST_BATCH).ok());
    for tag in batch.tags.iter() {
        let record = records.as_mut().and_then(Iterator::next).and_then(Result::ok);
        let (key, value) = record.map_or((None, None), |record| (record.key, record.value));
        listener.failed(&DeliveryFailure {
            tag,
            partition,
            reason,
            kind,
            key_bytes: key.map_or(0, <[u8]>::len),
            value_bytes: value.map_or(0, <[u8]>::len),
        });
    }
}
