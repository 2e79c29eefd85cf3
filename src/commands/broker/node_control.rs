//! Stopping, killing, pausing and starting single nodes of a broker that runs: both ends of the socket in its data
//! directory. What is said over it is in `broker/host/control.rs`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::client::local_broker::{RunningBroker, shown};
use crate::error::{Error, Result};
use crate::output::Printer;
use crate::output::mini_broker::{NodeRow, nodes};

const SOCKET: &str = ".kafkit-control.sock";

/// What a node can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeVerb {
    List,
    Stop(i32),
    Start(i32),
    Kill(i32),
    Pause(i32),
    Resume(i32),
}

impl NodeVerb {
    fn line(self) -> String {
        let (verb, id) = match self {
            Self::List => return "list\n".to_owned(),
            Self::Stop(id) => ("stop", id),
            Self::Start(id) => ("start", id),
            Self::Kill(id) => ("kill", id),
            Self::Pause(id) => ("pause", id),
            Self::Resume(id) => ("resume", id),
        };
        format!("{verb} {id}\n")
    }

    /// What has been done.
    fn done(self) -> Option<String> {
        let (done, id) = match self {
            Self::List => return None,
            Self::Stop(id) => ("stopped", id),
            Self::Start(id) => ("started", id),
            Self::Kill(id) => ("killed", id),
            Self::Pause(id) => ("paused", id),
            Self::Resume(id) => ("resumed", id),
        };
        Some(format!("{done} node {id}"))
    }
}

/// The answer of the broker.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    nodes: Vec<NodeRow>,
    error: Option<String>,
}

/// The socket of a broker on `dir`; one that a killed broker left is replaced.
///
/// # Errors
///
/// The directory takes no socket.
pub(super) fn listen(dir: &Path) -> Result<UnixListener> {
    let _ = fs::remove_file(dir.join(SOCKET));
    let folder = File::open(dir)?;
    let listener = UnixListener::bind(short(&folder, dir));
    listener.map_err(|error| Error::from(error).context(format!("cannot make a socket in {}", shown(dir))))
}

/// Takes the socket away.
pub(super) fn withdraw(dir: &Path) {
    let _ = fs::remove_file(dir.join(SOCKET));
}

/// Tells the broker on `dir`, and shows its nodes if that was asked for.
///
/// # Errors
///
/// No broker runs there, or it refuses.
pub(super) fn run(dir: &Path, verb: NodeVerb, printer: &mut Printer) -> Result<()> {
    let answer = ask(dir, verb)?;
    if let Some(error) = answer.error {
        return Err(Error::failed(error).hint("`kafkit broker node list` shows the nodes"));
    }
    match verb.done() {
        Some(done) => printer.note(done),
        None => nodes(printer, &answer.nodes)?,
    }
    Ok(())
}

fn ask(dir: &Path, verb: NodeVerb) -> Result<Answer> {
    let gone = || match RunningBroker::find(dir) {
        Some(_) => Error::failed(format!("the mini broker on {} is a single node", shown(dir)))
            .hint("`kafkit broker --nodes 3` has several"),
        None => Error::not_found(format!("no mini broker runs on {}", shown(dir))),
    };
    let folder = File::open(dir).map_err(|_| gone())?;
    let mut stream = UnixStream::connect(short(&folder, dir)).map_err(|_| gone())?;
    stream.write_all(verb.line().as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    serde_json::from_str(&line).map_err(|_| Error::failed("the mini broker ended before it answered"))
}

/// The path of the socket. A socket's path may have a hundred bytes, a directory's any number: by its open folder it is
/// short.
fn short(folder: &File, dir: &Path) -> PathBuf {
    let by_folder = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    if by_folder.exists() {
        by_folder.join(SOCKET)
    } else {
        dir.join(SOCKET)
    }
}
