//! Where target partitions end once everything that a killed run has written is replicated.
//!
//! Readers see records up to the high watermark. The last records of a run that was killed may be in a leader's log above
//! it: a copy that went on at the high watermark would write them a second time.

use std::thread;
use std::time::{Duration, Instant};

use super::Job;
use super::resume;
use crate::client::admin::offsets::Offsets;
use crate::client::admin::volumes::leaders;
use crate::commands::batch_reading::Range;
use crate::commands::two_clusters::TwoClusters;
use crate::error::{Error, Result};
use crate::topic_partition::{Offset, TopicPartition};

const PAUSE: Duration = Duration::from_millis(50);
/// How long is waited before the user is told.
const SILENCE: Duration = Duration::from_secs(1);

/// Where each target partition ends: at its high watermark, when that has reached what was written at first.
///
/// # Errors
///
/// A partition without an end, or whose followers do not get there in time.
pub(super) fn find(job: &Job<'_>, ranges: &[Range], clusters: &mut TwoClusters<'_>) -> Result<Vec<Offset>> {
    let began = Instant::now();
    let mut is_told = false;
    let mut written: Option<Offsets> = None;
    loop {
        let now = written_ends(job, clusters)?;
        let written = written.get_or_insert_with(|| now.clone());
        lower(written, &now);
        let ends = resume::ends(job.pairs, ranges, clusters)?;
        let mut behind = ranges.iter().zip(&ends).filter_map(|(range, end)| {
            let partition = resume::target_of(job.pairs, range);
            let written = written.get(&partition)?.as_ref().ok()?;
            (end < written).then_some((partition, written - end))
        });
        let Some((partition, missing)) = behind.next() else {
            return Ok(ends);
        };
        if job.interrupt.is_raised() {
            return Err(Error::interrupted());
        }
        let what = format!("{missing} offsets at the end of {partition} are written but not replicated");
        if began.elapsed() > job.action.patience {
            let hint = "are its followers up? `kafkit describe topic` shows the in-sync replicas";
            return Err(Error::unreachable(what).hint(hint));
        }
        if !is_told && began.elapsed() > SILENCE {
            is_told = true;
            clusters.here.printer.note(format_args!("waiting: {what}"));
        }
        thread::sleep(PAUSE);
    }
}

fn written_ends(job: &Job<'_>, clusters: &mut TwoClusters<'_>) -> Result<Offsets> {
    let targets: Vec<_> = job
        .pairs
        .iter()
        .filter_map(|pair| pair.existing.clone())
        .collect();
    clusters
        .there()
        .client
        .admin()?
        .log_end_offsets(&leaders(&targets))
}

/// What another leader has cut off is not waited for, nor is what others have written since.
fn lower(written: &mut Offsets, now: &Offsets) {
    for (partition, written) in written {
        if let (Ok(written), Some(Ok(now))) = (written, now.get::<TopicPartition>(partition)) {
            *written = (*written).min(*now);
        }
    }
}
