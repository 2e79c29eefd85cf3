//! What the bare program name prints at a terminal.

use std::fmt::Write;

use super::plural;
use crate::client::whereabouts::{State, Whereabouts};

/// The cluster in use, its state, and a few commands that make sense there.
pub fn text(found: &Whereabouts) -> String {
    let mut text = format!("kafkit {}\n\n", env!("CARGO_PKG_VERSION"));
    let (place, state) = (place(found), state(found));
    let _ = writeln!(text, "cluster  {place}\n         {state}\n");
    let tries = tries(found);
    let width = tries
        .iter()
        .map(|(line, _)| line.chars().count())
        .max()
        .unwrap_or(0);
    for (line, what) in tries {
        let _ = writeln!(text, "  {line:width$}   {what}");
    }
    text
}

fn place(found: &Whereabouts) -> String {
    match (&found.mini, &found.said_by) {
        (Some(dir), None) => format!("the mini broker on {dir} (no cluster is configured)"),
        (Some(dir), Some(by)) => format!("the mini broker on {dir} ({by})"),
        (None, Some(by)) => format!("{} ({by})", found.servers),
        (None, None) => found.servers.clone(),
    }
}

fn state(found: &Whereabouts) -> String {
    match &found.state {
        State::Reached {
            cluster_id,
            brokers,
            topics,
        } => {
            let counts = format!(
                "{}, {}",
                plural(*brokers as u64, "broker"),
                plural(topics.len() as u64, "topic")
            );
            let id = cluster_id
                .as_ref()
                .map_or_else(String::new, |id| format!(", id {id}"));
            match &found.mini {
                Some(_) => format!("running at {}: {counts}", found.servers),
                None => format!("{counts}{id}"),
            }
        }
        State::Asleep => "not running; the next command starts it".to_owned(),
        State::NotAsked(why) => format!("not asked: {why}"),
        State::Unreachable(why) => format!("NOT REACHED: {why}"),
    }
}

fn tries(found: &Whereabouts) -> Vec<(String, &'static str)> {
    let line = |line: &str, what: &'static str| (line.to_owned(), what);
    let mut tries = match &found.state {
        State::Unreachable(_) | State::NotAsked(_) => vec![line("kafkit doctor", "looks closer")],
        State::Reached { topics, .. } if !topics.is_empty() => {
            let first = topics.first().map_or("TOPIC", String::as_str);
            vec![
                line("kafkit topics list", "what is there"),
                (
                    format!("kafkit consume {first} -o -5 -e"),
                    "the last records of each partition",
                ),
                line("kafkit groups list", "who reads, and how far behind"),
            ]
        }
        _ => vec![
            line("seq 5 | kafkit produce hello", "makes a topic of five records"),
            line("kafkit consume hello -e", "prints them"),
        ],
    };
    tries.push(line("kafkit --help", "all commands"));
    tries
}
