//! What was said about batches that no client writes: damaged, lying about themselves, or compressed by halves; and what
//! the log then holds of those that were taken.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use bytes::Bytes;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{BrokerId, CreateTopicsRequest, FetchRequest};
use kafkit::records::batch_header::{self, BatchHeader};
use kafkit::records::varint::put_i64;
use kafkit::records::{Codec, compression};
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use regex::Regex;
use zstd::zstd_safe::CParameter;

use super::conversation::{Conversation, TIMESTAMP, text};

const INFLATED: usize = 256 * 1024 * 1024;

/// A record field by field, so that each can lie.
struct Fields {
    attributes: u8,
    timestamp: i64,
    offset: i64,
    key: (i64, &'static [u8]),
    value: (i64, &'static [u8]),
    /// The count, and what follows it.
    headers: (i64, Vec<u8>),
    /// Added to the true length.
    length: i64,
}

impl Fields {
    fn at(offset: i64) -> Self {
        Self {
            attributes: 0,
            timestamp: offset * 10,
            offset,
            key: (1, b"k"),
            value: (5, b"hello"),
            headers: (0, Vec::new()),
            length: 0,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut fields = vec![self.attributes];
        put_i64(&mut fields, self.timestamp);
        put_i64(&mut fields, self.offset);
        for (length, bytes) in [self.key, self.value] {
            put_i64(&mut fields, length);
            fields.extend(bytes);
        }
        put_i64(&mut fields, self.headers.0);
        fields.extend(&self.headers.1);
        let mut record = Vec::new();
        put_i64(&mut record, fields.len() as i64 + self.length);
        record.extend(fields);
        record
    }
}

/// The second of three records is this one.
fn around(change: impl Fn(&mut Fields)) -> Vec<u8> {
    let mut second = Fields::at(1);
    change(&mut second);
    [Fields::at(0).bytes(), second.bytes(), Fields::at(2).bytes()].concat()
}

/// Each of three records is changed so.
fn all(change: impl Fn(&mut Fields)) -> Vec<u8> {
    let records = (0..3).map(|offset| {
        let mut fields = Fields::at(offset);
        change(&mut fields);
        fields.bytes()
    });
    records.collect::<Vec<_>>().concat()
}

fn good() -> Vec<u8> {
    around(|_| {})
}

fn packed(codec: Codec, records: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    compression::compress(codec, records, &mut packed).unwrap();
    packed
}

fn header(key: (i64, &[u8]), value: (i64, &[u8])) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (length, field) in [key, value] {
        put_i64(&mut bytes, length);
        bytes.extend(field);
    }
    bytes
}

/// A whole batch; its header is what `change` makes of the true one.
fn batch(body: &[u8], change: impl Fn(&mut BatchHeader)) -> Vec<u8> {
    let mut header = BatchHeader {
        base_offset: 0,
        batch_length: (49 + body.len()) as i32,
        partition_leader_epoch: -1,
        magic: 2,
        crc: 0,
        attributes: 0,
        last_offset_delta: 2,
        base_timestamp: TIMESTAMP,
        max_timestamp: TIMESTAMP + 20,
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        records_count: 3,
    };
    change(&mut header);
    let mut bytes = Vec::new();
    bytes.extend(header.base_offset.to_be_bytes());
    bytes.extend(header.batch_length.to_be_bytes());
    bytes.extend(header.partition_leader_epoch.to_be_bytes());
    bytes.extend(header.magic.to_be_bytes());
    bytes.extend(0_u32.to_be_bytes());
    bytes.extend(header.attributes.to_be_bytes());
    bytes.extend(header.last_offset_delta.to_be_bytes());
    bytes.extend(header.base_timestamp.to_be_bytes());
    bytes.extend(header.max_timestamp.to_be_bytes());
    bytes.extend(header.producer_id.to_be_bytes());
    bytes.extend(header.producer_epoch.to_be_bytes());
    bytes.extend(header.base_sequence.to_be_bytes());
    bytes.extend(header.records_count.to_be_bytes());
    bytes.extend(body);
    batch_header::set_crc(&mut bytes);
    bytes
}

fn of_codec(codec: Codec) -> impl Fn(&mut BatchHeader) {
    move |header| header.attributes = codec.id()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// Bodies of three records that are not what they say, whatever they are compressed with.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let cut = |by: usize| good()[..good().len() - by].to_vec();
    let behind = |bytes: &[u8]| [&good(), bytes].concat();
    let mut bodies = vec![
        ("good", good()),
        ("no records", Vec::new()),
        ("no record at all", b"not a record at all".to_vec()),
        (
            "one record is missing",
            [Fields::at(0).bytes(), Fields::at(1).bytes()].concat(),
        ),
        ("one record too many", behind(&Fields::at(3).bytes())),
        ("one byte missing", cut(1)),
        ("five bytes missing", cut(5)),
        (
            "cut behind a length",
            [Fields::at(0).bytes(), Fields::at(1).bytes(), vec![0x18]].concat(),
        ),
        ("a zero byte behind", behind(&[0])),
        ("junk behind", behind(b"junk")),
        ("zeros", vec![0; 100]),
        (
            "offsets from 1",
            [1, 2, 3].map(|n| Fields::at(n).bytes()).concat(),
        ),
        ("offsets all 0", all(|f| f.offset = 0)),
        ("offsets backwards", all(|f| f.offset = 2 - f.offset)),
        ("offsets with a gap", all(|f| f.offset *= 5)),
        ("a negative offset", around(|f| f.offset = -7)),
        ("an offset of 64 bits", around(|f| f.offset = 1 << 40)),
        ("earlier than the base", all(|f| f.timestamp = -1000 * f.offset)),
        ("time before 1970", around(|f| f.timestamp = -TIMESTAMP - 5)),
        ("time of -1", all(|f| f.timestamp = -TIMESTAMP - 1)),
        ("time beyond 64 bits", around(|f| f.timestamp = i64::MAX)),
        ("time far ahead", around(|f| f.timestamp = 1 << 50)),
        ("attributes of a record", all(|f| f.attributes = 0xff)),
    ];
    bodies.extend(lengths());
    bodies.extend(fields());
    bodies
}

fn lengths() -> Vec<(&'static str, Vec<u8>)> {
    let led_by = |length: &[u8]| [length, good().get(1..).unwrap()].concat();
    vec![
        ("length 1 too long", around(|f| f.length = 1)),
        ("length 1 too short", around(|f| f.length = -1)),
        (
            "length of the last 1 too long",
            [
                Fields::at(0).bytes(),
                Fields::at(1).bytes(),
                Fields {
                    length: 1,
                    ..Fields::at(2)
                }
                .bytes(),
            ]
            .concat(),
        ),
        (
            "length of the last 1 too short",
            [
                Fields::at(0).bytes(),
                Fields::at(1).bytes(),
                Fields {
                    length: -1,
                    ..Fields::at(2)
                }
                .bytes(),
            ]
            .concat(),
        ),
        ("length 0", led_by(&[0])),
        ("length -1", led_by(&[1])),
        ("length of 1 MB", around(|f| f.length = 1_000_000)),
        ("length of 1 GB", around(|f| f.length = 1_000_000_000)),
        ("largest length", led_by(&[0xfe, 0xff, 0xff, 0xff, 0x0f])),
        ("length of six bytes", led_by(&[0x98, 0x80, 0x80, 0x80, 0x80, 0])),
        (
            "length with bits to spare",
            led_by(&[0x98, 0x80, 0x80, 0x80, 0x70]),
        ),
        ("length without end", led_by(&[0xff; 12])),
        (
            "length of five bytes that goes on",
            led_by(&[0x98, 0x80, 0x80, 0x80, 0x80]),
        ),
        (
            "length padded to five bytes",
            led_by(&[0x98, 0x80, 0x80, 0x80, 0]),
        ),
        (
            "an empty record",
            around(|f| {
                f.key = (-1, b"");
                f.value = (-1, b"");
            }),
        ),
        (
            "a length alone",
            [Fields::at(0).bytes(), vec![0], Fields::at(2).bytes()].concat(),
        ),
    ]
}

fn fields() -> Vec<(&'static str, Vec<u8>)> {
    let one = |key: (i64, &[u8]), value: (i64, &[u8])| around(|f| f.headers = (1, header(key, value)));
    let timestamp = |bytes: &[u8]| {
        let mut record = vec![0];
        record.extend(bytes);
        record.extend([2, 1, 1, 0]);
        let length = [(record.len() * 2) as u8];
        [
            &Fields::at(0).bytes(),
            &length[..],
            &record,
            &Fields::at(2).bytes(),
        ]
        .concat()
    };
    vec![
        ("key length -1", around(|f| f.key = (-1, b""))),
        ("key length -2", around(|f| f.key = (-2, b""))),
        (
            "smallest key length",
            around(|f| f.key = (i64::from(i32::MIN), b"")),
        ),
        ("key beyond the record", around(|f| f.key = (12, b"k"))),
        ("key beyond the batch", around(|f| f.key = (1000, b"k"))),
        ("largest key", around(|f| f.key = (i64::from(i32::MAX), b"k"))),
        ("value length -1", around(|f| f.value = (-1, b""))),
        ("value length -2", around(|f| f.value = (-2, b""))),
        ("value 1 too short", around(|f| f.value = (4, b"hello"))),
        ("value 1 too long", around(|f| f.value = (6, b"hello"))),
        ("value beyond the batch", around(|f| f.value = (3000, b"hello"))),
        ("header count -1", around(|f| f.headers = (-1, Vec::new()))),
        (
            "a header that is missing",
            around(|f| f.headers = (1, Vec::new())),
        ),
        (
            "more headers than bytes",
            around(|f| f.headers = (1000, Vec::new())),
        ),
        (
            "largest header count",
            around(|f| f.headers = (i64::from(i32::MAX), Vec::new())),
        ),
        (
            "fewer headers than there are",
            around(|f| f.headers = (0, header((1, b"h"), (1, b"v")))),
        ),
        ("a header", one((1, b"h"), (1, b"v"))),
        ("a header without a key", one((-1, b""), (1, b"v"))),
        ("a header with an empty key", one((0, b""), (1, b"v"))),
        ("a header without a value", one((1, b"h"), (-1, b""))),
        ("header value length -2", one((1, b"h"), (-2, b""))),
        ("header key beyond the record", one((9, b"h"), (1, b"v"))),
        ("header value beyond the record", one((1, b"h"), (9, b"v"))),
        ("header value beyond the batch", one((1, b"h"), (900, b"v"))),
        ("header key not UTF-8", one((2, b"\xff\xfe"), (1, b"v"))),
        (
            "time of ten bytes",
            timestamp(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
        ),
        (
            "time with bits to spare",
            timestamp(&[0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7e]),
        ),
        (
            "time of eleven bytes",
            timestamp(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
        ),
    ]
}

/// Compressed bytes that are none, or not whole.
fn half_compressed(codec: Codec) -> Vec<(&'static str, Vec<u8>)> {
    let whole = packed(codec, &good());
    let cut = |to: usize| whole[..to].to_vec();
    let behind = |bytes: &[u8]| [&whole, bytes].concat();
    let mut first_changed = whole.clone();
    first_changed[0] ^= 1;
    let mut last_changed = whole.clone();
    *last_changed.last_mut().unwrap() ^= 1;
    let long = all(|f| f.value = (2000, &[b'v'; 2000]));
    let long_whole = packed(codec, &long);
    vec![
        ("no bytes", Vec::new()),
        ("one byte", cut(1)),
        ("eight bytes", cut(8)),
        ("half", cut(whole.len() / 2)),
        ("without the last six", cut(whole.len() - 6)),
        ("without the last", cut(whole.len() - 1)),
        ("not compressed", good()),
        ("not compressed at all", b"not compressed at all".to_vec()),
        ("first byte changed", first_changed),
        ("last byte changed", last_changed),
        ("a zero behind", behind(&[0])),
        ("junk behind", behind(b"junk behind the frame")),
        ("twice", behind(&whole)),
        (
            "in two frames",
            [packed(codec, &good()[..20]), packed(codec, &good()[20..])].concat(),
        ),
        ("long", long_whole.clone()),
        ("long, half", long_whole[..long_whole.len() / 2].to_vec()),
    ]
}

fn lz4(change: impl Fn(FrameInfo) -> FrameInfo, records: &[u8]) -> Vec<u8> {
    let independent = FrameInfo::new().block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(change(independent), Vec::new());
    encoder.write_all(records).unwrap();
    encoder.finish().unwrap()
}

fn zstd(
    level: i32,
    records: &[u8],
    set: impl Fn(&mut zstd::Encoder<'_, Vec<u8>>) -> io::Result<()>,
) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), level).unwrap();
    set(&mut encoder).unwrap();
    encoder.write_all(records).unwrap();
    encoder.finish().unwrap()
}

/// Gzip whose header has `flags` and the fields for them.
fn gzip(flags: u8, fields: &[u8]) -> Vec<u8> {
    let mut whole = packed(Codec::Gzip, &good());
    whole[3] = flags;
    [&whole[..10], fields, &whole[10..]].concat()
}

/// The same records in every way that a codec has to frame them.
fn framings() -> Vec<(Codec, &'static str, Vec<u8>)> {
    let records = good();
    let long = all(|f| f.value = (40_000, Box::leak(vec![b'v'; 40_000].into())));
    let raw = snap::raw::Encoder::new().compress_vec(&records).unwrap();
    let of_lz4 = |change: fn(FrameInfo) -> FrameInfo| lz4(change, &good());
    let window = |log: u32| {
        zstd(3, &good(), move |encoder| {
            encoder.set_parameter(CParameter::WindowLog(log))
        })
    };
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let of_zstd = packed(Codec::Zstd, &records);
    let header_crc = crc32fast::hash(&gzip(2, &[])[..10]) as u16;
    vec![
        (Codec::Snappy, "one bare block", raw.clone()),
        (Codec::Snappy, "a bare block, cut", raw[..raw.len() - 1].to_vec()),
        (
            Codec::Snappy,
            "a bare block, a byte behind",
            [&raw[..], &[0]].concat(),
        ),
        (
            Codec::Lz4,
            "blocks in a row",
            of_lz4(|info| info.block_mode(BlockMode::Linked)),
        ),
        (
            Codec::Lz4,
            "block checksums",
            of_lz4(|info| info.block_checksums(true)),
        ),
        (
            Codec::Lz4,
            "content checksum",
            of_lz4(|info| info.content_checksum(true)),
        ),
        (
            Codec::Lz4,
            "content size",
            of_lz4(|info| info.content_size(Some(39))),
        ),
        (
            Codec::Lz4,
            "blocks of 4 MB",
            of_lz4(|info| info.block_size(BlockSize::Max4MB)),
        ),
        (
            Codec::Lz4,
            "more blocks than one",
            lz4(|info| info.block_size(BlockSize::Max64KB), &long),
        ),
        (
            Codec::Zstd,
            "a checksum",
            zstd(3, &records, |encoder| encoder.include_checksum(true)),
        ),
        (Codec::Zstd, "level 22", zstd(22, &records, |_| Ok(()))),
        (Codec::Zstd, "level 22, long", zstd(22, &long, |_| Ok(()))),
        (Codec::Zstd, "a window of 8 MB", window(23)),
        (Codec::Zstd, "a window of 128 MB", window(27)),
        (Codec::Zstd, "a window of 256 MB", window(28)),
        (
            Codec::Zstd,
            "a frame to skip before",
            [&skippable[..], &of_zstd].concat(),
        ),
        (
            Codec::Zstd,
            "a frame to skip behind",
            [&of_zstd[..], &skippable].concat(),
        ),
        (Codec::Zstd, "no frame but one to skip", skippable),
        (Codec::Gzip, "a name", gzip(8, b"name\0")),
        (Codec::Gzip, "a name without end", gzip(8, &[])),
        (Codec::Gzip, "a comment and a name", gzip(24, b"name\0comment\0")),
        (Codec::Gzip, "an extra field", gzip(4, &[3, 0, 1, 2, 3])),
        (
            Codec::Gzip,
            "a header checksum",
            gzip(2, &header_crc.to_le_bytes()),
        ),
        (Codec::Gzip, "a wrong header checksum", gzip(2, &[1, 2])),
        (
            Codec::Gzip,
            "a member of nothing behind",
            [packed(Codec::Gzip, &records), packed(Codec::Gzip, &[])].concat(),
        ),
        (
            Codec::Gzip,
            "a member of nothing before",
            [packed(Codec::Gzip, &[]), packed(Codec::Gzip, &records)].concat(),
        ),
    ]
}

/// A record whose value is `megabytes` of zeros, compressed as it is made.
fn inflating(megabytes: usize) -> Vec<u8> {
    let length = megabytes << 20;
    let mut start = vec![0, 0, 0, 1];
    put_i64(&mut start, length as i64);
    let mut head = Vec::new();
    put_i64(&mut head, (start.len() + length + 1) as i64);
    head.extend(start);
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(&head).unwrap();
    for _ in 0..megabytes {
        encoder.write_all(&[0; 1 << 20]).unwrap();
    }
    // No headers.
    encoder.write_all(&[0]).unwrap();
    encoder.finish().unwrap()
}

impl Conversation {
    /// Everything about batches.
    pub(super) fn batches(mut self) -> String {
        let config = |name: &str, value: &str| {
            CreatableTopicConfig::default()
                .with_name(text(name))
                .with_value(Some(text(value)))
        };
        let topics = [
            ("plain", vec![]),
            ("compacted", vec![config("cleanup.policy", "compact")]),
            (
                "append-time",
                vec![config("message.timestamp.type", "LogAppendTime")],
            ),
            ("narrow", vec![config("message.timestamp.before.max.ms", "1000")]),
            ("none", vec![config("compression.type", "uncompressed")]),
            ("gzip", vec![config("compression.type", "gzip")]),
            ("small", vec![config("max.message.bytes", "160")]),
            (
                "gzip-append-time",
                vec![
                    config("message.timestamp.type", "LogAppendTime"),
                    config("compression.type", "gzip"),
                ],
            ),
        ];
        let topics = topics.map(|(name, configs)| {
            CreatableTopic::default()
                .with_name(self.name(name))
                .with_num_partitions(1)
                .with_replication_factor(1)
                .with_configs(configs)
        });
        let request = CreateTopicsRequest::default()
            .with_timeout_ms(10_000)
            .with_topics(topics.to_vec());
        self.connection.send_as(&request, 7).unwrap();
        for topic in topics {
            self.wait_for_leader(&topic.name, 0);
        }
        self.headers();
        for codec in Codec::ALL {
            self.bodies("plain", codec);
        }
        for topic in ["compacted", "append-time", "none", "gzip", "gzip-append-time"] {
            self.bodies(topic, Codec::None);
            self.bodies(topic, Codec::Gzip);
        }
        self.rules();
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            self.damaged(codec);
            for (what, body) in half_compressed(codec) {
                self.batch("plain", codec.name(), what, &batch(&body, of_codec(codec)));
            }
        }
        for (codec, what, body) in framings() {
            self.batch("plain", codec.name(), what, &batch(&body, of_codec(codec)));
            self.batch("none", codec.name(), what, &batch(&body, of_codec(codec)));
        }
        let alone = |header: &mut BatchHeader| {
            (header.records_count, header.last_offset_delta) = (1, 0);
            (header.attributes, header.max_timestamp) = (Codec::Zstd.id(), TIMESTAMP);
        };
        self.batch(
            "plain",
            "zstd",
            "a record of 100 MB",
            &batch(&inflating(100), alone),
        );
        self.transcript()
    }

    fn bodies(&mut self, topic: &str, codec: Codec) {
        for (what, body) in bodies() {
            // How much memory Kafka has decides over these, where it holds a record as long as it claims to be.
            let repacked = !matches!(topic, "plain" | "append-time" | "compacted");
            if repacked && matches!(what, "length of 1 GB" | "largest length") {
                continue;
            }
            self.batch(
                topic,
                codec.name(),
                what,
                &batch(&packed(codec, &body), of_codec(codec)),
            );
        }
    }

    /// What rules of a topic say to records of which some break them.
    fn rules(&mut self) {
        let mixed = [
            Fields {
                key: (-1, b""),
                ..Fields::at(0)
            },
            Fields {
                timestamp: 1 << 50,
                ..Fields::at(1)
            },
            Fields {
                key: (-1, b""),
                timestamp: 1 << 50,
                ..Fields::at(2)
            },
        ];
        let mixed = mixed.map(|fields| fields.bytes()).concat();
        let keyless = all(|f| f.key = (-1, b""));
        let many: Vec<u8> = (0..5)
            .flat_map(|n| {
                Fields {
                    key: (-1, b""),
                    ..Fields::at(n)
                }
                .bytes()
            })
            .collect();
        let long = all(|f| f.value = (500, &[b'v'; 500]));
        for codec in Codec::ALL {
            let name = codec.name();
            let of = |body: &[u8]| batch(&packed(codec, body), of_codec(codec));
            self.batch("narrow", name, "good", &of(&good()));
            self.batch(
                "narrow",
                name,
                "time of -1",
                &of(&all(|f| f.timestamp = -TIMESTAMP - 1)),
            );
            self.batch("compacted", name, "mixed", &of(&mixed));
            self.batch("plain", name, "mixed", &of(&mixed));
            self.batch("compacted", name, "no keys", &of(&keyless));
            self.batch("small", name, "zeros", &of(&[0; 100]));
            self.batch("small", name, "long", &of(&long));
            let five = batch(&packed(codec, &many), |header| {
                header.attributes = codec.id();
                (header.records_count, header.last_offset_delta) = (5, 4);
            });
            self.batch("compacted", name, "five without keys", &five);
            for topic in ["plain", "append-time", "compacted", "none", "gzip"] {
                for (what, max) in [("LogAppendTime", TIMESTAMP + 7), ("LogAppendTime, no time", -1)] {
                    let stamped = batch(&packed(codec, &good()), |header| {
                        (header.attributes, header.max_timestamp) = (codec.id() | 8, max);
                    });
                    self.batch(topic, name, what, &stamped);
                }
                let busy = batch(&packed(codec, &good()), |header| {
                    header.attributes = codec.id() | 0x40 | -128;
                    header.max_timestamp = 5;
                });
                self.batch(topic, name, "unused attributes and a wrong time", &busy);
                let sequenced = batch(&packed(codec, &all(|f| f.offset += 1)), |header| {
                    header.attributes = codec.id();
                    header.base_sequence = 0;
                    header.producer_epoch = 0;
                    header.producer_id = 4_000_100 + i64::from(codec.id());
                });
                self.batch(topic, name, "a producer's, offsets from 1", &sequenced);
            }
        }
    }

    /// The codes for compressed bytes cut off at every length, and with every bit changed.
    fn damaged(&mut self, codec: Codec) {
        let whole = packed(codec, &good());
        let mut code = |body: &[u8]| {
            let request = self.produce_request("plain", batch(body, of_codec(codec)));
            let answer = self.connection.send_as(&request, 9).unwrap();
            match answer.responses[0].partition_responses[0].error_code {
                0 => 'T'.to_string(),
                87 => 'R'.to_string(),
                -1 => '-'.to_string(),
                code => format!("({code})"),
            }
        };
        let cuts: String = (0..=whole.len()).map(|length| code(&whole[..length])).collect();
        let flips: Vec<String> = (0..whole.len())
            .map(|at| {
                let flip = |bit| {
                    let mut body = whole.clone();
                    body[at] ^= 1_u8 << bit;
                    code(&body)
                };
                (0..8).map(flip).collect()
            })
            .collect();
        let flips = flips.join(" ");
        self.line(&format!("plain, {codec}, cut to every length: {cuts}"));
        self.line(&format!(
            "plain, {codec}, every bit of {} changed: {flips}",
            hex(&whole)
        ));
    }

    /// Headers that lie above good records.
    fn headers(&mut self) {
        type Change = fn(&mut BatchHeader);
        let changes: [(&str, Change); 40] = [
            ("count 0", |h| h.records_count = 0),
            ("count 0, last offset -1", |h| {
                (h.records_count, h.last_offset_delta) = (0, -1);
            }),
            ("count 0, last offset 0", |h| {
                (h.records_count, h.last_offset_delta) = (0, 0);
            }),
            ("count -1", |h| h.records_count = -1),
            ("count -1, last offset -2", |h| {
                (h.records_count, h.last_offset_delta) = (-1, -2);
            }),
            ("count 9", |h| h.records_count = 9),
            ("count 9, last offset 8", |h| {
                (h.records_count, h.last_offset_delta) = (9, 8);
            }),
            ("count 2, last offset 1", |h| {
                (h.records_count, h.last_offset_delta) = (2, 1);
            }),
            ("largest count", |h| {
                (h.records_count, h.last_offset_delta) = (i32::MAX, i32::MAX - 1);
            }),
            ("last offset 0", |h| h.last_offset_delta = 0),
            ("last offset 3", |h| h.last_offset_delta = 3),
            ("last offset -1", |h| h.last_offset_delta = -1),
            ("largest last offset", |h| h.last_offset_delta = i32::MAX),
            ("base offset 5", |h| h.base_offset = 5),
            ("base offset -1", |h| h.base_offset = -1),
            ("format 0", |h| h.magic = 0),
            ("format 1", |h| h.magic = 1),
            ("format 3", |h| h.magic = 3),
            ("format -1", |h| h.magic = -1),
            ("codec 5", |h| h.attributes = 5),
            ("codec 6", |h| h.attributes = 6),
            ("codec 7", |h| h.attributes = 7),
            ("LogAppendTime", |h| h.attributes = 8),
            ("LogAppendTime, earlier", |h| {
                (h.attributes, h.max_timestamp) = (8, TIMESTAMP - 77);
            }),
            ("LogAppendTime, no time", |h| {
                (h.attributes, h.max_timestamp) = (8, -1);
            }),
            ("control", |h| h.attributes = 0x20),
            ("control, transactional", |h| h.attributes = 0x30),
            ("delete horizon", |h| h.attributes = 0x40),
            ("unused attributes", |h| h.attributes = -128),
            ("producer without sequence", |h| {
                (h.producer_id, h.producer_epoch) = (4_000_001, 0);
            }),
            ("producer without epoch", |h| {
                (h.producer_id, h.base_sequence) = (4_000_002, 0);
            }),
            ("sequence without producer", |h| h.base_sequence = 7),
            ("producer -2", |h| {
                (h.producer_id, h.producer_epoch, h.base_sequence) = (-2, 0, 0);
            }),
            ("epoch -2", |h| {
                (h.producer_id, h.producer_epoch, h.base_sequence) = (4_000_003, -2, 0);
            }),
            ("sequence -2", |h| {
                (h.producer_id, h.producer_epoch, h.base_sequence) = (4_000_004, 0, -2);
            }),
            ("largest time too small", |h| h.max_timestamp = TIMESTAMP),
            ("largest time too large", |h| h.max_timestamp = TIMESTAMP + 99),
            ("largest time -1", |h| h.max_timestamp = -1),
            ("base time -1", |h| h.base_timestamp = -1),
            ("leader epoch 77", |h| h.partition_leader_epoch = 77),
        ];
        for (what, change) in changes {
            self.batch("plain", "header", what, &batch(&good(), change));
        }
        self.frames();
    }

    /// What stands beside the batch, or cuts it.
    fn frames(&mut self) {
        let whole = batch(&good(), |_| {});
        let length = |by: i32| {
            let mut bytes = whole.clone();
            let length = (whole.len() as i32 - 12 + by).to_be_bytes();
            bytes[8..12].copy_from_slice(&length);
            bytes
        };
        for (what, bytes) in [
            ("one byte behind", [&whole[..], &[7]].concat()),
            ("three bytes behind", [&whole[..], b"abc"].concat()),
            ("sixteen zeros behind", [&whole[..], &[0; 16]].concat()),
            ("seventeen zeros behind", [&whole[..], &[0; 17]].concat()),
            ("half a batch behind", [&whole[..], &whole[..50]].concat()),
            (
                "all but a byte of a batch behind",
                [&whole[..], &whole[..whole.len() - 1]].concat(),
            ),
            ("a batch behind", [&whole[..], &whole[..]].concat()),
            (
                "a batch of format 1 behind",
                [&whole[..], &batch(&good(), |h| h.magic = 1)].concat(),
            ),
            (
                "a batch of format 9 behind",
                [&whole[..], &batch(&good(), |h| h.magic = 9)].concat(),
            ),
            ("without its last byte", whole[..whole.len() - 1].to_vec()),
            ("its header alone", whole[..61].to_vec()),
            ("sixteen bytes", whole[..16].to_vec()),
            ("seventeen bytes", whole[..17].to_vec()),
            ("length 1 too long", length(1)),
            ("length 1 too short", length(-1)),
            ("length of the header", length(-(good().len() as i32))),
            ("length 13", length(13 - whole.len() as i32 + 12)),
            ("length 14", length(14 - whole.len() as i32 + 12)),
            ("length 48", length(48 - whole.len() as i32 + 12)),
            ("length -1", length(-1 - whole.len() as i32 + 12)),
        ] {
            self.batch("plain", "frame", what, &bytes);
        }
        let mut wrong_sum = whole.clone();
        wrong_sum[17] ^= 1;
        self.batch("plain", "frame", "checksum", &wrong_sum);
    }

    /// Sends the batch, and looks at what was stored.
    fn batch(&mut self, topic: &str, codec: &str, what: &str, bytes: &[u8]) {
        let request = self.produce_request(topic, bytes.to_vec());
        let answer = self.connection.send_as(&request, 9).unwrap();
        let partition = &answer.responses[0].partition_responses[0];
        let now = Regex::new(r"within \[-?\d+, -?\d+\]").unwrap();
        let tidy = |message: &str| now.replace_all(message, "within [EARLIEST, LATEST]").into_owned();
        let mut said = format!(
            "error {} start {}",
            partition.error_code, partition.log_start_offset
        );
        if partition.error_code != 0 && partition.base_offset != -1 {
            write!(said, " base {}", partition.base_offset).unwrap();
        }
        if partition.log_append_time_ms != -1 {
            said.push_str(" append time");
        }
        if let Some(message) = &partition.error_message {
            write!(said, " {:?}", tidy(message)).unwrap();
        }
        for error in &partition.record_errors {
            let message = error.batch_index_error_message.as_deref().map(tidy);
            write!(said, " record {} {message:?}", error.batch_index).unwrap();
        }
        if partition.error_code == 0 {
            said.push_str(&self.stored(topic, partition.base_offset, bytes));
        }
        self.line(&format!("{topic}, {codec}, {what}: {said}"));
    }

    /// How what was stored differs from what was sent, beside its offset.
    fn stored(&mut self, topic: &str, offset: i64, sent: &[u8]) -> String {
        let partition = FetchPartition::default()
            .with_partition(0)
            .with_fetch_offset(offset)
            .with_partition_max_bytes(1_000_000);
        let request = FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(1000)
            .with_min_bytes(1)
            .with_max_bytes(1_000_000)
            .with_session_epoch(-1)
            .with_topics(vec![
                FetchTopic::default()
                    .with_topic(self.name(topic))
                    .with_partitions(vec![partition]),
            ]);
        let answer = self.connection.send_as(&request, 12).unwrap();
        let records: Bytes = answer.responses[0].partitions[0].records.clone().unwrap();
        let sent_header = BatchHeader::parse(sent).unwrap();
        let header = BatchHeader::parse(&records).unwrap();
        let mut said = format!(" epoch {}", header.partition_leader_epoch);
        // An append time is of its moment.
        let time = |time: i64| match time {
            time if time > TIMESTAMP + (1 << 35) && time < TIMESTAMP + (1 << 40) => "NOW".to_owned(),
            time => time.to_string(),
        };
        let facts = |header: &BatchHeader| {
            [
                ("base", (header.base_offset - offset).to_string()),
                ("format", header.magic.to_string()),
                ("attributes", format!("{:#x}", header.attributes)),
                ("last offset", header.last_offset_delta.to_string()),
                ("base time", time(header.base_timestamp)),
                ("largest time", time(header.max_timestamp)),
                ("producer", header.producer_id.to_string()),
                ("producer epoch", header.producer_epoch.to_string()),
                ("sequence", header.base_sequence.to_string()),
                ("count", header.records_count.to_string()),
            ]
        };
        let sent_facts = facts(&BatchHeader {
            base_offset: offset,
            ..sent_header
        });
        for ((name, fact), (_, sent)) in facts(&header).into_iter().zip(sent_facts) {
            if fact != sent {
                write!(said, ", {name} {fact}").unwrap();
            }
        }
        if !batch_header::crc_is_valid(&records) {
            said.push_str(", a wrong checksum");
        }
        let body = &records[61..];
        if sent.get(61..61 + body.len()) != Some(body) {
            let mut inflated = Vec::new();
            compression::decompress_into(header.codec().unwrap(), body, &mut inflated, INFLATED).unwrap();
            write!(said, ", records {}", hex(&inflated)).unwrap();
        }
        format!(", stored:{said}")
    }
}
