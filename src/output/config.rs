//! Configs with where their values come from.

use serde_json::{Map, Value};

use super::Printer;
use super::table::{Cell, Table, words};
use crate::client::admin::configs::{ConfigEntry, ConfigSource};
use crate::error::Result;

/// One config a row.
pub fn list(printer: &mut Printer, configs: &[ConfigEntry]) -> Result<()> {
    let mut table = Table::new(&[
        words("CONFIG", "name"),
        words("VALUE", "value"),
        words("SOURCE", "source"),
        words("NOTE", "note").hides(),
    ]);
    for config in configs {
        table.row(vec![
            Cell::text(&config.name),
            match &config.value {
                Some(value) => Cell::text(value),
                None => Cell::unknown(),
            },
            Cell::text(source(config.source)),
            Cell::text(if config.is_sensitive { "secret" } else { "" }),
        ]);
    }
    table.print(printer)
}

/// Names and values.
pub fn as_object(configs: &[ConfigEntry]) -> Value {
    let pairs = configs.iter();
    let pairs = pairs.map(|config| (config.name.clone(), Value::from(config.value.clone())));
    Value::Object(pairs.collect::<Map<String, Value>>())
}

fn source(source: ConfigSource) -> &'static str {
    match source {
        ConfigSource::Topic => "topic",
        ConfigSource::DynamicBroker => "broker",
        ConfigSource::DynamicDefaultBroker => "all brokers",
        ConfigSource::StaticBroker => "broker's file",
        ConfigSource::Default => "default",
        ConfigSource::Group => "group",
        ConfigSource::Other(_) => "unknown",
    }
}
