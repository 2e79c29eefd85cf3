//! `kafka-server-start`, `kafka-server-stop` and their ZooKeeper companions over the mini broker.
//!
//! Their words are those of Apache Kafka's scripts, which have no option table.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::client::local_broker::{shown, spawn_detached};
use crate::client::settings::Settings;
use crate::commands::broker::{self, Action, Serve};
use crate::commands::{Command, Context};
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

/// Nothing where there is no file: then the script shows its usage.
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
        ..Serve::default()
    });
    let mut context = Context::new(Settings::default(), Printer::new(OutputOptions::default()));
    crate::commands::run(Command::Broker(action), &mut context)
}

/// Starts the broker in the background and comes back when it is ready, or has failed.
fn start_daemon(parsed: &StartArgs) -> Result<()> {
    let file = std::path::absolute(&parsed.file)?;
    let serve = Serve {
        config: Some(file.clone()),
        settings: parsed.overrides.clone(),
        ..Serve::default()
    };
    let dir = broker::data_dir_of(&serve)?;
    std::fs::create_dir_all(&dir).map_err(|error| Error::from(error).context(shown(&dir)))?;
    let mut more = vec!["--config".to_owned(), file.display().to_string()];
    for (name, value) in &parsed.overrides {
        more.extend(["-X".to_owned(), format!("{name}={value}")]);
    }
    crate::client::local_broker::wait_until_ready(spawn_detached(&dir, &more)?, &dir)
}

/// Stops every broker that was started by these scripts' names.
pub(super) fn stop(_args: &[String]) -> ExitCode {
    let running = started_brokers();
    if running.is_empty() {
        stderr_line("No kafka server to stop");
        return ExitCode::FAILURE;
    }
    let mut code = ExitCode::SUCCESS;
    for pid in running {
        if let Err(error) = broker::stop_broker(pid) {
            output::error_line(&error);
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// Processes of this user whose command line is `kafka-server-start`, or what its `-daemon` made of it.
fn started_brokers() -> Vec<u32> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let own = std::process::id();
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != own && is_started_broker(*pid))
        .collect()
}

fn is_started_broker(pid: u32) -> bool {
    use std::os::unix::ffi::OsStringExt;
    let Ok(bytes) = std::fs::read(format!("/proc/{pid}/cmdline")) else {
        return false;
    };
    let words = bytes
        .split(|byte| *byte == 0)
        .map(|word| OsString::from_vec(word.to_vec()));
    let words: Vec<OsString> = words.collect();
    // A script of that name is a shell's second word, a link to this binary is a first word.
    let own = std::env::current_exe().ok();
    let runs_this_binary = std::fs::read_link(format!("/proc/{pid}/exe")).ok() == own;
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    let is_start = words.iter().take(2).any(|word| {
        let name = std::path::Path::new(word)
            .file_name()
            .and_then(|name| name.to_str());
        matches!(name, Some("kafka-server-start" | "kafka-server-start.sh"))
    });
    runs_this_binary && (is_start || (has("--detached") && has("--config")))
}

/// There is no ZooKeeper: said on stderr, exit 0, so that scripts go on.
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

/// What never ran needs no stopping.
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
    fn without_a_file_there_is_only_the_usage() {
        assert!(parsed(&[]).is_none());
        assert!(parsed(&["-daemon"]).is_none());
        assert_eq!(parsed(&["f", "x"]).unwrap().unwrap_err().kind(), Kind::Usage);
        assert!(parsed(&["f", "--override", "x"]).unwrap().is_err());
    }
}
