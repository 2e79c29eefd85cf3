//! `kafka-server-start`, `kafka-server-stop` and their ZooKeeper companions, for the mini broker.
//!
//! Their output is that of Apache Kafka's scripts, which have no option table.

use std::path::PathBuf;
use std::process::ExitCode;

use super::log_line;
use crate::client::java_properties;
use crate::client::local_broker::{spawn_detached, wait_until_ready};
use crate::client::mini_place::shown;
use crate::client::settings::Settings;
use crate::commands::broker::{self, Action, Serve};
use crate::commands::command;
use crate::commands::context::Context;
use crate::error::{Error, Result};
use crate::output::{self, OutputOptions, Printer, stderr_line};

const START_USAGE: &str =
    "USAGE: kafka-server-start [-daemon] server.properties [--override property=value]*";
const ZOOKEEPER_USAGE: &str = "USAGE: zookeeper-server-start [-daemon] zookeeper.properties";

/// `[-daemon] FILE [--override NAME=VALUE]…`
#[derive(Debug, Default, PartialEq, Eq)]
struct StartArgs {
    daemon: bool,
    file: PathBuf,
    overrides: Vec<(String, String)>,
}

pub(super) fn start(args: &[String]) -> ExitCode {
    let Some(parsed) = parse(args) else {
        stderr_line(START_USAGE);
        return ExitCode::FAILURE;
    };
    let outcome = parsed.and_then(|parsed| {
        if parsed.daemon {
            start_daemon(&parsed)
        } else {
            serve(parsed)
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error_line(&error);
            ExitCode::FAILURE
        }
    }
}

/// `None` without a file: then the script prints its usage.
fn parse(args: &[String]) -> Option<Result<StartArgs>> {
    let mut parsed = StartArgs::default();
    let mut words = args.iter();
    let mut word = words.next()?;
    if word == "-daemon" {
        parsed.daemon = true;
        word = words.next()?;
    }
    parsed.file = PathBuf::from(word);
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--override=") {
            Some(value) => Some(value),
            None if word == "--override" => words.next().map(String::as_str),
            None => {
                return Some(Err(Error::usage(format!(
                    "Found non argument parameters: {word}"
                ))));
            }
        };
        match value.and_then(|value| value.split_once('=')) {
            Some((name, value)) => parsed.overrides.push((name.to_owned(), value.to_owned())),
            None => return Some(Err(Error::usage("--override takes property=value"))),
        }
    }
    Some(Ok(parsed))
}

fn serve(parsed: StartArgs) -> Result<()> {
    let action = Action::Serve(Serve {
        config: Some(parsed.file),
        settings: parsed.overrides,
        is_member: true,
        ready_words: Some(ready_words),
        ..Serve::default()
    });
    let mut context = Context::new(Settings::default(), Printer::new(OutputOptions::default()));
    command::run(Box::new(action), &mut context)
}

/// The line of Apache Kafka's log that scripts wait for.
fn ready_words(id: i32, has_roles: bool) -> String {
    if has_roles {
        let text = format!("[KafkaRaftServer nodeId={id}] Kafka Server started");
        log_line::line("INFO", &text, "kafka.server.KafkaRaftServer")
    } else {
        let text = format!("[KafkaServer id={id}] started");
        log_line::line("INFO", &text, "kafka.server.KafkaServer")
    }
}

/// Starts the broker in the background and returns when it is ready, has failed, or waits for another process.
fn start_daemon(parsed: &StartArgs) -> Result<()> {
    let file = std::path::absolute(&parsed.file)?;
    let serve = Serve {
        config: Some(file.clone()),
        settings: parsed.overrides.clone(),
        ..Serve::default()
    };
    let dir = broker::data_dir_of(&serve)?;
    std::fs::create_dir_all(&dir).map_err(|error| Error::from(error).context(shown(&dir)))?;
    let mut words = ["--member", "--config"].map(str::to_owned).to_vec();
    words.push(file.display().to_string());
    for (name, value) in &parsed.overrides {
        words.extend(["-X".to_owned(), format!("{name}={value}")]);
    }
    let word = wait_until_ready(spawn_detached(&dir, &words)?, &dir)?;
    if word.starts_with("waiting") {
        stderr_line(word);
    }
    Ok(())
}

/// Stops the brokers that these scripts started: all, or those with a role or a node id.
pub(super) fn stop(args: &[String]) -> ExitCode {
    let chosen = Chosen::of(args);
    // The script prints its messages on stdout.
    if chosen.node_id.is_some() && chosen.role.is_some() {
        output::stdout_line(
            "When both node-id and process-role are provided, the value for node-id will take precedence",
        );
    }
    let running = started_brokers();
    if running.is_empty() {
        output::stdout_line("No kafka server to stop");
        return ExitCode::FAILURE;
    }
    // If brokers are running, it is no failure that none of them is selected.
    let mut code = ExitCode::SUCCESS;
    let meant: Vec<u32> = running
        .iter()
        .filter(|broker| chosen.covers(broker))
        .map(|broker| broker.pid)
        .collect();
    // All are asked before any is waited for: the first process of a cluster ends with the last of its nodes.
    let asked = meant.iter().map(|pid| broker::ask_to_stop(*pid));
    let asked: Vec<Result<()>> = asked.collect();
    for (pid, asked) in meant.into_iter().zip(asked) {
        if let Err(error) = asked.and_then(|()| broker::wait_until_stopped(pid)) {
            output::error_line(&error);
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// `--node-id=N` and `--process-role=ROLE` (KIP-979); a node id takes precedence over a role.
#[derive(Debug, Default, PartialEq, Eq)]
struct Chosen {
    node_id: Option<String>,
    role: Option<String>,
}

impl Chosen {
    /// The script ignores all other words.
    fn of(args: &[String]) -> Self {
        let value = |option: &str| {
            let mut values = args.iter().filter_map(|word| word.strip_prefix(option));
            values
                .next_back()
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
        };
        Self {
            node_id: value("--node-id="),
            role: value("--process-role="),
        }
    }

    fn covers(&self, broker: &Started) -> bool {
        let setting = |name: &str| broker.setting(name).unwrap_or_default();
        match (&self.node_id, &self.role) {
            (Some(id), _) => setting("node.id") == *id,
            // A node with both roles is selected by naming both.
            (None, Some(role)) => setting("process.roles") == *role,
            (None, None) => true,
        }
    }
}

/// A running broker and its start options.
#[derive(Debug, Default)]
struct Started {
    pid: u32,
    file: Option<PathBuf>,
    overrides: Vec<(String, String)>,
}

impl Started {
    /// The broker with this command line, if `kafka-server-start` or its `-daemon` started it.
    fn of(pid: u32, words: &[String]) -> Option<Self> {
        let name = |word: &String| {
            std::path::Path::new(word)
                .file_name()?
                .to_str()
                .map(str::to_owned)
        };
        // A script with this name is a shell's second word, a link to this binary is a first word.
        let begins = words.iter().take(2).position(|word| {
            matches!(
                name(word).as_deref(),
                Some("kafka-server-start" | "kafka-server-start.sh")
            )
        });
        if let Some(begins) = begins {
            let parsed = parse(&words[begins + 1..])?.ok()?;
            return Some(Self {
                pid,
                file: Some(parsed.file),
                overrides: parsed.overrides,
            });
        }
        let after = |option: &str| {
            let pairs = words.windows(2).filter(move |pair| pair[0] == option);
            pairs.map(|pair| pair[1].clone()).collect::<Vec<_>>()
        };
        let is_detached = words.iter().any(|word| word == "--detached");
        let file = after("--config").pop().filter(|_| is_detached)?;
        let overrides = after("-X").into_iter().filter_map(|word| {
            let (name, value) = word.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        Some(Self {
            pid,
            file: Some(PathBuf::from(file)),
            overrides: overrides.collect(),
        })
    }

    /// A setting of the broker, from its command line or its file.
    fn setting(&self, name: &str) -> Option<String> {
        let given = self.overrides.iter().rev().find(|(known, _)| known == name);
        if let Some((_, value)) = given {
            return Some(value.trim().to_owned());
        }
        let folder = std::fs::read_link(format!("/proc/{}/cwd", self.pid)).unwrap_or_default();
        let bytes = std::fs::read(folder.join(self.file.as_ref()?)).ok()?;
        let properties = java_properties::parse(&bytes).ok()?;
        let found = properties.into_iter().rev().find(|property| property.key == name);
        found.map(|property| property.value.trim().to_owned())
    }
}

fn started_brokers() -> Vec<Started> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let own = std::process::id();
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != own)
        .filter_map(started_broker)
        .collect()
}

/// The process, if it runs this very program as a broker.
fn started_broker(pid: u32) -> Option<Started> {
    let own = std::env::current_exe().ok();
    if own.is_none() || std::fs::read_link(format!("/proc/{pid}/exe")).ok() != own {
        return None;
    }
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words = bytes
        .strip_suffix(b"\0")
        .unwrap_or(&bytes)
        .split(|byte| *byte == 0);
    let words: Vec<String> = words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    Started::of(pid, &words)
}

/// There is no ZooKeeper: this is reported on stderr, with exit code 0, so that scripts continue.
pub(super) fn start_zookeeper(args: &[String]) -> ExitCode {
    if args.iter().all(|word| word == "-daemon") {
        stderr_line(ZOOKEEPER_USAGE);
        return ExitCode::FAILURE;
    }
    stderr_line(
        "no ZooKeeper is needed: the mini broker keeps its own metadata; go on with kafka-server-start",
    );
    ExitCode::SUCCESS
}

/// Does nothing: no ZooKeeper runs.
pub(super) fn stop_zookeeper(_args: &[String]) -> ExitCode {
    stderr_line("no ZooKeeper runs: the mini broker needs none");
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn parsed(words: &[&str]) -> Option<Result<StartArgs>> {
        parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_scripts_words_are_understood() {
        let args = parsed(&["-daemon", "a.properties", "--override", "a=b=c", "--override=d=e"]);
        let args = args.unwrap().unwrap();
        assert!(args.daemon);
        assert_eq!(args.file, PathBuf::from("a.properties"));
        assert_eq!(
            args.overrides,
            [
                ("a".to_owned(), "b=c".to_owned()),
                ("d".to_owned(), "e".to_owned())
            ]
        );
    }

    #[test]
    fn a_broker_is_chosen_by_its_node_id_or_else_by_its_role() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let started = Started::of(
            0,
            &words(
                "/bin/sh kafka-server-start.sh none --override node.id=7 --override process.roles=broker,controller",
            ),
        );
        let started = started.unwrap();
        for (line, is_covered) in [
            ("", true),
            ("--node-id=7", true),
            ("--node-id=8", false),
            ("--process-role=broker", false),
            ("--process-role=broker,controller", true),
            ("--process-role=observer", false),
            ("--process-role=observer --node-id=7", true),
            ("--node-id=", true),
        ] {
            assert_eq!(Chosen::of(&words(line)).covers(&started), is_covered, "{line}");
        }
        let daemon = words("kafkit broker --detached --config a.properties -X node.id=9");
        assert_eq!(
            Started::of(0, &daemon).unwrap().setting("node.id").as_deref(),
            Some("9")
        );
        assert!(Started::of(0, &words("kafkit broker --config a.properties")).is_none());
    }

    #[test]
    fn without_a_file_there_is_only_the_usage() {
        assert!(parsed(&[]).is_none());
        assert!(parsed(&["-daemon"]).is_none());
        assert_eq!(parsed(&["f", "x"]).unwrap().unwrap_err().kind(), Kind::Usage);
        assert!(parsed(&["f", "--override", "x"]).unwrap().is_err());
    }
}
