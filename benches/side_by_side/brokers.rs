//! kafkit, kfake and Apache Kafka as processes: started on a free port with an empty directory, stopped when done.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::load::Load;

/// A broker that runs until it is dropped.
#[derive(Debug)]
pub struct RunningBroker {
    pub name: &'static str,
    pub address: String,
    /// From the start of the process to its first answer.
    pub first_answer: Duration,
    process: Child,
    directory: TempDir,
}

impl RunningBroker {
    /// kafkit's mini broker on an empty directory.
    pub fn kafkit() -> Self {
        Self::start("kafkit", |port, directory| {
            kafkit_broker(&format!("127.0.0.1:{port}"), directory)
        })
    }

    /// Three nodes of kafkit's mini broker; the address is that of the first.
    pub fn kafkit_nodes() -> Self {
        Self::start("kafkit", |port, directory| {
            let mut command = kafkit_broker(&format!("127.0.0.1:{port}"), directory);
            command.args(["--nodes", "3"]);
            command
        })
    }

    /// Stops kafkit's broker in order and starts it on the same directory; returns the time up to the first answer.
    pub fn restart_kafkit(&mut self) -> Duration {
        let started = Instant::now();
        rustix::process::kill_process(Pid::from_child(&self.process), Signal::TERM)
            .expect("a broker to stop");
        self.process.wait().expect("its end");
        let mut command = kafkit_broker(&self.address, &self.directory.path().join("log"));
        self.process = quiet(&mut command).spawn().expect("kafkit");
        drop(self.connect());
        started.elapsed()
    }

    /// kfake with its log on disk, if `benches/run` has built it.
    pub fn kfake() -> Option<Self> {
        let program = std::env::var("KFAKE").ok()?;
        Some(Self::start("kfake", |port, directory| {
            let mut command = Command::new(&program);
            command
                .args(["-port", &port.to_string(), "-data-dir"])
                .arg(directory);
            command
        }))
    }

    /// Apache Kafka, formatted before the clock starts, if `benches/run` has its jars.
    pub fn apache() -> Option<Self> {
        let launcher = std::env::var("APACHE_KAFKA").ok()?;
        Some(Self::start("Apache", |port, directory| {
            let format = Command::new(&launcher)
                .arg("format")
                .arg(directory)
                .args(["1", &port.to_string()])
                .status();
            assert!(
                format.is_ok_and(|status| status.success()),
                "Apache Kafka's storage is formatted"
            );
            let mut command = Command::new(&launcher);
            command.arg("exec").arg(directory).arg("1");
            command
        }))
    }

    fn start(name: &'static str, command: impl FnOnce(u16, &Path) -> Command) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let port = free_port();
        let mut command = command(port, &directory.path().join("log"));
        let started = Instant::now();
        let process = quiet(&mut command)
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let address = format!("127.0.0.1:{port}");
        drop(Load::connect(&address, Duration::from_secs(60)));
        let first_answer = started.elapsed();
        Self {
            name,
            address,
            first_answer,
            process,
            directory,
        }
    }

    pub fn connect(&self) -> Load {
        Load::connect(&self.address, Duration::from_secs(10))
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for RunningBroker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Apache Kafka on three nodes, until it is dropped.
#[derive(Debug)]
pub struct ApacheCluster {
    /// The first node; the others listen on the next two ports.
    pub address: String,
    launcher: String,
    directory: TempDir,
}

impl ApacheCluster {
    /// Started and answering, if `benches/run` has its jars.
    pub fn start() -> Option<Self> {
        let launcher = std::env::var("APACHE_KAFKA").ok()?;
        let directory = tempfile::tempdir().expect("a directory");
        let port = free_port();
        let started = Command::new(&launcher)
            .arg("start")
            .arg(directory.path())
            .args(["3", &port.to_string()])
            .stdout(Stdio::null())
            .status();
        assert!(
            started.is_ok_and(|status| status.success()),
            "three nodes of Apache Kafka start"
        );
        Some(Self {
            address: format!("127.0.0.1:{port}"),
            launcher,
            directory,
        })
    }
}

impl Drop for ApacheCluster {
    fn drop(&mut self) {
        let _ = Command::new(&self.launcher)
            .arg("stop")
            .arg(self.directory.path())
            .status();
    }
}

fn kafkit_broker(address: &str, directory: &Path) -> Command {
    let mut command = Command::new(crate::KAFKIT);
    command
        .args(["broker", "--listen", address, "--data-dir"])
        .arg(directory);
    command
}

fn quiet(command: &mut Command) -> &mut Command {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
