//! Text that people and other programs write: settings, records, plans, conditions, templates, questions to a broker.

use std::path::Path;

use kafkit::broker::faults::rule_text::{self, Kind};
use kafkit::broker::host::control::Question;
use kafkit::client::java_properties;
use kafkit::client::profile::file::ConfigFile;
use kafkit::client::profile::import::{self, Format};
use kafkit::filter::{self, Fields};
use kafkit::input::csv::CsvParser;
use kafkit::input::json::JsonParser;
use kafkit::input::lines::{KeyIn, LineParser, Unseparated};
use kafkit::input::splitter::{PieceEnd, Splitter};
use kafkit::input::{ParsedRecord, RecordParser};
use kafkit::java::re2::Re2;
use kafkit::output::record_template::{Template, unescape};
use kafkit::reassignment::{edited_plan, plan_json};
use kafkit::topic_config;
use kafkit::wire::host_port::{HostPort, Servers};
use kafkit::wire::sasl::jaas::LoginModule;
use kafkit::wire::tls_names;

use super::{recorded, texts};

/// Longer files are only more of the same.
const LONGEST_SEED: usize = 1024;

pub(super) fn settings(bytes: &[u8]) {
    let _ = java_properties::parse(bytes);
    for format in [Format::Java, Format::Kcat, Format::Rpk, Format::Kafkactl] {
        let _ = import::read(format, bytes, Path::new("."));
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = import::recognise(Path::new("file"), bytes);
    let _ = LoginModule::parse(&text);
    let _ = HostPort::parse_list(&text);
    let _ = Servers::parse(&text);
    let _ = tls_names::ciphers(&text);
    if let Ok(file) = ConfigFile::parse(&text, Path::new("file")) {
        let _ = file.check();
    }
    for config in [
        "retention.ms",
        "cleanup.policy",
        "min.cleanable.dirty.ratio",
        "compression.type",
    ] {
        let _ = topic_config::validate(&[(config, &text)]);
    }
}

pub(super) fn setting_seeds() -> Vec<Vec<u8>> {
    let files = [recorded("java_properties"), recorded("jaas")].concat();
    let parts = files.iter().flat_map(|file| file.chunks(LONGEST_SEED));
    let mut seeds: Vec<Vec<u8>> = parts.map(<[u8]>::to_vec).collect();
    seeds.extend(texts(&[
        "a=b\\u00e4\\\n  c\n# comment\n!x\nbootstrap.servers : [::1]:9092,kafka:9093\n",
        "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"a\" password=\"b\\\"c\";",
        "current-context: dev\ncontexts:\n  dev:\n    brokers:\n      - kafka:9092\n    sasl:\n      enabled: true\n",
        "name: dev\nkafka_api:\n  brokers: [kafka:9092]\n  tls: {}\n",
        "default-profile = \"dev\"\n[profile.dev]\nbootstrap-servers = \"kafka:9092\"\n\"sasl.mechanism\" = \"PLAIN\"\n",
        "SASL_SSL://[2001:db8::1]:9093,kafka",
        "ECDHE-RSA-AES256-GCM-SHA384:TLS_AES_256_GCM_SHA384",
    ]));
    seeds
}

pub(super) fn record_text(bytes: &[u8]) {
    let line = LineParser {
        key: KeyIn::Before(b"\t".to_vec()),
        unseparated: Unseparated::IsKey,
        empty_is_null: true,
    };
    let json = JsonParser {
        keeps_topic: true,
        keeps_partition: true,
    };
    pieces(bytes, PieceEnd::JavaLine, line);
    pieces(bytes, PieceEnd::Delimiter(b"\n".to_vec()), json);
    for (delimiter, is_typed) in [(None, true), (Some(';'), false)] {
        let csv = CsvParser::new(Some("id".to_owned()), delimiter).typed(is_typed);
        pieces(bytes, PieceEnd::CsvRow, csv);
    }
}

fn pieces(bytes: &[u8], end: PieceEnd, mut parser: impl RecordParser) {
    let mut splitter = Splitter::new(end);
    for half in bytes.chunks(bytes.len() / 2 + 1) {
        if splitter.push(half).is_err() {
            return;
        }
        while let Some(piece) = splitter.next_piece() {
            let _: Result<Option<ParsedRecord<'_>>, _> = parser.parse(piece, 1);
        }
    }
    if let Some(piece) = splitter.last_piece() {
        let _ = parser.parse(piece, 2);
    }
}

pub(super) fn record_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "key\tvalue\nno key\n\n\tvalue\n",
        r#"{"topic":"t","partition":1,"key":"a","value":{"x":[1,2.50]},"headers":[["h","v"],["h",null]],"timestamp":7}"#,
        r#"{"key_base64":"AAE=","value_base64":"/w==","headers":{"a":"b"}}"#,
        r#"{"topic":"t","ts":1,"payload":"p","headers":["a","b"],"broker":1}"#,
        "id,name,\"a \"\"b\"\"\"\r\n1,\"line\nbreak\",3\n2,,true\n",
        "\u{feff}id;x\n1;-0.5e3\n",
    ])
}

pub(super) fn plans(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(plan) = plan_json::read_plan(&text) {
        let _ = plan.check();
        let written = plan_json::write_compact(&plan);
        let _ = plan_json::read_plan(&written);
    }
    let _ = plan_json::read_topics(&text);
    let _ = edited_plan::read_edited_plan(&text);
}

pub(super) fn plan_seeds() -> Vec<Vec<u8>> {
    texts(&[
        r#"{"version":1,"partitions":[{"topic":"a","partition":0,"replicas":[1,2],"log_dirs":["any","/x"]}]}"#,
        r#"{"version":1,"topics":[{"topic":"a"},{"topic":"b"}]}"#,
        r#"{"partitions":[{"topic":"a","partition":-1,"replicas":[1,1]}],"version":"1"}"#,
    ])
}

/// A record whose value and key are the input.
struct Seen<'a>(&'a [u8]);

impl Fields for Seen<'_> {
    fn topic(&self) -> &'static str {
        "t"
    }
    fn partition(&self) -> i32 {
        1
    }
    fn offset(&self) -> i64 {
        7
    }
    fn time(&self) -> i64 {
        1_700_000_000_000
    }
    fn key(&self) -> Option<&[u8]> {
        Some(self.0)
    }
    fn value(&self) -> Option<&[u8]> {
        Some(self.0)
    }
    fn header(&self, _name: &str) -> Option<Option<&[u8]>> {
        Some(Some(self.0))
    }
}

/// The condition ends at the first zero byte; what follows is the record.
pub(super) fn conditions(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (condition, record) = bytes.split_at(end);
    let text = String::from_utf8_lossy(condition);
    let time = |text: &str| text.parse().map_err(|_| "no time".to_owned());
    if let Ok(expression) = filter::parse(&text, &time) {
        let record = Seen(record.get(1..).unwrap_or_default());
        let _ = expression.is_met(&record);
        let shown = expression.to_string();
        let _ = filter::parse(&shown, &time);
    }
    let _ = Re2::new(&text).map(|pattern| pattern.matches("orders-17"));
}

pub(super) fn condition_seeds() -> Vec<Vec<u8>> {
    texts(&[
        ".a.b[0] == 'x' and not (key ~ '^a.*$' or header:h in (1, 2.5, null))\0{\"a\":{\"b\":[\"x\"]}}",
        "time >= '2026-01-01' and offset < 7\0{}",
        "exists .\"a b\"\0{\"a b\":\"\\u00e4\\ud83d\\ude00\"}",
        ".a < 1e308\0{\"a\":[1,{\"b\":2}],\"a\":-0}",
        "value != null and partition in (1,2)\0text",
    ])
}

pub(super) fn templates(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = Template::compile(&text);
    let _ = unescape(&text);
}

pub(super) fn template_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "%t/%p/%o %{timestamp:%F %T%z} %k=%s\\n",
        "%{value:base64} %{key:hex} %{header:trace-id} %S %K %h %R %T %%\\x41\\t",
    ])
}

pub(super) fn control(bytes: &[u8]) {
    let _ = serde_json::from_slice::<Question>(bytes);
    let text = String::from_utf8_lossy(bytes);
    for kind in [Kind::Fail, Kind::Delay, Kind::Drop, Kind::Close] {
        let _ = rule_text::parse(kind, &text);
    }
}

pub(super) fn control_seeds() -> Vec<Vec<u8>> {
    texts(&[
        r#"{"node":{"kill":2}}"#,
        r#"{"clear_faults":null}"#,
        r#""list_faults""#,
        r#"{"fail_disk":{"below":"/x","rules":[{"operation":"sync","named":"","skip":1,"count":2,"effect":{"fail":5}}]}}"#,
        r#"{"add_faults":[{"api":0,"node":null,"topic":"t","client_id":null,"effect":{"fail":6},"is_handled":false,"skip":0,"count":3,"per_million":1000000}]}"#,
        "Produce:NOT_LEADER_OR_FOLLOWER:topic=orders:3",
        "*:client=app:200ms:10%:skip=2",
    ])
}
