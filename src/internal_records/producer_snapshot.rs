//! A producer snapshot as Kafka's tools read it, with their words for what is wrong with it.
//!
//! Owns that reading only; what a broker does with producer state belongs to `storage`.

use super::decode::{DecodeError, Reader, decode};
use super::tables::snapshot::PRODUCER_SNAPSHOT;
use super::value::StructValue;

/// Where the checksum's coverage begins: behind version and checksum.
const CRC_COVERS_FROM: usize = 6;

/// Reads a whole file: `producerEntries` is its list. The error is Kafka's text.
pub fn read(file: &[u8]) -> Result<StructValue<'_>, String> {
    let snapshot =
        read_fields(file).map_err(|error| format!("Snapshot failed schema validation: {error}"))?;
    let stored = snapshot.number("crc");
    let computed = crc32c::crc32c(file.get(CRC_COVERS_FROM..).unwrap_or_default());
    if stored != i64::from(computed) {
        return Err(format!(
            "Snapshot is corrupt (CRC is no longer valid). Stored crc: {stored}. Computed crc: {computed}"
        ));
    }
    Ok(snapshot)
}

fn read_fields(file: &[u8]) -> Result<StructValue<'_>, DecodeError> {
    let mut reader = Reader::new(file);
    let version = reader.int16()?;
    if !PRODUCER_SNAPSHOT.supports(version) {
        let message = format!("Snapshot contained an unknown file version {version}");
        return Err(DecodeError::Malformed(message));
    }
    decode(&PRODUCER_SNAPSHOT, version, &mut reader)
}
