//! Whatever record is written as JSON is read back the same.

use kafkit::client::record_sink::HeaderView;
use kafkit::client::record_source::{ConsumedRecord, TimestampType};
use kafkit::input::RecordParser;
use kafkit::input::json::JsonParser;
use kafkit::output::record::RecordFormatter;
use kafkit::output::record_json::JsonFormatter;
use proptest::prelude::*;

use crate::support::shell::Shell;

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
        timestamp in any::<i64>(),
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

/// JSON text with everything that a parser and a writer would change: digits, spaces, escapes, repeated names.
fn odd_json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
        Just("1e400".to_owned()),
        Just("-0".to_owned()),
    ];
    let string = "\"([ -!#-\\[\\]-~é€𝄞]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4}){0,6}\"";
    let leaf = prop_oneof![number, string, Just("true".to_owned()), Just("null".to_owned())];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let spaced = ("[ \t\r]{0,2}", inner, "[ \t\r]{0,2}")
            .prop_map(|(before, inner, after)| format!("{before}{inner}{after}"));
        prop_oneof![
            proptest::collection::vec(spaced.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec(("[ab]", spaced), 0..4).prop_map(|fields| {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| format!("\"{name}\":{value}"))
                    .collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Through the real program and a broker, in and out again: the text of each value and each time are what they were.
    #[test]
    fn odd_json_text_and_times_pass_through_a_topic(
        records in proptest::collection::vec((odd_json(), any::<i64>()), 1..40),
    ) {
        let shell = Shell::new();
        // A string is its text and null is null: only what is neither stays JSON.
        let records: Vec<(String, i64)> = records
            .into_iter()
            .map(|(text, time)| (format!("[{text}]"), time % 1_700_000_000_000))
            .collect();
        let all = |line: fn(&str, i64) -> String| -> String {
            let lines: Vec<String> = records.iter().map(|(text, time)| line(text, *time)).collect();
            lines.concat()
        };
        let lines = all(|text, time| format!("{{\"value\":{text},\"timestamp\":{time}}}\n"));
        let bootstrap = shell.cluster.bootstrap();
        shell.produce(&["t", "--json"], lines).succeeds();
        let expected = all(|text, time| format!("{time} {text}\n"));
        prop_assert_eq!(shell.shown("t", r"%T %s\n"), expected.clone());
        // Once more: out as JSON lines, in again, and out in Java's spelling.
        let args = ["consume", "-b", &bootstrap, "t", "-e", "--json"];
        let copy = shell.suite.run(args).succeeds().stdout();
        shell.produce(&["u", "--json"], copy).succeeds();
        prop_assert_eq!(shell.shown("u", r"%T %s\n"), expected.clone());
        let show = ["--topic", "u", "--from-beginning", "--timeout-ms", "500", "--formatter-property"];
        let shown = shell.java_consume(&[&show[..], &["print.timestamp=true"]].concat()).stdout();
        let java = all(|text, time| format!("CreateTime:{time}\t{text}\n"));
        prop_assert_eq!(shown, java);
    }
}
