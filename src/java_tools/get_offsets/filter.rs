//! Which partitions `kafka-get-offsets` lists: `--topic` and `--partitions`, or the rules of `--topic-partitions`.

use std::ops::Range;

use super::super::topic_filter::TopicFilter;

/// The exception that Java's tool prints without a stack trace.
const TERSE: &str = "org.apache.kafka.tools.TerseException";

/// A filter for partitions of topics.
#[derive(Debug)]
pub(super) struct PartitionFilter {
    /// A partition is selected if any of them matches.
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    topics: TopicFilter,
    partitions: Partitions,
}

#[derive(Debug, PartialEq, Eq)]
enum Partitions {
    All,
    These(Vec<i32>),
    Within(Range<i32>),
}

impl Partitions {
    fn contains(&self, partition: i32) -> bool {
        match self {
            Self::All => true,
            Self::These(numbers) => numbers.contains(&partition),
            Self::Within(range) => range.contains(&partition),
        }
    }
}

impl PartitionFilter {
    /// The error is the message of Java's exception.
    pub(super) fn new(topic: Option<&str>, partitions: Option<&str>) -> Result<Self, String> {
        let topics = TopicFilter::new(topic.unwrap_or(".*"))?;
        let partitions = match partitions {
            None | Some("") => Partitions::All,
            Some(text) => these(text)?,
        };
        Ok(Self {
            rules: vec![Rule { topics, partitions }],
        })
    }

    /// The error is the message of Java's exception.
    pub(super) fn of_rules(text: &str) -> Result<Self, String> {
        let rules = java_split(text).into_iter().map(rule);
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
        })
    }

    /// Whether any rule selects partitions of this topic.
    pub(super) fn takes_topic(&self, topic: &str) -> bool {
        self.rules.iter().any(|rule| rule.topics.matches(topic))
    }

    pub(super) fn takes(&self, topic: &str, partition: i32) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.topics.matches(topic) && rule.partitions.contains(partition))
    }
}

fn these(text: &str) -> Result<Partitions, String> {
    let numbers: Result<Vec<i32>, _> = java_split(text).into_iter().map(str::parse).collect();
    match numbers {
        // Without a number there is no condition.
        Ok(numbers) if numbers.is_empty() => Ok(Partitions::All),
        Ok(numbers) => Ok(Partitions::These(numbers)),
        Err(_) => Err(format!(
            "--partitions expects a comma separated list of numeric partition ids, but received: {text}"
        )),
    }
}

/// `PATTERN`, `PATTERN:3`, `PATTERN:3-6`, where any part may be empty.
fn rule(text: &str) -> Result<Rule, String> {
    let (topics, partitions) = text.split_once(':').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (from, to) = match partitions.split_once('-') {
        Some((from, to)) => (from, Some(to)),
        None => (partitions, None),
    };
    if !is_digits(from) || !to.is_none_or(is_digits) {
        return Err(format!("{TERSE}: Invalid rule specification: {text}"));
    }
    let topics = TopicFilter::new(if topics.is_empty() { ".*" } else { topics })?;
    let number = |text: &str, without: i32| match text {
        "" => Ok(without),
        text => text.parse().map_err(|_| format!("For input string: \"{text}\"")),
    };
    let partitions = match to {
        None if from.is_empty() => Partitions::Within(0..i32::MAX),
        None => Partitions::These(vec![number(from, 0)?]),
        Some(to) => Partitions::Within(number(from, 0)?..number(to, i32::MAX)?),
    };
    Ok(Rule { topics, partitions })
}

/// `String.split` at commas: empty words at the end are dropped, unless the text is empty.
fn java_split(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = text.split(',').collect();
    if words.len() > 1 {
        while words.last().is_some_and(|word| word.is_empty()) {
            words.pop();
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_in_java() {
        for (text, partitions) in [
            ("a", Partitions::Within(0..i32::MAX)),
            ("a:", Partitions::Within(0..i32::MAX)),
            ("a:3", Partitions::These(vec![3])),
            ("a:3-6", Partitions::Within(3..6)),
            ("a:3-", Partitions::Within(3..i32::MAX)),
            (":-6", Partitions::Within(0..6)),
            ("a:-", Partitions::Within(0..i32::MAX)),
        ] {
            assert_eq!(rule(text).unwrap().partitions, partitions, "{text}");
        }
        for text in ["a:b", "a:1-2-3", "a:+1", "a:b:1"] {
            assert!(
                rule(text).unwrap_err().contains("Invalid rule specification"),
                "{text}"
            );
        }
    }
}
