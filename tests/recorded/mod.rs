//! Recorded cases: command lines of Apache Kafka's tools and what they did, held against kafkit's faces.
//!
//! Owns the reading of the case files (`tests/recorded/record` explains and writes them) and the comparison. A case
//! marked `broker` runs inside `kafkit broker -- sh`, on the mini broker, or on the cluster that `KAFKIT_RECORDED_ON`
//! names: `make interop` has one of Apache Kafka. One marked `secured` needs an authorizer, and one marked `apache` what the
//! mini broker has otherwise: they run on that one alone. One marked `nodes` wants three of them, some of which it kills:
//! the mini broker's, or those of Apache Kafka in the folder that `KAFKIT_RECORDED_NODES` names.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::support::suite::{Suite, outcome_of};

/// The variable with the host and port of another cluster than the mini broker.
const ELSEWHERE: &str = "KAFKIT_RECORDED_ON";

/// The variable with the folder of a cluster of three nodes that `tests/interop/apache-kafka` has started.
const NODES_ELSEWHERE: &str = "KAFKIT_RECORDED_NODES";

/// The variable with names of tools, as in `TOOLS` and with spaces between, whose cases alone are judged.
const CHOSEN_TOOLS: &str = "KAFKIT_RECORDED_TOOLS";

/// `node kill ID` and `node start ID` for cases.
const NODE: &str = r#"#!/bin/sh
if [ -z "$KAFKIT_RECORDED_NODES" ]; then exec "$KAFKIT" broker node "$1" "$2"; fi
case $1 in kill) verb=stop ;; *) verb=revive ;; esac
exec "$APACHE_KAFKA" "$verb" "$KAFKIT_RECORDED_NODES" "$2"
"#;

/// The tools that have cases, by their names without `kafka-`; the cases are in folders of these names.
const TOOLS: &[&str] = &[
    "topics",
    "console-producer",
    "console-consumer",
    "reassign-partitions",
    "dump-log",
    "get-offsets",
    "delete-records",
    "log-dirs",
    "leader-election",
    "acls",
    "delegation-tokens",
    "transactions",
    "metadata-quorum",
    "storage",
    "consumer-groups",
    "groups",
    "share-groups",
    "producer-perf-test",
    "consumer-perf-test",
    "e2e-latency",
    "verifiable-producer",
    "verifiable-consumer",
    "configs",
    "features",
    "client-metrics",
    "cluster",
    "broker-api-versions",
];

/// Cases that run at the same time.
const WORKERS: usize = 16;

/// What a command line did.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    stdout: String,
    /// None where anything will do, as long as there is something.
    stderr: Option<String>,
    /// The first line alone, where anything may follow.
    first_error: Option<String>,
    /// Whether a table of options follows on stderr, whose words are each program's own.
    option_table: bool,
    exit: i32,
}

/// Who is asked by a case, as the last word of its name says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Needs {
    #[default]
    Nobody,
    Broker,
    Authorizer,
    /// What the mini broker has not, or has otherwise: the cluster elsewhere.
    Apache,
    /// Three brokers, of which one may be killed.
    Nodes,
}

impl Needs {
    fn of(name: &str) -> Self {
        match name.rsplit_once(' ').map(|(_, last)| last) {
            Some("broker") => Self::Broker,
            Some("secured") => Self::Authorizer,
            Some("apache") => Self::Apache,
            Some("nodes") => Self::Nodes,
            _ => Self::Nobody,
        }
    }
}

#[derive(Debug, Default)]
struct Case {
    name: String,
    needs: Needs,
    /// The lines of the shell script, and what is expected of those that are judged.
    steps: Vec<(String, Option<Outcome>)>,
}

/// The tools whose cases are judged.
fn chosen_tools() -> Vec<&'static str> {
    let Ok(chosen) = std::env::var(CHOSEN_TOOLS) else {
        return TOOLS.to_vec();
    };
    let known = |name: &str| {
        *TOOLS
            .iter()
            .find(|tool| **tool == name)
            .expect("a tool that has cases")
    };
    chosen.split_whitespace().map(known).collect()
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn cases(file: &Path) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let text = fs::read_to_string(file).expect("a case file");
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("@ ") {
            cases.push(Case {
                name: name.to_owned(),
                needs: Needs::of(name),
                steps: Vec::new(),
            });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        if let Some(command) = line.strip_prefix(": ") {
            case.steps.push((command.to_owned(), None));
        } else if let Some(command) = line.strip_prefix("$ ") {
            let outcome = Outcome {
                stderr: Some(String::new()),
                ..Outcome::default()
            };
            case.steps.push((command.to_owned(), Some(outcome)));
        } else if let Some((_, Some(outcome))) = case.steps.last_mut() {
            expect(outcome, line);
        }
    }
    cases
}

fn expect(outcome: &mut Outcome, line: &str) {
    let mut complains = |text: &str| outcome.stderr.get_or_insert_default().push_str(text);
    match line.split_at_checked(2) {
        Some(("1|", text)) => outcome.stdout.extend([text, "\n"]),
        Some(("1~", text)) => outcome.stdout += text,
        Some(("2|", text)) => complains(&format!("{text}\n")),
        Some(("2~", text)) => complains(text),
        Some(("2?", _)) => outcome.stderr = None,
        Some(("2^", text)) => {
            outcome.stderr = None;
            outcome.first_error = Some(text.to_owned());
        }
        Some(("2+", _)) => outcome.option_table = true,
        _ => {
            if let Some(code) = line.strip_prefix("exit ") {
                outcome.exit = code.parse().expect("an exit code");
            }
        }
    }
}

/// The first line that is no warning of the log about a try to connect: how many there are depends on the time.
fn first_error(errors: &str) -> String {
    let is_try = |line: &&str| line.contains(" WARN [AdminClient clientId=");
    errors
        .lines()
        .find(|line| !is_try(line))
        .unwrap_or_default()
        .to_owned()
}

/// Where the table of options begins: its heading has a column, a complaint about an `Option "[x]"` has none.
fn option_table(errors: &str) -> Option<usize> {
    let begins = errors.starts_with("Option  ").then_some(0);
    begins.or(errors.find("\nOption  ").map(|before| before + 1))
}

/// Runs all steps as one script and returns what differs.
fn differences(case: &Case, faces: &Path) -> Vec<String> {
    let suite = Suite::new();
    let folder = suite.home();
    // Beside the folder, whose content may be listed.
    let seen = tempfile::tempdir().expect("a folder for what is printed");
    symlink(golden().join("segments"), folder.join("segments")).expect("a link");
    let topic: String = case
        .name
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .take(20)
        .collect();
    let mut script = String::new();
    for (number, (command, _)) in case.steps.iter().enumerate() {
        let command = command
            .replace("{S}", "segments")
            .replace("{B}", "$KAFKA_BOOTSTRAP_SERVERS")
            .replace("{T}", &format!("r{topic}"));
        let _ = writeln!(
            script,
            "( {command}\n) </dev/null >$SEEN/out.{number} 2>$SEEN/err.{number}; echo $? >$SEEN/exit.{number}"
        );
    }
    let mut words = vec!["sh", "-c", script.as_str()];
    let elsewhere = std::env::var(ELSEWHERE).ok();
    let kafkit = env!("CARGO_BIN_EXE_kafkit");
    if elsewhere.is_none() {
        if case.needs == Needs::Nodes {
            words.splice(0..0, [kafkit, "broker", "--nodes", "3", "--"]);
        } else if case.needs == Needs::Broker {
            words.splice(0..0, [kafkit, "broker", "--"]);
        }
    }
    let mut shell = std::process::Command::new(words[0]);
    shell
        .args(&words[1..])
        .current_dir(folder)
        .env("TZ", "UTC")
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", folder)
        .env("SEEN", seen.path())
        .env("KAFKIT", kafkit)
        .env(
            "APACHE_KAFKA",
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/apache-kafka"),
        );
    if let Some(servers) = elsewhere {
        shell.env("KAFKA_BOOTSTRAP_SERVERS", servers);
    }
    let path = std::env::var("PATH").unwrap_or_default();
    shell.env("PATH", format!("{}:{path}", faces.display()));
    outcome_of(shell, b"");
    let mut wrong = Vec::new();
    for (number, (command, expected)) in case.steps.iter().enumerate() {
        let Some(expected) = expected else { continue };
        let read = |what: &str| {
            let bytes = fs::read(seen.path().join(format!("{what}.{number}"))).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace(&folder.display().to_string(), "{DIR}")
        };
        let mut errors = read("err");
        let table = option_table(&errors);
        errors.truncate(table.unwrap_or(errors.len()));
        let found = Outcome {
            stdout: read("out"),
            stderr: expected.stderr.is_some().then(|| errors.clone()),
            first_error: expected.first_error.as_ref().map(|_| first_error(&errors)),
            option_table: table.is_some(),
            exit: read("exit").trim().parse().unwrap_or(-1),
        };
        // What Java says where nothing failed is a log line, which nobody is owed.
        let is_silent = expected.stderr.is_none() && expected.exit != 0 && errors.is_empty();
        if found != *expected || is_silent {
            wrong.push(format!(
                "{}: {command}\n  recorded {expected:#?}\n  kafkit   {found:#?}",
                case.name
            ));
        }
    }
    wrong
}

/// What differs in all cases. Many of them wait for a broker that never answers, for as long as Java does, and so they
/// wait side by side.
fn all_differences(cases: &[&Case], faces: &Path) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let work = || {
        let places = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let mine = places.map_while(|place| cases.get(place));
        mine.flat_map(|case| differences(case, faces)).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let found = workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no panic"));
        found.collect()
    })
}

#[test]
fn the_faces_do_what_apache_kafka_was_recorded_to_do() {
    let faces = tempfile::tempdir().expect("a folder for the faces");
    for name in TOOLS {
        for suffix in ["", ".sh"] {
            let link = faces.path().join(format!("kafka-{name}{suffix}"));
            symlink(env!("CARGO_BIN_EXE_kafkit"), link).expect("a link");
        }
    }
    let node = faces.path().join("node");
    fs::write(&node, NODE).expect("a script");
    fs::set_permissions(&node, fs::Permissions::from_mode(0o755)).expect("a script that runs");
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in chosen_tools() {
        let Ok(entries) = fs::read_dir(golden().join(folder)) else {
            continue;
        };
        files.extend(
            entries
                .map(|entry| entry.expect("an entry").path())
                .filter(|path| path.extension().is_some_and(|suffix| suffix == "txt")),
        );
    }
    files.sort();
    let all: Vec<Case> = files.iter().flat_map(|file| cases(file)).collect();
    assert!(!all.is_empty(), "no recorded cases");
    let is_elsewhere = std::env::var_os(ELSEWHERE).is_some();
    let has_nodes = std::env::var_os(NODES_ELSEWHERE).is_some();
    let is_judged = |case: &&Case| {
        if is_elsewhere {
            (case.needs == Needs::Nodes) == has_nodes
        } else {
            !matches!(case.needs, Needs::Authorizer | Needs::Apache)
        }
    };
    let judged: Vec<&Case> = all.iter().filter(is_judged).collect();
    assert!(!judged.is_empty(), "no recorded cases for this cluster");
    // Cases on one cluster see each other's topics.
    let shares_a_cluster = |case: &&Case| is_elsewhere && case.needs != Needs::Nobody;
    let (in_turn, at_once): (Vec<&Case>, Vec<&Case>) = judged.into_iter().partition(shares_a_cluster);
    let mut wrong = all_differences(&at_once, faces.path());
    wrong.extend(
        in_turn
            .into_iter()
            .flat_map(|case| differences(case, faces.path())),
    );
    assert!(
        wrong.is_empty(),
        "{} of the recorded lines differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
