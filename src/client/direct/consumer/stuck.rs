//! Partitions that cannot be read now: noticed soon, and said in one line each, with the reason.

use std::time::{Duration, Instant};

use super::DirectSource;
use crate::client::direct::words;
use crate::error::Error;
use crate::wire::error::in_seconds;

/// Nothing moved for so long: the user should know.
const PATIENCE: Duration = Duration::from_millis(1500);

impl DirectSource {
    pub(super) fn note_stuck(&mut self, places: &[usize]) {
        let now = Instant::now();
        for place in places {
            if let Some(position) = self.positions.get_mut(*place) {
                position.stuck_since.get_or_insert(now);
            }
        }
    }

    /// Says which partitions cannot be read, and why.
    pub(super) fn watch_for_stuck_partitions(&mut self) {
        let now = Instant::now();
        let mut news: Vec<(String, Vec<String>)> = Vec::new();
        for place in 0..self.positions.len() {
            let Some(position) = self
                .positions
                .get_mut(place)
                .filter(|position| !position.is_closed)
            else {
                continue;
            };
            if position.leader.is_none() {
                position.stuck_since.get_or_insert(now);
            }
            let is_stuck = position
                .stuck_since
                .is_some_and(|since| now.saturating_duration_since(since) >= PATIENCE);
            if !is_stuck || position.was_told {
                continue;
            }
            position.was_told = true;
            let (name, trouble) = (self.name(place), self.trouble(place));
            match news.iter_mut().find(|(known, _)| *known == trouble) {
                Some((_, names)) => names.push(name),
                None => news.push((trouble, vec![name])),
            }
        }
        for (trouble, names) in news {
            self.notices
                .push(format!("{}: {trouble}; waiting for it", words::few(&names)));
        }
    }

    pub(super) fn trouble(&self, place: usize) -> String {
        let Some(position) = self.positions.get(place) else {
            return String::new();
        };
        words::trouble(&self.session, &position.topic, position.partition)
    }

    /// The error of a question that no leader would answer.
    pub(super) fn unanswered(&mut self, topic: &str, partition: i32, after: Duration) -> Error {
        let trouble = words::trouble(&self.session, topic, partition);
        Error::unreachable(format!(
            "{topic}-{partition}: no offset in {}: {trouble}",
            in_seconds(after)
        ))
    }
}
