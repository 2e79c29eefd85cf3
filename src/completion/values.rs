//! Candidates for each kind of value.

use super::config_words::Values;
use super::known::Known;
use super::line::Line;
use super::offer::{Candidate, Offer, Paths};
use super::wanted::Wanted;
use super::{cluster_names::Kind, config_words, known};
use crate::client::admin::acls::Operation;
use crate::client::setting_values;
use crate::client::settings::Settings;

/// The completions of the word being typed, or of its last part `typed`.
pub fn offer_of(wanted: Wanted, typed: &str, line: &Line) -> Offer {
    let names = |kind: &Kind| candidates_of(known::names(kind, line));
    match wanted {
        Wanted::Topics => beginning_with(typed, topics(typed, line).into_iter().map(with_partitions)),
        Wanted::TopicsThere => offer_of(Wanted::Topics, typed, &line.of_other_cluster()),
        Wanted::TopicPartitions => topic_partitions(typed, line),
        Wanted::Partitions => in_a_list(typed, |_| numbers(partitions_of(topic_on(line).as_deref(), line))),
        Wanted::Groups => beginning_with(typed, names(&Kind::Groups)),
        Wanted::Brokers => in_a_list(typed, |_| names(&Kind::Brokers)),
        Wanted::Users => beginning_with(typed, names(&Kind::Users)),
        Wanted::Principals => principals(typed, names(&Kind::Principals)),
        Wanted::TransactionalIds => beginning_with(typed, names(&Kind::TransactionalIds)),
        Wanted::ClientMetrics => beginning_with(typed, names(&Kind::ClientMetrics)),
        Wanted::Quotas => beginning_with(typed, quotas()),
        Wanted::QuotaSettings => beginning_with(typed, quotas().map(with_equals_sign)),
        Wanted::Operations => in_a_list(typed, |_| operations()),
        Wanted::ConfigOwners => config_owners(typed, line),
        Wanted::ConfigNames => beginning_with(typed, config_words::names(line)),
        Wanted::ConfigSettings => settings_of(
            typed,
            || config_words::names(line),
            |name| config_words::values(name, line),
        ),
        Wanted::BrokerSettings => settings_of(
            typed,
            config_words::broker_settings,
            config_words::broker_setting_values,
        ),
        Wanted::ClientSettingNames => {
            beginning_with(typed, Settings::known_names().into_iter().map(Candidate::new))
        }
        Wanted::ClientSettings => client_settings(typed),
        Wanted::Headers => beginning_with(typed, headers(line)),
        Wanted::HeaderSettings => beginning_with(typed, headers(line).map(with_equals_sign)),
        Wanted::Profiles => beginning_with(typed, Settings::profile_names().into_iter().map(Candidate::new)),
        Wanted::Servers => beginning_with(typed, known::servers().into_iter().map(Candidate::new)),
        Wanted::Lists(words) => in_a_list(typed, |_| words.iter().map(|word| Candidate::new(*word))),
        Wanted::Words(words) => beginning_with(typed, words.iter().map(|word| Candidate::new(*word))),
        Wanted::Explained(words) => {
            let words = words
                .iter()
                .map(|(word, help)| Candidate::with_help(*word, *help));
            beginning_with(typed, words)
        }
        Wanted::Files => Offer::of_paths(Paths::Files, ""),
        Wanted::Directories => Offer::of_paths(Paths::Directories, ""),
        Wanted::Free => Offer::default(),
    }
}

fn beginning_with(typed: &str, candidates: impl IntoIterator<Item = Candidate>) -> Offer {
    Offer::of(
        candidates
            .into_iter()
            .filter(|candidate| candidate.value.starts_with(typed)),
    )
}

/// Completes the last of several words separated by commas; those before it are not offered again.
fn in_a_list<C: IntoIterator<Item = Candidate>>(typed: &str, candidates: impl FnOnce(&str) -> C) -> Offer {
    let (before, last) = match typed.rfind(',') {
        Some(comma) => typed.split_at(comma + 1),
        None => ("", typed),
    };
    let given: Vec<&str> = before.split(',').collect();
    let left = candidates(last)
        .into_iter()
        .filter(|candidate| !given.contains(&candidate.value.as_str()));
    beginning_with(last, left).behind(before)
}

fn candidates_of(names: Vec<Known>) -> impl Iterator<Item = Candidate> {
    names
        .into_iter()
        .map(|known| Candidate::with_help(known.name, known.note))
}

/// Topics; internal ones only if the word begins with an underscore.
fn topics(typed: &str, line: &Line) -> Vec<Known> {
    let mut topics = known::names(&Kind::Topics, line);
    if !typed.starts_with('_') {
        topics.retain(|topic| topic.note != Known::INTERNAL);
    }
    topics
}

fn with_partitions(topic: Known) -> Candidate {
    let help = match topic.count {
        1 => "1 partition".to_owned(),
        count => format!("{count} partitions"),
    };
    Candidate::with_help(topic.name, help)
}

fn topic_partitions(typed: &str, line: &Line) -> Offer {
    match typed.rsplit_once(':') {
        Some((topic, list)) => {
            let partitions = partitions_of(Some(topic), line);
            in_a_list(list, |_| numbers(partitions)).behind(&format!("{topic}:"))
        }
        None => beginning_with(typed, topics(typed, line).into_iter().map(with_partitions)),
    }
}

fn numbers(count: u32) -> impl Iterator<Item = Candidate> {
    (0..count).map(|number| Candidate::new(number.to_string()))
}

/// The number of partitions of a topic; the largest number of all topics if none is named yet.
fn partitions_of(topic: Option<&str>, line: &Line) -> u32 {
    let topics = known::names(&Kind::Topics, line);
    let counts = topics
        .iter()
        .filter(|known| topic.is_none_or(|topic| known.name == topic));
    counts.map(|known| known.count).max().unwrap_or(0)
}

/// The topic on the line: a word that is the name of a topic.
fn topic_on(line: &Line) -> Option<String> {
    let topics = known::names(&Kind::Topics, line);
    let values = line
        .words
        .iter()
        .skip(1)
        .flat_map(|word| [word.as_str(), word.split_once('=').map_or("", |(_, value)| value)]);
    let mut named = values.filter(|value| topics.iter().any(|topic| topic.name == *value));
    named.next().map(str::to_owned)
}

fn headers(line: &Line) -> impl Iterator<Item = Candidate> {
    let seen = topic_on(line).map(|topic| known::names(&Kind::Headers(topic), line));
    candidates_of(seen.unwrap_or_default())
}

/// `User:alice`; a user may be typed without `User:`.
fn principals(typed: &str, names: impl Iterator<Item = Candidate>) -> Offer {
    if typed.is_empty() || "User:".starts_with(typed) || typed.contains(':') {
        return beginning_with(typed, names);
    }
    let users = names.filter_map(|principal| {
        let user = principal.value.strip_prefix("User:")?;
        Some(Candidate::new(user))
    });
    beginning_with(typed, users)
}

fn quotas() -> impl Iterator<Item = Candidate> {
    config_words::QUOTAS.iter().map(|name| Candidate::new(*name))
}

/// `describe-configs` for `DESCRIBE_CONFIGS`.
fn operations() -> impl Iterator<Item = Candidate> {
    let names = Operation::ALL.iter().map(|operation| operation.name());
    names.map(|name| Candidate::new(name.to_lowercase().replace('_', "-")))
}

fn config_owners(typed: &str, line: &Line) -> Offer {
    let wanted = match config_words::Owner::on(line) {
        config_words::Owner::Topic => Wanted::Topics,
        config_words::Owner::Group => Wanted::Groups,
        config_words::Owner::ClientMetrics => Wanted::ClientMetrics,
        config_words::Owner::User => Wanted::Users,
        config_words::Owner::Unknown => Wanted::Free,
        config_words::Owner::Broker => {
            let all = Candidate::with_help("default", "all brokers");
            let brokers = candidates_of(known::names(&Kind::Brokers, line));
            return beginning_with(typed, brokers.chain([all]));
        }
    };
    offer_of(wanted, typed, line)
}

/// `NAME=`, and after it the values of a config with a finite set of them.
fn settings_of(
    typed: &str,
    names: impl FnOnce() -> Vec<Candidate>,
    values: impl FnOnce(&str) -> Values,
) -> Offer {
    let Some((name, value)) = typed.split_once('=') else {
        return beginning_with(typed, names().into_iter().map(with_equals_sign));
    };
    let values = values(name);
    let words = values.words.into_iter().map(Candidate::new);
    let offer = if values.is_list {
        in_a_list(value, |_| words)
    } else {
        beginning_with(value, words)
    };
    offer.behind(&format!("{name}="))
}

fn client_settings(typed: &str) -> Offer {
    let Some((name, value)) = typed.split_once('=') else {
        let names = Settings::known_names().into_iter();
        return beginning_with(typed, names.map(|name| Candidate::new(format!("{name}="))));
    };
    let words = setting_values::words(name).iter();
    beginning_with(value, words.map(|word| Candidate::new(*word))).behind(&format!("{name}="))
}

fn with_equals_sign(mut candidate: Candidate) -> Candidate {
    candidate.value.push('=');
    candidate
}
