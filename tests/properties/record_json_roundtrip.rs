//! Whatever record is written as JSON is read back the same.

use kafkit::client::record_sink::HeaderView;
use kafkit::client::record_source::{ConsumedRecord, TimestampType};
use kafkit::input::RecordParser;
use kafkit::input::json::JsonParser;
use kafkit::output::record::RecordFormatter;
use kafkit::output::record_json::JsonFormatter;
use proptest::prelude::*;

type Bytes = Option<Vec<u8>>;

fn bytes() -> impl Strategy<Value = Bytes> {
    proptest::option::of(prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..8),
        ".{0,8}".prop_map(String::into_bytes),
    ])
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        key in bytes(),
        value in bytes(),
        headers in proptest::collection::vec((".{0,4}", bytes()), 0..4),
        partition in 0..9i32,
        timestamp in 0..i64::MAX,
    ) {
        let views: Vec<HeaderView<'_>> = headers
            .iter()
            .map(|(name, value)| HeaderView { name, value: value.as_deref() })
            .collect();
        let mut out = Vec::new();
        let record = ConsumedRecord {
            topic: "t",
            partition,
            offset: 5,
            timestamp,
            timestamp_type: TimestampType::CreateTime,
            key: key.as_deref(),
            value: value.as_deref(),
            headers: &views,
        };
        JsonFormatter.write(&record, &mut out).unwrap();
        let mut parser = JsonParser { keeps_topic: true, keeps_partition: true };
        let read = parser.parse(&out, 1).unwrap().unwrap();
        prop_assert_eq!(read.topic.as_deref(), Some("t"));
        prop_assert_eq!(read.partition, Some(partition));
        prop_assert_eq!(read.timestamp, Some(timestamp));
        prop_assert_eq!(read.key.as_deref(), key.as_deref());
        prop_assert_eq!(read.value.as_deref(), value.as_deref());
        let read: Vec<(String, Bytes)> = read
            .headers
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value.map(std::borrow::Cow::into_owned)))
            .collect();
        prop_assert_eq!(read, headers);
    }
}
