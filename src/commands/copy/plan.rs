//! What a copy will do: which topic becomes which, what has to be created, and what is impossible. Pure.

use crate::client::admin::topic_specs::TopicSpec;
use crate::client::admin::topics::TopicDescription;
use crate::error::{Error, Result};
use crate::topic_partition::is_internal_topic;

/// How records find their partitions in the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// The same partition as in the source.
    #[default]
    Keep,
    /// By key, as in Java's producer; those without a key go to one partition per batch in turn.
    Hash,
}

impl Placement {
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Hash => "hash",
        }
    }
}

/// A topic to copy, as it is in its cluster or backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Source {
    pub(in crate::commands) topic: TopicDescription,
    pub(in crate::commands) spec: TopicSpec,
}

/// A topic, and the name of its copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Pair {
    pub(in crate::commands) source: TopicDescription,
    /// The specification for creating the target.
    pub(in crate::commands) spec: TopicSpec,
    pub(in crate::commands) target: String,
    /// The target as it is; `None` where it is to be created.
    pub(in crate::commands) existing: Option<TopicDescription>,
}

impl Pair {
    /// The number of partitions of the target, once it exists.
    pub(super) fn target_partitions(&self) -> usize {
        let wanted = self.spec.partitions.and_then(|count| usize::try_from(count).ok());
        match &self.existing {
            Some(existing) => existing.partitions.len(),
            None => wanted.unwrap_or(self.source.partitions.len()),
        }
    }

    /// Whether the target has a partition for every record.
    ///
    /// # Errors
    ///
    /// It has too few partitions.
    pub(super) fn check_room(&self, placement: Placement) -> Result<()> {
        let (has, needs) = (self.target_partitions(), self.source.partitions.len());
        if placement == Placement::Hash || has >= needs {
            return Ok(());
        }
        let (name, target) = (&self.source.name, &self.target);
        Err(
            Error::failed(format!("{name} has {needs} partitions, and {target} has {has}"))
                .hint("--partitions hash places records by their keys"),
        )
    }
}

/// The name of a topic's copy: the same on another cluster, `target`, or with a pattern the expansion of `target` with
/// the match (`$0` all of it, `$1` the first group).
pub(super) fn target_name(
    source: &str,
    target: Option<&str>,
    pattern: Option<&fancy_regex::Regex>,
) -> Result<String> {
    let Some(target) = target else {
        return Ok(source.to_owned());
    };
    let captures = pattern.and_then(|pattern| pattern.captures(source).ok().flatten());
    let Some(captures) = captures else {
        return Ok(target.to_owned());
    };
    let mut name = String::new();
    let mut letters = target.chars().peekable();
    while let Some(letter) = letters.next() {
        let group = letters.peek().and_then(|next| next.to_digit(10));
        match (letter, group) {
            ('$', Some(group)) => {
                letters.next();
                let group = captures
                    .get(group as usize)
                    .ok_or_else(|| Error::usage(format!("\"{target}\": the pattern has no group {group}")))?;
                name.push_str(group.as_str());
            }
            _ => name.push(letter),
        }
    }
    Ok(name)
}

/// Pairs topics with their targets.
///
/// # Errors
///
/// A target that two topics would share, a topic that would be copied into itself, a missing one that must not be
/// created.
pub(super) fn pairs(
    names: Vec<(Source, String)>,
    targets: &[TopicDescription],
    is_same_cluster: bool,
    may_create: bool,
) -> Result<Vec<Pair>> {
    let mut pairs: Vec<Pair> = Vec::with_capacity(names.len());
    for (Source { topic: source, spec }, target) in names {
        if let Some(other) = pairs.iter().find(|other| other.target == target) {
            let (one, other) = (&other.source.name, &source.name);
            return Err(
                Error::usage(format!("{one} and {other} would both be copied to {target}"))
                    .hint("with --regex, $0 in the target's name is the source's"),
            );
        }
        if is_same_cluster && source.name == target {
            return Err(Error::usage(format!("{target} would be copied into itself"))
                .hint("give the copy another name, or name another cluster with --to"));
        }
        if is_internal_topic(&target) {
            return Err(Error::usage(format!(
                "{target} is a topic that brokers keep for themselves"
            )));
        }
        let existing = targets.iter().find(|known| known.name == target).cloned();
        check(&source, &target, existing.as_ref(), may_create)?;
        pairs.push(Pair {
            source,
            spec,
            target,
            existing,
        });
    }
    Ok(pairs)
}

fn check(
    source: &TopicDescription,
    target: &str,
    existing: Option<&TopicDescription>,
    may_create: bool,
) -> Result<()> {
    if may_create || existing.is_some() {
        return Ok(());
    }
    let name = &source.name;
    Err(Error::not_found(format!(
        "topic \"{target}\", which {name} is to be copied to, is not there"
    ))
    .hint(format!(
        "--create makes it with the partitions and configs of {name}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::admin::topics::PartitionDescription;

    fn source(name: &str, partitions: i32) -> Source {
        Source {
            topic: topic(name, partitions),
            spec: TopicSpec::default(),
        }
    }

    fn topic(name: &str, partitions: i32) -> TopicDescription {
        let partition = |partition| PartitionDescription {
            partition,
            leader: Some(1),
            replicas: vec![1],
            in_sync: vec![1],
            offline: Vec::new(),
            eligible_leaders: None,
            last_known_eligible_leaders: None,
        };
        TopicDescription {
            name: name.to_owned(),
            id: uuid::Uuid::nil(),
            is_internal: false,
            partitions: (0..partitions).map(partition).collect(),
        }
    }

    fn refusal(source: Source, target: &str, targets: &[TopicDescription], same: bool) -> String {
        let names = vec![(source, target.to_owned())];
        let checked = pairs(names, targets, same, false);
        let checked = checked.and_then(|pairs| pairs[0].check_room(Placement::Keep));
        checked.unwrap_err().to_string()
    }

    #[test]
    fn a_pattern_names_the_copies() {
        let pattern = fancy_regex::Regex::new("^(?:shop-(.*))$").unwrap();
        let name = |target| target_name("shop-orders", target, Some(&pattern)).unwrap();
        assert_eq!(name(None), "shop-orders");
        assert_eq!(name(Some("copy-of-$0")), "copy-of-shop-orders");
        assert_eq!(name(Some("$1.old")), "orders.old");
        assert!(target_name("shop-orders", Some("$2"), Some(&pattern)).is_err());
        assert_eq!(target_name("a", Some("price-in-$"), None).unwrap(), "price-in-$");
    }

    #[test]
    fn what_cannot_be_copied_is_refused_before_anything_is_done() {
        let refused = refusal(source("a", 1), "a", &[topic("a", 1)], true);
        assert!(refused.starts_with("a would be copied into itself"), "{refused}");
        let refused = refusal(source("a", 3), "b", &[topic("b", 2)], true);
        assert!(
            refused.starts_with("a has 3 partitions, and b has 2"),
            "{refused}"
        );
        let refused = refusal(source("a", 3), "b", &[], true);
        assert!(refused.contains("--create makes it"), "{refused}");
        let refused = refusal(source("a", 1), "__consumer_offsets", &[], false);
        assert!(refused.contains("brokers keep for themselves"), "{refused}");
        let both = vec![(source("a", 1), "c".to_owned()), (source("b", 1), "c".to_owned())];
        assert!(pairs(both, &[topic("c", 1)], false, false).is_err());
        let same_name = vec![(source("a", 1), "a".to_owned())];
        let pairs = pairs(same_name, &[topic("a", 2)], false, false).unwrap();
        assert_eq!(pairs[0].target_partitions(), 2);
    }
}
