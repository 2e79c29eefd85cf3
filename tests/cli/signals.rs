//! Does a signal end every command, whatever the cluster does, and does the exit code say which signal it was?

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::shell::Shell;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

/// The exit code after a signal.
fn end_of(mut child: Child, signal: Signal) -> Option<i32> {
    kill_process(Pid::from_child(&child), signal).unwrap();
    let mut status = None;
    wait_until("a run that has ended", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.and_then(|status| status.code())
}

#[test]
fn the_exit_code_says_which_signal_it_was() {
    let shell = Shell::new();
    shell.produce(&["t"], "1\n").succeeds();
    let bootstrap = shell.cluster.bootstrap();
    for words in [
        &["consume", "t", "-q"][..],
        &["consume", "t", "-q", "-g", "readers"],
        &["groups", "watch", "-q"],
    ] {
        for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
            // What a group has read it does not read again.
            shell.produce(&["t"], "2\n").succeeds();
            let mut child = shell
                .suite
                .command(words.iter().copied().chain(["-b", bootstrap.as_str()]))
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut stdout = BufReader::new(child.stdout.take().unwrap());
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            assert_ne!(line, "", "{words:?}");
            assert_eq!(end_of(child, signal), Some(code), "{words:?}");
        }
    }
}

#[test]
fn a_cluster_that_is_silent_keeps_nobody() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let suite = Suite::new();
    for words in [
        &["groups", "watch"][..],
        &["describe", "group", "g", "--watch"],
        &["top", "--once"],
        &["topics", "count", "t"],
        &["diff", "t", "u"],
        &["copy", "t", "u"],
        &["backup", "folder", "t"],
    ] {
        let child = suite
            .command(
                words
                    .iter()
                    .copied()
                    .chain(["-b", address.as_str(), "--timeout", "1h"]),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut connection = None;
        wait_until("a question to the cluster", || {
            connection = silent.accept().ok();
            connection.is_some()
        });
        assert_eq!(end_of(child, Signal::TERM), Some(143), "{words:?}");
    }
}
