//! Checks a cluster step by step, for `doctor`: what works, what does not, and what may soon fail.
//!
//! Each finding is reported at once. A broker address is followed from its name to an answer of the broker; then one
//! that answers is asked for the cluster, and every broker is tried at its advertised address.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kafka_protocol::messages::{DescribeClusterRequest, MetadataRequest};

use super::Client;
use super::admin::topics::TopicDescription;
use super::admin::{AdminClient, Broker, Cluster};
use super::settings::Settings;
use crate::error::{Error, Kind, Result};
use crate::topic_partition::{BrokerId, TopicPartition};
use crate::wire::first_steps::{self, TlsSession};
use crate::wire::{Connection, ConnectionOptions, HostPort, WireError};

/// The longest wait for one step, unless `--timeout` is given.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the time of a broker's answer is measured; the shortest counts.
const ROUNDS: u32 = 3;
/// A certificate that expires within this time is reported.
const CERTIFICATE_NOTICE: Duration = Duration::from_secs(30 * 86_400);
/// Clocks that differ by more milliseconds are reported: a record without a timestamp gets that of its producer's
/// clock.
const CLOCK_NOTICE_MS: i64 = 1_000;
/// A broker whose answer takes longer is reported.
const SLOW: Duration = Duration::from_millis(500);

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Settings,
    Name,
    Connect,
    Tls,
    Protocol,
    Sasl,
    Brokers,
    Broker,
    Clock,
    Permissions,
    Partitions,
}

/// How a step ended.
#[derive(Debug)]
pub enum Outcome {
    Good(Fact),
    /// It works, but needs attention.
    Doubtful(Fact),
    Failed(Error),
}

/// What a step has found out.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The host's addresses.
    Addresses(Vec<SocketAddr>),
    Connected,
    /// An address of the host that does not answer while another does.
    NoAnswer(String),
    Tls(TlsSession),
    /// A certificate that expires soon, in this many whole days.
    Ends(TlsSession, i64),
    /// The number of APIs that the broker serves.
    Serves(usize),
    Authenticated(&'static str),
    /// The number of brokers, and the controller.
    Brokers(usize, Option<BrokerId>),
    /// A broker answers at its advertised address.
    Answers(HostPort),
    /// A broker that is down has this many replicas.
    Absent(usize),
    /// How far the controller's clock is ahead of ours, in milliseconds.
    ClockAhead(i64),
    /// The operations on the cluster that we are authorised for.
    May(Vec<&'static str>),
    /// The number of partitions, and those that are under-replicated.
    Partitions(usize, Vec<TopicPartition>),
}

/// The result of one check.
#[derive(Debug)]
pub struct Finding {
    pub step: Step,
    /// An address, or the id of a broker; empty for the cluster as a whole.
    pub place: String,
    pub outcome: Outcome,
    pub took: Option<Duration>,
}

/// Does all steps. `tell` gets each finding; its failure ends the run.
pub fn examine(client: &mut Client, tell: &mut dyn FnMut(Finding) -> Result<()>) -> Result<()> {
    let settings = client.settings().clone();
    let Some((servers, options)) = prepare(&settings, tell)? else {
        return Ok(());
    };
    let mut answers = 0;
    for address in &servers {
        answers += usize::from(examine_address(address, &options, tell)?);
    }
    if answers == 0 {
        return Ok(());
    }
    examine_cluster(client, &options, tell)
}

/// The addresses and how to connect; `None` if the settings are invalid.
fn prepare(
    settings: &Settings,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<Option<(Vec<HostPort>, ConnectionOptions)>> {
    let found = settings
        .bootstrap_servers()
        .and_then(|servers| Ok((servers, settings.connection_options()?)));
    match found {
        Ok((servers, mut options)) => {
            let limit = settings.timeout().unwrap_or(PATIENCE);
            options.connect_timeout = options.connect_timeout.min(limit);
            options.request_timeout = options.request_timeout.min(limit);
            Ok(Some((servers, options)))
        }
        Err(error) => {
            tell(failed(Step::Settings, String::new(), error))?;
            Ok(None)
        }
    }
}

fn failed(step: Step, place: String, error: impl Into<Error>) -> Finding {
    Finding {
        step,
        place,
        outcome: Outcome::Failed(error.into()),
        took: None,
    }
}

fn good(step: Step, place: &(impl ToString + ?Sized), fact: Fact, took: Duration) -> Finding {
    Finding {
        step,
        place: place.to_string(),
        outcome: Outcome::Good(fact),
        took: Some(took),
    }
}

fn doubtful(step: Step, place: &(impl ToString + ?Sized), fact: Fact) -> Finding {
    Finding {
        step,
        place: place.to_string(),
        outcome: Outcome::Doubtful(fact),
        took: None,
    }
}

/// Whether the broker at a bootstrap address answers us.
fn examine_address(
    address: &HostPort,
    options: &ConnectionOptions,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<bool> {
    let place = address.to_string();
    let begun = Instant::now();
    let addresses = match first_steps::addresses(address) {
        Ok(addresses) => addresses,
        Err(error) => return tell(failed(Step::Name, place, bare(error))).map(|()| false),
    };
    // An IP address needs no lookup.
    if address.host.parse::<IpAddr>().is_err() {
        let fact = Fact::Addresses(addresses.clone());
        tell(good(Step::Name, &address.host, fact, begun.elapsed()))?;
    }
    let Some(good_address) = examine_sockets(address, &addresses, options, tell)? else {
        return Ok(false);
    };
    if !examine_tls(address, &good_address, options, tell)? {
        return Ok(false);
    }
    let begun = Instant::now();
    match Connection::open(address, options) {
        Ok(connection) => {
            let fact = Fact::Serves(connection.versions().iter().count());
            tell(good(Step::Protocol, address, fact, begun.elapsed()))?;
            if let Some(credentials) = &options.credentials {
                let fact = Fact::Authenticated(credentials.mechanism());
                tell(good(Step::Sasl, address, fact, begun.elapsed()))?;
            }
            examine_welcome(address, connection, tell)
        }
        Err(error) => {
            let step = step_of(&error);
            tell(failed(step, place, bare(error)))?;
            Ok(false)
        }
    }
}

/// Sends a request that needs authentication: a listener with SASL answers ApiVersions to anybody, and closes the
/// connection at the next request of an unauthenticated client.
fn examine_welcome(
    address: &HostPort,
    mut connection: Connection,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<bool> {
    match connection.send(&MetadataRequest::default().with_topics(Some(Vec::new()))) {
        Ok(_) => Ok(true),
        Err(error) => {
            let step = step_of(&error);
            tell(failed(step, address.to_string(), bare(error)))?;
            Ok(false)
        }
    }
}

/// The first address of the host that answers. Those that do not are findings, doubtful ones if another one answers.
fn examine_sockets(
    address: &HostPort,
    addresses: &[SocketAddr],
    options: &ConnectionOptions,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<Option<SocketAddr>> {
    let mut failures = Vec::new();
    let mut found = None;
    for socket in addresses {
        match first_steps::connect(socket, options.connect_timeout) {
            Ok((_, took)) => {
                found.get_or_insert(*socket);
                tell(good(Step::Connect, socket, Fact::Connected, took))?;
            }
            Err(error) => failures.push((*socket, error)),
        }
    }
    for (socket, error) in failures {
        tell(match found {
            Some(_) => doubtful(Step::Connect, &socket, Fact::NoAnswer(error.to_string())),
            None => failed(Step::Connect, socket.to_string(), error),
        })?;
    }
    if addresses.is_empty() {
        let error = WireError::Unresolvable(address.clone());
        tell(failed(Step::Name, address.to_string(), error))?;
    }
    Ok(found)
}

fn examine_tls(
    address: &HostPort,
    socket: &SocketAddr,
    options: &ConnectionOptions,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<bool> {
    let Some(tls) = &options.tls else { return Ok(true) };
    let limit = options.connect_timeout;
    let begun = Instant::now();
    let session = first_steps::connect(socket, limit)
        .and_then(|(stream, _)| first_steps::shake_hands(&address.host, tls, stream, limit));
    let session = match session {
        Ok(session) => session,
        Err(error) => {
            tell(failed(Step::Tls, address.to_string(), error))?;
            return Ok(false);
        }
    };
    let took = begun.elapsed();
    let end = session.certificate.as_ref().map(|shown| shown.not_after);
    let left = end.map(|end| end.saturating_sub(now_ms() / 1000));
    let notice = i64::try_from(CERTIFICATE_NOTICE.as_secs()).unwrap_or(i64::MAX);
    tell(match left {
        Some(left) if left < notice => doubtful(Step::Tls, address, Fact::Ends(session, left / 86_400)),
        _ => good(Step::Tls, address, Fact::Tls(session), took),
    })?;
    Ok(true)
}

/// The step at which opening a connection failed.
fn step_of(error: &WireError) -> Step {
    match error.bare() {
        WireError::Authentication { .. } | WireError::WantsSasl(_) | WireError::HasNoSasl(_) => Step::Sasl,
        WireError::Tls(_) | WireError::WantsTls => Step::Tls,
        _ => Step::Protocol,
    }
}

/// The failure without its address, which the finding has.
fn bare(error: WireError) -> WireError {
    match error {
        WireError::At { failure, .. } => *failure,
        other => other,
    }
}

fn examine_cluster(
    client: &mut Client,
    options: &ConnectionOptions,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<()> {
    let whole = String::new;
    let begun = Instant::now();
    let cluster = match client.admin().and_then(|admin| admin.cluster().cloned()) {
        Ok(cluster) => cluster,
        Err(error) => return tell(failed(Step::Brokers, whole(), error)),
    };
    let fact = Fact::Brokers(cluster.brokers.len(), cluster.controller);
    tell(match cluster.controller {
        Some(_) => good(Step::Brokers, "", fact, begun.elapsed()),
        None => doubtful(Step::Brokers, "", fact),
    })?;
    for broker in &cluster.brokers {
        tell(examine_broker(broker, options))?;
    }
    examine_clock(client, tell)?;
    examine_permissions(client, tell)?;
    examine_partitions(client, &cluster, tell)
}

/// Whether a broker answers at its advertised address, and how fast.
fn examine_broker(broker: &Broker, options: &ConnectionOptions) -> Finding {
    let address = HostPort::new(&broker.host, broker.port);
    let place = broker.id.to_string();
    match round_trip(&address, options) {
        Ok(took) if took > SLOW => Finding {
            took: Some(took),
            ..doubtful(Step::Broker, &place, Fact::Answers(address))
        },
        Ok(took) => good(Step::Broker, &place, Fact::Answers(address), took),
        Err(error) => {
            let error = Error::from(bare(error)).context(&address);
            let error = if error.kind() == Kind::Unreachable {
                error.hint(format!(
                    "broker {} tells clients to connect there: its advertised.listeners must name an address that can \
                     be reached from here",
                    broker.id
                ))
            } else {
                error
            };
            failed(Step::Broker, place, error)
        }
    }
}

/// The shortest time of an answer.
fn round_trip(address: &HostPort, options: &ConnectionOptions) -> Result<Duration, WireError> {
    let mut connection = Connection::open(address, options)?;
    let question = MetadataRequest::default().with_topics(Some(Vec::new()));
    let mut shortest = Duration::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        connection.send(&question)?;
        shortest = shortest.min(begun.elapsed());
    }
    Ok(shortest)
}

/// Compares our clock with that of the quorum leader. If the cluster does not state its time, there is no finding.
fn examine_clock(client: &mut Client, tell: &mut dyn FnMut(Finding) -> Result<()>) -> Result<()> {
    let before = now_ms();
    let Ok(Ok(quorum)) = client.admin().and_then(AdminClient::describe_quorum) else {
        return Ok(());
    };
    let after = now_ms();
    let leader = quorum.voters.iter().find(|voter| voter.id == quorum.leader);
    let Some(theirs) = leader.and_then(|leader| leader.last_caught_up_ms) else {
        return Ok(());
    };
    // A difference smaller than the time of the answer cannot be measured.
    let ahead = match theirs {
        _ if theirs < before => theirs - before,
        _ if theirs > after => theirs - after,
        _ => 0,
    };
    let fact = Fact::ClockAhead(ahead);
    tell(if ahead.abs() > CLOCK_NOTICE_MS {
        doubtful(Step::Clock, &quorum.leader, fact)
    } else {
        let took = u64::try_from(after - before).unwrap_or_default();
        good(Step::Clock, &quorum.leader, fact, Duration::from_millis(took))
    })
}

/// Operations on the cluster by the number of their bit in an answer.
///
/// <https://kafka.apache.org/documentation/#security_authz_primitives>
const OPERATIONS: [(u32, &str); 7] = [
    (5, "create"),
    (7, "alter"),
    (8, "describe"),
    (9, "cluster action"),
    (10, "describe configs"),
    (11, "alter configs"),
    (12, "idempotent write"),
];

/// The operations that we are authorised for on the cluster; if an old broker does not state them, there is no
/// finding.
fn examine_permissions(client: &mut Client, tell: &mut dyn FnMut(Finding) -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    let question = DescribeClusterRequest::default().with_include_cluster_authorized_operations(true);
    let Ok(answer) = client.admin().and_then(|admin| admin.send(question)) else {
        return Ok(());
    };
    let bits = answer.cluster_authorized_operations;
    if answer.error_code != 0 || bits == i32::MIN {
        return Ok(());
    }
    let allowed = OPERATIONS.iter().filter(|(bit, _)| bits & (1 << bit) != 0);
    let allowed: Vec<&str> = allowed.map(|(_, name)| *name).collect();
    let fact = Fact::May(allowed.clone());
    tell(if allowed.is_empty() {
        doubtful(Step::Permissions, "", fact)
    } else {
        good(Step::Permissions, "", fact, begun.elapsed())
    })
}

/// Partitions without a leader are a failure; under-replicated ones are doubtful.
fn examine_partitions(
    client: &mut Client,
    cluster: &Cluster,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<()> {
    let begun = Instant::now();
    let topics = match client.admin().and_then(AdminClient::all_topics) {
        Ok(topics) => topics,
        Err(error) => return tell(failed(Step::Partitions, String::new(), error)),
    };
    for (broker, replicas) in absent(&topics, cluster) {
        tell(doubtful(Step::Broker, &broker, Fact::Absent(replicas)))?;
    }
    let (count, offline, lacking) = count(&topics);
    if let Some(error) = offline_error(&offline, &topics, cluster) {
        tell(failed(Step::Partitions, String::new(), error))?;
    }
    let is_good = lacking.is_empty();
    let fact = Fact::Partitions(count, lacking);
    tell(if is_good {
        good(Step::Partitions, "", fact, begun.elapsed())
    } else {
        doubtful(Step::Partitions, "", fact)
    })
}

/// The brokers that are down, with their numbers of replicas.
fn absent(topics: &[TopicDescription], cluster: &Cluster) -> BTreeMap<BrokerId, usize> {
    let mut absent = BTreeMap::new();
    let partitions = topics.iter().flat_map(|topic| &topic.partitions);
    for broker in partitions.flat_map(|partition| &partition.replicas) {
        if !cluster.brokers.iter().any(|known| known.id == *broker) {
            *absent.entry(*broker).or_default() += 1;
        }
    }
    absent
}

/// The number of partitions, those without a leader, and those of the others that are under-replicated.
fn count(topics: &[TopicDescription]) -> (usize, Vec<TopicPartition>, Vec<TopicPartition>) {
    let (mut all, mut offline, mut lacking) = (0, Vec::new(), Vec::new());
    for topic in topics {
        for partition in &topic.partitions {
            all += 1;
            let name = || TopicPartition::new(topic.name.as_str(), partition.partition);
            if partition.leader.is_none() {
                offline.push(name());
            } else if partition.in_sync.len() < partition.replicas.len() {
                lacking.push(name());
            }
        }
    }
    (all, offline, lacking)
}

/// The error that names the first partition without a leader, and the brokers that must come back.
fn offline_error(
    offline: &[TopicPartition],
    topics: &[TopicDescription],
    cluster: &Cluster,
) -> Option<Error> {
    let first = offline.first()?;
    let topic = topics.iter().find(|topic| topic.name == first.topic)?;
    let partition = topic
        .partitions
        .iter()
        .find(|partition| partition.partition == first.partition)?;
    let is_up = |id: &BrokerId| cluster.brokers.iter().any(|broker| broker.id == *id);
    let down: Vec<String> = partition
        .replicas
        .iter()
        .filter(|id| !is_up(id))
        .map(ToString::to_string)
        .collect();
    let others = match offline.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let error = Error::failed(format!(
        "{first}{others} without a leader: can be neither written nor read"
    ));
    Some(if down.is_empty() {
        error.hint("kafkit topics list shows which; see the brokers' own logs")
    } else {
        error.hint(format!("broker {} of {first} is down", down.join(", ")))
    })
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
