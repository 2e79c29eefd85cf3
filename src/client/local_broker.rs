//! No cluster configured: join the user's mini broker, or start this binary as one. Imports nothing of broker/.
//!
//! Owns the file in a data directory with the address of its broker, and the lock for starting one. The broker at that
//! address is asked for its cluster id before it is trusted: the file may be stale, and the port in use by another
//! program.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kafka_protocol::messages::MetadataRequest;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use super::mini_place::shown;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::lock_file::LockFile;
use crate::wire::{Connection, ConnectionOptions, HostPort};

const ADDRESS_FILE: &str = ".kafkit-broker.json";
const START_LOCK: &str = ".kafkit-start.lock";
const LOG_FILE: &str = ".kafkit-broker.log";
/// Seconds without a client after which a broker in the background ends.
const IDLE_SECONDS: &str = "60";
/// A broker on this machine that does not answer within this time counts as down.
const PATIENCE: Duration = Duration::from_secs(2);

/// The broker that a command uses when no cluster is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalBroker {
    pub address: String,
    /// Its data directory, in the user's notation.
    pub place: String,
    /// It did not run before.
    pub was_started: bool,
    /// A properties file that its clients need to log in.
    pub client_file: Option<PathBuf>,
}

/// What a running broker states in its data directory.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct RunningBroker {
    pub pid: u32,
    pub addresses: Vec<String>,
    /// The first address of each node.
    #[serde(default)]
    pub nodes: Vec<String>,
    pub cluster_id: String,
    /// Milliseconds since 1970.
    pub started_ms: i64,
    /// It answers only clients that have logged in.
    #[serde(default)]
    pub is_secure: bool,
    /// A properties file that its clients need to log in, if it has made one.
    #[serde(default)]
    pub client_file: Option<PathBuf>,
}

impl RunningBroker {
    /// Writes the file with the address of the broker of `dir`.
    pub fn announce(&self, dir: &Path) -> Result<()> {
        let fresh = dir.join(format!("{ADDRESS_FILE}.tmp"));
        fs::write(&fresh, serde_json::to_vec(self).map_err(Error::failed)?)?;
        Ok(fs::rename(fresh, dir.join(ADDRESS_FILE))?)
    }

    /// Removes that file.
    pub fn withdraw(dir: &Path) {
        let _ = fs::remove_file(dir.join(ADDRESS_FILE));
    }

    /// The broker that runs on `dir`, if it is alive.
    pub fn find(dir: &Path) -> Option<Self> {
        let bytes = fs::read(dir.join(ADDRESS_FILE)).ok()?;
        let broker: Self = serde_json::from_slice(&bytes).ok()?;
        broker.is_alive().then_some(broker)
    }

    /// Whether a broker of this cluster answers at the address.
    pub fn is_alive(&self) -> bool {
        if self.is_secure {
            // Without a login only its process and its port can be checked.
            return self.process_exists() && self.is_listening();
        }
        let cluster_id = self.connect().and_then(|mut connection| {
            let request = MetadataRequest::default().with_topics(Some(Vec::new()));
            let response = connection.send(&request).ok()?;
            response.cluster_id
        });
        cluster_id.is_some_and(|id| id.as_str() == self.cluster_id)
    }

    fn is_listening(&self) -> bool {
        let address = self.addresses.first().and_then(|address| address.parse().ok());
        address.is_some_and(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok())
    }

    fn process_exists(&self) -> bool {
        let process = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        process.is_some_and(|process| test_kill_process(process).is_ok())
    }

    /// A connection to one of its nodes.
    pub fn connect(&self) -> Option<Connection> {
        let mut settings = Settings::default();
        if let Some(file) = &self.client_file {
            settings.read_properties_file(file).ok()?;
        }
        let options = ConnectionOptions {
            connect_timeout: PATIENCE,
            request_timeout: PATIENCE,
            ..settings.connection_options().ok()?
        };
        let addresses = self.bootstrap().iter().filter_map(|address| host_port(address));
        addresses
            .map(|address| Connection::open(&address, &options))
            .find_map(Result::ok)
    }

    /// An address of each node.
    fn bootstrap(&self) -> &[String] {
        if self.nodes.is_empty() {
            self.addresses.get(..1).unwrap_or_default()
        } else {
            &self.nodes
        }
    }

    /// The port of its first address.
    pub fn port(&self) -> Option<u16> {
        Some(host_port(self.addresses.first()?)?.port)
    }

    fn local(&self, dir: &Path, was_started: bool) -> LocalBroker {
        LocalBroker {
            address: self.bootstrap().join(","),
            place: shown(dir),
            was_started,
            client_file: self.client_file.clone(),
        }
    }
}

fn host_port(address: &str) -> Option<HostPort> {
    HostPort::parse_list(address).ok()?.into_iter().next()
}

/// Joins the broker on `dir`, or starts one there in the background.
pub fn bootstrap(dir: &Path) -> Result<LocalBroker> {
    if let Some(running) = RunningBroker::find(dir) {
        return Ok(running.local(dir, false));
    }
    fs::create_dir_all(dir).map_err(|error| {
        Error::from(error)
            .context(format!("cannot make the data directory {}", shown(dir)))
            .hint("-b HOST:PORT names a cluster, -b mini:DIR another directory")
    })?;
    // Of two commands at the same time one starts the broker, the other waits here and joins it.
    let _turn = take_turn(dir)?;
    if let Some(running) = RunningBroker::find(dir) {
        return Ok(running.local(dir, false));
    }
    let running = start(dir)?;
    Ok(running.local(dir, true))
}

fn take_turn(dir: &Path) -> Result<LockFile> {
    LockFile::wait(&dir.join(START_LOCK))
        .map_err(|error| Error::from(error).context(format!("cannot write to {}", shown(dir))))
}

fn start(dir: &Path) -> Result<RunningBroker> {
    RunningBroker::withdraw(dir);
    let words = [
        OsStr::new("--data-dir"),
        dir.as_os_str(),
        OsStr::new("--listen"),
        OsStr::new("127.0.0.1:0"),
        OsStr::new("--leave-when-idle"),
        OsStr::new(IDLE_SECONDS),
    ];
    wait_until_ready(spawn_detached(dir, &words)?, dir)?;
    RunningBroker::find(dir).ok_or_else(|| Error::unreachable("the mini broker started and does not answer"))
}

/// Waits for a detached broker's first line, which is its address, or says what it waits for. Without a line it has
/// ended, and the error is from its log.
pub fn wait_until_ready(mut child: Child, dir: &Path) -> Result<String> {
    let mut word = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut word)?;
    }
    if word.trim().is_empty() {
        let status = child.wait()?;
        return Err(Error::failed(format!(
            "the mini broker did not start: {}",
            last_words(dir, status)
        )));
    }
    Ok(word.trim().to_owned())
}

/// Starts this binary as a broker with these arguments of `kafkit broker`, which outlives its terminal; its log is a
/// file in `dir`. It writes one line to stdout when it is ready: the address.
pub fn spawn_detached<W: AsRef<OsStr>>(dir: &Path, words: &[W]) -> Result<Child> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(dir.join(LOG_FILE))?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["broker", "--detached"])
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(|error| Error::from(error).context("cannot start the mini broker"))
}

/// Why a broker ended, from its log.
fn last_words(dir: &Path, status: std::process::ExitStatus) -> String {
    let read = || {
        let mut log = File::open(dir.join(LOG_FILE))?;
        let length = log.metadata()?.len();
        log.seek(SeekFrom::Start(length.saturating_sub(2000)))?;
        let mut tail = Vec::new();
        log.read_to_end(&mut tail)?;
        std::io::Result::Ok(String::from_utf8_lossy(&tail).into_owned())
    };
    let tail = read().unwrap_or_default();
    let line = tail.lines().rev().find(|line| !line.trim().is_empty());
    match line {
        Some(line) => line.trim_start_matches("kafkit: ").to_owned(),
        None => format!("it ended with {status}"),
    }
}
