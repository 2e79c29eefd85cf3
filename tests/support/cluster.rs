//! A mini broker of its own for each test, as its own process, on a free port.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kafkit::broker::host::control::{Question, Reply};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A broker and its data directory; both are removed at the end of the test.
#[derive(Debug)]
pub struct Cluster {
    data: TempDir,
    listen: Vec<String>,
    settings: Vec<String>,
    /// Flags of the broker in addition to those of every test.
    flags: Vec<String>,
    running: Option<(Child, Vec<String>)>,
    /// Lines on stderr since the last start.
    said: Arc<Mutex<Vec<String>>>,
}

impl Cluster {
    /// A broker on an empty directory.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with settings of `server.properties`, each `name=value`.
    pub fn start_with(settings: &[&str]) -> Self {
        Self::start_with_flags(&[], settings)
    }

    /// The same with several nodes, with ids from 1.
    pub fn start_nodes(nodes: usize, settings: &[&str]) -> Self {
        Self::start_with_flags(&["--nodes", &nodes.to_string()], settings)
    }

    /// The same with flags of `kafkit broker`.
    pub fn start_with_flags(flags: &[&str], settings: &[&str]) -> Self {
        Self::start_all(flags, &["127.0.0.1:0"], settings)
    }

    /// One node on these listeners, each an address or `NAME://host:port`.
    pub fn start_listening(listen: &[&str], settings: &[&str]) -> Self {
        Self::start_all(&[], listen, settings)
    }

    /// The general form; with a fixed port, the broker has the same address after a restart.
    pub fn start_all(flags: &[&str], listen: &[&str], settings: &[&str]) -> Self {
        let mut cluster = Self {
            data: tempfile::tempdir().expect("a temporary directory"),
            listen: listen.iter().map(ToString::to_string).collect(),
            settings: settings.iter().map(ToString::to_string).collect(),
            flags: flags.iter().map(ToString::to_string).collect(),
            running: None,
            said: Arc::default(),
        };
        cluster.serve();
        cluster
    }

    /// `host:port` of the broker, for clients; of every node, if there are several.
    pub fn bootstrap(&self) -> String {
        let (_, addresses) = self.running.as_ref().expect("a running broker");
        if self.flags.iter().any(|flag| flag == "--nodes") {
            addresses.join(",")
        } else {
            addresses[0].clone()
        }
    }

    /// `host:port` of the listener with this index.
    pub fn address(&self, listener: usize) -> String {
        let (_, addresses) = self.running.as_ref().expect("a running broker");
        addresses[listener].clone()
    }

    /// Stops, starts, kills, pauses or resumes one node.
    pub fn node(&self, verb: &str, id: i32) {
        let output = Command::new(env!("CARGO_BIN_EXE_kafkit"))
            .args(["broker", "node", verb, &id.to_string(), "--data-dir"])
            .arg(self.data_dir())
            .env_clear()
            .env("HOME", self.data.path())
            .output()
            .expect("an answer");
        assert!(output.status.success(), "{verb} {id}: {output:?}");
    }

    /// The lines of the broker on stderr since its last start.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().expect("its lines").clone()
    }

    pub fn pid(&self) -> u32 {
        let (child, _) = self.running.as_ref().expect("a running broker");
        child.id()
    }

    /// The broker's own resident memory in bytes: without the program file, which all its processes share.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kilobytes = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .expect("its size");
        kilobytes.trim().parse::<u64>().expect("a number") * 1024
    }

    /// Sends a question to the broker's control socket; `None` if it does not answer.
    pub fn ask(&self, question: &Question) -> Option<Reply> {
        let mut stream = UnixStream::connect(self.data_dir().join(".kafkit-control.sock")).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
        let mut line = serde_json::to_vec(question).expect("a question");
        line.push(b'\n');
        stream.write_all(&line).ok()?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).ok()?;
        serde_json::from_str(&answer).ok()
    }

    /// Sends the broker a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().cast_signed());
        kill_process(pid.expect("a process id"), signal).expect("a broker to signal");
    }

    /// Whether the broker has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        let (child, _) = self.running.as_mut().expect("a running broker");
        child.try_wait().expect("its state").is_some()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.data.path().join("kafka")
    }

    /// Kills the broker and starts it on the same directory, on a different port.
    pub fn crash_and_restart(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            child.kill().expect("a broker to kill");
            child.wait().expect("its end");
        }
        self.serve();
    }

    /// Stops the broker in order and starts it on the same directory, on a different port.
    pub fn restart(&mut self) {
        self.stop();
        self.serve();
    }

    /// Stops the broker in order.
    pub fn stop(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            let pid = Pid::from_child(&child);
            kill_process(pid, Signal::TERM).expect("a broker to stop");
            let status = child.wait().expect("its end");
            assert!(status.success(), "the broker ended with {status}");
        }
    }

    fn serve(&mut self) {
        let mut command = broker_command(&self.data_dir(), &self.listen, &self.settings, self.data.path());
        command.args(&self.flags);
        let mut child = command.spawn().expect("a broker");
        let stderr = BufReader::new(child.stderr.take().expect("its stderr"));
        let (sender, words) = std::sync::mpsc::channel();
        self.said = Arc::default();
        let kept = Arc::clone(&self.said);
        // Reads to the end, so that a broker with much output never blocks.
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                kept.lock().expect("its lines").push(line.clone());
                let _ = sender.send(line);
            }
        });
        let mut said = Vec::new();
        let addresses = loop {
            let line = words
                .recv()
                .unwrap_or_else(|_| panic!("the broker does not start: {said:?}"));
            if let Some(addresses) = ready_addresses(&line) {
                break addresses;
            }
            said.push(line);
        };
        self.running = Some((child, addresses));
    }
}

fn broker_command(data_dir: &Path, listen: &[String], settings: &[String], home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kafkit"));
    command
        .args(["broker", "--data-dir"])
        .arg(data_dir)
        .args(listen.iter().flat_map(|address| ["--listen", address]))
        .args(settings.iter().flat_map(|setting| ["-X", setting]))
        .env_clear()
        .env("HOME", home)
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// `mini broker ready in 3 ms on 127.0.0.1:40123 (node 1, /data)`
fn ready_addresses(line: &str) -> Option<Vec<String>> {
    let (_, rest) = line.split_once("mini broker ready in ")?;
    let (_, rest) = rest.split_once(" ms on ")?;
    let (addresses, _) = rest.split_once(" (")?;
    Some(addresses.split(", ").map(str::to_owned).collect())
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
