//! A consumed record to bytes: what every form of output has in common.

use crate::client::record_source::ConsumedRecord;

/// Writes records in one form.
pub trait RecordFormatter {
    /// Appends a record. The error is what is wrong with the record; what was appended before it stays.
    fn write(&mut self, record: &ConsumedRecord<'_>, out: &mut Vec<u8>) -> Result<(), String>;

    /// The bytes that it appends to each value, if it writes nothing else for records of this topic; then values may be
    /// written without a call for each record.
    fn values_end(&self, _topic: &str) -> Option<&[u8]> {
        None
    }

    /// Whether it needs headers, which cost a little for each record.
    fn wants_headers(&self) -> bool {
        true
    }
}
