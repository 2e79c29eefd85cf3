//! A terminal as tutorials assume it: command lines typed into a shell in an unpacked Kafka, with kafkit's links in
//! `bin/`, and programs that run in the background.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::suite::{Outcome, Suite, outcome_of};

/// Longer than any wait on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const SCRIPTS: [&str; 8] = [
    "kafka-topics",
    "kafka-console-producer",
    "kafka-console-consumer",
    "kafka-reassign-partitions",
    "kafka-dump-log",
    "kafka-metadata-quorum",
    "kafka-server-start",
    "zookeeper-server-start",
];

/// A folder with `bin/kafka-….sh`, which is also on the PATH, and an address of the test's own for port 9092.
#[derive(Debug)]
pub struct Terminal {
    suite: Suite,
    host: Ipv4Addr,
}

impl Terminal {
    pub fn new() -> Self {
        let suite = Suite::new();
        let bin = suite.home().join("bin");
        std::fs::create_dir(&bin).expect("a folder for the scripts");
        for script in SCRIPTS {
            for name in [script.to_owned(), format!("{script}.sh")] {
                symlink(env!("CARGO_BIN_EXE_kafkit"), bin.join(name)).expect("a link");
            }
        }
        symlink(env!("CARGO_BIN_EXE_kafkit"), bin.join("kafkit")).expect("a link");
        Self {
            suite,
            host: host_with_port_9092_free(),
        }
    }

    /// The address in place of a tutorial's host name.
    pub fn host(&self) -> String {
        self.host.to_string()
    }

    /// The folder, which is also the home directory.
    pub fn home(&self) -> &Path {
        self.suite.home()
    }

    /// Writes a file in the folder; `HOST` in it is replaced by the address.
    pub fn file(&self, name: &str, content: &str) {
        self.suite.file(name, content.replace("HOST", &self.host()));
    }

    /// Creates a folder in the folder.
    pub fn folder(&self, name: &str) {
        std::fs::create_dir_all(self.suite.home().join(name)).expect("a folder in the test's home");
    }

    /// Runs a line, in which `HOST` is replaced by the address, and waits for its end.
    pub fn run(&self, line: &str) -> Outcome {
        self.run_with_input(line, "")
    }

    pub fn run_with_input(&self, line: &str, input: &str) -> Outcome {
        outcome_of(self.shell(line), input.as_bytes())
    }

    /// Runs a line in the background.
    pub fn start(&self, line: &str) -> Program {
        Program::start(self.shell(&format!("exec {line}")))
    }

    /// The same on a pseudo terminal, for programs that check for one.
    pub fn start_on_a_screen(&self, line: &str) -> Program {
        self.start(&format!("script -qec '{line}' /dev/null"))
    }

    /// Starts a broker; returns when it is ready.
    pub fn start_broker(&self, line: &str) -> Program {
        let broker = self.start(line);
        broker.says("mini broker ready in ");
        broker
    }

    fn shell(&self, line: &str) -> Command {
        let template = self.suite.command([] as [&str; 0]);
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &line.replace("HOST", &self.host())])
            .current_dir(self.suite.home())
            .env_clear()
            .envs(
                template
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .env(
                "PATH",
                format!("{}:{path}", self.suite.home().join("bin").display()),
            );
        shell
    }
}

/// Tutorials name port 9092, and tests run in parallel: each gets a loopback address of its own.
fn host_with_port_9092_free() -> Ipv4Addr {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let host = Ipv4Addr::new(
            127,
            high.max(1),
            low,
            u8::try_from(number).expect("a free port 9092"),
        );
        if TcpListener::bind((host, 9092)).is_ok() {
            return host;
        }
    }
}

/// A program in the background; it ends with the test.
#[derive(Debug)]
pub struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Heard,
    stderr: Heard,
    shown: String,
}

impl Program {
    fn start(mut command: Command) -> Self {
        let shown = format!("{command:?}");
        let mut child = command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a program");
        Self {
            stdin: child.stdin.take(),
            stdout: Heard::from(child.stdout.take().expect("its stdout")),
            stderr: Heard::from(child.stderr.take().expect("its stderr")),
            child,
            shown,
        }
    }

    /// Writes a text to its input.
    pub fn types(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("an open stdin");
        stdin
            .write_all(text.as_bytes())
            .expect("a reader of what is typed");
        stdin.flush().expect("a reader of what is typed");
    }

    /// Closes its input and waits for exit code 0.
    pub fn leave(mut self) {
        self.stdin = None;
        let status = self.child.wait().expect("its end");
        assert!(status.success(), "{status}: {}", self.story());
    }

    /// Closes its input and returns its stderr up to its end, whatever its exit code.
    pub fn ends(mut self) -> String {
        self.stdin = None;
        self.child.wait().expect("its end");
        self.stderr.to_its_end()
    }

    /// Waits until its output is exactly this.
    #[track_caller]
    pub fn prints(&self, all: &str) {
        assert!(
            self.stdout.wait_for(|text| text == all),
            "not {all:?}: {}",
            self.story()
        );
    }

    /// Waits until its output ends with this.
    #[track_caller]
    pub fn prints_at_last(&self, end: &str) {
        assert!(
            self.stdout.wait_for(|text| text.ends_with(end)),
            "not {end:?}: {}",
            self.story()
        );
    }

    /// Waits until its output contains this, and returns the output so far.
    #[track_caller]
    pub fn prints_until(&self, part: &str) -> String {
        assert!(
            self.stdout.wait_for(|text| text.contains(part)),
            "not {part:?}: {}",
            self.story()
        );
        self.stdout.so_far()
    }

    /// Waits until its stderr contains this.
    #[track_caller]
    pub fn says(&self, part: &str) {
        assert!(
            self.stderr.wait_for(|text| text.contains(part)),
            "not {part:?}: {}",
            self.story()
        );
    }

    /// Waits until a terminal of this many rows and columns shows the wanted screen.
    #[track_caller]
    pub fn screen_shows(&self, (rows, columns): (u16, u16), what: &str, is_it: impl Fn(&str) -> bool) {
        let seen = self.stdout.wait_for(|text| {
            let size = [rows, columns].map(|size| size.try_into().expect("a size"));
            let mut terminal = vt100::Parser::new(size[0], size[1], 0);
            terminal.process(text.as_bytes());
            is_it(&terminal.screen().contents())
        });
        assert!(seen, "never {what}: {}", self.story());
    }

    /// Ends it with SIGINT, and returns its output.
    pub fn interrupt(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("a program to interrupt");
        self.child.wait().expect("its end");
        self.stdout.to_its_end()
    }

    /// Sends SIGTERM, and does not wait.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("a program to stop");
    }

    /// Kills it, and waits for its end.
    pub fn kill(mut self) {
        self.child.kill().expect("a program to kill");
        self.child.wait().expect("its end");
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it with SIGTERM.
    pub fn stop(mut self) {
        self.terminate();
        let status = self.child.wait().expect("its end");
        assert!(status.success(), "{status}: {}", self.story());
    }

    pub fn story(&self) -> String {
        let [stdout, stderr] = [&self.stdout, &self.stderr].map(Heard::so_far);
        format!("{}\n-- stdout\n{stdout}\n-- stderr\n{stderr}", self.shown)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Its child processes, too: a shell with a pipe is several processes.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The output of a pipe so far, and whether it has ended.
#[derive(Clone, Debug, Default)]
struct Heard(Arc<(Mutex<Said>, Condvar)>);

/// The bytes, and whether the pipe has ended.
type Said = (Vec<u8>, bool);

impl Heard {
    fn from(mut pipe: impl Read + Send + 'static) -> Self {
        let heard = Self::default();
        let writer = heard.clone();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            loop {
                let length = pipe.read(&mut chunk).unwrap_or(0);
                let (state, news) = &*writer.0;
                let mut state = state.lock().expect("a lock");
                state.0.extend_from_slice(&chunk[..length]);
                state.1 = length == 0;
                news.notify_all();
                if length == 0 {
                    break;
                }
            }
        });
        heard
    }

    /// Whether the condition becomes true before the pipe ends or `PATIENCE` is over.
    fn wait_for(&self, condition: impl Fn(&str) -> bool) -> bool {
        let (state, news) = &*self.0;
        let deadline = Instant::now() + PATIENCE;
        let mut state = state.lock().expect("a lock");
        loop {
            if condition(&String::from_utf8_lossy(&state.0)) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.1 || left.is_zero() {
                return false;
            }
            state = news.wait_timeout(state, left).expect("a lock").0;
        }
    }

    fn to_its_end(&self) -> String {
        let (state, news) = &*self.0;
        let state = state.lock().expect("a lock");
        let (state, _) = news
            .wait_timeout_while(state, PATIENCE, |(_, ended)| !*ended)
            .expect("a lock");
        String::from_utf8_lossy(&state.0).into_owned()
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.0.0.lock().expect("a lock").0).into_owned()
    }
}
