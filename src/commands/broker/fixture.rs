//! `kafkit broker -- CMD…`: a command with a broker of its own, which is removed when the command ends.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::Serve;
use super::configuration::Configuration;
use super::ready::ReadyNodes;
use super::{RUNNING_DIR, advertised, file_limit, forget_ready, prepare, tell_ready, with_control};
use crate::broker::host::Growth;
use crate::error::io_words;
use crate::error::{Error, Kind, Result};
use crate::output::Printer;

/// Both names, so that kafkit and other programs that the command starts find the broker.
const VARIABLES: [&str; 2] = ["KAFKIT_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS"];

/// Runs the command; the error is its exit code where that is not 0.
pub(super) fn run(serve: &Serve, command: &[OsString], printer: &mut Printer) -> Result<()> {
    let mut serve = serve.clone();
    let throw_away = match serve.data_dir {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("kafkit-broker-").tempdir()?),
    };
    if let Some(dir) = &throw_away {
        serve.data_dir = Some(dir.path().to_owned());
    }
    if serve.listen.is_empty() {
        serve.listen.push("127.0.0.1:0".to_owned());
    }
    let configuration = Configuration::new(&serve)?;
    forget_ready(&serve);
    let dir = configuration.data_dir.clone();
    let (prepared, client_file) = prepare(configuration, Growth::Fixed, printer)?;
    let (prepared, _socket) = with_control(prepared, &dir, printer);
    let stop = prepared.stop_handle();
    let addresses = advertised(prepared.nodes());
    tell_ready(&serve, &ReadyNodes::of(prepared.nodes()), &dir, printer)?;
    // After this a signal ends the command, and its end ends this process: the directory is always removed.
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let broker = std::thread::spawn(move || prepared.run(Box::new(|| {})));
    let variables = client_file.map_or_else(Vec::new, |file| file.variables());
    let outcome = start(command, &addresses, &dir, &variables).and_then(|mut child| {
        let id = Pid::from_child(&child);
        file_limit::raise();
        let handle = signals.handle();
        let forwarding = std::thread::spawn(move || {
            for signal in signals.forever() {
                // The terminal sends Ctrl-C to the command as well; other signals must be forwarded.
                if signal != SIGINT {
                    let _ = kill_process(id, Signal::from_named_raw(signal).unwrap_or(Signal::TERM));
                }
            }
        });
        let status = wait(&mut child);
        handle.close();
        let _ = forwarding.join();
        status
    });
    stop.stop();
    let served = broker
        .join()
        .unwrap_or_else(|_| Err(Error::failed("the mini broker failed")));
    let code = exit_code(outcome?);
    served?;
    match code {
        0 => Ok(()),
        code => Err(Error::new(Kind::CommandEnded(code), "the command failed")),
    }
}

fn start(command: &[OsString], addresses: &str, dir: &Path, more: &[(&str, String)]) -> Result<Child> {
    let (program, args) = command
        .split_first()
        .ok_or_else(|| Error::usage("no command after --"))?;
    let mut child = Command::new(program);
    child.args(args);
    for variable in VARIABLES {
        child.env(variable, addresses);
    }
    child.env(RUNNING_DIR, dir);
    for (variable, value) in more {
        child.env(variable, value);
    }
    child.spawn().map_err(|error| {
        // The exit codes of shells for a command that cannot be run.
        let code = if error.kind() == std::io::ErrorKind::NotFound {
            127
        } else {
            126
        };
        crate::output::stderr_line(format_args!(
            "kafkit: cannot run {}: {}",
            program.to_string_lossy(),
            io_words(&error)
        ));
        Error::new(Kind::CommandEnded(code), "the command cannot be run")
    })
}

fn wait(child: &mut Child) -> Result<ExitStatus> {
    loop {
        match child.wait() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            status => return Ok(status?),
        }
    }
}

/// The command's own code; 128 and the signal's number where a signal ended it, as in a shell.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
