//! Which cluster a command without connection flags would use, and whether it answers.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::admin::AdminClient;
use super::deadline::Deadline;
use super::local_broker::RunningBroker;
use super::mini_place;
use super::settings::{Asking, Origin, Settings};
use crate::error::Result;
use crate::topic_partition::is_internal_topic;

/// The cluster of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// The bootstrap servers; those of a mini broker when it runs.
    pub servers: String,
    /// The setting that names them; `None` if there is none.
    pub said_by: Option<String>,
    /// The data directory of a mini broker, in the user's notation.
    pub mini: Option<String>,
    pub state: State,
}

/// Whether the cluster answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Reached {
        cluster_id: Option<String>,
        brokers: usize,
        /// Without Kafka's internal topics, in order.
        topics: Vec<String>,
    },
    /// A mini broker that the next command will start.
    Asleep,
    /// Why the cluster was not asked: a password must be looked up or typed first.
    NotAsked(String),
    /// Why there is no answer.
    Unreachable(String),
}

/// Asks the cluster, for `limit` at most, and starts nothing.
pub fn look(settings: &Settings, limit: Duration) -> Result<Whereabouts> {
    let key = "bootstrap.servers";
    let servers = settings.get(key).unwrap_or_default().to_owned();
    let dir = mini_place::directory_named(&servers)?;
    let mut found = Whereabouts {
        said_by: (!servers.is_empty()).then(|| settings.place(key)),
        mini: dir.as_deref().map(mini_place::shown),
        servers,
        state: State::Unreachable(format!("no answer within {} ms", limit.as_millis())),
    };
    let mut settings = settings.clone();
    if let Err(error) = settings.resolve_references(Asking::Refused) {
        found.state = State::NotAsked(error.message());
        return Ok(found);
    }
    let (sender, answers) = mpsc::channel();
    // The thread is not joined if it is late; the process ends soon after.
    thread::spawn(move || sender.send(ask(settings, dir, limit)));
    match answers.recv_timeout(limit) {
        Ok(Ok((servers, state))) => {
            found.servers = servers.unwrap_or(found.servers);
            found.state = state;
        }
        Ok(Err(error)) => found.state = State::Unreachable(error.message()),
        Err(_) => {}
    }
    Ok(found)
}

/// The address of the mini broker, if that is the cluster, and the state of the cluster.
fn ask(mut settings: Settings, dir: Option<PathBuf>, limit: Duration) -> Result<(Option<String>, State)> {
    let mut address = None;
    if let Some(dir) = dir {
        let running = RunningBroker::find(&dir).and_then(|broker| broker.addresses.into_iter().next());
        let Some(running) = running else {
            return Ok((None, State::Asleep));
        };
        settings.set("bootstrap.servers", running.clone(), Origin::Flag);
        address = Some(running);
    }
    let mut admin = AdminClient::connect_once(&settings, Deadline::for_command(limit))?;
    let topics = admin.all_topics()?.into_iter().map(|topic| topic.name);
    let topics = topics.filter(|topic| !is_internal_topic(topic)).collect();
    let state = State::Reached {
        brokers: admin.brokers()?.len(),
        cluster_id: admin.cluster_id()?.map(str::to_owned),
        topics,
    };
    Ok((address, state))
}
