//! Which topics a command selects: exact names, or patterns, and the error for one that does not exist.

use super::context::Context;
use crate::client::admin::topics::TopicDescription;
use crate::error::{Error, Result};
use crate::plain_words;
use crate::spelling::closest;

/// Names, or regular expressions that match whole names.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    pub words: Vec<String>,
    pub is_regex: bool,
    /// Whether internal topics are selected where no name is given, and where a pattern matches them.
    pub with_internal: bool,
}

impl Selection {
    /// The selected ones of `topics`, and the names that do not exist. Without words all are selected.
    pub fn choose(&self, topics: Vec<TopicDescription>) -> Result<(Vec<TopicDescription>, Vec<String>)> {
        let is_offered = |topic: &TopicDescription| self.with_internal || !topic.is_internal;
        if self.words.is_empty() {
            return Ok((topics.into_iter().filter(is_offered).collect(), Vec::new()));
        }
        if self.is_regex {
            let is_selected = self.matcher()?;
            let matches = |topic: &TopicDescription| is_offered(topic) && is_selected(&topic.name);
            return Ok((topics.into_iter().filter(matches).collect(), Vec::new()));
        }
        let missing = self
            .words
            .iter()
            .filter(|word| !topics.iter().any(|topic| topic.name == **word));
        let missing = missing.cloned().collect();
        let chosen = topics
            .into_iter()
            .filter(|topic| self.words.contains(&topic.name));
        Ok((chosen.collect(), missing))
    }

    /// The error where nothing was selected.
    pub fn nothing_matches(&self) -> Error {
        Error::not_found(match self.words.as_slice() {
            [] => "there are no topics".to_owned(),
            words => format!("no topic matches {}", words.join(" or ")),
        })
    }

    /// Whether a name is selected. Without words every name is.
    pub fn matcher(&self) -> Result<impl Fn(&str) -> bool + use<'_>> {
        let patterns = if self.is_regex {
            self.patterns()?
        } else {
            Vec::new()
        };
        Ok(move |name: &str| {
            let matches = |pattern: &fancy_regex::Regex| pattern.is_match(name).unwrap_or(false);
            self.words.is_empty()
                || patterns.iter().any(matches)
                || !self.is_regex && self.words.iter().any(|word| word == name)
        })
    }

    /// The words as patterns of whole names.
    pub fn patterns(&self) -> Result<Vec<fancy_regex::Regex>> {
        let compile = |word: &String| {
            // Each alone first, so that the position in the error counts in what the user typed.
            fancy_regex::Regex::new(word)
                .and_then(|_| fancy_regex::Regex::new(&format!("^(?:{word})$")))
                .map_err(|error| {
                    Error::usage(format!(
                        "\"{word}\" is no regular expression: {}",
                        plain_words::of_pattern(&error)
                    ))
                })
        };
        self.words.iter().map(compile).collect()
    }
}

/// The selected topics of the cluster; a name that does not exist is an error.
pub fn find(selection: &Selection, context: &mut Context) -> Result<Vec<TopicDescription>> {
    let (chosen, missing) = find_some(selection, context)?;
    match missing.first() {
        None => Ok(chosen),
        Some(name) => Err(not_found(name, context)),
    }
}

/// The selected topics of the cluster, and the names that do not exist.
pub fn find_some(
    selection: &Selection,
    context: &mut Context,
) -> Result<(Vec<TopicDescription>, Vec<String>)> {
    let admin = context.client.admin()?;
    let topics = if selection.words.is_empty() || selection.is_regex {
        admin.all_topics()?
    } else {
        admin.topics_named(selection.words.iter().map(String::as_str))?
    };
    selection.choose(topics)
}

/// The error for a topic that does not exist, with the name that was perhaps meant, or for one that the user may not
/// see.
pub fn not_found(name: &str, context: &mut Context) -> Error {
    let is_hidden = |context: &mut Context| context.client.admin()?.is_hidden(name);
    if is_hidden(context).unwrap_or(false) {
        return Error::denied(format!("not authorized to describe topic \"{name}\""));
    }
    let whole = |context: &mut Context| -> Result<(String, Vec<TopicDescription>)> {
        let admin = context.client.admin()?;
        Ok((format!(" on {}", admin.connected_to()?), admin.all_topics()?))
    };
    let (place, topics) = whole(context).unwrap_or_default();
    let meant = closest(name, topics.iter().map(|topic| topic.name.as_str()));
    let meant = meant.map_or(String::new(), |meant| format!("; did you mean \"{meant}\"?"));
    let error = Error::not_found(format!("topic \"{name}\" not found{place}{meant}"));
    if name.contains(['*', '[', '(', '|', '^', '$', '+', '?']) {
        return error.hint("with --regex it would be a pattern, `.*` for any letters");
    }
    error
}
