//! The control protocol of a running host: a line of JSON in, a line of JSON out, then the connection is closed. Only
//! a process that brings a node stays connected (`members`).
//!
//! Owns the messages; the socket and who may connect to it belong to the command.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Take};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;

use super::members::{self, MemberNode, MemberReady};
use super::{Host, NodeStatus};
use crate::broker::faults::rule::{ListedRule, Rule};
use crate::broker::timers;
use crate::error::{Error, Result};
use crate::plain_words;
use crate::storage::disk_faults::{self, DiskRule};

/// The longest question in bytes; a thousand fault rules take less.
pub(super) const LONGEST_LINE: u64 = 1024 * 1024;
/// How long a client may take to send its question.
const PATIENCE: Duration = Duration::from_secs(10);

/// The input of a connection.
pub(super) type Words = BufReader<Take<OwnedReadHalf>>;

/// A question.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    Node(NodeVerb),
    AddFaults(Vec<Rule>),
    ListFaults,
    /// Removes one rule by its id, or all.
    ClearFaults(Option<u64>),
    /// Makes the disk fail below a folder of the data directory, for tests; without rules it works again.
    FailDisk {
        below: PathBuf,
        rules: Vec<DiskRule>,
    },
    /// Sets the clock of record timestamps ahead of the machine's clock, in ms.
    ShiftClock(i64),
    /// Runs this node as long as the connection lasts. After the answer, any line stops it in order.
    Join(MemberNode),
}

/// A command for one node.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeVerb {
    /// No change; the states of all nodes are returned.
    List,
    Stop(i32),
    Start(i32),
    Kill(i32),
    Pause(i32),
    Resume(i32),
}

/// An answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// All nodes, after the command.
    Nodes(Vec<NodeStatus>),
    /// The ids of the added rules.
    Added(Vec<u64>),
    Faults {
        rules: Vec<ListedRule>,
        seed: u64,
    },
    /// The number of removed rules.
    Cleared(usize),
    Done,
    /// The node runs.
    Joined(MemberReady),
    /// The node has stopped.
    Left,
    Refused(String),
}

/// Serves until the host ends.
pub(in crate::broker) async fn listen(host: Arc<Host>, socket: UnixListener) -> Result<()> {
    socket.set_nonblocking(true)?;
    let socket = tokio::net::UnixListener::from_std(socket)?;
    loop {
        // The error is of this client, or of too many open files: the next one may work.
        let Ok((stream, _)) = socket.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let host = Arc::clone(&host);
        tokio::spawn(async move {
            let _ = serve(&host, stream).await;
        });
    }
}

async fn serve(host: &Arc<Host>, stream: UnixStream) -> std::io::Result<()> {
    let (input, mut output) = stream.into_split();
    let mut line = Vec::new();
    let mut input = BufReader::new(input.take(LONGEST_LINE));
    tokio::time::timeout(PATIENCE, input.read_until(b'\n', &mut line)).await??;
    let reply = match serde_json::from_slice(&line) {
        Ok(Question::Join(node)) => return members::serve(host, node, &mut input, &mut output).await,
        Ok(question) => answer(host, question)
            .await
            .unwrap_or_else(|error| Reply::Refused(error.message())),
        Err(error) => Reply::Refused(format!(
            "the broker does not know this question: {}",
            plain_words::of_json(&error)
        )),
    };
    members::say(&mut output, &reply).await
}

async fn answer(host: &Arc<Host>, question: Question) -> Result<Reply> {
    let faults = &host.rehearsal.faults;
    Ok(match question {
        Question::Node(verb) => {
            tell(host, verb).await?;
            Reply::Nodes(host.list())
        }
        Question::AddFaults(rules) => {
            let ids = faults.add(rules).ok_or_else(|| {
                Error::failed("the broker has too many fault rules; `broker fault clear` takes them off")
            })?;
            Reply::Added(ids)
        }
        Question::ListFaults => {
            let (rules, seed) = faults.list();
            Reply::Faults { rules, seed }
        }
        Question::ClearFaults(id) => Reply::Cleared(faults.clear(id)),
        Question::FailDisk { below, rules } => {
            disk_faults::set(&below, rules);
            Reply::Done
        }
        Question::ShiftClock(milliseconds) => {
            timers::shift_clock(milliseconds);
            Reply::Done
        }
        Question::Join(_) => return Err(Error::failed("a node needs a connection of its own")),
    })
}

async fn tell(host: &Arc<Host>, verb: NodeVerb) -> Result<()> {
    if host.slots().len() == 1 && verb != NodeVerb::List {
        return Err(Error::failed(
            "the mini broker is a single node; `kafkit broker --nodes 3` has several",
        ));
    }
    match verb {
        NodeVerb::List => Ok(()),
        NodeVerb::Start(id) => host.start(id),
        NodeVerb::Stop(id) => host.stop(id).await,
        NodeVerb::Kill(id) => host.kill(id).await,
        NodeVerb::Pause(id) => host.pause(id),
        NodeVerb::Resume(id) => host.resume(id),
    }
}
