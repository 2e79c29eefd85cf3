//! Profiles: named settings in `$XDG_CONFIG_HOME/kafkit/config.toml`.
//!
//! ```toml
//! default-profile = "local"
//!
//! [profile.local]
//! bootstrap.servers = "127.0.0.1:9092"
//!
//! [profile.prod]
//! command-config = "/etc/kafka/client.properties"
//! sasl.password = "${env:PROD_PASSWORD}"
//! ```

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use toml::{Table, Value};

use super::config_providers::ConfigProviders;
use crate::error::{Error, Result};
use crate::plain_words;

/// The profile used when none is named and the file names none.
const DEFAULT: &str = "default";

/// The key of a Java properties file that a profile builds on.
pub(super) const COMMAND_CONFIG: &str = "command-config";

/// A profile that was selected.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) name: String,
    /// Keys and values, references resolved.
    pub(super) entries: Vec<(String, String)>,
}

/// The named profile, or else the default one if there is any.
pub(super) fn read(name: Option<&str>) -> Result<Option<Profile>> {
    let Some(path) = configuration_file() else {
        return Ok(None);
    };
    match fs::read_to_string(&path) {
        Ok(text) => select(&text, &path, name),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match name {
            Some(name) => Err(no_profile(name, &path, &[])),
            None => Ok(None),
        },
        Err(error) => Err(Error::from(error).context(path.display())),
    }
}

/// The names of all profiles; none where the file cannot be read.
pub(super) fn names() -> Vec<String> {
    let text = configuration_file().and_then(|path| fs::read_to_string(path).ok());
    let file = text.and_then(|text| toml::from_str::<Table>(&text).ok());
    match file.as_ref().and_then(|file| file.get("profile")) {
        Some(Value::Table(profiles)) => profiles.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// `$XDG_CONFIG_HOME/kafkit/config.toml`, by default in `~/.config`.
fn configuration_file() -> Option<PathBuf> {
    let set = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let folder = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(folder.join("kafkit").join("config.toml"))
}

fn select(text: &str, path: &Path, name: Option<&str>) -> Result<Option<Profile>> {
    let bad = |message: &dyn std::fmt::Display| Error::bad_data(format!("{}: {message}", path.display()));
    let file: Table = toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        bad(&format_args!("line {line}: {}", plain_words::of_toml(&error)))
    })?;
    check_names(&file, text).map_err(|message| bad(&message))?;
    let profiles = match file.get("profile") {
        None => Table::new(),
        Some(Value::Table(profiles)) => profiles.clone(),
        Some(_) => return Err(bad(&"\"profile\" must be tables, [profile.NAME]")),
    };
    let named = name.or_else(|| file.get("default-profile")?.as_str());
    let entries = match (profiles.get(named.unwrap_or(DEFAULT)), named) {
        (Some(Value::Table(entries)), _) => entries,
        (Some(_), _) => return Err(bad(&"a profile must be a table, [profile.NAME]")),
        (None, None) => return Ok(None),
        (None, Some(name)) => return Err(no_profile(name, path, &profiles.keys().collect::<Vec<_>>())),
    };
    let mut flat = Vec::new();
    flatten("", entries, &mut flat).map_err(|message| bad(&message))?;
    let providers = ConfigProviders::all();
    let name = named.unwrap_or(DEFAULT).to_owned();
    for (key, value) in &mut flat {
        *value = providers
            .resolve(value)
            .map_err(|problem| bad(&format_args!("profile {name}: {key}: {problem}")))?;
    }
    Ok(Some(Profile { name, entries: flat }))
}

/// At the top only these have a meaning; anything else was meant for one of them, and would be missed in silence.
fn check_names(file: &Table, text: &str) -> Result<(), String> {
    for (name, value) in file {
        match name.as_str() {
            "profile" => {}
            "default-profile" if value.is_str() => {}
            "default-profile" => {
                return Err("default-profile must be the name of a profile, in quotes".to_owned());
            }
            _ => return Err(unknown_name(name, value, text)),
        }
    }
    Ok(())
}

fn unknown_name(name: &str, value: &Value, text: &str) -> String {
    let line = line_of(text, name);
    let is_heading = value.is_table() && text.lines().nth(line - 1).is_some_and(|line| line.contains('['));
    if is_heading {
        let meant = if name == "profiles" { "NAME" } else { name };
        return format!("line {line}: \"{name}\" is no table of this file; did you mean [profile.{meant}]?");
    }
    if name == "default_profile" {
        return format!("line {line}: \"{name}\" is no key of this file; did you mean default-profile?");
    }
    format!("line {line}: \"{name}\" is no key of this file; settings stand in a table [profile.NAME]")
}

/// The line, from 1, on which a top-level name first occurs.
fn line_of(text: &str, name: &str) -> usize {
    let is_there = |line: &str| {
        let word = line.trim_start().trim_start_matches(['[', ' ', '"', '\'']);
        word.strip_prefix(name)
            .is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_'))
    };
    text.lines().position(is_there).map_or(1, |line| line + 1)
}

/// `bootstrap.servers = "…"` is a table within a table to TOML, and one key to Kafka.
fn flatten(prefix: &str, table: &Table, into: &mut Vec<(String, String)>) -> Result<(), String> {
    for (key, value) in table {
        let key = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            Value::Table(inner) => flatten(&key, inner, into)?,
            Value::String(text) => into.push((key, text.clone())),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => into.push((key, value.to_string())),
            Value::Array(_) | Value::Datetime(_) => {
                return Err(format!("{key} must be a text, a number, true or false"));
            }
        }
    }
    Ok(())
}

fn no_profile(name: &str, path: &Path, known: &[&String]) -> Error {
    let error = Error::usage(format!("no profile \"{name}\" in {}", path.display()));
    if known.is_empty() {
        return error;
    }
    let known: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
    error.hint(format!("there are {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "default-profile = \"local\"\n[profile.local]\nbootstrap.servers = \"a:1\"\nrequest.timeout.ms = 500\n\
                        [profile.prod]\n\"bootstrap.servers\" = \"b:2\"\n";

    fn entries(text: &str, name: Option<&str>) -> Vec<(String, String)> {
        select(text, Path::new("config.toml"), name)
            .unwrap()
            .unwrap()
            .entries
    }

    #[test]
    fn dotted_and_quoted_keys_are_kafka_s_names() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            entries(FILE, None),
            [
                pair("bootstrap.servers", "a:1"),
                pair("request.timeout.ms", "500")
            ]
        );
        assert_eq!(entries(FILE, Some("prod")), [pair("bootstrap.servers", "b:2")]);
    }

    #[test]
    fn a_profile_that_is_not_there_names_those_that_are() {
        let refusal = select(FILE, Path::new("config.toml"), Some("test")).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "no profile \"test\" in config.toml (there are local, prod)"
        );
        assert!(select("", Path::new("config.toml"), None).unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let refusal = select("[profile.a]\nb = \n", Path::new("config.toml"), None).unwrap_err();
        assert!(
            refusal.to_string().starts_with("config.toml: line 2: "),
            "{refusal}"
        );
        assert!(select("[profile.default]\nb = [1]", Path::new("config.toml"), None).is_err());
        for (text, told) in [
            (
                "[profiles.default]\na = 1\n",
                "line 1: \"profiles\" is no table of this file; did you mean [profile.NAME]?",
            ),
            (
                "# one\n[default]\na = 1\n",
                "line 2: \"default\" is no table of this file; did you mean [profile.default]?",
            ),
            (
                "\nbootstrap.servers = \"a:1\"",
                "line 2: \"bootstrap\" is no key of this file",
            ),
            (
                "default_profile = \"a\"",
                "line 1: \"default_profile\" is no key of this file",
            ),
            (
                "default-profile = 1",
                "default-profile must be the name of a profile",
            ),
        ] {
            let refusal = select(text, Path::new("config.toml"), None)
                .unwrap_err()
                .to_string();
            assert!(refusal.contains(told), "{refusal}");
        }
    }
}
