//! When a node compacts which of its logs: the dirtiest first, one at a time, in the background.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::replica::Replica;
use super::replica_manager::ReplicaManager;
use crate::error::{Error, Kind, Result};
use crate::storage::cleaner::{CleaningPass, CleaningPlan};

/// How late a stop is noticed during a pause.
const SHORT_NAP: Duration = Duration::from_millis(100);

/// The state that a node keeps between passes.
#[derive(Debug, Default)]
pub(in crate::broker) struct Compaction {
    stopping: AtomicBool,
    /// Names of partitions with a damaged batch. As in Apache Kafka they are not compacted until the next start.
    uncleanable: Mutex<BTreeSet<String>>,
}

impl Compaction {
    /// Ends the current pass; no other begins.
    pub(in crate::broker) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn may_go_on(&self) -> bool {
        !self.stopping.load(Ordering::Relaxed)
    }

    fn is_uncleanable(&self, partition: &str) -> bool {
        let uncleanable = self.uncleanable.lock().unwrap_or_else(PoisonError::into_inner);
        uncleanable.contains(partition)
    }
}

impl ReplicaManager {
    /// Compacts every log that is due at `now_ms` (ms since 1970). Returns the lines to report to the user.
    pub(in crate::broker) fn compact(&self, now_ms: i64) -> Vec<String> {
        let mut notes = Vec::new();
        let mut any = false;
        // One pass may not reach the end of a log, but each pass gets further.
        while self.compaction.may_go_on() {
            let Some((replica, plan)) = self.dirtiest(now_ms, &mut notes) else {
                break;
            };
            match self.clean(&replica, plan) {
                Ok(true) => any = true,
                // The log has changed meanwhile, or its topic is gone: the next round tries again.
                Ok(false) => break,
                Err(error) => {
                    notes.extend(self.failed(&replica, &error));
                    break;
                }
            }
        }
        if any && let Err(error) = self.write_checkpoints() {
            notes.push(format!("cannot write checkpoints: {error}"));
        }
        // As in Apache Kafka, retention of logs with `compact,delete` is applied in the rounds of the cleaner.
        let mut compacted = self.all();
        compacted.retain(|replica| replica.settings().compact);
        if let Err(error) = self.apply_retention_to(compacted, now_ms) {
            notes.push(format!("cannot clean up: {error}"));
        }
        notes
    }

    fn dirtiest(&self, now_ms: i64, notes: &mut Vec<String>) -> Option<(Arc<Replica>, CleaningPlan)> {
        let mut dirtiest: Option<(Arc<Replica>, CleaningPlan)> = None;
        for replica in self.all() {
            if !replica.settings().compact || self.compaction.is_uncleanable(&replica.name) {
                continue;
            }
            let plan = replica.log().begin_cleaning(now_ms, replica.last_stable_offset());
            match plan {
                Ok(Some(plan)) => {
                    let most = dirtiest.as_ref().map_or(-1.0, |(_, plan)| plan.dirty_ratio());
                    if plan.dirty_ratio() > most {
                        dirtiest = Some((replica, plan));
                    }
                }
                Ok(None) => {}
                Err(error) => notes.extend(self.failed(&replica, &error)),
            }
        }
        dirtiest
    }

    /// One pass over one log; `false` if the log has changed meanwhile, so that the result was thrown away.
    fn clean(&self, replica: &Replica, plan: CleaningPlan) -> Result<bool> {
        let keep_going = || self.compaction.may_go_on();
        let mut pass = CleaningPass::begin(plan, self.cleaner_memory(), &keep_going)?;
        let mut began = Instant::now();
        while let Some(cleaned) = pass.next_group(&keep_going)? {
            self.rest_after(cleaned.size(), began);
            began = Instant::now();
            let replaced = replica.log().replace(cleaned)?;
            match replaced {
                Some(old) => old.remove(),
                None => return Ok(false),
            }
        }
        replica.log().finish_cleaning(pass.end());
        Ok(true)
    }

    /// Pauses after a group of segments for as long as `log.cleaner.io.max.bytes.per.second` demands. Bytes read
    /// count like bytes written.
    fn rest_after(&self, written: u64, began: Instant) {
        let image = self.cluster.image();
        let most = self
            .broker_values(&image)
            .value("log.cleaner.io.max.bytes.per.second");
        let most: f64 = most.and_then(|most| most.trim().parse().ok()).unwrap_or(f64::MAX);
        drop(image);
        let seconds = 2.0 * written as f64 / most;
        let Ok(wanted) = Duration::try_from_secs_f64(seconds) else {
            return;
        };
        loop {
            let left = wanted.saturating_sub(began.elapsed());
            if left.is_zero() || !self.compaction.may_go_on() {
                return;
            }
            std::thread::sleep(left.min(SHORT_NAP));
        }
    }

    /// `log.cleaner.dedupe.buffer.size`, in bytes.
    fn cleaner_memory(&self) -> u64 {
        let bytes = self.cleaner_setting("log.cleaner.dedupe.buffer.size");
        u64::try_from(bytes).unwrap_or(0)
    }

    /// The value in force of a number setting of the cleaner.
    pub(in crate::broker) fn cleaner_setting(&self, name: &str) -> i64 {
        let image = self.cluster.image();
        let origins = self.broker_values(&image).origins(name);
        let value = origins
            .first()
            .and_then(|origin| origin.value.trim().parse().ok());
        value.unwrap_or(0)
    }

    /// The line to report for a failed pass; `None` if it was stopped, or if the files were deleted under it.
    fn failed(&self, replica: &Replica, error: &Error) -> Option<String> {
        if !self.compaction.may_go_on() || error.kind() == Kind::NotFound || replica.log().cleaning_is_over()
        {
            return None;
        }
        if error.kind() != Kind::BadData {
            return Some(format!("cannot compact {}: {error}", replica.name));
        }
        let mut uncleanable = self
            .compaction
            .uncleanable
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        uncleanable.insert(replica.name.clone());
        Some(format!(
            "cannot compact {}, it is left alone until the broker starts again: {error}",
            replica.name
        ))
    }
}
