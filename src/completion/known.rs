//! The names of a cluster: from the cluster itself if it answers at once, else from the cache.
//!
//! A cluster that is late is asked again in the background, so that the next request finds its names.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::cache::Cache;
use super::cluster_names::{self, Kind};
use super::line::Line;
use super::target::Target;
use super::{PATIENCE, PATIENCE_BEHIND, PATIENCE_WITH_KEPT_NAMES, behind, cache};
use crate::topic_partition::is_internal_topic;

/// A name, and its description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) name: String,
    /// The description; may be empty.
    pub(super) note: String,
    /// Of a topic, its partitions; of a config, its type by its number in DescribeConfigs.
    pub(super) count: u32,
}

impl Known {
    /// The note of an internal topic.
    pub(super) const INTERNAL: &'static str = "internal";

    /// A topic with `count` partitions.
    pub(super) fn topic(name: String, count: u32) -> Self {
        let note = if is_internal_topic(&name) {
            Self::INTERNAL.to_owned()
        } else {
            String::new()
        };
        Self { name, note, count }
    }
}

/// The names of this kind in the cluster that the line is about. Never starts a broker.
pub(super) fn names(kind: &Kind, line: &Line) -> Vec<Known> {
    let asked = line.clone();
    // Reading the files on the line can block: one may be a pipe, or on a slow file system.
    let Some(Ok(target)) = within(PATIENCE, move || Target::of(&asked)) else {
        return Vec::new();
    };
    let cache = Cache::of(target.key(), kind);
    let kept = cache.as_ref().and_then(Cache::read);
    let patience = match &kept {
        _ if line.is_behind => PATIENCE_BEHIND,
        Some(_) => PATIENCE_WITH_KEPT_NAMES,
        None => PATIENCE.saturating_sub(line.asked_at.elapsed()),
    };
    let _turn = match &cache {
        Some(cache) if line.is_behind => match cache.take_turn() {
            Some(turn) => Some(turn),
            // Another process asks the same already.
            None => return Vec::new(),
        },
        _ => None,
    };
    let (asked, of) = (kind.clone(), target.clone());
    match within(patience, move || cluster_names::ask(&asked, &of, patience)) {
        Some(Ok(names)) => {
            if let Some(cache) = cache.filter(|_| kept.as_ref() != Some(&names)) {
                cache.write(&names);
            }
            return names;
        }
        None if !line.is_behind => behind::ask_again(),
        _ => {}
    }
    kept.unwrap_or_else(|| target.names_on_disk(kind))
}

/// The result of `act`, if it is in time. Otherwise the thread is abandoned; the process ends soon after.
fn within<T: Send + 'static>(limit: Duration, act: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, answers) = mpsc::channel();
    thread::spawn(move || sender.send(act()));
    answers.recv_timeout(limit).ok()
}

/// Bootstrap servers that were used before, and the mini broker.
pub(super) fn servers() -> Vec<String> {
    let mut servers = vec!["mini".to_owned(), "localhost:9092".to_owned()];
    for given in cache::servers() {
        if !servers.contains(&given) {
            servers.push(given);
        }
    }
    servers
}
