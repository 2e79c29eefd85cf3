//! Topics into a folder with the files of a log dir, and back again.
//!
//! A backup holds committed records with their offsets and times: each partition is a folder of segments that
//! `dump-log` reads, and `backup.json` describes the topics. The same command continues where it ended.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod folder_origin;
mod manifest;
mod restore;
mod writer;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::batch_reading::{BatchFlow, BatchOrigin, BatchReading, ClusterOrigin, Part, Range};
use super::command::{Command, Needs};
use super::compare::{self, Rules};
use super::context::Context;
use super::topic_selection::{self, Selection};
use crate::error::{Error, Result};
use crate::interrupt::{Grace, Interrupt};
use crate::output::copy::{self as output, Progress, Summary};
use crate::output::plural;
use folder_origin::FolderOrigin;
use manifest::{Held, Manifest, Topic, folder_of};
pub use restore::Restore;
use writer::Writer;

/// How long one wait for records lasts, so that interrupts are seen.
const STEP: Duration = Duration::from_millis(100);
/// How often the segments are flushed and the manifest is written.
const SAVE_EVERY: Duration = Duration::from_secs(5);

/// What the user asked for.
#[derive(Debug)]
pub struct Backup {
    pub folder: PathBuf,
    pub topics: Selection,
    pub part: Part,
    /// Whether the backup is read again and compared with the cluster.
    pub verifies: bool,
    /// How long a partition may be without an answering broker, before the backup fails.
    pub patience: Duration,
}

impl Command for Backup {
    fn needs(&self) -> Needs {
        Needs::RECORDS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        let interrupt = Interrupt::install_with_watchdog(Grace::OF_TRANSFERS)?;
        context.note_settings();
        std::fs::create_dir_all(&self.folder)
            .map_err(|error| Error::from(error).context(self.folder.display()))?;
        let mut manifest = self.manifest(context)?;
        let origin = ClusterOrigin {
            settings: context.client.settings().clone(),
            patience: self.patience,
            interrupt: interrupt.clone(),
        };
        let mut ranges = self.ranges(&manifest, &origin)?;
        let mut writer = Writer::open(&self.folder, &ranges)?;
        for (range, next) in ranges.iter_mut().zip(writer.nexts()) {
            range.from = next.unwrap_or(range.from).min(range.end.unwrap_or(range.from));
        }
        let total = ranges
            .iter()
            .map(|range| range.end.unwrap_or(range.from) - range.from)
            .sum();
        let mut progress = Progress::new("backup", total, context.printer.is_quiet());
        let began = Instant::now();
        let mut flow = origin.read(ranges.clone())?;
        let outcome = self.write(&mut *flow, &mut writer, &mut manifest, &mut progress, &interrupt);
        progress.finish();
        writer.close()?;
        enter(&mut manifest, &writer);
        manifest.write(&self.folder)?;
        for notice in flow.take_notices() {
            context.printer.warning(notice);
        }
        let summary = Summary {
            records: writer.records,
            source: plural(manifest.topics.len() as u64, "topic"),
            target: Some(self.folder.display().to_string()),
            bytes: writer.bytes,
            time: began.elapsed(),
        };
        output::summary(&mut context.printer, &summary);
        outcome?;
        if self.verifies {
            self.verify(&manifest, &origin, context, &interrupt)?;
        }
        Ok(())
    }
}

impl Backup {
    /// The manifest for this run and those before. A topic that was deleted and created again is a different one.
    fn manifest(&self, context: &mut Context) -> Result<Manifest> {
        let topics = topic_selection::find(&self.topics, context)?;
        if topics.is_empty() {
            return Err(self.topics.nothing_matches());
        }
        let admin = context.client.admin()?;
        let cluster = admin.cluster_id()?.map(ToOwned::to_owned);
        let specs = admin.topic_specs(&topics)?;
        let shown = self.folder.display();
        let mut manifest = match Manifest::read(&self.folder)? {
            Some(known) if known.cluster == cluster => known,
            Some(_) => {
                return Err(Error::failed(format!("{shown} is a backup of another cluster"))
                    .hint("name another folder"));
            }
            None => Manifest::new(cluster),
        };
        for (topic, spec) in topics.iter().zip(specs) {
            let mut fresh = Topic::of(topic, spec);
            match manifest.topics.iter_mut().find(|known| known.name == fresh.name) {
                Some(known) if known.id != fresh.id => {
                    let name = &known.name;
                    return Err(Error::failed(format!(
                        "{shown} holds another topic {name}: it was deleted and created again since"
                    ))
                    .hint("name another folder"));
                }
                Some(known) => {
                    fresh.ranges = std::mem::take(&mut known.ranges);
                    *known = fresh;
                }
                None => manifest.topics.push(fresh),
            }
        }
        manifest.write(&self.folder)?;
        Ok(manifest)
    }

    fn ranges(&self, manifest: &Manifest, origin: &ClusterOrigin) -> Result<Vec<Range>> {
        let wanted = |topic: &&Topic| {
            let is_named = self.topics.words.is_empty() || self.topics.words.contains(&topic.name);
            let patterns = if self.topics.is_regex {
                self.topics.patterns()
            } else {
                Ok(Vec::new())
            };
            let patterns = patterns.unwrap_or_default();
            is_named
                || patterns
                    .iter()
                    .any(|pattern| pattern.is_match(&topic.name).unwrap_or(false))
        };
        let mut partitions = Vec::new();
        for topic in manifest.topics.iter().filter(wanted) {
            let numbers = (0..topic.partitions).filter(|partition| self.part.takes(*partition));
            partitions.extend(numbers.map(|partition| (topic.name.clone(), partition)));
        }
        let mut reading = BatchReading::open(&origin.settings, origin.patience, &origin.interrupt)?;
        reading.ranges(&partitions, &self.part, self.patience)
    }

    fn write(
        &self,
        flow: &mut dyn BatchFlow,
        writer: &mut Writer,
        manifest: &mut Manifest,
        progress: &mut Progress,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let mut saved = Instant::now();
        while !flow.is_done() {
            if interrupt.is_raised() {
                return Err(Error::interrupted());
            }
            flow.poll(STEP, writer)?;
            progress.show(writer.offsets_done(), writer.records, writer.bytes);
            if saved.elapsed() >= SAVE_EVERY {
                saved = Instant::now();
                writer.flush()?;
                enter(manifest, writer);
                manifest.write(&self.folder)?;
            }
        }
        Ok(())
    }

    /// Compares the backup with the cluster, as far as the cluster still has the records.
    fn verify(
        &self,
        manifest: &Manifest,
        origin: &ClusterOrigin,
        context: &mut Context,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let mut ranges = self.ranges(manifest, origin)?;
        for range in &mut ranges {
            let topic = manifest.topics.iter().find(|topic| topic.name == range.topic);
            let held = topic.and_then(|topic| topic.held(range.partition));
            let (from, next) = held.map_or((range.from, range.from), |held| (held.from, held.next));
            range.from = range.from.max(from);
            range.end = Some(next.max(range.from));
        }
        let folder = FolderOrigin {
            folder: self.folder.clone(),
        };
        let rules = Rules {
            filter: None,
            with_times: vec![true; ranges.len()],
        };
        let mut left = origin.read(ranges.clone())?;
        let mut right = folder.read(ranges.clone())?;
        let (same, differences) = compare::compare(&mut *left, &mut *right, &rules, interrupt)?;
        for difference in &differences {
            let range = ranges.get(difference.place);
            let name = range.map_or(String::new(), |range| {
                format!("{}-{}", range.topic, range.partition)
            });
            let offset = difference.left.or(difference.right).unwrap_or_default();
            context.printer.warning(format_args!(
                "{name} offset {offset} is not in the backup as it is in the cluster"
            ));
        }
        if !differences.is_empty() {
            return Err(Error::failed("the backup is not what the cluster holds"));
        }
        context.printer.note(format_args!(
            "verified: {} the same on both sides",
            plural(same, "record")
        ));
        Ok(())
    }
}

/// Enters in the manifest the offsets that were written.
fn enter(manifest: &mut Manifest, writer: &Writer) {
    for (topic, held) in writer.held() {
        let known = manifest.topics.iter_mut().find(|known| known.name == topic);
        let Some(known) = known else { continue };
        match known
            .ranges
            .iter_mut()
            .find(|known| known.partition == held.partition)
        {
            Some(known) => known.next = held.next,
            None => known.ranges.push(held),
        }
    }
}
