//! The records Kafka keeps for itself: every type in every version as Apache Kafka's own classes write and show it,
//! and no bytes that make a decoder panic.

use kafkit::internal_records::coordinator::Topic;
use kafkit::internal_records::{cluster_metadata, control, json, remote_log};
use proptest::prelude::*;

/// Written by tests/recorded/InternalRecords.java on Kafka's jars.
const RECORDED: &str = include_str!("golden/internal-records.txt");

/// A recorded line: topic, type, version, key, value, and what Kafka prints for them.
struct Recorded<'a> {
    topic: &'a str,
    id: i16,
    key: Vec<u8>,
    value: Vec<u8>,
    texts: Vec<&'a str>,
    line: &'a str,
}

fn recorded() -> impl Iterator<Item = Recorded<'static>> {
    RECORDED.lines().map(|line| {
        let fields: Vec<&str> = line.splitn(6, '\t').collect();
        Recorded {
            topic: fields[0],
            id: fields[1].parse().expect("a type"),
            key: bytes(fields[3]),
            value: bytes(fields[4]),
            texts: fields[5]
                .splitn(if fields[0] == "__cluster_metadata" { 3 } else { 2 }, '\t')
                .collect(),
            line,
        }
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    if hex == "-" {
        return Vec::new();
    }
    let digits: Vec<u8> = hex
        .bytes()
        .map(|digit| (digit as char).to_digit(16).expect("hex") as u8)
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn coordinator_topic(name: &str) -> Option<Topic> {
    match name {
        "__consumer_offsets" => Some(Topic::ConsumerOffsets),
        "__transaction_state" => Some(Topic::TransactionState),
        "__share_group_state" => Some(Topic::ShareGroupState),
        _ => None,
    }
}

fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("JSON is UTF-8")
}

#[test]
fn coordinator_records_read_as_kafka_shows_them_and_write_as_kafka_writes_them() {
    let mut types = std::collections::BTreeSet::new();
    for record in recorded() {
        let Some(topic) = coordinator_topic(record.topic) else {
            continue;
        };
        let decoded = topic.decode(&record.key, Some(&record.value)).expect(record.line);
        let value = decoded.value.expect("a value");
        assert_eq!(decoded.id, record.id);
        assert_eq!(
            text(|out| json::write_struct(&decoded.key, out)),
            record.texts[0],
            "{}",
            record.line
        );
        assert_eq!(
            text(|out| json::write_struct(&value, out)),
            record.texts[1],
            "{}",
            record.line
        );
        assert_eq!(
            topic.encode_key(decoded.id, &decoded.key),
            record.key,
            "{}",
            record.line
        );
        assert_eq!(
            topic.encode_value(decoded.id, &value),
            record.value,
            "{}",
            record.line
        );
        types.insert((record.topic, record.id));
    }
    let known = [
        Topic::ConsumerOffsets,
        Topic::TransactionState,
        Topic::ShareGroupState,
    ];
    let known: usize = known
        .iter()
        .map(|topic| topic.types().iter().filter(|t| t.value.is_some()).count())
        .sum();
    assert_eq!(types.len(), known, "a type without a recorded example");
}

#[test]
fn cluster_metadata_records_read_as_kafka_shows_them() {
    for record in recorded().filter(|record| record.topic == "__cluster_metadata") {
        let decoded = cluster_metadata::decode_record(&record.value).expect(record.line);
        assert_eq!(
            (decoded.id, decoded.type_name().as_str()),
            (record.id, record.texts[1])
        );
        assert_eq!(
            text(|out| json::write_struct(&decoded.value, out)),
            record.texts[2],
            "{}",
            record.line
        );
    }
}

#[test]
fn remote_log_metadata_records_read_as_kafka_shows_them() {
    for record in recorded().filter(|record| record.topic == "__remote_log_metadata") {
        let shown = match remote_log::to_text(&record.value) {
            Ok(text) => text,
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(shown, record.texts[1], "{}", record.line);
    }
}

proptest! {
    /// Recorded bytes cut short, with a byte changed, or made up: an error or a value, nothing else.
    #[test]
    fn no_bytes_make_a_decoder_panic(
        index in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        change in any::<(prop::sample::Index, u8)>(),
        noise in prop::collection::vec(any::<u8>(), 0..64),
        control_type in 0_i16..9,
    ) {
        let lines: Vec<Recorded<'_>> = recorded().collect();
        let record = &lines[index.index(lines.len())];
        let mut value = record.value.clone();
        value.truncate(cut.index(value.len() + 1));
        if !value.is_empty() {
            let at = change.0.index(value.len());
            value[at] = change.1;
        }
        for bytes in [&value, &noise] {
            let mut out = Vec::new();
            for topic in [Topic::ConsumerOffsets, Topic::TransactionState, Topic::ShareGroupState] {
                if let Ok(decoded) = topic.decode(&record.key, Some(bytes)) {
                    decoded.value.iter().for_each(|value| json::write_struct(value, &mut out));
                }
                let _ = topic.decode(bytes, None);
            }
            if let Ok(decoded) = cluster_metadata::decode_record(bytes) {
                decoded.write_json(&mut out);
            }
            let _ = remote_log::to_text(bytes);
            if let Some(Ok(decoded)) = control::decode_value(control_type, bytes) {
                json::write_struct(&decoded, &mut out);
            }
            if let Some(Ok(decoded)) = control::decode_value_as_version_0(control_type, bytes) {
                json::write_struct(&decoded, &mut out);
            }
        }
    }
}
