//! The cost of a program: wall time and CPU time of a whole process, CPU time and memory of a running one.
//!
//! Read from `/proc`, whose clock ticks are 10 ms: measurements must last long enough for that.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Seconds that one clock tick of `/proc` stands for (`USER_HZ`, 100 on every Linux that Rust runs on).
const TICK: f64 = 0.01;

/// The cost of one run of a program.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub wall: f64,
    /// User and system time in seconds.
    pub cpu: f64,
}

/// Runs a shell line `runs` times and returns the cheapest run, by `by`.
///
/// # Panics
/// If a run fails: a benchmark of a failure says nothing.
pub fn cheapest(line: &str, runs: usize, by: fn(&Cost) -> f64) -> Cost {
    (0..runs)
        .map(|_| run(line))
        .min_by(|a, b| by(a).total_cmp(&by(b)))
        .expect("at least one run")
}

fn run(line: &str) -> Cost {
    let before = children_ticks();
    let started = Instant::now();
    let status = Command::new("bash")
        .args(["-c", line])
        .stdin(Stdio::null())
        .status()
        .expect("bash runs");
    let wall = started.elapsed().as_secs_f64();
    assert!(status.success(), "{status}: {line}");
    Cost {
        wall,
        cpu: (children_ticks() - before) as f64 * TICK,
    }
}

/// Median wall time in seconds of a command without a shell, for those that take milliseconds.
pub fn median_wall(program: &str, args: &[&str], runs: usize) -> f64 {
    let mut walls: Vec<Duration> = (0..runs)
        .map(|_| {
            let started = Instant::now();
            let status = Command::new(program)
                .args(args)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .expect("the program runs");
            assert!(status.success(), "{program} {args:?}: {status}");
            started.elapsed()
        })
        .collect();
    walls.sort_unstable();
    walls[walls.len() / 2].as_secs_f64()
}

/// CPU seconds that a running process has used.
pub fn cpu_of(pid: u32) -> f64 {
    let (user, system, _, _) = stat(&format!("/proc/{pid}/stat"));
    (user + system) as f64 * TICK
}

/// Resident memory of a running process in megabytes.
pub fn memory_of(pid: u32) -> f64 {
    megabytes(&format!("/proc/{pid}/status"), "VmRSS:")
}

fn megabytes(status: &str, field: &str) -> f64 {
    let status = fs::read_to_string(status).expect("a running process");
    let line = status
        .lines()
        .find(|line| line.starts_with(field))
        .expect("the field");
    let kilobytes: f64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .expect("a number");
    kilobytes / 1024.0
}

/// The highest resident memory of a run in megabytes, sampled in intervals of `pace`.
///
/// # Panics
/// If the run fails.
pub fn peak_memory_of(command: Command, pace: Duration) -> f64 {
    let name = format!("{command:?}");
    let (peak, code) = peak_memory_and_code_of(command, pace);
    assert!(code == 0, "{name}: exit {code}");
    peak
}

/// The same of a run that may fail, with its exit code.
pub fn peak_memory_and_code_of(mut command: Command, pace: Duration) -> (f64, i32) {
    let mut child = command.spawn().expect("the program runs");
    let status = format!("/proc/{}/status", child.id());
    let mut peak: f64 = 0.0;
    loop {
        if let Some(outcome) = child.try_wait().expect("a child") {
            return (peak, outcome.code().expect("an exit code"));
        }
        // A process that has ended and was not waited for has no memory any longer.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        peak = peak.max(kilobytes.unwrap_or(0.0) / 1024.0);
        std::thread::sleep(pace);
    }
}

/// The highest memory of this process since [`forget_peak_memory`], in megabytes.
pub fn peak_memory() -> f64 {
    megabytes("/proc/self/status", "VmHWM:")
}

/// Restarts [`peak_memory`] from the current memory of the process.
pub fn forget_peak_memory() {
    fs::write("/proc/self/clear_refs", "5").expect("a Linux that forgets");
}

fn children_ticks() -> u64 {
    let (_, _, user, system) = stat("/proc/self/stat");
    user + system
}

/// utime, stime, cutime and cstime: fields 14 to 17, counted after the name in brackets.
fn stat(path: &str) -> (u64, u64, u64, u64) {
    let text = fs::read_to_string(path).expect("a running process");
    let fields: Vec<&str> = text[text.rfind(')').expect("a name") + 2..].split(' ').collect();
    let field = |number: usize| fields[number - 3].parse().expect("a number");
    (field(14), field(15), field(16), field(17))
}
