//! The text of a configuration file: its profiles and entries, with their lines. References are not resolved here.
//!
//! ```toml
//! default-profile = "local"
//!
//! [profile.local]
//! bootstrap.servers = "127.0.0.1:9092"
//!
//! [profile.prod]
//! description = "the real thing"
//! color = "red"
//! command-config = "/etc/kafka/client.properties"
//! sasl.password = "${command:pass show kafka/prod}"
//! ```

use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, Key, TableLike, Value};

use super::super::setting_keys;
use crate::error::{Error, Result};
use crate::plain_words;
use crate::spelling::closest;

/// The expected content of a configuration file, for an error message.
pub(super) const WANTED: &str = "[profile.NAME], and below it lines like bootstrap.servers = \"HOST:PORT\"";
/// The key of a Java properties file that a profile builds on.
pub const COMMAND_CONFIG: &str = "command-config";
/// The colour of the profile's name in a prompt.
pub const COLOR: &str = "color";
/// The description of the profile.
pub const DESCRIPTION: &str = "description";

/// Keys that are no client settings.
const OWN_KEYS: [&str; 3] = [COMMAND_CONFIG, COLOR, DESCRIPTION];

/// Colours as terminals name them.
pub const COLORS: [&str; 7] = ["red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/// A configuration file.
#[derive(Clone, Debug, Default)]
pub struct ConfigFile {
    pub path: PathBuf,
    /// The profile that is used when none is named, and the line.
    pub default: Option<(String, usize)>,
    /// In the order of the file.
    pub profiles: Vec<WrittenProfile>,
}

/// A profile as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenProfile {
    pub name: String,
    /// The line of its heading, from 1.
    pub line: usize,
    pub entries: Vec<Entry>,
}

/// A key with its value, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    pub value: String,
    /// From 1.
    pub line: usize,
}

impl WrittenProfile {
    /// The value of a key; of two the later counts.
    pub fn get(&self, key: &str) -> Option<&str> {
        let key = setting_keys::canonical(key);
        let mut found = self.entries.iter().rev();
        let found = found.find(|entry| setting_keys::canonical(&entry.key) == key);
        found.map(|entry| entry.value.as_str())
    }
}

impl ConfigFile {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// It is no TOML; there are other tables or keys than `default-profile` and `profile.NAME`; a value is no string,
    /// number or boolean. The message has file and line.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let document = Document::parse(text).map_err(|error| {
            let line = line_at(text, error.span().map(|span| span.start));
            wrong(path, line, plain_words::of_toml(&error, WANTED))
        })?;
        let mut file = Self {
            path: path.to_owned(),
            ..Self::default()
        };
        let top = Level {
            table: document.as_table(),
            text,
            path,
        };
        for (key, item) in document.as_table() {
            let line = top.line_of(key);
            match (key, item) {
                ("profile", item) => file.profiles = profiles(&top, item)?,
                ("default-profile", Item::Value(Value::String(name))) => {
                    file.default = Some((name.value().clone(), line));
                }
                ("default-profile", _) => {
                    return Err(wrong(
                        path,
                        line,
                        "default-profile must be the name of a profile, in quotes",
                    ));
                }
                (key, item) => return Err(wrong(path, line, unknown_name(key, item))),
            }
        }
        Ok(file)
    }

    pub fn profile(&self, name: &str) -> Option<&WrittenProfile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    /// Checks every profile.
    pub fn check(&self) -> Result<()> {
        self.profiles
            .iter()
            .try_for_each(|profile| self.check_profile(profile))
    }

    /// Checks that every key of a profile is known: an unknown one is probably misspelt, and would be ignored silently.
    pub fn check_profile(&self, profile: &WrittenProfile) -> Result<()> {
        for Entry { key, value, line } in &profile.entries {
            if key == COLOR && !COLORS.contains(&value.as_str()) {
                let colors = COLORS.join(", ");
                return Err(wrong(
                    &self.path,
                    *line,
                    format_args!("color is one of {colors}, not \"{value}\""),
                ));
            }
            if OWN_KEYS.contains(&key.as_str()) || setting_keys::is_known(setting_keys::canonical(key)) {
                continue;
            }
            let error = wrong(
                &self.path,
                *line,
                format_args!("\"{key}\" is no setting of a Kafka client, nor a key of a profile"),
            );
            return Err(match closest(key, setting_keys::all().chain(OWN_KEYS)) {
                Some(meant) => error.hint(format!("did you mean {meant}?")),
                None => error.hint("`kafkit help settings` lists them"),
            });
        }
        Ok(())
    }
}

/// A table in a file.
struct Level<'a> {
    table: &'a dyn TableLike,
    text: &'a str,
    path: &'a Path,
}

impl Level<'_> {
    fn line_of(&self, key: &str) -> usize {
        line_at(
            self.text,
            self.table.key(key).and_then(Key::span).map(|span| span.start),
        )
    }
}

fn profiles(top: &Level, item: &Item) -> Result<Vec<WrittenProfile>> {
    let Some(table) = item.as_table_like() else {
        return Err(wrong(
            top.path,
            top.line_of("profile"),
            "\"profile\" must be tables, [profile.NAME]",
        ));
    };
    let level = Level { table, ..*top };
    let mut profiles = Vec::new();
    for (name, item) in table.iter() {
        let line = level.line_of(name);
        let Some(entries) = item.as_table_like() else {
            return Err(wrong(top.path, line, "a profile must be a table, [profile.NAME]"));
        };
        let mut profile = WrittenProfile {
            name: name.to_owned(),
            line,
            entries: Vec::new(),
        };
        flatten(
            "",
            &Level {
                table: entries,
                ..level
            },
            &mut profile.entries,
        )?;
        profile.entries.sort_by_key(|entry| entry.line);
        profiles.push(profile);
    }
    Ok(profiles)
}

/// `bootstrap.servers = "…"` is a table within a table to TOML, and one key to Kafka.
fn flatten(prefix: &str, level: &Level, into: &mut Vec<Entry>) -> Result<()> {
    for (name, item) in level.table.iter() {
        let line = level.line_of(name);
        let key = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}.{name}")
        };
        if let Some(table) = item.as_table_like() {
            flatten(&key, &Level { table, ..*level }, into)?;
            continue;
        }
        let value = match item {
            Item::Value(Value::String(text)) => text.value().clone(),
            Item::Value(Value::Integer(number)) => number.value().to_string(),
            Item::Value(Value::Float(number)) => number.value().to_string(),
            Item::Value(Value::Boolean(truth)) => truth.value().to_string(),
            _ => {
                return Err(wrong(
                    level.path,
                    line,
                    format_args!("{key} must be a text, a number, true or false"),
                ));
            }
        };
        into.push(Entry { key, value, line });
    }
    Ok(())
}

/// The error for an unknown name at the top level, where only `profile` and `default-profile` are known.
fn unknown_name(name: &str, item: &Item) -> String {
    let is_heading = item.as_table().is_some_and(|table| !table.is_dotted());
    if is_heading {
        let meant = if name == "profiles" { "NAME" } else { name };
        return format!("\"{name}\" is no table of this file; did you mean [profile.{meant}]?");
    }
    if name == "default_profile" {
        return format!("\"{name}\" is no key of this file; did you mean default-profile?");
    }
    format!("\"{name}\" is no key of this file; settings stand in a table [profile.NAME]")
}

fn wrong(path: &Path, line: usize, problem: impl std::fmt::Display) -> Error {
    Error::bad_data(format!("{}:{line}: {problem}", path.display()))
}

/// The line, from 1, that a byte of the text is on.
fn line_at(text: &str, byte: Option<usize>) -> usize {
    let before = byte
        .and_then(|byte| text.as_bytes().get(..byte))
        .unwrap_or_default();
    1 + memchr::memchr_iter(b'\n', before).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<ConfigFile> {
        let file = ConfigFile::parse(text, Path::new("config.toml"))?;
        file.check()?;
        Ok(file)
    }

    #[test]
    fn dotted_and_quoted_keys_are_kafka_s_names() {
        let text = "default-profile = \"local\"\n[profile.local]\nbootstrap.servers = \"a:1\"\nrequest.timeout.ms = 500\n\
                    ssl = { truststore = { location = \"t\" } }\n[profile.prod]\n\"bootstrap.servers\" = \"b:2\"\n";
        let file = parse(text).unwrap();
        assert_eq!(file.default, Some(("local".to_owned(), 1)));
        let entries: Vec<_> = file
            .profiles
            .iter()
            .flat_map(|profile| &profile.entries)
            .collect();
        let entries: Vec<_> = entries
            .iter()
            .map(|entry| (entry.key.as_str(), entry.value.as_str(), entry.line))
            .collect();
        assert_eq!(
            entries,
            [
                ("bootstrap.servers", "a:1", 3),
                ("request.timeout.ms", "500", 4),
                ("ssl.truststore.location", "t", 5),
                ("bootstrap.servers", "b:2", 7),
            ]
        );
        assert_eq!(file.profiles[1].line, 6);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, told) in [
            ("[profile.a]\nb = \n", "config.toml:2: it makes no sense"),
            (
                "[profile.default]\nacks = [1]",
                "config.toml:2: acks must be a text",
            ),
            (
                "[profiles.default]\na = 1\n",
                "config.toml:1: \"profiles\" is no table of this file; did you mean [profile.NAME]?",
            ),
            (
                "# one\n[default]\na = 1\n",
                "config.toml:2: \"default\" is no table of this file; did you mean [profile.default]?",
            ),
            (
                "\nbootstrap.servers = \"a:1\"",
                "config.toml:2: \"bootstrap\" is no key of this file",
            ),
            (
                "default_profile = \"a\"",
                "config.toml:1: \"default_profile\" is no key of this file",
            ),
            (
                "default-profile = 1",
                "config.toml:1: default-profile must be the name of a profile",
            ),
            ("profile = 1", "config.toml:1: \"profile\" must be tables"),
            ("[profile]\na = 1", "config.toml:2: a profile must be a table"),
            (
                "[profile.a]\n\nsasl.usernam = \"x\"",
                "config.toml:3: \"sasl.usernam\" is no setting",
            ),
            (
                "[profile.a]\nsasl.usernam = \"x\"",
                "(did you mean sasl.username?)",
            ),
            ("[profile.a]\ncolour = \"red\"", "(did you mean color?)"),
            (
                "[profile.a]\ncolor = \"pink\"",
                "config.toml:2: color is one of red, green",
            ),
            (
                "[profile.a]\nacks = \"1\"\nacks = \"2\"",
                "config.toml:3: this name stands there twice",
            ),
        ] {
            let refusal = parse(text).unwrap_err().to_string();
            assert!(refusal.contains(told), "{refusal}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}=.\"'#a-c\n ]{0,60}", any: String) {
            for text in [text.clone(), any, format!("[profile.a]\n{text}")] {
                let _ = parse(&text);
            }
        }
    }
}
