//! A consumed record to bytes: what every form of output has in common.

use crate::client::record_source::ConsumedRecord;

/// Writes records in one form.
pub trait RecordFormatter {
    /// Appends a record. The error is what is wrong with the record; what was appended before it stays.
    fn write(&mut self, record: &ConsumedRecord<'_>, out: &mut Vec<u8>) -> Result<(), String>;

    /// What it writes behind each value, where it writes nothing else of this topic's records; such values need not be
    /// shown one by one.
    fn values_end(&self, _topic: &str) -> Option<&[u8]> {
        None
    }

    /// Whether it looks at headers, which cost a little on each record.
    fn wants_headers(&self) -> bool {
        true
    }
}
