//! A file of topics, read key by key: errors have our own words, and the place that the parser knows.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::client::admin::topic_specs::TopicSpec;
use crate::spelling::closest;
use crate::topic_config::{self, TOPIC_CONFIGS};

const TOPIC_KEYS: [&str; 4] = ["name", "partitions", "replication-factor", "configs"];

/// Passes any value to a visitor.
pub(super) struct Taken<V>(pub(super) V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Taken<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        value.deserialize_any(self.0)
    }
}

/// The whole file.
pub(super) struct Topics;

impl<'de> Visitor<'de> for Topics {
    type Value = Vec<TopicSpec>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the key \"topics\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut file: A) -> Result<Self::Value, A::Error> {
        let mut topics = None;
        while let Some(key) = file.next_key_seed(Taken(Key(&["topics"], "a file of topics")))? {
            if topics.is_some() {
                return Err(A::Error::custom(format_args!("{key} is there twice")));
            }
            topics = Some(file.next_value_seed(Taken(TopicList))?);
        }
        Ok(topics.unwrap_or_default())
    }
}

struct TopicList;

impl<'de> Visitor<'de> for TopicList {
    type Value = Vec<TopicSpec>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("topics as a list: [[topics]] before each, or \"topics\": [{…}, …] in JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut topics = Vec::new();
        while let Some(topic) = list.next_element_seed(Taken(Topic(&topics)))? {
            topics.push(topic);
        }
        Ok(topics)
    }
}

/// One topic, with those before it.
struct Topic<'a>(&'a [TopicSpec]);

impl<'de> Visitor<'de> for Topic<'_> {
    type Value = TopicSpec;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "a topic with its keys ({})", TOPIC_KEYS.join(", "))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut topic: A) -> Result<TopicSpec, A::Error> {
        let mut name = None;
        let (mut partitions, mut replication_factor) = (None, None);
        let mut configs = BTreeMap::new();
        let mut seen = Vec::new();
        while let Some(key) = topic.next_key_seed(Taken(Key(&TOPIC_KEYS, "a topic")))? {
            if seen.contains(&key) {
                return Err(A::Error::custom(format_args!("{key} is there twice")));
            }
            seen.push(key);
            match key {
                "name" => name = Some(topic.next_value_seed(Taken(Name))?),
                "partitions" => partitions = topic.next_value_seed(Taken(Count(key, PhantomData)))?,
                "replication-factor" => {
                    replication_factor = topic.next_value_seed(Taken(Count(key, PhantomData)))?;
                }
                _ => topic.next_value_seed(Taken(Configs {
                    name: String::new(),
                    found: &mut configs,
                }))?,
            }
        }
        let name = name.ok_or_else(|| A::Error::custom("a topic has no name; write name = \"…\""))?;
        if self.0.iter().any(|known| known.name == name) {
            return Err(A::Error::custom(format_args!("topic {name} is there twice")));
        }
        let pairs: Vec<_> = configs
            .iter()
            .map(|(name, value): (&String, &String)| (name.as_str(), value.as_str()))
            .collect();
        topic_config::validate(&pairs)
            .map_err(|why| A::Error::custom(format_args!("topic {name}: {why}")))?;
        Ok(TopicSpec {
            name,
            partitions,
            replication_factor,
            configs,
        })
    }
}

/// A key out of these, in an object called `what`.
struct Key(&'static [&'static str], &'static str);

impl Visitor<'_> for Key {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "a key ({})", self.0.join(", "))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<&'static str, E> {
        let dashed = key.replace('_', "-");
        let Self(keys, what) = self;
        if let Some(known) = keys.iter().find(|known| **known == dashed) {
            return Ok(known);
        }
        let meant = closest(key, keys.iter().copied());
        let hint = match meant {
            Some(meant) => format!("did you mean {meant}?"),
            None if topic_config::is_known(key) => {
                "it is a config: write it below [topics.configs]".to_owned()
            }
            None => format!("it may have {}", keys.join(", ")),
        };
        Err(E::custom(format_args!("{what} has no key \"{key}\"; {hint}")))
    }
}

struct Name;

impl Visitor<'_> for Name {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the name of a topic, in quotes")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<String, E> {
        Ok(name.to_owned())
    }
}

/// A whole number from 1, of Kafka's type; `None` where JSON says `null`.
struct Count<N>(&'static str, PhantomData<N>);

impl<N: TryFrom<i64>> Visitor<'_> for Count<N> {
    type Value = Option<N>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} as a whole number from 1", self.0)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<N>, E> {
        let key = self.0;
        match N::try_from(number) {
            Ok(count) if number > 0 => Ok(Some(count)),
            Ok(_) => Err(E::custom(format_args!("{key} must be at least 1, not {number}"))),
            Err(_) => Err(E::custom(format_args!("{key}: {number} is too large"))),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<N>, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn visit_unit<E: Error>(self) -> Result<Option<N>, E> {
        Ok(None)
    }
}

/// The value of a config in Kafka's form, or a table whose keys continue after a dot: for TOML, `retention.ms = 1` is a
/// table in a table.
struct Configs<'a> {
    /// The names of the enclosing tables, joined with dots; empty at the top.
    name: String,
    found: &'a mut BTreeMap<String, String>,
}

impl Configs<'_> {
    fn take<E: Error>(self, value: String) -> Result<(), E> {
        let Self { name, found } = self;
        if name.is_empty() {
            return Err(E::custom(
                "configs are names with values: retention.ms = 86400000",
            ));
        }
        if !topic_config::is_known(&name) {
            let meant = closest(&name, TOPIC_CONFIGS.iter().map(|config| config.name));
            let meant = meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"));
            return Err(E::custom(format_args!("no topic has a config \"{name}\"{meant}")));
        }
        topic_config::validate(&[(&name, &value)]).map_err(E::custom)?;
        found.insert(name, value);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Configs<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let what = if self.name.is_empty() {
            "configs"
        } else {
            &self.name
        };
        write!(f, "{what} as a text, a number, true, false, or a list of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<(), A::Error> {
        while let Some(key) = table.next_key::<String>()? {
            if key.starts_with("$__toml_private") {
                let name = &self.name;
                return Err(A::Error::custom(format_args!(
                    "{name} is no date; a text stands in quotes"
                )));
            }
            let dot = if self.name.is_empty() { "" } else { "." };
            table.next_value_seed(Taken(Configs {
                name: format!("{}{dot}{key}", self.name),
                found: self.found,
            }))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut texts: Vec<String> = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        self.take(texts.join(","))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.take(text.to_owned())
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<(), E> {
        self.take(flag.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.take(number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.take(number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.take(number.to_string())
    }
}
