//! Moves of replicas between the log directories of their broker: requested, followed, stopped.
//!
//! Owns the meaning of a broker's answers for one move. A replica that is not on its broker yet cannot move: the broker
//! remembers the wanted directory, and creates the replica there.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::admin::AdminClient;
use crate::error::{Error, Result};
use crate::output::reassignment::{LogDirRow, on_broker};
use crate::output::reassignment_progress::Step;
use crate::reassignment::plan::{PartitionReplica, Plan};
use crate::reassignment::progress::{Copied, LogDirState, ReplicaDirs, log_dir_moves};
use crate::topic_partition::{BrokerId, TopicPartition};
use crate::wire::error_codes::REPLICA_NOT_AVAILABLE;

/// After this many looks, a replica that neither moves nor is in the wanted directory is believed to stay.
const LOOKS: u32 = 20;

/// The directory that a replica should move to, and where the replica was when the plan was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub to: String,
    pub was: ReplicaDirs,
}

/// The wanted directories by replica.
pub(super) type Wishes = BTreeMap<PartitionReplica, Wish>;

/// The directories that a plan wants and that are not reached. Errors call the plan `file`.
pub(super) fn wishes(admin: &mut AdminClient, plan: &Plan, file: &str) -> Result<Wishes> {
    let wanted = plan.log_dir_moves();
    check_dirs(admin, &wanted, file)?;
    let mut dirs = admin.replica_dirs(wanted.keys().cloned())?;
    let open = wanted.into_iter().filter_map(|(replica, to)| {
        let was = dirs.remove(&replica).unwrap_or_default();
        let is_there = was.current.as_ref() == Some(&to) && was.future.is_none();
        (!is_there).then_some((replica, Wish { to, was }))
    });
    Ok(open.collect())
}

/// Refuses directories that their broker does not have.
fn check_dirs(
    admin: &mut AdminClient,
    wanted: &BTreeMap<PartitionReplica, String>,
    file: &str,
) -> Result<()> {
    let brokers: BTreeSet<BrokerId> = wanted.keys().map(|replica| replica.broker).collect();
    let brokers: Vec<BrokerId> = brokers.into_iter().collect();
    let mut dirs: BTreeMap<BrokerId, Vec<String>> = BTreeMap::new();
    for (broker, found) in admin.describe_empty_log_dirs(&brokers)? {
        dirs.insert(broker, found?.into_iter().map(|dir| dir.path).collect());
    }
    for (replica, dir) in wanted {
        let broker = replica.broker;
        let Some(known) = dirs.get(&broker) else {
            let message = format!("{file}: broker {broker} does not tell its log directories");
            return Err(Error::unreachable(message).hint("is the broker up?"));
        };
        if !known.contains(dir) {
            let message = format!("{file}: broker {broker} has no log directory {dir}");
            return Err(Error::not_found(message).hint(format!("it has {}", known.join(", "))));
        }
    }
    Ok(())
}

/// The wishes as rows, all in one state.
pub(super) fn rows(wishes: &Wishes, state: &'static str) -> Vec<LogDirRow> {
    let row = |(replica, wish): (&PartitionReplica, &Wish)| LogDirRow {
        replica: replica.clone(),
        from: wish.was.current.clone(),
        to: wish.to.clone(),
        copied: wish.was.copied,
        state,
    };
    wishes.iter().map(row).collect()
}

/// Moves in progress as rows, each with its target.
pub(super) fn rows_there(under_way: &Wishes) -> Vec<LogDirRow> {
    let mut rows = rows(under_way, "moving");
    for row in &mut rows {
        if let Some(wish) = under_way.get(&row.replica) {
            row.to = wish.was.future.clone().unwrap_or_default();
        }
    }
    rows
}

/// Replicas, the directories they should be in, and their progress.
pub(super) type LogDirStates = BTreeMap<PartitionReplica, (String, LogDirState, ReplicaDirs)>;

/// The states of the replicas whose log directories a plan names.
pub(super) fn states(admin: &mut AdminClient, plan: &Plan) -> Result<LogDirStates> {
    let dirs = admin.replica_dirs(plan.log_dir_moves().into_keys())?;
    let of = |replica: &PartitionReplica| dirs.get(replica).cloned().unwrap_or_default();
    let states = log_dir_moves(plan, of).into_iter();
    Ok(states
        .map(|(replica, (to, state))| {
            let dirs = of(&replica);
            (replica, (to, state, dirs))
        })
        .collect())
}

/// Every replica that is moving between directories, of `plan` or of all live brokers, as wishes to stay.
pub(super) fn under_way(admin: &mut AdminClient, plan: Option<&Plan>) -> Result<Wishes> {
    let replicas = match plan {
        Some(plan) => admin.replica_dirs(plan.log_dir_moves().into_keys())?,
        None => every_replica(admin)?,
    };
    Ok(moving(replicas))
}

/// Those of some replicas that are moving, as wishes to stay.
pub(super) fn under_way_of(admin: &mut AdminClient, replicas: &BTreeSet<PartitionReplica>) -> Result<Wishes> {
    Ok(moving(admin.replica_dirs(replicas.iter().cloned())?))
}

fn moving(replicas: BTreeMap<PartitionReplica, ReplicaDirs>) -> Wishes {
    let back = replicas.into_iter().filter_map(|(replica, was)| {
        was.future.as_ref()?;
        let to = was.current.clone()?;
        Some((replica, Wish { to, was }))
    });
    back.collect()
}

fn every_replica(admin: &mut AdminClient) -> Result<BTreeMap<PartitionReplica, ReplicaDirs>> {
    let alive: Vec<BrokerId> = admin.brokers()?.iter().map(|broker| broker.id).collect();
    let mut all = BTreeMap::new();
    for (broker, files) in admin.replica_files_of_each(&alive, None)? {
        for (topic_partition, files) in files? {
            let replica = PartitionReplica {
                broker,
                topic_partition,
            };
            all.insert(replica, files.dirs);
        }
    }
    Ok(all)
}

/// Moves replicas back to their current directories, which stops their moves; returns those that were refused.
pub(super) fn stop(admin: &mut AdminClient, wishes: &Wishes) -> Result<BTreeMap<PartitionReplica, Error>> {
    let answers = admin.alter_replica_log_dirs(&targets(wishes))?;
    let refused = answers.into_iter().filter_map(|(replica, answer)| {
        let error = Error::from(answer.err()?);
        Some((replica, error))
    });
    Ok(refused.collect())
}

fn targets(wishes: &Wishes) -> BTreeMap<PartitionReplica, String> {
    let target = |(replica, wish): (&PartitionReplica, &Wish)| (replica.clone(), wish.to.clone());
    wishes.iter().map(target).collect()
}

/// A move that its broker has accepted.
#[derive(Debug)]
struct Moving {
    wish: Wish,
    copied: Copied,
    /// How many looks in a row showed it neither moving nor in the wanted directory.
    lost: u32,
}

/// The moves between log directories of one execution.
#[derive(Debug, Default)]
pub(super) struct LogDirMoves {
    pending: Wishes,
    moving: BTreeMap<PartitionReplica, Moving>,
    pub(super) finished: BTreeMap<PartitionReplica, Copied>,
    /// The errors of moves that failed.
    pub(super) failed: BTreeMap<PartitionReplica, String>,
}

impl LogDirMoves {
    pub(super) fn new(pending: Wishes) -> Self {
        Self {
            pending,
            ..Self::default()
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.pending.is_empty() && self.moving.is_empty()
    }

    /// How many moves are not finished, whether or not they have begun.
    pub(super) fn left(&self) -> usize {
        self.pending.len() + self.moving.len()
    }

    /// The state of one of the moves.
    pub(super) fn state_of(&self, replica: &PartitionReplica) -> &'static str {
        if self.finished.contains_key(replica) {
            "done"
        } else if self.failed.contains_key(replica) {
            "failed"
        } else if self.moving.contains_key(replica) {
            "moving"
        } else {
            "asked for"
        }
    }

    /// Requests all moves except those of `waiting` partitions. Those whose replica does not exist yet stay pending.
    pub(super) fn ask(&mut self, waiting: &BTreeSet<&TopicPartition>, admin: &mut AdminClient) -> Result<()> {
        let mut ready = targets(&self.pending);
        ready.retain(|replica, _| !waiting.contains(&replica.topic_partition));
        for (replica, answer) in admin.alter_replica_log_dirs(&ready)? {
            match answer {
                Err(error) if error.code == REPLICA_NOT_AVAILABLE => {}
                Err(error) => {
                    let to = ready.get(&replica).map_or("", String::as_str);
                    self.failed.insert(replica.clone(), format!("{to}: {error}"));
                    self.pending.remove(&replica);
                }
                Ok(()) => {
                    if let Some(wish) = self.pending.remove(&replica) {
                        let moving = Moving {
                            copied: wish.was.copied,
                            wish,
                            lost: 0,
                        };
                        self.moving.insert(replica, moving);
                    }
                }
            }
        }
        Ok(())
    }

    /// Checks the progress of the moves that were begun.
    pub(super) fn look(&mut self, admin: &mut AdminClient) -> Result<()> {
        for (replica, dirs) in admin.replica_dirs(self.moving.keys().cloned())? {
            let Some(moving) = self.moving.get_mut(&replica) else {
                continue;
            };
            let to = &moving.wish.to;
            let problem = match (dirs.current, dirs.future) {
                (Some(current), None) if current == *to => {
                    let total = moving.copied.total.max(dirs.copied.total);
                    self.finished
                        .insert(replica.clone(), Copied { done: total, total });
                    self.moving.remove(&replica);
                    continue;
                }
                (_, Some(future)) if future == *to => {
                    moving.copied = dirs.copied;
                    moving.lost = 0;
                    continue;
                }
                (_, Some(future)) => format!("was sent to {future} by somebody else"),
                (Some(current), None) => format!("was stopped: it is in {current}"),
                (None, None) => "is on no live log directory any more".to_owned(),
            };
            moving.lost += 1;
            if moving.lost >= LOOKS {
                self.failed.insert(replica.clone(), problem);
                self.moving.remove(&replica);
            }
        }
        Ok(())
    }

    /// Every move that has begun or ended, for the bars.
    pub(super) fn steps(&self) -> impl Iterator<Item = Step> {
        let finished = self.finished.iter().map(|(replica, copied)| Step {
            name: on_broker(replica),
            copied: *copied,
            is_done: true,
        });
        let moving = self.moving.iter().map(|(replica, moving)| Step {
            name: on_broker(replica),
            copied: moving.copied,
            is_done: false,
        });
        finished.chain(moving)
    }
}
