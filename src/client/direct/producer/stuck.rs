//! Partitions without progress: detected soon, and reported in one line each, with the reason.
//!
//! Owns the messages about leaders that are missing, down or silent.

use std::time::{Duration, Instant};

use super::lane::Lane;
use super::partition_queue::Failure;
use super::{DirectSink, failures};
use crate::client::direct::words;
use crate::error::Kind;
use crate::plain_words;
use crate::records::batch_header::WRONG_CHECKSUM;
use crate::wire::error::in_seconds;
use crate::wire::error_codes as codes;

/// How long a partition may make no progress before that is reported.
const PATIENCE: Duration = Duration::from_millis(1500);

impl DirectSink {
    /// Notes since when lanes make no progress, and reports them.
    pub(super) fn watch_for_stuck_lanes(&mut self, now: Instant) {
        let mut news: Vec<(String, Vec<String>)> = Vec::new();
        let is_old = |lane: &Lane| {
            let age = lane.stuck_since.map(|since| now.saturating_duration_since(since));
            age.is_some_and(|age| age >= PATIENCE) && !lane.is_reported
        };
        // Lanes that will be reported soon are included in the same line.
        let patience = if self.lanes.iter().any(is_old) {
            PATIENCE / 2
        } else {
            PATIENCE
        };
        for place in 0..self.lanes.len() {
            let Some(lane) = self.lanes.get_mut(place) else {
                continue;
            };
            if lane.queue.is_empty() && !(lane.has_open() && lane.leaves) {
                lane.stuck_since = None;
                continue;
            }
            let since = *lane.stuck_since.get_or_insert(now);
            if lane.is_reported || now.saturating_duration_since(since) < patience {
                continue;
            }
            lane.is_reported = true;
            let (name, trouble) = (self.partition_name(place), self.trouble(place));
            match news.iter_mut().find(|(known, _)| *known == trouble) {
                Some((_, names)) => names.push(name),
                None => news.push((trouble, vec![name])),
            }
        }
        let limit = in_seconds(self.longest_wait());
        for (trouble, names) in news {
            let line = format!("{}: {trouble}; waiting up to {limit}", plain_words::few(&names));
            self.notices.push(line);
        }
    }

    /// How long records of a partition that accepts nothing wait.
    fn longest_wait(&self) -> Duration {
        let limit = self.rules.delivery_timeout;
        self.settings
            .patience
            .map_or(limit, |patience| patience.min(limit))
    }

    fn partition_name(&self, place: usize) -> String {
        let lane = self.lanes.get(place);
        let topic = lane.and_then(|lane| self.topics.get(lane.topic));
        match (lane, topic) {
            (Some(lane), Some(topic)) => format!("{}-{}", topic.name, lane.partition),
            _ => String::new(),
        }
    }

    /// Why a partition accepts nothing, as far as known.
    fn trouble(&self, place: usize) -> String {
        let Some(lane) = self.lanes.get(place) else {
            return String::new();
        };
        if let Some(code) = lane.queue.lacks_replicas() {
            return failures::refused(code);
        }
        let name = self
            .topics
            .get(lane.topic)
            .map_or("", |topic| topic.name.as_str());
        words::trouble(&self.session, name, lane.partition)
    }

    /// The message why a batch was given up.
    pub(super) fn reason(&self, place: usize, failure: &Failure) -> (Kind, String) {
        let unknown = |may_be_written: bool| {
            if may_be_written {
                ", but may be written"
            } else {
                ""
            }
        };
        match failure {
            // The broker's own message is about a damaged request, but the batch was damaged
            // before.
            Failure::Refused {
                code: codes::CORRUPT_MESSAGE,
                kind: Kind::BadData,
                ..
            } => (Kind::BadData, format!("damaged batch: {WRONG_CHECKSUM}")),
            Failure::Refused {
                code,
                kind,
                may_be_written,
            } => (
                *kind,
                format!(
                    "{}{}",
                    self.last_words
                        .clone()
                        .unwrap_or_else(|| failures::refused(*code)),
                    unknown(*may_be_written)
                ),
            ),
            Failure::TimedOut { may_be_written } => {
                let limit = in_seconds(self.longest_wait());
                let trouble = self.trouble(place);
                let unknown = unknown(*may_be_written);
                (
                    Kind::Unreachable,
                    format!("not acknowledged within {limit}{unknown}: {trouble}"),
                )
            }
            Failure::Gone { may_be_written } => (
                Kind::NotFound,
                format!("the topic is gone{}", unknown(*may_be_written)),
            ),
            Failure::Abandoned { may_be_written: true } => (
                Kind::Failed,
                "given up before it was acknowledged; it may be written".to_owned(),
            ),
            Failure::Abandoned {
                may_be_written: false,
            } => (Kind::Failed, "given up before it was sent".to_owned()),
        }
    }
}
