//! The file of topics that `topics apply` reads: TOML, or JSON with the same keys.

use serde::de::DeserializeSeed;

use super::reading::{Taken, Topics};
use crate::client::admin::topic_specs::TopicSpec;
use crate::error::{Error, Result};
use crate::plain_words;

/// Reads the text of a file called `name`.
///
/// # Errors
///
/// The text is invalid, a topic occurs twice, or a config has an unknown name or invalid value. It names the place.
pub(super) fn parse(name: &str, text: &str) -> Result<Vec<TopicSpec>> {
    if text.trim_start().starts_with('{') {
        of_json(name, text)
    } else {
        of_toml(name, text)
    }
}

fn of_json(name: &str, text: &str) -> Result<Vec<TopicSpec>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let topics = Taken(Topics).deserialize(&mut reader);
    topics
        .and_then(|topics| reader.end().map(|()| topics))
        .map_err(|error| {
            if !error.is_data() {
                return Error::bad_data(format!("{name}: {}", plain_words::of_json(&error)));
            }
            let place = format!(" at line {} column {}", error.line(), error.column());
            let text = error.to_string();
            let why = text.strip_suffix(&place).unwrap_or(&text);
            refusal(name, error.line(), why)
        })
}

fn of_toml(name: &str, text: &str) -> Result<Vec<TopicSpec>> {
    let line = |span: Option<std::ops::Range<usize>>| {
        let before = span.and_then(|span| text.get(..span.start));
        before.map_or(1, |before| before.matches('\n').count() + 1)
    };
    let document: toml_edit::Document<&str> = toml_edit::Document::parse(text).map_err(|error| {
        refusal(
            name,
            line(error.span()),
            &plain_words::of_toml(&error, "[[topics]], and below it lines like name = \"orders\""),
        )
    })?;
    Taken(Topics)
        .deserialize(toml_edit::de::Deserializer::from(document))
        .map_err(|error| refusal(name, line(error.span()), error.message().trim()))
}

fn refusal(name: &str, line: usize, why: &str) -> Error {
    let why = match why
        .strip_prefix("invalid type: ")
        .and_then(|why| why.split_once(", expected "))
    {
        Some((found, wanted)) => format!("expected {wanted}, found {}", found.replace('`', "")),
        None => why.to_owned(),
    };
    Error::bad_data(format!("{name} line {line}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_json_say_the_same() {
        let toml = "[[topics]]\nname = \"orders\"\npartitions = 6\nreplication-factor = 3\n\
                    [topics.configs]\nretention.ms = 1000\nretention.bytes = \"7\"\n\"cleanup.policy\" = [\"compact\", \"delete\"]\n\
                    unclean.leader.election.enable = true\n[[topics]]\nname = \"a.b\"\n";
        let json = r#"{"topics":[{"name":"orders","partitions":6,"replication-factor":3,"configs":
            {"retention.ms":1000,"retention.bytes":"7","cleanup.policy":"compact,delete","unclean.leader.election.enable":true}},
            {"name":"a.b"}]}"#;
        let found = parse("f", toml).unwrap();
        assert_eq!(found, parse("f", json).unwrap());
        assert_eq!(found[0].configs["retention.ms"], "1000");
        assert_eq!(found[0].configs["cleanup.policy"], "compact,delete");
        assert_eq!((found[1].name.as_str(), found[1].partitions), ("a.b", None));
        assert!(parse("f", "").unwrap().is_empty());
    }

    #[test]
    fn what_is_there_twice_is_refused() {
        refuses(&[
            (
                "{\"topics\":[{\"name\":\"a\",\"partitions\":6,\n\"partitions\":7}]}",
                "f line 2: partitions is there twice",
            ),
            (
                "{\"topics\":[{\"name\":\"a\"}],\n\"topics\":[]}",
                "f line 2: topics is there twice",
            ),
            (
                "[[topics]]\nname = \"a\"\n[[topics]]\nname = \"a\"",
                "f line 3: topic a is there twice",
            ),
            (
                "[[topics]]\nname = \"a\"\nname = \"b\"",
                "f line 3: this name stands there twice",
            ),
        ]);
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        refuses(&[
            (
                "[[topics]]\nnam = \"a\"",
                "f line 2: a topic has no key \"nam\"; did you mean name?",
            ),
            (
                "{\"topics\":[\n{\"name\":\"a\",\n\"colour\":1}]}",
                "f line 3: a topic has no key \"colour\"; it may have name, partitions, replication-factor, configs",
            ),
            (
                "[[topics]]\nretention.ms = 1",
                "f line 2: a topic has no key \"retention\"",
            ),
            (
                "\n[[topics]]\npartitions = 1",
                "f line 2: a topic has no name; write name = \"…\"",
            ),
            (
                "[[topics]]\nname = \"a\"\npartitions = \"6\"",
                "f line 3: expected partitions as a whole number from 1, found string \"6\"",
            ),
            (
                "{\"topics\":[{\"name\":\"a\",\n\"partitions\":1.5}]}",
                "f line 2: expected partitions as a whole number from 1, found floating point 1.5",
            ),
            (
                "[[topics]]\nname = \"a\"\nreplication-factor = 40000",
                "f line 3: replication-factor: 40000 is too large",
            ),
            ("topics = 1", "f line 1: expected topics as a list"),
            (
                "[[topics]]\nname = \"a\"\n[topics.configs]\nretention.ms = 2026-01-01",
                "f line 4: retention.ms is no date; a text stands in quotes",
            ),
            (
                "{\"topics\":[{\"name\":\"a\",\"configs\":{\"retention.ms\":null}}]}",
                "f line 1: expected retention.ms as a text",
            ),
            (
                "[[topic]]\nname = \"a\"",
                "f line 1: a file of topics has no key \"topic\"; did you mean topics?",
            ),
            (
                "[[topics]]\nname = \"a\"\npartitions = 0",
                "f line 3: partitions must be at least 1, not 0",
            ),
            (
                "[[topics]]\nname = \"a\"\n[topics.configs]\nretention.ms = [1]",
                "f line 4: ",
            ),
            (
                "[[topics]]\nname = a",
                "f line 2: it makes no sense; write [[topics]]",
            ),
            (
                "[[topics]]\nname = \"a\"\n[topics.configs]\nretention.m = 1",
                "f line 4: no topic has a config \"retention.m\"; did you mean retention.ms?",
            ),
            (
                "[[topics]]\nname = \"a\"\n[topics.configs]\nretention.ms = \"x\"",
                "f line 4: Invalid value x for configuration retention.ms",
            ),
            ("{", "f: it ends too early"),
        ]);
    }

    /// Parses each text, and compares the beginning of the error.
    fn refuses(cases: &[(&str, &str)]) {
        for (text, told) in cases {
            let refusal = parse("f", text).unwrap_err().to_string();
            assert!(refusal.starts_with(told), "{refusal}");
            assert_eq!(refusal.lines().count(), 1, "{refusal}");
        }
    }
}
