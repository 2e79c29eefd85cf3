//! Moves in progress: started in batches, followed to their end, measured in bytes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::checks::Work;
use super::cluster::{self, Sizes};
use super::execution_throttles;
use super::interrupt::Interrupt;
use super::log_dir_moves::LogDirMoves;
use super::patience::Patience;
use super::throttles::Changes;
use crate::client::admin::AdminClient;
use crate::commands::context::Context;
use crate::error::{Error, Result};
use crate::output::reassignment_progress::{Bars, Step};
use crate::reassignment::Assignment;
use crate::reassignment::active::{ActiveReassignment, ActiveReassignments};
use crate::reassignment::plan::comma_separated;
use crate::reassignment::progress::{Copied, copied};
use crate::topic_partition::{BrokerId, TopicPartition};

/// The pause between two looks at the cluster.
const PAUSE: Duration = Duration::from_millis(500);
/// A broker may report a finished move later than the controller; after this many looks its answer is believed.
const LOOKS: u32 = 20;

/// The limits of the moves of a plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace<'t> {
    /// How many partitions move at a time; `None` for all.
    pub concurrent: Option<usize>,
    /// The throttles that were set before the first move.
    pub throttle: &'t Changes,
}

/// One partition that is being moved.
#[derive(Debug)]
struct Moving {
    target: Vec<BrokerId>,
    sources: Vec<BrokerId>,
    destinations: Vec<BrokerId>,
    copied: Copied,
    /// How many looks in a row showed it neither moving nor at its target.
    lost: u32,
}

impl Moving {
    /// The brokers that block it: destinations that are down, and all sources if none of them is up.
    fn waits_for(&self, alive: &BTreeSet<BrokerId>) -> Vec<BrokerId> {
        let has_source = self.sources.iter().any(|broker| alive.contains(broker));
        let sources = self.sources.iter().filter(|_| !has_source);
        let needed: BTreeSet<BrokerId> = self.destinations.iter().chain(sources).copied().collect();
        needed.difference(alive).copied().collect()
    }
}

/// The moves of one plan.
#[derive(Debug)]
pub(super) struct Watch {
    pending: VecDeque<(TopicPartition, Vec<BrokerId>)>,
    moving: BTreeMap<TopicPartition, Moving>,
    /// The bytes copied for each finished partition.
    pub finished: BTreeMap<TopicPartition, Copied>,
    /// The errors by partition or replica.
    pub failed: BTreeMap<String, String>,
    pub log_dirs: LogDirMoves,
    /// Whether another process stopped a move, so that no further one is started.
    is_halted: bool,
    current: Assignment,
    sizes: Sizes,
    down: BTreeSet<BrokerId>,
}

impl Watch {
    /// A watch over `work`; `sizes` are those of the replicas that exist.
    pub(super) fn new(work: Work, sizes: Sizes) -> Self {
        let mut watch = Self {
            pending: work.start.into_iter().collect(),
            moving: BTreeMap::new(),
            finished: BTreeMap::new(),
            failed: BTreeMap::new(),
            log_dirs: LogDirMoves::new(work.log_dirs),
            is_halted: false,
            current: work.current,
            sizes,
            down: BTreeSet::new(),
        };
        for (name, target) in work.under_way {
            let sources = work
                .active
                .get(&name)
                .map(ActiveReassignment::sources)
                .unwrap_or_default();
            watch.follow(name, target, sources);
        }
        watch
    }

    fn follow(&mut self, name: TopicPartition, target: Vec<BrokerId>, sources: Vec<BrokerId>) {
        let destinations = added(&target, &sources);
        let moving = Moving {
            copied: copied(&sources, &destinations, |broker| self.sizes.on(broker, &name)),
            target,
            sources,
            destinations,
            lost: 0,
        };
        self.moving.insert(name, moving);
    }

    pub(super) fn is_moving(&self) -> bool {
        !self.moving.is_empty() || !self.log_dirs.is_over()
    }

    pub(super) fn moving(&self) -> impl Iterator<Item = &TopicPartition> {
        self.moving.keys()
    }

    pub(super) fn not_started(&self) -> usize {
        self.pending.len()
    }

    fn is_over(&self) -> bool {
        (self.pending.is_empty() || self.is_halted) && !self.is_moving()
    }

    /// Requests the log directories first: the broker creates a later replica in the wanted directory, and begins to
    /// move the existing ones.
    pub(super) fn begin(&mut self, context: &mut Context) -> Result<()> {
        self.log_dirs.ask(&BTreeSet::new(), context.client.admin()?)
    }

    /// Starts as many moves as `pace` allows; none while it is unclear whether a move was stopped.
    pub(super) fn start(&mut self, pace: Pace<'_>, context: &mut Context) -> Result<()> {
        if self.is_halted || self.moving.values().any(|moving| moving.lost > 0) {
            return Ok(());
        }
        let free = pace.concurrent.unwrap_or(usize::MAX);
        let count = free.saturating_sub(self.moving.len()).min(self.pending.len());
        if count == 0 {
            return Ok(());
        }
        let batch: Assignment = self.pending.iter().take(count).cloned().collect();
        if !self.finished.is_empty() {
            execution_throttles::keep(pace.throttle, &batch, &self.current, context)?;
        }
        let wanted = batch
            .iter()
            .map(|(name, replicas)| (name.clone(), Some(replicas.clone())))
            .collect();
        // Without an answer they stay pending, and are requested again: the same request twice changes nothing.
        let refused = context.client.admin()?.alter_reassignments(&wanted, true)?;
        self.pending.drain(..count);
        if refused.len() == batch.len()
            && self.moving.is_empty()
            && self.finished.is_empty()
            && let Some((name, error)) = refused.first_key_value()
        {
            return Err(Error::from(error.clone()).context(name));
        }
        for (name, target) in batch {
            if let Some(error) = refused.get(&name) {
                self.failed.insert(name.to_string(), error.to_string());
            } else {
                let sources = self.current.get(&name).cloned().unwrap_or_default();
                self.follow(name, target, sources);
            }
        }
        Ok(())
    }

    /// Starts what is left and follows everything to its end, or until Ctrl-C.
    pub(super) fn run(&mut self, pace: Pace<'_>, interrupt: &Interrupt, context: &mut Context) -> Result<()> {
        let mut bars = Bars::new(context.printer.is_quiet());
        let mut patience = Patience::default();
        while !self.is_over() && !interrupt.was_asked() {
            let step = self.step(pace, context);
            if let Err(error) = patience.with(step, context) {
                bars.finish();
                return Err(error);
            }
            bars.show(&self.steps(), &self.waiting());
            if !self.is_over() {
                interrupt.pause(PAUSE);
            }
        }
        bars.finish();
        Ok(())
    }

    fn step(&mut self, pace: Pace<'_>, context: &mut Context) -> Result<()> {
        let admin = context.client.admin()?;
        admin.refresh()?;
        let active = admin.active_reassignments()?;
        self.settle(&active, admin)?;
        self.start(pace, context)?;
        self.move_log_dirs(context.client.admin()?)?;
        self.measure(context)?;
        self.note_brokers_down(context)
    }

    /// Finds the moves that have ended, and how they ended.
    fn settle(&mut self, active: &ActiveReassignments, admin: &mut AdminClient) -> Result<()> {
        let ended: Vec<TopicPartition> = self
            .moving
            .keys()
            .filter(|name| !active.contains_key(*name))
            .cloned()
            .collect();
        let current = cluster::assignment(admin, ended.iter().map(|name| name.topic.as_str()))?;
        for name in ended {
            let Some(moving) = self.moving.get_mut(&name) else {
                continue;
            };
            let replicas = current.get(&name).cloned().unwrap_or_default();
            if replicas == moving.target {
                let total = moving.copied.total;
                self.finished.insert(name.clone(), Copied { done: total, total });
                self.moving.remove(&name);
                continue;
            }
            moving.lost += 1;
            if moving.lost >= LOOKS {
                let reason = if replicas.is_empty() {
                    "does not exist any more".to_owned()
                } else {
                    self.is_halted = true;
                    format!("was stopped: it is on {}", comma_separated(&replicas))
                };
                self.failed.insert(name.to_string(), reason);
                self.moving.remove(&name);
            }
        }
        for (name, reassignment) in active {
            if self
                .moving
                .get(name)
                .is_some_and(|moving| moving.target != reassignment.target())
            {
                let target = comma_separated(reassignment.target());
                self.failed
                    .insert(name.to_string(), format!("was sent to {target} by somebody else"));
                self.moving.remove(name);
            }
        }
        Ok(())
    }

    /// Asks the destinations how many bytes they have.
    fn measure(&mut self, context: &mut Context) -> Result<()> {
        let mut receiving: BTreeMap<BrokerId, BTreeSet<TopicPartition>> = BTreeMap::new();
        for (name, moving) in &self.moving {
            for broker in &moving.destinations {
                receiving.entry(*broker).or_default().insert(name.clone());
            }
        }
        let admin = context.client.admin()?;
        let alive: Vec<BrokerId> = admin.brokers()?.iter().map(|broker| broker.id).collect();
        let names: BTreeSet<TopicPartition> = receiving.values().flatten().cloned().collect();
        let mut brokers: Vec<BrokerId> = receiving.into_keys().collect();
        brokers.retain(|broker| alive.contains(broker));
        for (broker, files) in admin.replica_files_of_each(&brokers, Some(&names))? {
            for (name, files) in files.unwrap_or_default() {
                self.sizes.set(broker, name, files);
            }
        }
        for (name, moving) in &mut self.moving {
            let now = copied(&moving.sources, &moving.destinations, |broker| {
                self.sizes.on(broker, name)
            });
            moving.copied = now;
        }
        Ok(())
    }

    /// Reports once for each broker that a move waits for it.
    fn note_brokers_down(&mut self, context: &mut Context) -> Result<()> {
        let admin = context.client.admin()?;
        let alive: BTreeSet<BrokerId> = admin.brokers()?.iter().map(|broker| broker.id).collect();
        let mut waiting: BTreeMap<BrokerId, usize> = BTreeMap::new();
        for moving in self.moving.values() {
            for broker in moving.waits_for(&alive) {
                *waiting.entry(broker).or_default() += 1;
            }
        }
        for (broker, count) in &waiting {
            if self.down.insert(*broker) {
                let noun = if *count == 1 {
                    "partition waits"
                } else {
                    "partitions wait"
                };
                let line = format!("broker {broker} is down: {count} {noun} for it");
                context.printer.note(line);
            }
        }
        self.down.retain(|broker| waiting.contains_key(broker));
        Ok(())
    }

    /// Requests moves between log directories of partitions that have arrived, and checks those that were begun.
    fn move_log_dirs(&mut self, admin: &mut AdminClient) -> Result<()> {
        let waiting: BTreeSet<&TopicPartition> = self
            .pending
            .iter()
            .map(|(name, _)| name)
            .chain(self.moving.keys())
            .collect();
        self.log_dirs.ask(&waiting, admin)?;
        self.log_dirs.look(admin)
    }

    /// The bytes to copy for each partition that has not begun.
    fn waiting(&self) -> Vec<Copied> {
        let copy = |(name, target): &(TopicPartition, Vec<BrokerId>)| {
            let sources = self.current.get(name).map_or(&[][..], Vec::as_slice);
            copied(sources, &added(target, sources), |broker| {
                self.sizes.on(broker, name)
            })
        };
        self.pending.iter().map(copy).collect()
    }

    /// Every move that has begun or ended, for the bars.
    fn steps(&self) -> Vec<Step> {
        let finished = self.finished.iter().map(|(name, copied)| Step {
            name: name.to_string(),
            copied: *copied,
            is_done: true,
        });
        let moving = self.moving.iter().map(|(name, moving)| Step {
            name: name.to_string(),
            copied: moving.copied,
            is_done: false,
        });
        finished.chain(moving).chain(self.log_dirs.steps()).collect()
    }
}

/// The brokers of a target that have no copy yet.
fn added(target: &[BrokerId], sources: &[BrokerId]) -> Vec<BrokerId> {
    let is_new = |broker: &&BrokerId| !sources.contains(broker);
    target.iter().filter(is_new).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_waits_for_who_receives_and_for_the_last_that_could_send() {
        let moving = Moving {
            target: vec![3],
            sources: vec![1, 2],
            destinations: vec![3],
            copied: Copied::default(),
            lost: 0,
        };
        let waits = |alive: &[BrokerId]| moving.waits_for(&alive.iter().copied().collect());
        assert!(waits(&[1, 2, 3]).is_empty());
        assert!(waits(&[2, 3]).is_empty());
        assert_eq!(waits(&[1]), [3]);
        assert_eq!(waits(&[3]), [1, 2]);
    }
}
