//! Every parser of bytes with inputs that nobody would write: no panic, no endless work, no memory on a length's word.
//!
//! The targets are those of cargo-fuzz (`fuzz/targets`); this driver changes inputs blindly, and needs nothing that is
//! not here. `make fuzz TARGET=batches RUNS=1000000` runs one for long; `KAFKIT_SEED` makes it other inputs. What fails
//! is written to a file, whose name the failure says; a finding that is mended stays in `findings/`.

#![allow(clippy::print_stdout, reason = "what was done is shown with --nocapture")]

mod largest_request;
mod mutation;
#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::support::random::seeds;
use mutation::Mutator;
use targets::{TARGETS, Target};

/// Runs of a parser that opens no file, unless `KAFKIT_FUZZ_RUNS` says otherwise.
const RUNS: u64 = 3000;
/// The largest piece of memory that may be asked for at once beyond what the input has, in bytes. Records are inflated
/// up to a limit of some megabytes.
const LARGEST: usize = 40 << 20;
/// A run that takes longer hangs, on however busy a machine.
const LONGEST: Duration = Duration::from_secs(120);

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The runs of a target: as many as were asked for where it is the only one, else its share.
fn runs(target: &Target) -> u64 {
    let asked = variable("KAFKIT_FUZZ_RUNS").map(|runs| runs.parse().expect("a number of runs"));
    match variable("KAFKIT_FUZZ_TARGET") {
        Some(_) => asked.unwrap_or(1_000_000),
        None => asked.unwrap_or(RUNS) / target.cost,
    }
}

#[test]
fn no_bytes_make_a_parser_panic_or_hang_or_take_memory() {
    let only = variable("KAFKIT_FUZZ_TARGET");
    let chosen = TARGETS
        .iter()
        .filter(|target| only.as_deref().is_none_or(|only| only == target.name));
    let mut count = 0;
    for target in chosen {
        if target.prints && variable("KAFKIT_FUZZ_QUIET").is_none() {
            fuzz_quietly(target);
        } else {
            fuzz(target);
        }
        count += 1;
    }
    assert!(count > 0, "there is no target {only:?}");
}

/// Runs a target whose output nobody needs in a process of its own, without one.
fn fuzz_quietly(target: &Target) {
    let stderr = tempfile::NamedTempFile::new().expect("a file");
    let status = Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            "fuzz::no_bytes_make_a_parser_panic_or_hang_or_take_memory",
            "--nocapture",
        ])
        .env("KAFKIT_FUZZ_TARGET", target.name)
        .env("KAFKIT_FUZZ_RUNS", runs(target).to_string())
        .env("KAFKIT_FUZZ_QUIET", "1")
        .stdout(Stdio::null())
        .stderr(stderr.reopen().expect("the same file"))
        .status()
        .expect("the same program");
    let said = fs::read(stderr.path()).expect("what it said");
    let last = String::from_utf8_lossy(&said[said.len().saturating_sub(3000)..]).into_owned();
    assert!(status.success(), "{} ended with {status}: {last}", target.name);
    println!("{}: {} runs", target.name, runs(target));
}

fn fuzz(target: &Target) {
    let started = Instant::now();
    let watch = Watch::begin(target.name);
    let known = (target.seeds)();
    let findings = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/findings")
        .join(target.name);
    let findings = fs::read_dir(findings).into_iter().flatten().flatten();
    let findings = findings.map(|entry| fs::read(entry.path()).expect("a finding"));
    for input in known.iter().cloned().chain(findings) {
        run(target, &watch, input);
    }
    let (seed, _) = seeds(1, 0)[0];
    let mut mutator = Mutator::new(seed, known);
    let runs = runs(target);
    for _ in 0..runs {
        run(target, &watch, mutator.next());
    }
    println!(
        "{}: {runs} runs in {:.1} s, seed {seed}",
        target.name,
        started.elapsed().as_secs_f64()
    );
}

fn run(target: &Target, watch: &Watch, input: Vec<u8>) {
    let length = input.len();
    watch.starts(input);
    largest_request::forget();
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(&watch.input())));
    let largest = largest_request::of_this_thread();
    if let Err(panic) = outcome {
        let told = format!(
            "target {} has failed on {}\n",
            target.name,
            watch.keep().display()
        );
        std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes()).expect("stderr");
        resume_unwind(panic);
    }
    assert!(
        largest <= LARGEST + 16 * length,
        "{} asked for {largest} bytes at once on {}",
        target.name,
        watch.keep().display()
    );
}

/// The input of the run under way, looked after by a thread that ends the process if it takes too long.
struct Watch {
    name: &'static str,
    input: Arc<Mutex<(Arc<Vec<u8>>, Instant)>>,
}

impl Watch {
    fn begin(name: &'static str) -> Self {
        let watch = Self {
            name,
            input: Arc::new(Mutex::new((Arc::default(), Instant::now()))),
        };
        let watched = Arc::downgrade(&watch.input);
        std::thread::spawn(move || {
            while let Some(input) = watched.upgrade() {
                let (input, since) = input.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if since.elapsed() > LONGEST {
                    let path = keep(name, &input);
                    let told = format!("target {name} hangs on {}\n", path.display());
                    std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes()).expect("stderr");
                    std::process::abort();
                }
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        watch
    }

    fn starts(&self, input: Vec<u8>) {
        *self.input.lock().unwrap_or_else(PoisonError::into_inner) = (Arc::new(input), Instant::now());
    }

    fn input(&self) -> Arc<Vec<u8>> {
        Arc::clone(&self.input.lock().unwrap_or_else(PoisonError::into_inner).0)
    }

    fn keep(&self) -> PathBuf {
        keep(self.name, &self.input())
    }
}

/// Writes an input to a file that outlives the test.
fn keep(name: &str, input: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("kafkit-finding-{name}-{}", std::process::id()));
    fs::write(&path, input).expect("a file for the finding");
    path
}
