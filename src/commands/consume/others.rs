//! What a member of a group does not read: the partitions that other members own, reported once.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::{Missing, Run, plan};
use crate::output::Printer;
use crate::plain_words::few;

/// A member that owns no partition for this time reports why it prints nothing.
const LONG: Duration = Duration::from_secs(3);

/// What has been reported, and since when there is something to report.
#[derive(Debug, Default)]
pub(super) struct Others {
    without_partition_since: Option<Instant>,
    has_told: bool,
}

impl Run {
    /// At the end of a member's run: reports the partitions that were not assigned to it.
    pub(super) fn tell_what_others_hold(&mut self, printer: &mut Printer) {
        if !self.speaks_of_others() || printer.is_quiet() {
            return;
        }
        let mine: HashSet<(String, i32)> = self.source.assignment().into_iter().collect();
        let mut others = Vec::new();
        for topic in self.plan.subscribed().to_vec() {
            let found = self.source.topics(Some(&topic), plan::ASK).unwrap_or_default();
            for partition in found.into_iter().flat_map(|topic| topic.partitions) {
                if !mine.contains(&(topic.clone(), partition)) {
                    others.push(format!("{topic}-{partition}"));
                }
            }
        }
        if !others.is_empty() {
            printer.note(format_args!(
                "not read here, as other members of the group hold them: {}",
                few(&others)
            ));
        }
    }

    /// Whether the face reports other members; Java's consumer does not.
    fn speaks_of_others(&self) -> bool {
        self.action.is_member && self.action.missing == Missing::Refuse
    }

    /// While a member waits: reports that it owns no partition, and the likely reason.
    pub(super) fn tell_of_no_partition(&mut self, printer: &mut Printer) {
        let is_joined = self.speaks_of_others() && !self.plan.subscribed().is_empty();
        if !is_joined || self.others.has_told || self.last_record.elapsed() < LONG {
            return;
        }
        if !self.source.assignment().is_empty() {
            self.others.without_partition_since = None;
            return;
        }
        let since = *self
            .others
            .without_partition_since
            .get_or_insert_with(Instant::now);
        if since.elapsed() >= LONG {
            self.others.has_told = true;
            printer.note(
                "waiting: this member of the group has no partition; others may hold them all (`kafkit describe group` \
                 shows who)",
            );
        }
    }
}
