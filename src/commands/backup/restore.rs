//! A backup's topics into a cluster: a copy whose source is a folder.

use std::path::{Path, PathBuf};

use super::folder_origin::FolderOrigin;
use super::manifest::{Manifest, Topic};
use crate::commands::batch_reading::Range;
use crate::commands::command::{Command, Needs};
use crate::commands::context::Context;
use crate::commands::copy::{self, Source};
use crate::commands::two_clusters::TwoClusters;
use crate::error::{Error, Result};
use crate::interrupt::{Grace, Interrupt};

/// What the user asked for.
#[derive(Debug)]
pub struct Restore {
    pub folder: PathBuf,
    /// Which topics are restored, their new names, and how.
    pub copy: copy::Action,
}

impl Command for Restore {
    fn needs(&self) -> Needs {
        Needs::RECORDS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        let interrupt = Interrupt::install_with_watchdog(Grace::OF_TRANSFERS)?;
        context.note_settings();
        let manifest = Manifest::read(&self.folder)?.ok_or_else(|| {
            let shown = self.folder.display();
            Error::not_found(format!("{shown} holds no backup: there is no backup.json in it"))
        })?;
        let sources = self.sources(&manifest)?;
        let mut clusters = TwoClusters::new(context, None, self.copy.output)?;
        let pairs = copy::pairs(&self.copy, sources, false, &mut clusters)?;
        let mut ranges = Vec::new();
        for pair in &pairs {
            let topic = manifest
                .topics
                .iter()
                .find(|topic| topic.name == pair.source.name);
            ranges.extend(topic.into_iter().flat_map(|topic| self.ranges(topic)));
        }
        let origin = FolderOrigin {
            folder: self.folder.clone(),
        };
        let source_id = name_of(&self.folder);
        let job = copy::Job {
            action: &self.copy,
            pairs: &pairs,
            origin: &origin,
            source_id: Some(&source_id),
            interrupt: &interrupt,
        };
        copy::copy(&job, ranges, &mut clusters)
    }
}

impl Restore {
    /// The topics of the backup that are selected.
    fn sources(&self, manifest: &Manifest) -> Result<Vec<Source>> {
        let sources: Vec<Source> = manifest.topics.iter().map(Topic::to_source).collect();
        let topics = sources.iter().map(|source| source.topic.clone()).collect();
        let (chosen, missing) = self.copy.topics.choose(topics)?;
        if let Some(name) = missing.first() {
            let shown = self.folder.display();
            return Err(Error::not_found(format!(
                "topic \"{name}\" is not in the backup {shown}"
            )));
        }
        let is_chosen = |source: &Source| chosen.iter().any(|topic| topic.name == source.topic.name);
        Ok(sources.into_iter().filter(is_chosen).collect())
    }

    fn ranges<'a>(&'a self, topic: &'a Topic) -> impl Iterator<Item = Range> + 'a {
        let held = topic.ranges.iter();
        held.filter(|held| self.copy.part.takes(held.partition))
            .map(|held| Range {
                topic: topic.name.clone(),
                partition: held.partition,
                from: held.from,
                end: Some(held.next),
            })
    }
}

/// The name of a backup in checkpoints.
fn name_of(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    format!("backup {}", whole.display())
}
