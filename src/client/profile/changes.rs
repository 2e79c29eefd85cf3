//! Changes of a configuration file as text: everything else stays as it was written, comments included.

use std::fmt::Write as _;

use toml_edit::{DocumentMut, Item, Key, Value};

use super::file::WANTED;
use crate::error::{Error, Result};
use crate::plain_words;

/// The text with a profile at its end. The profile must not be there yet.
pub fn with_profile(text: &str, name: &str, entries: &[(String, String)]) -> String {
    let mut text = text.to_owned();
    if !text.is_empty() {
        text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    let _ = writeln!(text, "[profile.{}]", Key::new(name).display_repr());
    for (key, value) in entries {
        let value = Value::from(value.as_str()).to_string();
        let _ = writeln!(text, "{} = {value}", toml_key(key, entries));
    }
    text
}

/// A key in TOML: Kafka's name with its dots, in quotes if a prefix of it is a key too.
fn toml_key(key: &str, entries: &[(String, String)]) -> String {
    let is_below = |upper: &str, lower: &str| {
        lower
            .strip_prefix(upper)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    let clashes = entries
        .iter()
        .any(|(other, _)| is_below(other, key) || is_below(key, other));
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let is_dotted = key.chars().all(is_plain) && key.split('.').all(|part| !part.is_empty());
    if is_dotted && !clashes {
        return key.to_owned();
    }
    Value::from(key).to_string()
}

/// The text without some profiles, and without a default that was one of them.
pub fn without_profiles(text: &str, names: &[String]) -> Result<String> {
    let mut document = parse(text)?;
    if let Some(profiles) = document
        .get_mut("profile")
        .and_then(|item| item.as_table_like_mut())
    {
        for name in names {
            profiles.remove(name);
        }
    }
    let default = document.get("default-profile").and_then(|item| item.as_str());
    if default.is_some_and(|default| names.iter().any(|name| name == default)) {
        document.remove("default-profile");
    }
    Ok(document.to_string().trim_start_matches('\n').to_owned())
}

/// The text with this default profile.
pub fn with_default(text: &str, name: &str) -> Result<String> {
    let mut document = parse(text)?;
    let old = document.get_mut("default-profile");
    if let Some(old) = old.and_then(|item| item.as_value_mut()) {
        let decor = old.decor().clone();
        *old = Value::from(name);
        *old.decor_mut() = decor;
    } else {
        let mut name = Value::from(name);
        // A line of its own before the first heading.
        name.decor_mut().set_suffix("\n");
        document.insert("default-profile", Item::Value(name));
    }
    Ok(document.to_string())
}

fn parse(text: &str) -> Result<DocumentMut> {
    text.parse()
        .map_err(|error| Error::bad_data(plain_words::of_toml(&error, WANTED)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::file::ConfigFile;
    use super::*;

    const FILE: &str = "# mine\n\n# the default\ndefault-profile = 'a' # for now\n\n# first\n[profile.a]\nacks = 1 # one\n\n\
                        # second\n[profile.b]\nacks = 2\n[profile.b.client]\nid = \"x\"\n# the end\n";

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn what_is_not_changed_stays_as_it_was_written() {
        assert_eq!(with_default(FILE, "b").unwrap(), FILE.replace("'a'", "\"b\""));
        let without = without_profiles(FILE, &["b".to_owned()]).unwrap();
        assert_eq!(
            without,
            "# mine\n\n# the default\ndefault-profile = 'a' # for now\n\n# first\n[profile.a]\nacks = 1 # one\n# the end\n"
        );
        let without = without_profiles(FILE, &["a".to_owned()]).unwrap();
        assert!(
            !without.contains("default-profile =") && without.contains("# second\n[profile.b]"),
            "{without}"
        );
        let more = with_profile(FILE, "c.d", &[pair("acks", "all")]);
        assert_eq!(more, format!("{FILE}\n[profile.\"c.d\"]\nacks = \"all\"\n"));
    }

    #[test]
    fn keys_that_begin_alike_can_stand_beside_each_other() {
        let entries = [
            pair("partitioner", "murmur2"),
            pair("partitioner.ignore.keys", "true"),
        ];
        let text = with_profile("", "a", &entries);
        let file = ConfigFile::parse(&text, Path::new("x")).unwrap();
        assert_eq!(file.profiles[0].get("partitioner.ignore.keys"), Some("true"));
        assert_eq!(file.profiles[0].get("partitioner"), Some("murmur2"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(name in "[^\\x00]{1,12}", key in "[a-z.]{1,10}", value: String) {
            let entries = [(key.clone(), value.clone()), pair("acks", "1")];
            prop_assume!(!key.is_empty() && key != "acks");
            let text = with_profile("# c", &name, &entries);
            let file = ConfigFile::parse(&text, Path::new("x")).unwrap();
            let profile = file.profile(&name).unwrap();
            let found = profile.entries.iter().find(|entry| entry.key == key).unwrap();
            prop_assert_eq!(&found.value, &value);
            let gone = without_profiles(&text, &[name]).unwrap();
            prop_assert!(ConfigFile::parse(&gone, Path::new("x")).unwrap().profiles.is_empty());
        }
    }
}
