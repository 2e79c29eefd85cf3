//! Shows and stops the broker that runs on a data directory.

use std::path::Path;
use std::time::{Duration, Instant};

use kafka_protocol::messages::{DescribeLogDirsRequest, MetadataRequest};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{clients, cluster_place};
use crate::broker::timers::now_ms;
use crate::client::local_broker::RunningBroker;
use crate::client::mini_place::shown;
use crate::error::{Error, Kind, Result};
use crate::output::Printer;
use crate::output::mini_broker::Status;

/// The longest that a broker may take to close its logs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Shows the broker on `dir`.
pub(super) fn status(dir: &Path, printer: &mut Printer) -> Result<()> {
    let running = find(dir)?;
    let mut connection = running.connect().ok_or_else(|| {
        if !running.is_secure {
            return gone(dir);
        }
        let who = format!("the mini broker on {} (process {})", shown(dir), running.pid);
        Error::new(Kind::Denied, format!("{who} answers only who logs in"))
            .hint("kafkit doctor --command-config FILE asks it as its clients do")
    })?;
    let failed = |error: crate::wire::WireError| Error::unreachable(error);
    let metadata = connection
        .send(&MetadataRequest::default().with_topics(None))
        .map_err(failed)?;
    let log_dirs = connection
        .send(&DescribeLogDirsRequest::default().with_topics(None))
        .map_err(failed)?;
    let topics = log_dirs.results.iter().flat_map(|dir| &dir.topics);
    let partitions = topics.flat_map(|topic| &topic.partitions);
    let bytes: i64 = partitions.map(|partition| partition.partition_size).sum();
    crate::output::mini_broker::status(
        printer,
        &Status {
            addresses: running.addresses.clone(),
            pid: running.pid,
            up: Duration::from_millis(u64::try_from(now_ms() - running.started_ms).unwrap_or(0)),
            nodes: metadata.brokers.len(),
            topics: metadata.topics.len(),
            bytes: u64::try_from(bytes).unwrap_or(0),
            clients: running.port().and_then(clients::count),
            data_dir: shown(dir),
        },
    )
}

/// Stops the broker on `dir` and waits until it has ended.
pub(super) fn stop(dir: &Path, printer: &mut Printer) -> Result<()> {
    let running = find(dir)?;
    stop_broker(running.pid)?;
    printer.note(format_args!("stopped the mini broker on {}", shown(dir)));
    Ok(())
}

fn find(dir: &Path) -> Result<RunningBroker> {
    RunningBroker::find(dir).ok_or_else(|| gone(dir))
}

fn gone(dir: &Path) -> Error {
    Error::not_found(format!("no mini broker runs on {}", shown(dir)))
}

/// Asks a process to stop, and waits until it has.
///
/// # Errors
///
/// It is not a process of this user, or does not stop.
pub fn stop_broker(pid: u32) -> Result<()> {
    ask_to_stop(pid)?;
    wait_until_stopped(pid)
}

/// Asks a process to stop.
///
/// # Errors
///
/// It is not a process of this user.
pub fn ask_to_stop(pid: u32) -> Result<()> {
    kill_process(process(pid)?, Signal::TERM).map_err(|error| {
        Error::from(std::io::Error::from(error)).context(format!("cannot stop process {pid}"))
    })
}

/// Waits until a process that was asked to stop has ended, or has stopped its own node and runs those of others.
///
/// # Errors
///
/// It takes longer than `PATIENCE`.
pub fn wait_until_stopped(pid: u32) -> Result<()> {
    let process = process(pid)?;
    let started = Instant::now();
    while test_kill_process(process).is_ok() && !cluster_place::stays(pid) {
        if started.elapsed() > PATIENCE {
            return Err(Error::failed(format!(
                "process {pid} was told to stop and has not"
            )));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn process(pid: u32) -> Result<Pid> {
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    process.ok_or_else(|| Error::failed(format!("{pid} is no process")))
}
