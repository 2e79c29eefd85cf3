//! Which engine carries the records, and why: the direct lane wherever nothing has to be coordinated, librdkafka for
//! consumer groups and transactions.

use super::consume_settings::ConsumeSettings;
use super::direct::consumer::DirectSource;
use super::direct::producer::{DirectSink, partitioner};
use super::librdkafka::consumer::Consumer;
use super::librdkafka::producer::Producer;
use super::produce_settings::{KeyHash, ProduceSettings};
use super::record_sink::{BatchSink, RecordSink, SinkOptions};
use super::record_source::{RecordSource, SourceOptions};
use super::settings::Settings;
use crate::error::Result;

/// The engine that carries the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    Direct,
    /// With the reason.
    Librdkafka(String),
}

impl Engine {
    /// The engine for sending.
    pub fn for_sending(settings: &Settings, overrides: &[(String, String)]) -> Self {
        match value(settings, overrides, "transactional.id") {
            Some(id) => Self::Librdkafka(format!("transactional.id is {id}")),
            None => Self::Direct,
        }
    }

    /// The engine for reading.
    pub fn for_reading(settings: &Settings, overrides: &[(String, String)]) -> Self {
        match value(settings, overrides, "group.id") {
            Some(group) => Self::Librdkafka(format!("group.id is {group}")),
            None => Self::Direct,
        }
    }

    /// A sink for these settings.
    pub fn open_sink(&self, settings: &Settings, options: SinkOptions) -> Result<Box<dyn RecordSink>> {
        match self {
            Self::Direct => {
                let typed = ProduceSettings::of(settings, &options.overrides, &options.defaults)?;
                Ok(Box::new(DirectSink::open(typed, options)?))
            }
            Self::Librdkafka(_) => Ok(Box::new(Producer::open(settings, options)?)),
        }
    }

    /// A sink that takes whole batches: always the direct lane's, even with a transactional id in the settings.
    pub fn open_batch_sink(settings: &Settings, options: SinkOptions) -> Result<Box<dyn BatchSink>> {
        let typed = ProduceSettings::of(settings, &options.overrides, &options.defaults)?;
        Ok(Box::new(DirectSink::open(typed, options)?))
    }

    /// A source for these settings.
    pub fn open_source(&self, settings: &Settings, options: &SourceOptions) -> Result<Box<dyn RecordSource>> {
        match self {
            Self::Direct => {
                let typed = ConsumeSettings::of(settings, &options.overrides, &options.defaults)?;
                Ok(Box::new(DirectSource::open(typed, options)?))
            }
            Self::Librdkafka(_) => Ok(Box::new(Consumer::open(settings, options)?)),
        }
    }

    /// One line for `-v`.
    pub fn explanation(&self) -> String {
        match self {
            Self::Direct => {
                "records go over the direct lane: there is no group and no transaction".to_owned()
            }
            Self::Librdkafka(why) => format!("librdkafka carries the records: {why}"),
        }
    }
}

/// The partition of a key among `count` (at least 1), as Java's producer chooses it: murmur2 of its bytes.
pub fn partition_of_key(key: &[u8], count: usize) -> i32 {
    partitioner::of_key(KeyHash::Murmur2, Some(key), count)
}

/// The value of a setting, if it is not empty.
fn value<'a>(settings: &'a Settings, overrides: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let insisted = overrides.iter().rev().find(|(known, _)| known == name);
    let value = insisted
        .map(|(_, value)| value.as_str())
        .or_else(|| settings.get(name));
    value.map(str::trim).filter(|value| !value.is_empty())
}
