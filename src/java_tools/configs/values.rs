//! The configs that a command line of `kafka-configs` adds and deletes: how Java splits and checks them.

use super::super::option_parser::Parsed;
use super::super::value_list::separated;
use crate::client::java_properties;
use crate::java::hash_order::hash_order;

/// Names and values to set, in the order of Java's `Properties`.
pub(super) type Added = Vec<(String, String)>;

/// Why the configs cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Java's message.
    Told(String),
    /// The exception about a file that cannot be read.
    Thrown(String),
}

/// The configs of `--add-config` and `--add-config-file`.
pub(super) fn added(parsed: &Parsed) -> Result<Added, Refusal> {
    let told = |error: super::super::option_parser::OptionError| Refusal::Told(error.to_string());
    let mut configs = Added::new();
    if let Some(file) = parsed.value("add-config-file").map_err(told)? {
        configs.extend(read_file(file)?);
    }
    if let Some(text) = parsed.value("add-config").map_err(told)? {
        configs.extend(pairs(text).map_err(Refusal::Told)?);
    }
    let mut distinct = Added::new();
    for (name, value) in configs {
        match distinct.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => distinct.push((name, value)),
        }
    }
    let configs = hash_order(distinct, |(name, _)| name);
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    match configs.iter().find(|(name, _)| !name.chars().all(is_plain)) {
        Some((name, _)) => Err(Refusal::Told(format!(
            "Invalid character found for config key: {name}"
        ))),
        None => Ok(configs),
    }
}

/// The configs of `--delete-config`.
pub(super) fn deleted(parsed: &Parsed) -> Vec<String> {
    let names = separated(parsed.values("delete-config")).into_iter();
    names.map(|name| trimmed(&name).to_owned()).collect()
}

fn read_file(file: &str) -> Result<Added, Refusal> {
    let bytes = std::fs::read(file).map_err(|error| {
        let is_there = error.kind() != std::io::ErrorKind::NotFound;
        Refusal::Thrown(if is_there {
            format!(
                "java.io.IOException: {}",
                super::super::console::unreadable(file, &error)
            )
        } else {
            format!("java.nio.file.NoSuchFileException: {file}")
        })
    })?;
    let properties = java_properties::parse(&bytes)
        .map_err(|_| Refusal::Told("Malformed \\uxxxx encoding.".to_owned()))?;
    let properties = properties.into_iter();
    Ok(properties
        .map(|property| (property.key, property.value))
        .collect())
}

/// `a=b,c=[d,e]`: commas and equals signs in square brackets belong to the value.
fn pairs(text: &str) -> Result<Added, String> {
    let mut words = cut(text, ',');
    // `String.split` drops empty words at the end, unless the text is empty.
    while words.len() > 1 && words.last().is_some_and(|word| word.is_empty()) {
        words.pop();
    }
    let pair = |word: &str| {
        match cut(word, '=').as_slice() {
        [name, value] => Ok((
            trimmed(name).to_owned(),
            trimmed(&value.replace(['[', ']'], "")).to_owned(),
        )),
        _ => Err(
            "requirement failed: Invalid entity config: all configs to be added must be in the format \"key=val\" or  \
             \"key=[val1,val2]\" to group values which contain commas."
                .to_owned(),
        ),
    }
    };
    words.into_iter().map(pair).collect()
}

/// Splits at each separator after which the next bracket, if there is any, is an opening one.
fn cut(text: &str, separator: char) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    for (place, _) in text.match_indices(separator) {
        let after = place + separator.len_utf8();
        let rest = text.get(after..).unwrap_or_default();
        let next_bracket = rest.find(['[', ']']).and_then(|bracket| rest.get(bracket..));
        if next_bracket.is_none_or(|bracket| bracket.starts_with('[')) {
            words.push(text.get(start..place).unwrap_or_default());
            start = after;
        }
    }
    words.push(text.get(start..).unwrap_or_default());
    words
}

/// `String.trim`.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|letter| letter <= ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<String>> {
        let pairs = pairs(text).ok()?;
        Some(
            pairs
                .into_iter()
                .map(|(name, value)| format!("{name}>{value}"))
                .collect(),
        )
    }

    #[test]
    fn brackets_keep_commas_and_equals_signs_in_a_value() {
        for (text, pairs) in [
            ("a=b", vec!["a>b"]),
            (" a = b , c=[d,e] ", vec!["a>b", "c>d,e"]),
            ("a=[x=1,y=2],b=3", vec!["a>x=1,y=2", "b>3"]),
            ("a=", vec!["a>"]),
            ("a=1,", vec!["a>1"]),
            (
                "S=[iterations=8192,password=p=q]",
                vec!["S>iterations=8192,password=p=q"],
            ),
        ] {
            assert_eq!(
                read(text),
                Some(pairs.iter().map(ToString::to_string).collect()),
                "{text}"
            );
        }
        for text in ["", "a", "a=b=c", "a=b,c", ",a=b"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
