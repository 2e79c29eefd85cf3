//! The type of a broker setting: its name, type, default and rule, and who may change it while the broker runs.
//!
//! The settings themselves are in [`super::settings`]. Which value is in force is decided in `effective_config`.

use crate::topic_config::{Kind, Rule, TopicConfig};

pub use super::settings::BROKER_SETTINGS;

/// Who may change a setting while the broker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// It is read at the start only.
    ReadOnly,
    /// It can be changed for one broker.
    Broker,
    /// It can be changed for one broker, or as the default of the whole cluster.
    Cluster,
}

/// One broker setting.
#[derive(Clone, Copy, Debug)]
pub struct BrokerSetting {
    pub name: &'static str,
    pub kind: Kind,
    pub default: Option<&'static str>,
    pub scope: Scope,
    pub rule: Rule,
    /// What it controls, on one line.
    pub help: &'static str,
    /// Whether descriptions of a broker list it even if it has only its default.
    pub is_listed: bool,
}

impl BrokerSetting {
    /// Whether a value has the setting's type and keeps its rule; the error is Kafka's message.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let config = TopicConfig {
            name: self.name,
            kind: self.kind,
            default: "",
            rule: self.rule,
            broker_setting: None,
            help: "",
        };
        config.check(value)
    }
}

/// The setting of this name, also after `listener.name.<listener>.`, which sets it for one listener.
pub fn find(name: &str) -> Option<&'static BrokerSetting> {
    exactly(name).or_else(|| exactly(without_listener(name)?))
}

/// The setting of exactly this name.
pub fn exactly(name: &str) -> Option<&'static BrokerSetting> {
    let found = BROKER_SETTINGS.binary_search_by(|setting| setting.name.cmp(name));
    found.ok().and_then(|index| BROKER_SETTINGS.get(index))
}

/// Whether the values of a setting are never shown: passwords, and settings of unknown type.
pub fn is_sensitive(name: &str) -> bool {
    find(name).is_none_or(|setting| setting.kind == Kind::Password)
}

/// Splits `name:value`, an entry of a setting that is a map, as Java does.
///
/// # Errors
///
/// Kafka's message for an entry without a colon.
pub fn pair<'a>(setting: &str, word: &'a str) -> Result<(&'a str, &'a str), String> {
    let parts = word.rsplit_once(':').ok_or_else(|| {
        let length = word.len();
        format!("Error parsing configuration property '{setting}': begin 0, end -1, length {length}")
    })?;
    Ok((parts.0.trim(), parts.1.trim()))
}

/// The configs that may also name a SASL mechanism: `listener.name.<listener>.<mechanism>.<config>`.
const OF_MECHANISMS: [&str; 5] = [
    "connections.max.reauth.ms",
    "sasl.jaas.config",
    "sasl.login.callback.handler.class",
    "sasl.login.class",
    "sasl.server.callback.handler.class",
];

/// The name of the setting after a listener's prefix; `None` for a name of another form.
pub fn without_listener(name: &str) -> Option<&str> {
    let (_, base) = name.strip_prefix("listener.name.")?.split_once('.')?;
    let of_mechanism = OF_MECHANISMS.into_iter().find(|config| base.ends_with(config));
    Some(of_mechanism.unwrap_or(base))
}

/// The names under which a setting can have a value, its own first: a listener's own name before the general one, and
/// longer units after milliseconds.
pub fn synonyms(name: &str) -> Vec<&str> {
    let more: &[&str] = match name {
        "log.roll.ms" => &["log.roll.hours"],
        "log.roll.jitter.ms" => &["log.roll.jitter.hours"],
        "log.flush.interval.ms" => &["log.flush.scheduler.interval.ms"],
        "log.retention.ms" => &["log.retention.minutes", "log.retention.hours"],
        _ => &[],
    };
    [name]
        .into_iter()
        .chain(without_listener(name))
        .chain(more.iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_its_defaults_keep_their_rules() {
        assert!(BROKER_SETTINGS.is_sorted_by(|a, b| a.name < b.name));
        for setting in BROKER_SETTINGS {
            if let Some(default) = setting.default {
                assert_eq!(setting.check(default), Ok(()), "{}", setting.name);
            }
            assert!(!setting.help.is_empty(), "{}", setting.name);
        }
    }

    #[test]
    fn a_listeners_own_setting_is_of_the_type_of_the_common_one() {
        let name = |name| find(name).map(|setting| setting.name);
        assert_eq!(name("listener.name.a.ssl.key.password"), Some("ssl.key.password"));
        assert_eq!(
            name("listener.name.a.plain.sasl.jaas.config"),
            Some("sasl.jaas.config")
        );
        assert_eq!(name("listener.name.a.nonsense"), None);
        assert_eq!(name("listener.name."), None);
    }
}
