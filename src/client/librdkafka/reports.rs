//! What librdkafka reports through its callbacks, kept until the thread that owns the client asks for it.
//!
//! Owns a bounded queue: reports beyond the bound are dropped, oldest first.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// The most reports kept.
const CAPACITY: usize = 256;

/// One report.
#[derive(Debug)]
pub(super) enum Report {
    Error {
        code: RDKafkaErrorCode,
        text: String,
    },
    Log {
        level: RDKafkaLogLevel,
        facility: String,
        text: String,
    },
    /// Why no OAUTHBEARER token was available.
    NoToken(String),
}

/// The reports of one client, in their order.
#[derive(Debug, Default)]
pub(super) struct Reports(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    reports: VecDeque<Report>,
    /// How many callbacks have run since the start.
    callbacks: u64,
    last_error: String,
}

impl Reports {
    pub(super) fn push(&self, report: Report) {
        let mut kept = self.kept();
        kept.callbacks += 1;
        if kept.reports.len() >= CAPACITY {
            kept.reports.pop_front();
        }
        kept.reports.push_back(report);
    }

    pub(super) fn push_log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.push(Report::Log {
            level,
            facility: facility.to_owned(),
            text: text.to_owned(),
        });
    }

    /// Keeps the error unless it only says that a partition has no more records, which its queue reports too.
    pub(super) fn push_error(&self, error: &KafkaError, text: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
        text.clone_into(&mut self.kept().last_error);
        if code == RDKafkaErrorCode::PartitionEOF {
            self.count();
        } else {
            let text = text.to_owned();
            self.push(Report::Error { code, text });
        }
    }

    /// Counts a callback without a report.
    pub(super) fn count(&self) {
        self.kept().callbacks += 1;
    }

    /// How many callbacks have run since the start: a change says that there may be more to serve.
    pub(super) fn callbacks(&self) -> u64 {
        self.kept().callbacks
    }

    /// The text of the error reported last.
    pub(super) fn last_error(&self) -> String {
        self.kept().last_error.clone()
    }

    pub(super) fn drain(&self) -> Vec<Report> {
        self.kept().reports.drain(..).collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
