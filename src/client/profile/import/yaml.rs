//! YAML as a tree with line numbers, as far as the configuration files of other programs need it: no anchors, no tags,
//! one document.

use saphyr_parser::{Event, Parser, ScalarStyle};

/// How deep a file may be nested; real files need five levels.
const DEEPEST: usize = 32;

/// A value with the line, from 1, on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A string, number or boolean as it is written; empty for null.
    Scalar(String),
    List(Vec<Node>),
    /// In the order of the file.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The value of a key of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let found = self.entries().iter().find(|(known, _)| known == key);
        found.map(|(_, node)| node)
    }

    /// The entries of a map; none for another value.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; a scalar alone is a list of one.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            Value::Scalar(text) if !text.is_empty() => std::slice::from_ref(self),
            _ => &[],
        }
    }

    /// The text of a scalar that is not empty.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        self.text().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }
}

/// Reads the first document. The error is a line and a message.
pub(super) fn parse(text: &str) -> Result<Node, (usize, String)> {
    let mut open: Vec<Open> = Vec::new();
    let mut last_line = 1;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| (error.marker().line(), error.info().to_owned()))?;
        let line = span.start.line();
        last_line = line;
        let refused = |what: &str| Err((line, format!("{what} are not read here")));
        let complete = match event {
            Event::Alias(_) => return refused("aliases"),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() == DEEPEST => {
                return refused("deeper levels");
            }
            Event::SequenceStart(..) => {
                open.push(Open::new(Value::List(Vec::new()), line));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::new(Value::Map(Vec::new()), line));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(|open| open.node),
            Event::Scalar(text, style, ..) => Some(Node {
                value: Value::Scalar(scalar(&text, style)),
                line,
            }),
            Event::DocumentEnd => break,
            _ => None,
        };
        let Some(node) = complete else {
            continue;
        };
        match open.last_mut() {
            Some(open) => open.take(node)?,
            None => return Ok(node),
        }
    }
    Err((last_line, "there is nothing in it".to_owned()))
}

fn scalar(text: &str, style: ScalarStyle) -> String {
    let is_null = style == ScalarStyle::Plain && matches!(text, "~" | "null" | "Null" | "NULL");
    if is_null { String::new() } else { text.to_owned() }
}

/// A list or map that has not ended yet.
struct Open {
    node: Node,
    /// The key of the next value.
    key: Option<String>,
}

impl Open {
    fn new(value: Value, line: usize) -> Self {
        Self {
            node: Node { value, line },
            key: None,
        }
    }

    fn take(&mut self, node: Node) -> Result<(), (usize, String)> {
        match (&mut self.node.value, self.key.take()) {
            (Value::Map(entries), Some(key)) => entries.push((key, node)),
            (Value::Map(_), None) => match node.value {
                Value::Scalar(key) => self.key = Some(key),
                _ => return Err((node.line, "a key must be a text".to_owned())),
            },
            (Value::List(items), _) => items.push(node),
            (Value::Scalar(_), _) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn maps_lists_and_texts_with_their_lines() {
        let tree = parse("# c\na:\n  - x\n  - {b: 'true', c: ~}\nd: \"~\"\n").unwrap();
        let items = tree.get("a").unwrap().items();
        assert_eq!((items[0].text(), items[0].line), (Some("x"), 3));
        assert!(items[1].get("b").unwrap().is_true());
        assert_eq!(items[1].get("c").unwrap().text(), None);
        let quoted = tree.get("d").unwrap();
        assert_eq!((quoted.text(), quoted.line), (Some("~"), 5));
        for refused in ["", "a: [", "? [a]\n: b", "a: &x 1\nb: *x", "a:\n\t- b"] {
            assert!(parse(refused).is_err(), "{refused:?}");
        }
        assert!(parse(&"[".repeat(1000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}:,\\-#'\"&*|>a\n \t]{0,60}", any: String) {
            let _ = parse(&text);
            let _ = parse(&any);
        }
    }
}
