//! kafkit's own commands under storms, killed and started again: a producer that goes on where it was cut, a copy that
//! goes on, and a group of one consumer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Shared, link};
use crate::support::random::Random;
use crate::support::suite::Suite;

/// Lines that the producer gets to read before each of its runs.
const LINES: u64 = 200;
/// How long a run may take that has nothing in its way.
const PATIENCE: Duration = Duration::from_secs(300);

/// How often each was started, and killed.
#[derive(Debug, Default)]
pub(super) struct Programs {
    runs: u64,
    kills: u64,
    lines: u64,
}

impl fmt::Display for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, kills, lines } = self;
        write!(f, "{runs} runs of kafkit with {kills} kills, {lines} lines sent")
    }
}

#[derive(Clone, Copy, Debug)]
enum Program {
    Produce,
    Copy,
    Consume,
}

impl Program {
    fn command(self, suite: &Suite, shared: &Shared) -> Command {
        let bootstrap = shared.addresses.bootstrap();
        let mut command = suite.command(match self {
            Self::Produce => vec!["produce", "lines", "input", "--resume-from", "progress"],
            Self::Copy => vec!["copy", "numbers", "copies", "--checkpoint", "copied"],
            Self::Consume => vec![
                "consume",
                "numbers",
                "-e",
                "-g",
                "torture-readers",
                "-X",
                "session.timeout.ms=6000",
                "-f",
                "%p %o\\n",
            ],
        });
        command.args(["-q", "-b", &bootstrap]).stdin(Stdio::null());
        if let Self::Produce = self {
            command.args(["--transactional-id", "torture-lines", "--transaction-every", "50"]);
        }
        let out = match self {
            Self::Consume => Stdio::from(append_to(suite, "read")),
            _ => Stdio::null(),
        };
        command.stdout(out).stderr(append_to(suite, "said"));
        command
    }
}

/// What a program that was killed had begun to write stays a line of its own.
fn append_to(suite: &Suite, name: &str) -> File {
    let path = suite.home().join(name);
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .expect("a file");
    let written = std::fs::read(&path).expect("what is there");
    if written.last().is_some_and(|last| *last != b'\n') {
        file.write_all(b"\n").expect("a line");
    }
    file
}

pub(super) fn run(shared: &Shared, suite: &Suite, seed: u64) -> Programs {
    std::thread::scope(|scope| {
        let all = [Program::Produce, Program::Copy, Program::Consume];
        let started = all.map(|program| {
            let mut random = Random::new(seed ^ (1 + program as u64));
            scope.spawn(move || keep_running(shared, suite, program, &mut random))
        });
        let mut sum = Programs::default();
        for each in started {
            let each = each.join().expect("a program");
            sum.runs += each.runs;
            sum.kills += each.kills;
            sum.lines += each.lines;
        }
        sum
    })
}

fn keep_running(shared: &Shared, suite: &Suite, program: Program, random: &mut Random) -> Programs {
    let mut done = Programs::default();
    while !shared.is_over() {
        if let Program::Produce = program {
            let mut input = append_to(suite, "input");
            for _ in 0..LINES {
                writeln!(input, "{}", done.lines).expect("a line");
                done.lines += 1;
            }
        }
        let mut child = program.command(suite, shared).spawn().expect("kafkit");
        done.runs += 1;
        let limit = Duration::from_millis(random.between(50, 1500).unsigned_abs());
        if random.chance(70) && !ends_within(&mut child, limit) {
            child.kill().expect("a program to kill");
            done.kills += 1;
        } else if !ends_within(&mut child, PATIENCE) {
            shared.broke(format!("{program:?} does not end"));
            child.kill().expect("a program to kill");
        }
        child.wait().expect("its end");
    }
    done
}

fn ends_within(child: &mut Child, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if child.try_wait().expect("its state").is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// The last run has nothing in its way.
fn run_to_its_end(program: Program, suite: &Suite, shared: &Shared) {
    let mut child = program.command(suite, shared).spawn().expect("kafkit");
    let ended = ends_within(&mut child, PATIENCE);
    let _ = child.kill();
    let status = child.wait().expect("its end");
    if !ended || !status.success() {
        let said = std::fs::read_to_string(suite.home().join("said")).expect("what it said");
        let last = said.lines().rev().take(3).collect::<Vec<_>>();
        shared.broke(format!("{program:?} ended with {status} in the end: {last:?}"));
    }
}

impl Programs {
    /// After a last run of each: the lines are there, the copy is one, and every record was read.
    pub(super) fn check(&self, suite: &Suite, shared: &Shared, numbers: &BTreeMap<i32, Vec<(i64, String)>>) {
        for program in [Program::Produce, Program::Copy, Program::Consume] {
            run_to_its_end(program, suite, shared);
        }
        // A reader that was killed while it joined has its share of the partitions until its session is over.
        let end = Instant::now() + PATIENCE;
        while unread(suite, numbers).next().is_some() && Instant::now() < end {
            run_to_its_end(Program::Consume, suite, shared);
        }
        self.check_lines(shared, &link::read(suite, shared, "lines"));
        check_copies(shared, numbers, &link::read(suite, shared, "copies"));
        for record in unread(suite, numbers) {
            shared.broke(format!("the group has not read {record}"));
        }
    }

    /// What was sent within the second before a kill may be there twice: the file of the progress did not know yet.
    fn check_lines(&self, shared: &Shared, found: &BTreeMap<i32, Vec<(i64, String)>>) {
        let all = found.values().flatten();
        let seen: BTreeSet<u64> = all.map(|(_, value)| value.parse().expect("a line")).collect();
        let count: usize = found.values().map(Vec::len).sum();
        if self.kills == 0 && count > seen.len() {
            shared.broke(format!("{} lines are there twice", count - seen.len()));
        }
        if let Some(lost) = (0..self.lines).find(|line| !seen.contains(line)) {
            let count = seen.len();
            shared.broke(format!(
                "line {lost} is missing; there are {count} of {}",
                self.lines
            ));
        }
    }
}

fn check_copies(
    shared: &Shared,
    numbers: &BTreeMap<i32, Vec<(i64, String)>>,
    copies: &BTreeMap<i32, Vec<(i64, String)>>,
) {
    for (partition, source) in numbers {
        let values =
            |records: &[(i64, String)]| records.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>();
        let source = values(source);
        let target = values(copies.get(partition).map_or(&[], Vec::as_slice));
        if source != target {
            let at = source
                .iter()
                .zip(&target)
                .take_while(|(one, other)| one == other)
                .count();
            let (one, other) = (source.len(), target.len());
            let near = (source.get(at), target.get(at));
            shared.broke(format!(
                "the copy of {partition} has {other} of {one} records, and differs at {at}: {near:?}"
            ));
        }
    }
}

/// The first record of each partition that the group has not read.
fn unread(
    suite: &Suite,
    numbers: &BTreeMap<i32, Vec<(i64, String)>>,
) -> impl Iterator<Item = String> + use<> {
    let read = std::fs::read_to_string(suite.home().join("read")).expect("what was read");
    let read: BTreeSet<&str> = read.lines().collect();
    let first = numbers.iter().filter_map(|(partition, records)| {
        let is_unread =
            |(offset, _): &&(i64, String)| !read.contains(format!("{partition} {offset}").as_str());
        let (offset, value) = records.iter().find(is_unread)?;
        Some(format!("{value} at {partition}/{offset}"))
    });
    first.collect::<Vec<_>>().into_iter()
}
