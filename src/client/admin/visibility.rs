//! Waits until the brokers show what was changed.
//!
//! The controller answers a change as soon as it is committed; the brokers learn of it a moment later. A following
//! command may ask any of them, so the call returns when every live broker shows the change. That is one request where
//! there is one broker; where there are several they are asked at the same time. The wait is bounded, and a change
//! that is not shown by then is a note and no failure: the change itself was made.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, MetadataResponse};
use kafka_protocol::protocol::Request;

use super::AdminClient;
use super::topics::topic_name;
use crate::topic_partition::BrokerId;
use crate::wire::error_codes::{LEADER_NOT_AVAILABLE, UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION};
use crate::wire::{Connection, ConnectionOptions, HostPort, WireError};

/// The longest wait for all brokers together.
const LIMIT: Duration = Duration::from_secs(5);
/// A broker that needs longer for one answer is not waited for.
const ONE_ANSWER: Duration = Duration::from_secs(3);
/// The pauses between two looks: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// The errors of a topic that a broker does not know yet, or whose leaders it does not know yet.
const NOT_YET: [i16; 3] = [UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, UNKNOWN_TOPIC_ID];

/// Whether an answer shows the change.
pub(super) type Check<T> = Arc<dyn Fn(&T) -> bool + Send + Sync>;

/// The result for one broker.
enum Seen {
    Shown,
    NotYet,
    /// The broker is down or does not support the request: it need not be waited for.
    NotAsked,
    Silent,
}

impl AdminClient {
    /// Waits until every broker has these topics, each with at least this many partitions, and knows their leaders.
    pub(super) fn await_partitions(&mut self, topics: Vec<(String, usize)>) {
        let names: Vec<&str> = topics.iter().map(|(name, _)| name.as_str()).collect();
        let (request, what) = (about(&names), phrase(&names));
        let check: Check<MetadataResponse> = Arc::new(move |answer| {
            topics
                .iter()
                .all(|(name, count)| has_partitions(answer, name, *count))
        });
        self.await_everywhere(&request, &check, &what);
    }

    /// Waits until no broker has these topics.
    pub(super) fn await_absence(&mut self, names: Vec<String>) {
        let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
        let (request, what) = (about(&borrowed), format!("that {} is gone", phrase(&borrowed)));
        let check: Check<MetadataResponse> = Arc::new(move |answer| {
            let is_there = |name: &String| {
                let found = topic_in(answer, name);
                found.is_some_and(|topic| topic.error_code == 0 || NOT_YET[1..].contains(&topic.error_code))
            };
            !names.iter().any(is_there)
        });
        self.await_everywhere(&request, &check, &what);
    }

    /// Waits until `check` is true for every broker's answer to `request`.
    pub(super) fn await_everywhere<R>(&mut self, request: &R, check: &Check<R::Response>, what: &str)
    where
        R: Request + Clone + Send + 'static,
        R::Response: Send + 'static,
    {
        let Ok(cluster) = self.cluster() else { return };
        let brokers: Vec<BrokerId> = cluster.brokers.iter().map(|broker| broker.id).collect();
        self.await_on(&brokers, request, check, what);
    }

    /// [`AdminClient::await_everywhere`] for some brokers.
    pub(super) fn await_on<R>(
        &mut self,
        brokers: &[BrokerId],
        request: &R,
        check: &Check<R::Response>,
        what: &str,
    ) where
        R: Request + Clone + Send + 'static,
        R::Response: Send + 'static,
    {
        let limit = LIMIT.min(self.time_left());
        let end = Instant::now() + limit;
        let Ok(cluster) = self.cluster() else { return };
        let is_alone = cluster.brokers.len() == 1;
        let places: Vec<(BrokerId, HostPort)> = brokers
            .iter()
            .filter_map(|broker| Some((*broker, cluster.address_of(*broker)?.clone())))
            .collect();
        let mut late = Vec::new();
        if let (true, [(broker, _)]) = (is_alone, places.as_slice()) {
            // The open connection is to this broker, perhaps under another name.
            if let Ok(connection) = self.pool.anybody(limit) {
                late.push((*broker, look(connection, request, &**check, end)));
            }
        } else {
            late = self.look_at_each(places, request, check, end);
        }
        for (broker, seen) in late {
            match seen {
                Seen::Shown | Seen::NotAsked => {}
                Seen::NotYet => self
                    .notes
                    .push(format!("broker {broker} does not show {what} yet")),
                Seen::Silent => self.notes.push(format!(
                    "broker {broker} does not answer: it may not show {what} yet"
                )),
            }
        }
    }

    fn look_at_each<R>(
        &mut self,
        places: Vec<(BrokerId, HostPort)>,
        request: &R,
        check: &Check<R::Response>,
        end: Instant,
    ) -> Vec<(BrokerId, Seen)>
    where
        R: Request + Clone + Send + 'static,
        R::Response: Send + 'static,
    {
        let left = end.saturating_duration_since(Instant::now());
        let options = self.pool.options_within(ONE_ANSWER.min(left));
        let (sender, outcomes) = mpsc::channel();
        let mut open: Vec<BrokerId> = Vec::new();
        for (broker, address) in places {
            open.push(broker);
            let connection = self.pool.take(&address);
            let (request, check) = (request.clone(), Arc::clone(check));
            let (sender, options) = (sender.clone(), options.clone());
            thread::spawn(move || {
                let outcome = look_on(&address, connection, &options, |connection| {
                    look(connection, &request, &*check, end)
                });
                // The receiver is gone once the time is over.
                let _ = sender.send((broker, outcome));
            });
        }
        drop(sender);
        let mut all = Vec::new();
        // A little longer than the threads' own limit, so that the result of each arrives.
        let last = end + LONGEST_PAUSE;
        while !open.is_empty() {
            let wait = last.saturating_duration_since(Instant::now());
            let Ok((broker, (connection, seen))) = outcomes.recv_timeout(wait) else {
                break;
            };
            open.retain(|open| *open != broker);
            if let Some(connection) = connection {
                self.pool.put(connection);
            }
            all.push((broker, seen));
        }
        all.extend(open.into_iter().map(|broker| (broker, Seen::Silent)));
        all
    }
}

/// Opens a connection if none is open, and asks over it; a connection that just broke is opened once more.
fn look_on(
    address: &HostPort,
    connection: Option<Connection>,
    options: &ConnectionOptions,
    mut look: impl FnMut(&mut Connection) -> Seen,
) -> (Option<Connection>, Seen) {
    if let Some(mut connection) = connection {
        connection.set_request_timeout(options.request_timeout);
        match look(&mut connection) {
            Seen::NotAsked | Seen::Silent => {}
            seen => return (Some(connection), seen),
        }
    }
    match Connection::open(address, options) {
        Ok(mut connection) => {
            let seen = look(&mut connection);
            let is_usable = matches!(seen, Seen::Shown | Seen::NotYet);
            (is_usable.then_some(connection), seen)
        }
        Err(error) if error.is_silence() => (None, Seen::Silent),
        Err(_) => (None, Seen::NotAsked),
    }
}

/// Asks until the change is shown or the time is over.
fn look<R: Request>(
    connection: &mut Connection,
    request: &R,
    check: &(dyn Fn(&R::Response) -> bool + Send + Sync),
    end: Instant,
) -> Seen {
    let mut pause = FIRST_PAUSE;
    loop {
        match connection.send(request) {
            Ok(answer) if check(&answer) => return Seen::Shown,
            Ok(_) => {}
            Err(WireError::TimedOut(_)) => return Seen::Silent,
            Err(_) => return Seen::NotAsked,
        }
        if Instant::now() + pause >= end {
            return Seen::NotYet;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The request for some topics, which creates none.
pub(super) fn about(names: &[&str]) -> MetadataRequest {
    let topic = |name: &&str| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
    MetadataRequest::default()
        .with_topics(Some(names.iter().map(topic).collect()))
        .with_allow_auto_topic_creation(false)
}

/// Topics in a note: the name, or their number.
pub(super) fn phrase(names: &[&str]) -> String {
    match names {
        [name] => format!("topic {name}"),
        names => format!("{} topics", names.len()),
    }
}

pub(super) fn topic_in<'a>(
    answer: &'a MetadataResponse,
    name: &str,
) -> Option<&'a kafka_protocol::messages::metadata_response::MetadataResponseTopic> {
    let is_it = |found: &str| found == name;
    answer
        .topics
        .iter()
        .find(|topic| topic.name.as_ref().is_some_and(|found| is_it(found.as_str())))
}

fn has_partitions(answer: &MetadataResponse, name: &str, count: usize) -> bool {
    let Some(topic) = topic_in(answer, name) else {
        return false;
    };
    if topic.error_code != 0 {
        // What the user may not see is not waited for.
        return !NOT_YET.contains(&topic.error_code);
    }
    let is_up =
        |id: &kafka_protocol::messages::BrokerId| answer.brokers.iter().any(|broker| broker.node_id == *id);
    topic.partitions.len() >= count.max(1)
        && topic.partitions.iter().all(|partition| {
            // If all brokers of the replicas are down, there is no leader to wait for.
            partition.leader_id.0 >= 0 || !partition.replica_nodes.iter().any(is_up)
        })
}
