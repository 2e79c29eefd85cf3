//! How records are sent, as typed values: made once from the settings, for every engine.
//!
//! Defaults are those of Apache Kafka's producer, except for sizes: its batches of 16 KB cost brokers and clients three
//! times the CPU of large ones. <https://kafka.apache.org/documentation/#producerconfigs>

use std::time::Duration;

use super::settings::Settings;
use super::typed_settings::{ClusterSettings, Reader};
use crate::error::Result;
use crate::records::Codec;

/// Which replicas must have a record before it counts as delivered (`acks`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// All in-sync replicas.
    All,
    Leader,
    /// None: records are sent, and their outcome is not known.
    Nobody,
}

impl Acks {
    /// The value in the protocol.
    pub fn code(self) -> i16 {
        match self {
            Self::All => -1,
            Self::Leader => 1,
            Self::Nobody => 0,
        }
    }
}

/// How records are sent.
#[derive(Clone, Debug)]
pub struct ProduceSettings {
    pub cluster: ClusterSettings,
    pub acks: Acks,
    /// `enable.idempotence`: retries make no duplicates (KIP-98).
    pub is_idempotent: bool,
    pub codec: Codec,
    /// The codec's level; `None` is its default.
    pub level: Option<i32>,
    /// Bytes of a batch before compression, from 1 up; a larger record goes alone.
    pub batch_bytes: usize,
    /// Larger records are refused without being sent; in bytes, as Java counts them.
    pub max_request_bytes: Option<usize>,
    /// How long a batch waits for more records (`linger.ms`); `None` sends it when the input pauses.
    pub linger: Option<Duration>,
    /// Requests without an answer on one connection, from 1 up.
    pub max_in_flight: usize,
    /// The most bytes of records that are not delivered yet; a single larger record is accepted.
    pub buffer_bytes: usize,
    /// From the moment a record is taken until it is delivered or given up.
    pub delivery_timeout: Duration,
    /// How long a partition may accept nothing, until its records are given up (`--timeout`); `None` leaves that to
    /// the delivery timeout.
    pub patience: Option<Duration>,
    /// How long a broker may wait for its replicas.
    pub request_timeout: Duration,
    /// How long a topic may be missing before it counts as deleted.
    pub missing_topic_patience: Duration,
    /// Tries after the first; `None` is no limit but the delivery timeout.
    pub retries: Option<u32>,
    pub partitioner: Partitioner,
    /// Partitions with long queues of batches get no records without a key (KIP-794).
    pub is_adaptive: bool,
    /// A partition whose broker has accepted nothing for this long gets no records without a key
    /// (`partitioner.availability.timeout.ms`); `None` leaves that to the producer.
    pub availability_timeout: Option<Duration>,
}

/// The partitioner for records without a given partition: Java's rule, and those of librdkafka's partitioners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partitioner {
    pub hash: KeyHash,
    /// Where records without a key go.
    pub keyless: Keyless,
    /// An empty key counts as none.
    pub empty_is_none: bool,
}

/// How a key is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyHash {
    /// Java's.
    Murmur2,
    /// librdkafka's own default.
    Crc32,
    /// Sarama's.
    Fnv1a,
    /// Keys are ignored.
    Ignored,
}

/// Where a record without a key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyless {
    /// To each partition in turns of several records.
    InTurns,
    /// To any partition, one record a turn.
    Anywhere,
    /// To the partition of an empty key.
    AsEmptyKey,
}

impl Partitioner {
    /// The values of `partitioner`.
    const NAMES: &[(&str, KeyHash, Keyless)] = &[
        ("murmur2_random", KeyHash::Murmur2, Keyless::InTurns),
        ("murmur2", KeyHash::Murmur2, Keyless::AsEmptyKey),
        ("consistent_random", KeyHash::Crc32, Keyless::InTurns),
        ("consistent", KeyHash::Crc32, Keyless::AsEmptyKey),
        ("fnv1a_random", KeyHash::Fnv1a, Keyless::InTurns),
        ("fnv1a", KeyHash::Fnv1a, Keyless::AsEmptyKey),
        ("random", KeyHash::Ignored, Keyless::Anywhere),
    ];

    fn named(name: &str) -> Option<Self> {
        let row = Self::NAMES.iter().find(|(known, ..)| *known == name)?;
        Some(Self {
            hash: row.1,
            keyless: row.2,
            empty_is_none: name == "consistent_random",
        })
    }
}

/// Slightly below the usual default of `max.message.bytes`, since some services set it a little lower.
const BATCH_BYTES: usize = 1_000_000;
/// Enough for five batches on each of several brokers.
const BUFFER_BYTES: usize = 32 * 1024 * 1024;
/// With more in flight, brokers no longer recognise duplicates.
const MOST_IN_FLIGHT: usize = 5;

impl ProduceSettings {
    /// Reads the settings. `overrides` take precedence over them, `defaults` apply where neither has a value.
    pub fn of(
        settings: &Settings,
        overrides: &[(String, String)],
        defaults: &[(String, String)],
    ) -> Result<Self> {
        Ok(Self {
            patience: settings.patience(),
            ..Self::read(&Reader::new(settings, overrides, defaults))?
        })
    }

    pub(super) fn read(reader: &Reader<'_>) -> Result<Self> {
        let acks = acks(reader)?;
        let retries = reader.number::<u32>(&["retries", "message.send.max.retries"], 0..=i32::MAX as u32)?;
        let in_flight_names = &["max.in.flight.requests.per.connection", "max.in.flight"];
        let max_in_flight = reader.number::<usize>(in_flight_names, 1..=i32::MAX as usize)?;
        let may_be_idempotent = acks == Acks::All
            && retries != Some(0)
            && max_in_flight.is_none_or(|most| most <= MOST_IN_FLIGHT);
        let is_idempotent = match reader.flag(&["enable.idempotence"])? {
            Some(true) if !may_be_idempotent => {
                return Err(reader.complaint(
                    "enable.idempotence",
                    "it wants acks=all, retries above 0 and at most 5 requests in flight",
                ));
            }
            Some(wanted) => wanted,
            None => may_be_idempotent,
        };
        let (codec, level) = compression(reader)?;
        let cluster = reader.cluster()?;
        let batch_bytes = reader.bytes(&["batch.size"])?.unwrap_or(BATCH_BYTES);
        Ok(Self {
            acks,
            is_idempotent,
            codec,
            level,
            batch_bytes: batch_bytes.clamp(1, i32::MAX as usize / 2),
            max_request_bytes: reader.bytes(&["max.request.size"])?,
            linger: reader.time(&["linger.ms", "queue.buffering.max.ms"])?,
            max_in_flight: max_in_flight.unwrap_or(MOST_IN_FLIGHT),
            buffer_bytes: buffer_bytes(reader)?,
            delivery_timeout: reader
                .time(&["delivery.timeout.ms", "message.timeout.ms"])?
                .unwrap_or(Duration::from_secs(120)),
            patience: None,
            request_timeout: reader
                .time(&["request.timeout.ms"])?
                .unwrap_or(Duration::from_secs(30)),
            missing_topic_patience: reader
                .time(&["topic.metadata.propagation.max.ms"])?
                .unwrap_or(Duration::from_secs(30)),
            retries: retries.filter(|retries| *retries < i32::MAX as u32),
            partitioner: partitioner(reader)?,
            is_adaptive: reader
                .flag(&["partitioner.adaptive.partitioning.enable"])?
                .unwrap_or(true),
            availability_timeout: reader
                .time(&["partitioner.availability.timeout.ms"])?
                .filter(|timeout| !timeout.is_zero()),
            cluster,
        })
    }
}

fn partitioner(reader: &Reader<'_>) -> Result<Partitioner> {
    let ignores_keys = reader.flag(&["partitioner.ignore.keys"])?.unwrap_or(false);
    let (key, name) = reader.text(&["partitioner"]).unwrap_or(("", "murmur2_random"));
    let found = Partitioner::named(name).map(|found| Partitioner {
        hash: if ignores_keys {
            KeyHash::Ignored
        } else {
            found.hash
        },
        ..found
    });
    found.ok_or_else(|| {
        let names: Vec<&str> = Partitioner::NAMES.iter().map(|row| row.0).collect();
        reader.complaint(key, format_args!("it takes {}, not \"{name}\"", names.join(", ")))
    })
}

fn acks(reader: &Reader<'_>) -> Result<Acks> {
    match reader.text(&["acks", "request.required.acks"]) {
        None | Some((_, "all" | "-1" | "ALL" | "All")) => Ok(Acks::All),
        Some((_, "1")) => Ok(Acks::Leader),
        Some((_, "0")) => Ok(Acks::Nobody),
        Some((name, other)) => {
            Err(reader.complaint(name, format_args!("it takes all, -1, 0 or 1, not \"{other}\"")))
        }
    }
}

fn compression(reader: &Reader<'_>) -> Result<(Codec, Option<i32>)> {
    let codec = match reader.text(&["compression.type", "compression.codec"]) {
        None => Codec::None,
        Some((name, text)) => Codec::from_name(&text.to_ascii_lowercase()).ok_or_else(|| {
            reader.complaint(
                name,
                format_args!("it takes none, gzip, snappy, lz4 or zstd, not \"{text}\""),
            )
        })?,
    };
    let (names, range): (&[&str], _) = match codec {
        Codec::None | Codec::Snappy => return Ok((codec, None)),
        Codec::Gzip => (&["compression.gzip.level", "compression.level"], -1..=9),
        Codec::Lz4 => (&["compression.lz4.level", "compression.level"], -1..=17),
        Codec::Zstd => (&["compression.zstd.level", "compression.level"], -131_072..=22),
    };
    let level = reader.number::<i32>(names, range)?;
    // -1 is gzip's own value for its default, and librdkafka's for any codec.
    Ok((codec, level.filter(|level| *level != -1 || codec == Codec::Zstd)))
}

fn buffer_bytes(reader: &Reader<'_>) -> Result<usize> {
    if let Some(bytes) = reader.bytes(&["buffer.memory"])? {
        return Ok(bytes);
    }
    let kilobytes = reader.bytes(&["queue.buffering.max.kbytes"])?;
    Ok(kilobytes.map_or(BUFFER_BYTES, |kilobytes| kilobytes.saturating_mul(1024)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::settings::Origin;

    fn of(entries: &[(&str, &str)]) -> Result<ProduceSettings> {
        let mut settings = Settings::default();
        settings.set("bootstrap.servers", "a:1", Origin::Flag);
        for (name, value) in entries {
            settings.set(*name, *value, Origin::SetFlag);
        }
        ProduceSettings::of(&settings, &[], &[])
    }

    #[test]
    fn what_rules_idempotence_out_in_java_rules_it_out_here() {
        for (name, value, expected) in [
            ("acks", "all", true),
            ("acks", "-1", true),
            ("acks", "1", false),
            ("retries", "0", false),
            ("retries", "1", true),
            ("max.in.flight.requests.per.connection", "6", false),
            ("enable.idempotence", "false", false),
        ] {
            let found = of(&[(name, value)]).unwrap();
            assert_eq!(found.is_idempotent, expected, "{name}={value}");
        }
        assert!(of(&[("enable.idempotence", "true"), ("acks", "1")]).is_err());
    }

    #[test]
    fn both_kinds_of_names_units_and_ranges() {
        let found = of(&[
            ("queue.buffering.max.kbytes", "2"),
            ("message.timeout.ms", "7"),
            ("compression.codec", "zstd"),
            ("compression.level", "9"),
            ("request.required.acks", "0"),
        ])
        .unwrap();
        assert_eq!(found.buffer_bytes, 2048);
        assert_eq!(found.delivery_timeout, Duration::from_millis(7));
        assert_eq!((found.codec, found.level), (Codec::Zstd, Some(9)));
        assert_eq!(found.acks, Acks::Nobody);
        for (name, value, told) in [
            ("acks", "2", "-X acks: it takes all, -1, 0 or 1, not \"2\""),
            ("batch.size", "1k", "-X batch.size: it takes a whole number"),
            ("compression.type", "brotli", "not \"brotli\""),
            ("partitioner", "sticky", "it takes murmur2_random, murmur2,"),
        ] {
            let refusal = of(&[(name, value)]).unwrap_err().to_string();
            assert!(refusal.contains(told), "{refusal}");
        }
    }
}
