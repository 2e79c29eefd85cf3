//! A node whose cluster consists of processes, as in tutorials that start `kafka-server-start` three times: the first
//! process of a cluster runs the nodes of all, and each of the others is a handle of its node.

use std::io::{BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::cluster_place::{ClusterKey, ClusterPlace, Turn};
use super::control_channel::{connect, not_understood, read_reply, say};
use super::on_signals;
use crate::broker::config::{BrokerConfig, Endpoint};
use crate::broker::host::control::{Question, Reply};
use crate::broker::host::members::{MemberNode, MemberReady};
use crate::error::{Error, Result};
use crate::output::Printer;

/// How often a process checks whether the one that it waits for is there.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The role of a process in the cluster that its settings name.
#[derive(Debug)]
pub(super) enum Membership {
    /// It runs the cluster, or will when it has opened its log dir.
    Host(ClusterPlace, Turn),
    /// Another process runs its node.
    Handle(Handle),
}

/// The connection of a process to the one that runs its node.
#[derive(Debug)]
pub(super) struct Handle {
    input: BufReader<UnixStream>,
    /// The log dir of the process that runs the node.
    pub(super) host_dir: PathBuf,
    pub(super) ready: MemberReady,
}

/// Determines the role of this process; `None` if its settings name no cluster, or others cannot find it. Waits for
/// another process where this node cannot be the first; `tell` gets the reason.
///
/// # Errors
///
/// The process that runs the cluster refuses the node.
pub(super) fn find(
    config: &BrokerConfig,
    tell: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<Option<Membership>> {
    let Some(key) = ClusterKey::of(config) else {
        return Ok(None);
    };
    let may_be_first = config.is_controller();
    let place = match ClusterPlace::of(key) {
        Err(error) if may_be_first => {
            tell(&format!("other nodes of its cluster will not find it: {error}"))?;
            return Ok(None);
        }
        place => place?,
    };
    let mut is_told = false;
    loop {
        let key = place.key().text();
        let turn = place.take_turn(|| {
            let _ = tell(&format!(
                "waiting for the process that starts the cluster of {key}"
            ));
        })?;
        if let Some(handle) = join(&place, config)? {
            return Ok(Some(Membership::Handle(handle)));
        }
        if may_be_first {
            return Ok(Some(Membership::Host(place, turn)));
        }
        drop(turn);
        if !is_told {
            tell(&format!("waiting for a controller of {key} to be started"))?;
            is_told = true;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Asks the process that runs the cluster to run this node; `None` if there is none.
fn join(place: &ClusterPlace, config: &BrokerConfig) -> Result<Option<Handle>> {
    let Some(host) = place.host() else {
        return Ok(None);
    };
    let Ok(stream) = connect(&host.dir) else {
        return Ok(None);
    };
    say(&stream, &Question::Join(node(config)))?;
    let mut input = BufReader::new(stream);
    match read_reply(&mut input)? {
        // It is about to end.
        None => Ok(None),
        Some(Reply::Joined(ready)) => Ok(Some(Handle {
            input,
            host_dir: host.dir,
            ready,
        })),
        Some(Reply::Refused(why)) => Err(Error::failed(why).context(place.key().text())),
        Some(_) => Err(not_understood()),
    }
}

/// The node as another process can run it: with absolute paths, and with the listeners that passed the checks.
fn node(config: &BrokerConfig) -> MemberNode {
    let mut settings: Vec<(String, String)> = config
        .all_given()
        .map(|(name, value)| (name.to_owned(), absolute(name, value)))
        .collect();
    let listeners = config.listeners.iter().chain(&config.controllers);
    let listeners: Vec<String> = listeners.map(Endpoint::to_string).collect();
    settings.retain(|(name, _)| name != "listeners");
    settings.push(("listeners".to_owned(), listeners.join(",")));
    MemberNode {
        data_dir: config.data_dir.clone(),
        other_dirs: config.other_dirs.clone(),
        settings,
        flush_each_batch: config.flush_each_batch,
    }
}

fn absolute(name: &str, value: &str) -> String {
    let is_path = name.ends_with(".location") || matches!(name, "log.dirs" | "log.dir" | "metadata.log.dir");
    if !is_path || value.trim().is_empty() {
        return value.to_owned();
    }
    let paths = value.split(',').map(|path| {
        let path = path.trim();
        let absolute = std::path::absolute(path).unwrap_or_else(|_| Path::new(path).to_owned());
        absolute.display().to_string()
    });
    paths.collect::<Vec<_>>().join(",")
}

impl Handle {
    /// Waits until the node ends: Ctrl-C and SIGTERM stop it in order; a second signal ends this process at once, and
    /// with it the node.
    ///
    /// # Errors
    ///
    /// The process that runs the cluster has ended.
    pub(super) fn stay(mut self, printer: &mut Printer) -> Result<()> {
        let ending = Arc::new(AtomicBool::new(false));
        let mut stream = self.input.get_ref().try_clone()?;
        let asked = Arc::clone(&ending);
        on_signals(move |count| {
            asked.store(true, Ordering::Relaxed);
            let _ = stream.write_all(b"\n");
            count == 0
        })?;
        let id = self.ready.id;
        match read_reply(&mut self.input)? {
            Some(Reply::Left) => Ok(()),
            _ if ending.load(Ordering::Relaxed) => Ok(()),
            _ => {
                printer.flush()?;
                let pid = self.ready.host_pid;
                Err(Error::failed(format!(
                    "process {pid}, which ran node {id} and its cluster, has ended"
                ))
                .hint("start the nodes again"))
            }
        }
    }
}
