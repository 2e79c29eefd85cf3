//! What goes wrong, one thing after the other, by a schedule drawn from a seed.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use kafkit::broker::host::control::{NodeVerb, Question};
use kafkit::storage::disk_faults::{DiskRule, Effect, Operation};
use rustix::process::Signal;

use crate::support::cluster::Cluster;
use crate::support::random::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Storm {
    Kill,
    Restart,
    Freeze,
    FailingDisk,
    FullDisk,
    FailingSync,
    ClockJump,
    HalfOpen,
    NodeKill,
    NodeStop,
    NodePause,
}

/// How often each has happened.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeMap<Storm, u64>);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self
            .0
            .iter()
            .map(|(storm, count)| format!("{count} {storm:?}"))
            .collect();
        f.write_str(&all.join(", "))
    }
}

const ANYWHERE: &[Storm] = &[
    Storm::Kill,
    Storm::Kill,
    Storm::Kill,
    Storm::Kill,
    Storm::Restart,
    Storm::Freeze,
    Storm::FailingDisk,
    Storm::FailingDisk,
    Storm::FullDisk,
    Storm::FailingSync,
    Storm::ClockJump,
    Storm::HalfOpen,
];
const OF_SEVERAL: &[Storm] = &[
    Storm::NodeKill,
    Storm::NodeKill,
    Storm::NodeStop,
    Storm::NodePause,
];

/// Storms until `end`; then all is well again.
pub(super) fn run(
    cluster: &mut Cluster,
    random: &mut Random,
    end: Instant,
    nodes: u16,
    flushes: bool,
) -> Told {
    let mut told = Told::default();
    let mut storms = ANYWHERE.to_vec();
    if nodes > 1 {
        storms.extend(OF_SEVERAL);
    }
    if !flushes {
        // Nothing is synced but what ends a segment: it would be a matter of luck.
        storms.retain(|storm| *storm != Storm::FailingSync);
    }
    while Instant::now() < end {
        nap(random, 50, 600);
        let storm = random.pick(&storms);
        *told.0.entry(storm).or_default() += 1;
        strike(cluster, random, storm, nodes);
        if cluster.has_ended() {
            cluster.crash_and_restart();
        }
    }
    for node in 1..=i32::from(nodes) {
        for verb in [NodeVerb::Resume(node), NodeVerb::Start(node)] {
            cluster.ask(&Question::Node(verb));
        }
    }
    told
}

fn nap(random: &mut Random, least_ms: i64, most_ms: i64) {
    std::thread::sleep(Duration::from_millis(
        random.between(least_ms, most_ms).unsigned_abs(),
    ));
}

fn strike(cluster: &mut Cluster, random: &mut Random, storm: Storm, nodes: u16) {
    let node = random.between(1, nodes.into()) as i32;
    match storm {
        Storm::Kill => cluster.crash_and_restart(),
        Storm::Restart => restart(cluster),
        Storm::Freeze => {
            cluster.signal(Signal::STOP);
            nap(random, 50, 1000);
            cluster.signal(Signal::CONT);
        }
        Storm::FailingDisk => {
            let rules = (0..3).map(|_| any_rule(random)).collect();
            with_disk(cluster, random, rules);
        }
        Storm::FullDisk => {
            let room = Effect::Room(random.below(20_000) as u64);
            with_disk(cluster, random, vec![rule(Operation::Write, room, None)]);
        }
        Storm::FailingSync => {
            let fails = Effect::Fail(libc::EIO);
            with_disk(cluster, random, vec![rule(Operation::Sync, fails, Some(1))]);
            // The only node ends; another is started again.
            if nodes > 1 {
                nap(random, 300, 600);
                for id in 1..=i32::from(nodes) {
                    cluster.ask(&Question::Node(NodeVerb::Start(id)));
                }
            }
        }
        Storm::ClockJump => {
            let jump = random.between(-3_600_000, 3_600_000);
            cluster.ask(&Question::ShiftClock(jump));
        }
        Storm::HalfOpen => half_open(cluster, random),
        Storm::NodeKill => away(cluster, random, NodeVerb::Kill(node), NodeVerb::Start(node)),
        Storm::NodeStop => away(cluster, random, NodeVerb::Stop(node), NodeVerb::Start(node)),
        Storm::NodePause => away(cluster, random, NodeVerb::Pause(node), NodeVerb::Resume(node)),
    }
}

/// The broker is told to end, and started again; it may just be ending because of its disk.
fn restart(cluster: &mut Cluster) {
    cluster.signal(Signal::TERM);
    let patience = Instant::now() + Duration::from_secs(120);
    while !cluster.has_ended() {
        assert!(
            Instant::now() < patience,
            "the broker does not end when it is told to"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    cluster.crash_and_restart();
}

/// A node goes, and comes back.
fn away(cluster: &Cluster, random: &mut Random, goes: NodeVerb, comes: NodeVerb) {
    cluster.ask(&Question::Node(goes));
    nap(random, 50, 1500);
    cluster.ask(&Question::Node(comes));
}

/// The disk fails for a while. In a third of the cases the broker is killed meanwhile.
fn with_disk(cluster: &mut Cluster, random: &mut Random, rules: Vec<DiskRule>) {
    let below = cluster.data_dir();
    let fail = |cluster: &Cluster, rules: Vec<DiskRule>| {
        let below = below.clone();
        cluster.ask(&Question::FailDisk { below, rules });
    };
    fail(cluster, rules);
    nap(random, 50, 800);
    if random.chance(33) {
        cluster.crash_and_restart();
    } else {
        fail(cluster, Vec::new());
    }
}

fn any_rule(random: &mut Random) -> DiskRule {
    let operation = random.pick(&[
        Operation::Write,
        Operation::Write,
        Operation::Create,
        Operation::Truncate,
        Operation::Rename,
        Operation::Remove,
        Operation::Read,
    ]);
    let effect = match random.below(4) {
        0 if operation == Operation::Write => Effect::Tear(random.below(100) as u8),
        1 => Effect::WaitMs(random.below(30) as u64),
        _ => Effect::Fail(random.pick(&[libc::EIO, libc::ENOSPC, libc::EMFILE])),
    };
    let count = Some(1 + random.below(8) as u64);
    DiskRule {
        skip: random.below(20) as u64,
        ..rule(operation, effect, count)
    }
}

fn rule(operation: Operation, effect: Effect, count: Option<u64>) -> DiskRule {
    DiskRule {
        operation,
        named: String::new(),
        skip: 0,
        count,
        effect,
    }
}

/// Clients that say half a sentence, and clients that say nothing, and stay.
fn half_open(cluster: &Cluster, random: &mut Random) {
    let address = cluster.bootstrap();
    let address = address.split(',').next().unwrap_or_default().to_owned();
    let promise = [0, 0, 0x40, 0, 0, 0, 0, 11, 0, 0];
    let mut open: Vec<TcpStream> = Vec::new();
    for _ in 0..30 {
        let Ok(mut stream) = TcpStream::connect(&address) else {
            break;
        };
        let said = random.below(promise.len());
        let _ = stream.write_all(&promise[..said]);
        open.push(stream);
    }
    nap(random, 50, 500);
}
