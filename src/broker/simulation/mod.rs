//! Several nodes in one thread, under a simulated clock, network and disk: nodes die, pause and return, messages are
//! late, duplicated or lost, and data that was not synced may be gone.
//!
//! [`partition`] has three replicas of one partition and their controller, and delays metadata as well; [`cluster`]
//! has whole nodes with their coordinators, and [`clients`] that write, commit and read; its [`cast`] has either
//! transactions, or groups of the new protocols. One seed is one schedule: `KAFKIT_SEED=n` runs it again,
//! `KAFKIT_SCHEDULES=n` runs more of them.

mod cast;
mod clients;
mod cluster;
mod cluster_checks;
mod cluster_clients;
mod cluster_end;
mod cluster_faults;
mod cluster_network;
mod commit_ledger;
mod consumer_group_member;
mod disk;
mod group_checks;
mod log_content;
mod member_requests;
mod partition;
mod partition_checks;
mod served;
mod share_ledger;
mod share_member;
mod share_sessions;
mod transactional_client;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use tempfile::TempDir;

use super::clock::{self, Simulated};
use super::cluster::partition_image::PartitionImage;

/// The time at which every simulation begins, in milliseconds since 1970.
const BEGIN_MS: i64 = 1_700_000_000_000;

/// A simulated world.
trait World: Sized {
    fn new(seed: u64) -> Self;

    /// Runs it to its end; panics if a check fails.
    fn run(&mut self);

    /// What has happened, one event per line.
    fn story(&self) -> &[String];

    /// The number of things that clients have achieved.
    fn deeds(&mut self) -> usize;
}

/// Sets both clocks to the beginning.
fn set_clocks() {
    clock::set(Some(Simulated {
        day_ms: BEGIN_MS,
        steady_ms: BEGIN_MS,
    }));
}

/// Advances both clocks.
fn pass(ms: i64) {
    let now = clock::simulated().unwrap_or(Simulated {
        day_ms: BEGIN_MS,
        steady_ms: BEGIN_MS,
    });
    clock::set(Some(Simulated {
        day_ms: now.day_ms + ms,
        steady_ms: now.steady_ms + ms,
    }));
}

/// Sets the time of day, possibly back; deadlines follow the other clock.
fn set_day(by_ms: i64) {
    if let Some(now) = clock::simulated() {
        clock::set(Some(Simulated {
            day_ms: now.day_ms + by_ms,
            ..now
        }));
    }
}

/// Whether a replica may become leader with the log that it has: in-sync and eligible replicas, and the last leader
/// if there are no others.
fn may_lead(partition: &PartitionImage, id: i32) -> bool {
    let may = [
        &partition.isr,
        &partition.eligible,
        &partition.last_known_eligible,
    ];
    partition.leader == id || may.iter().any(|ids| ids.contains(&id))
}

/// A folder in memory if possible.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = tempfile::tempdir_in(memory);
    made.or_else(|_| tempfile::tempdir()).unwrap()
}

/// Runs one schedule. Returns its story, and the number of things that clients have achieved.
fn run<W: World>(seed: u64) -> (Vec<String>, usize) {
    set_clocks();
    let mut world = W::new(seed);
    let outcome = catch_unwind(AssertUnwindSafe(|| world.run()));
    let story = world.story();
    if let Err(panic) = outcome {
        let last = &story[story.len().saturating_sub(80)..];
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        panic!(
            "{}\nKAFKIT_SEED={seed} runs this schedule again; its last events:\n{}",
            words.unwrap_or_default(),
            last.join("\n")
        );
    }
    let told = (story.to_vec(), world.deeds());
    drop(world);
    clock::set(None);
    told
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs the schedule of `KAFKIT_SEED`, or many: `quick` of them in unoptimised builds. Those in `found`, which have
/// found a fault before, always run.
fn run_schedules<W: World>(quick: u64, optimised: u64, found: &[u64]) {
    if let Some(seed) = number("KAFKIT_SEED") {
        run::<W>(seed);
        return;
    }
    let count = if cfg!(debug_assertions) { quick } else { optimised };
    let count = number("KAFKIT_SCHEDULES").unwrap_or(count);
    let seeds = found.iter().copied().chain(0..count);
    let deeds: usize = seeds.map(|seed| run::<W>(seed).1).sum();
    assert!(
        deeds as u64 >= count,
        "{count} schedules, and {deeds} deeds of clients"
    );
}

#[test]
fn whatever_dies_nothing_that_was_acknowledged_is_lost_and_all_logs_end_equal() {
    run_schedules::<partition::PartitionWorld>(100, 6000, &[789, 2112]);
}

#[test]
fn wherever_coordinators_move_transactions_are_whole_and_commits_stay() {
    run_schedules::<cluster::ClusterWorld>(25, 4000, &[17, 22, 71, 75, 83, 102, 184, 1063, 1737, 2875]);
}

#[test]
fn wherever_coordinators_move_members_hold_what_is_theirs_and_what_they_accepted_is_done_with() {
    run_schedules::<cluster::GroupWorld>(25, 2000, &[22, 97, 102, 212, 243, 329, 382, 3411]);
}

#[test]
fn a_seed_tells_the_same_story_again() {
    for seed in 1000..1003 {
        assert_eq!(
            run::<partition::PartitionWorld>(seed),
            run::<partition::PartitionWorld>(seed)
        );
        assert_eq!(
            run::<cluster::ClusterWorld>(seed),
            run::<cluster::ClusterWorld>(seed)
        );
        assert_eq!(run::<cluster::GroupWorld>(seed), run::<cluster::GroupWorld>(seed));
    }
}
