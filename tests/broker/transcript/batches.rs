//! What was said about batches that no client writes, and what the log then holds of those that were taken.

use std::fmt::Write;

use bytes::Bytes;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{BrokerId, CreateTopicsRequest, FetchRequest};
use kafkit::records::batch_header::{self, BatchHeader};
use kafkit::records::{Codec, compression};
use regex::Regex;

use super::conversation::{Conversation, TIMESTAMP, text};
use super::damaged_batches::{
    Fields, all, batch, bodies, framings, good, half_compressed, inflating, of_codec, packed,
};

/// The most that a stored batch inflates to.
const INFLATED: usize = 256 * 1024 * 1024;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
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
