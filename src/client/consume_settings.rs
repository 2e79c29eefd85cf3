//! How records are read, as typed values: made once from the settings, for every engine.
//!
//! Defaults are those of Apache Kafka's consumer, except for `max.partition.fetch.bytes`, which is large enough
//! for one partition to keep a connection busy. <https://kafka.apache.org/documentation/#consumerconfigs>

use std::time::Duration;

use super::settings::Settings;
use super::typed_settings::{ClusterSettings, Reader};
use crate::error::Result;

/// What to do if a partition does not have the next offset to read (`auto.offset.reset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetReset {
    Earliest,
    Latest,
    /// It is an error.
    Refuse,
}

/// Which records of transactions are read (`isolation.level`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// All, committed or not.
    ReadUncommitted,
    /// Only those of committed transactions, up to the last stable offset.
    ReadCommitted,
}

impl Isolation {
    /// The value in the protocol.
    pub fn code(self) -> i8 {
        match self {
            Self::ReadUncommitted => 0,
            Self::ReadCommitted => 1,
        }
    }
}

/// How records are read.
#[derive(Clone, Debug)]
pub struct ConsumeSettings {
    pub cluster: ClusterSettings,
    pub isolation: Isolation,
    pub offset_reset: OffsetReset,
    /// How long a broker waits for records (`fetch.max.wait.ms`).
    pub max_wait: Duration,
    /// Bytes that end that wait (`fetch.min.bytes`).
    pub min_bytes: i32,
    /// The most bytes of one answer, unless its first batch is larger.
    pub max_bytes: i32,
    /// The most bytes of one partition in an answer, likewise.
    pub partition_max_bytes: i32,
    /// Checksums are verified.
    pub checks_crcs: bool,
    /// Our rack, for reading from the closest replica (KIP-392); empty is none.
    pub rack: String,
    /// A request for a missing topic may create it, if the cluster does so (`allow.auto.create.topics`).
    pub may_create_topics: bool,
}

impl ConsumeSettings {
    /// Reads the settings. `overrides` take precedence over them, `defaults` apply where neither has a value.
    pub fn of(
        settings: &Settings,
        overrides: &[(String, String)],
        defaults: &[(String, String)],
    ) -> Result<Self> {
        Self::read(&Reader::new(settings, overrides, defaults))
    }

    pub(super) fn read(reader: &Reader<'_>) -> Result<Self> {
        let bytes = |names, default| -> Result<i32> {
            Ok(reader.number::<i32>(names, 0..=i32::MAX)?.unwrap_or(default))
        };
        let wait = &["fetch.max.wait.ms", "fetch.wait.max.ms"];
        Ok(Self {
            cluster: reader.cluster()?,
            isolation: isolation(reader)?,
            offset_reset: offset_reset(reader)?,
            max_wait: reader.time(wait)?.unwrap_or(Duration::from_millis(500)),
            min_bytes: bytes(&["fetch.min.bytes"], 1)?,
            max_bytes: bytes(&["fetch.max.bytes"], 16 << 20)?,
            partition_max_bytes: bytes(&["max.partition.fetch.bytes", "fetch.message.max.bytes"], 4 << 20)?,
            checks_crcs: reader.flag(&["check.crcs"])?.unwrap_or(true),
            rack: reader
                .text(&["client.rack"])
                .map_or_else(String::new, |(_, rack)| rack.to_owned()),
            may_create_topics: reader.flag(&["allow.auto.create.topics"])?.unwrap_or(false),
        })
    }
}

fn isolation(reader: &Reader<'_>) -> Result<Isolation> {
    match reader.text(&["isolation.level"]) {
        None => Ok(Isolation::ReadUncommitted),
        Some((_, level)) if level.eq_ignore_ascii_case("read_uncommitted") => Ok(Isolation::ReadUncommitted),
        Some((_, level)) if level.eq_ignore_ascii_case("read_committed") => Ok(Isolation::ReadCommitted),
        Some((name, other)) => Err(reader.complaint(
            name,
            format_args!("it takes read_uncommitted or read_committed, not \"{other}\""),
        )),
    }
}

fn offset_reset(reader: &Reader<'_>) -> Result<OffsetReset> {
    match reader.text(&["auto.offset.reset"]) {
        Some((_, "earliest" | "smallest" | "beginning")) => Ok(OffsetReset::Earliest),
        None | Some((_, "latest" | "largest" | "end")) => Ok(OffsetReset::Latest),
        Some((_, "none" | "error")) => Ok(OffsetReset::Refuse),
        Some((name, other)) => Err(reader.complaint(
            name,
            format_args!("it takes earliest, latest or none, not \"{other}\""),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::settings::Origin;

    #[test]
    fn flags_win_over_settings_and_settings_over_defaults() {
        let mut settings = Settings::default();
        settings.set("bootstrap.servers", "a:1", Origin::Flag);
        settings.set("isolation.level", "READ_COMMITTED", Origin::SetFlag);
        settings.set("auto.offset.reset", "latest", Origin::SetFlag);
        settings.set("fetch.max.wait.ms", "7", Origin::SetFlag);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let overrides = [pair("auto.offset.reset", "earliest")];
        let defaults = [pair("fetch.wait.max.ms", "50"), pair("client.rack", "a")];
        let found = ConsumeSettings::of(&settings, &overrides, &defaults).unwrap();
        assert_eq!(found.isolation, Isolation::ReadCommitted);
        assert_eq!(found.offset_reset, OffsetReset::Earliest);
        assert_eq!(found.max_wait, Duration::from_millis(7));
        assert_eq!(found.rack, "a");
        settings.set("fetch.min.bytes", "-1", Origin::SetFlag);
        let refusal = ConsumeSettings::of(&settings, &[], &[]).unwrap_err().to_string();
        assert!(
            refusal.starts_with("-X fetch.min.bytes: it takes a whole number from 0"),
            "{refusal}"
        );
    }
}
