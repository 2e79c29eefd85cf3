//! `partition.metadata`: the topic id of the partition whose folder it is in.

use std::path::Path;

use uuid::Uuid;

use super::checkpoint;
use super::file_name::PARTITION_METADATA;
use crate::error::{Error, Result};

/// The topic id in the file's text.
pub fn parse(text: &str) -> Result<Uuid> {
    let mut lines = text.lines();
    if lines
        .next()
        .and_then(|line| line.strip_prefix("version:"))
        .map(str::trim)
        != Some("0")
    {
        return Err(Error::bad_data("the first line is not 'version: 0'"));
    }
    lines
        .next()
        .and_then(|line| line.strip_prefix("topic_id:"))
        .and_then(|id| decode_id(id.trim()))
        .ok_or_else(|| Error::bad_data("the second line holds no topic id"))
}

/// The file's text, which ends without a newline.
pub fn format(topic_id: Uuid) -> String {
    format!("version: 0\ntopic_id: {}", encode_id(topic_id))
}

/// Kafka's text form of an id: 22 characters of URL-safe base64.
pub fn encode_id(id: Uuid) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(id.as_bytes())
}

/// Reads Kafka's text form of an id.
pub fn decode_id(text: &str) -> Option<Uuid> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .ok()?;
    Uuid::from_slice(&bytes).ok()
}

/// A new id; as in Kafka never one whose text begins with a dash, which a command line would take for an option.
pub fn random_id() -> Result<Uuid> {
    loop {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::failed(format!("cannot get random bytes: {error}")))?;
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
        if !encode_id(id).starts_with('-') {
            return Ok(id);
        }
    }
}

/// The topic id of the partition in `folder`; `None` without the file, as before Kafka 2.8.
pub fn read(folder: &Path) -> Result<Option<Uuid>> {
    let path = folder.join(PARTITION_METADATA);
    let text = checkpoint::read(&path)?;
    if text.is_empty() {
        return Ok(None);
    }
    let id = parse(&text).map_err(|error| error.context(format_args!("cannot read {}", path.display())))?;
    Ok(Some(id))
}

/// Writes the file into `folder`.
pub fn write(folder: &Path, topic_id: Uuid) -> Result<()> {
    checkpoint::write(
        &folder.join(PARTITION_METADATA),
        format(topic_id).as_bytes(),
        false,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_kafka_writes() {
        let text = "version: 0\ntopic_id: zGKPPDjCRcu1a5_t6TVvog";
        let id = parse(text).unwrap();
        assert_eq!(format(id), text);
        for bad in [
            "",
            "version: 1\ntopic_id: zGKPPDjCRcu1a5_t6TVvog",
            "version: 0\n",
            "version: 0\ntopic_id: x",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert_ne!(random_id().unwrap(), random_id().unwrap());
    }
}
