//! Filters for topic names as in Kafka's tools: a regular expression in which a comma means "or".

use crate::java::regex::JavaRegex;

/// The filter of `--topic` and the like.
#[derive(Debug)]
pub(super) struct TopicFilter(JavaRegex);

impl TopicFilter {
    /// The error is the message of Java's exception.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let pattern = pattern(text);
        JavaRegex::new(&pattern)
            .map(Self)
            .ok_or_else(|| format!("{pattern} is an invalid regex."))
    }

    /// Whether the whole name matches.
    pub(super) fn matches(&self, topic: &str) -> bool {
        self.0.matches(topic)
    }
}

/// The regular expression that Kafka's tools make of a list of topics: a comma is an alternative, blanks are removed,
/// and so are quotes around it.
fn pattern(text: &str) -> String {
    let quotes = ['\'', '"'];
    let text = text.trim_matches(|character| character <= ' ');
    let text = text.replace(',', "|").replace(' ', "");
    text.trim_start_matches(quotes)
        .trim_end_matches(quotes)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_topics_is_a_pattern() {
        for (text, java) in [
            ("a,b", "a|b"),
            (" a , b ", "a|b"),
            ("'a.*'", "a.*"),
            ("\"'a'\"", "a"),
            ("'", ""),
            ("a b", "ab"),
        ] {
            assert_eq!(pattern(text), java, "{text}");
        }
    }
}
