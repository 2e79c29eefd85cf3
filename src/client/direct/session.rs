//! What sending and reading share: the network, and the current metadata of the cluster.
//!
//! Owns when metadata is requested: at the start, after a sign of a change, after `metadata.max.age.ms`; one request at
//! a time, and less and less often while the answers bring nothing new.

use std::time::{Duration, Instant};

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::{Request, StrBytes};

use super::cluster::Cluster;
use super::network::{Event, Network, Node, Waker};
use crate::client::typed_settings::ClusterSettings;
use crate::error::{Error, Result};
use crate::wire::versions::ApiVersions;
use crate::wire::{Answer, Channel, Frame, HostPort, Piece, Unanswered, WireError};

/// The first version of Metadata with a flag for the creation of topics; before, it always creates them.
const CREATION_CAN_BE_REFUSED: i16 = 4;

/// The note of a request: the session's own, or its user's.
#[derive(Debug)]
enum Note<T> {
    Metadata { of_all: bool },
    Other(T),
}

/// The metadata of a cluster, and the connections to it.
#[derive(Debug)]
pub(super) struct Session<T> {
    network: Network<Note<T>>,
    pub(super) cluster: Cluster,
    servers: Vec<HostPort>,
    options: ClusterSettings,
    /// A request for a missing topic may create it, if the cluster does so.
    may_create_topics: bool,
    topics: Vec<String>,
    /// The next metadata request is for all topics.
    wants_all: bool,
    /// All topics of the last answer for all topics.
    all_topics: Vec<String>,
    /// When to ask next; `None` while a request is in flight.
    ask_at: Option<Instant>,
    /// The request in flight lacks topics that were added since.
    is_outdated: bool,
    /// The node of the last metadata request.
    asked: Option<Node>,
    /// Metadata requests in a row that were made before `metadata.max.age.ms`.
    hasty: u32,
    /// Metadata answers so far; a user that needs fresh metadata waits for the next.
    answers: u64,
    answers_of_all: u64,
}

impl<T> Session<T> {
    pub(super) fn new(options: ClusterSettings, may_create_topics: bool) -> Result<Self> {
        let servers = options.servers.clone();
        let network = Network::new(&options)?;
        Ok(Self {
            network,
            cluster: Cluster::default(),
            servers,
            options,
            may_create_topics,
            topics: Vec::new(),
            wants_all: false,
            all_topics: Vec::new(),
            ask_at: Some(Instant::now()),
            is_outdated: false,
            asked: None,
            hasty: 0,
            answers: 0,
            answers_of_all: 0,
        })
    }

    pub(super) fn waker(&self) -> Waker {
        self.network.waker()
    }

    /// Keeps the metadata of this topic too.
    pub(super) fn watch(&mut self, topic: &str) {
        if !self.topics.iter().any(|known| known == topic) {
            self.topics.push(topic.to_owned());
            self.ask_for_more();
        }
    }

    /// Asks once for all topics.
    pub(super) fn ask_for_all(&mut self) {
        self.wants_all = true;
        self.ask_for_more();
    }

    /// The number of metadata answers so far.
    pub(super) fn answers(&self) -> u64 {
        self.answers
    }

    /// All topics of the last answer for all topics.
    pub(super) fn all_topics(&self) -> &[String] {
        &self.all_topics
    }

    /// The number of answers for all topics so far.
    pub(super) fn answers_of_all(&self) -> u64 {
        self.answers_of_all
    }

    /// Asks at once; if a request is in flight that lacks some topics, asks again after its answer.
    fn ask_for_more(&mut self) {
        self.is_outdated = self.ask_at.is_none();
        self.ask_now();
    }

    /// Asks at once: a user waits for the answer.
    pub(super) fn ask_now(&mut self) {
        if self.ask_at.is_some() {
            self.ask_at = Some(Instant::now());
        }
    }

    /// Asks soon: the metadata is outdated.
    pub(super) fn refresh(&mut self) {
        let hasty = self.hasty;
        if let Some(ask_at) = &mut self.ask_at {
            let wait = if hasty == 0 {
                Duration::ZERO
            } else {
                self.options.retry.after(hasty)
            };
            *ask_at = (*ask_at).min(Instant::now() + wait);
        }
    }

    /// A broker's connection, when it is open and takes requests; otherwise it is opened in the background.
    pub(super) fn channel(&mut self, node: Node) -> Option<Link<'_, T>> {
        if !self.network.is_open(node) {
            self.network.open(node);
        }
        self.network.channel(node).map(|channel| Link { channel })
    }

    /// A node for a request to any broker, if one is connected.
    pub(super) fn any_node(&mut self) -> Option<Node> {
        self.network.any_node()
    }

    pub(super) fn is_open(&self, node: Node) -> bool {
        self.network.is_open(node)
    }

    pub(super) fn close(&mut self, node: Node, error: WireError) {
        self.network.close(node, error);
        self.refresh();
    }

    pub(super) fn mute(&mut self, node: Node, time: Duration) {
        self.network.mute(node, time);
    }

    pub(super) fn recycle(&mut self, node: Node, frame: Frame) {
        self.network.recycle(node, frame);
    }

    pub(super) fn last_error(&self, node: Node) -> Option<&WireError> {
        self.network.last_error(node)
    }

    /// Since when a connected broker owes an answer without having sent a byte.
    pub(super) fn silent_since(&self, node: Node) -> Option<Instant> {
        self.network.silent_since(node)
    }

    /// The events of the user's requests; waits for them up to `wait`.
    pub(super) fn wait(&mut self, wait: Duration) -> Vec<Event<T>> {
        self.ask_when_due();
        let now = Instant::now();
        let until_next = self
            .ask_at
            .map_or(Duration::MAX, |at| at.saturating_duration_since(now))
            .max(Duration::from_millis(1));
        let events = self.network.wait(wait.min(until_next));
        let mut passed_on = Vec::with_capacity(events.len());
        for event in events {
            match event {
                Event::Opened(node) => {
                    self.ask_when_due();
                    passed_on.push(Event::Opened(node));
                }
                Event::Answered(node, answer) => passed_on.extend(self.answered(node, answer)),
                Event::Lost { node, unanswered } => passed_on.push(self.lost(node, unanswered)),
            }
        }
        passed_on
    }

    fn answered(&mut self, node: Node, answer: Answer<Note<T>>) -> Option<Event<T>> {
        let Answer { note, version, frame } = answer;
        match note {
            Note::Other(theirs) => Some(Event::Answered(
                node,
                Answer {
                    note: theirs,
                    version,
                    frame,
                },
            )),
            Note::Metadata { of_all } => {
                match frame.decode::<MetadataRequest>(version) {
                    Ok(answer) => self.learn(&answer, of_all),
                    Err(error) => self.network.close(node, error),
                }
                self.network.recycle(node, frame);
                None
            }
        }
    }

    fn lost(&mut self, node: Node, unanswered: Vec<Unanswered<Note<T>>>) -> Event<T> {
        let mut theirs = Vec::with_capacity(unanswered.len());
        for Unanswered { note, is_unsent } in unanswered {
            match note {
                Note::Metadata { .. } => self.ask_at = Some(Instant::now()),
                Note::Other(other) => theirs.push(Unanswered {
                    note: other,
                    is_unsent,
                }),
            }
        }
        self.refresh();
        Event::Lost {
            node,
            unanswered: theirs,
        }
    }

    fn learn(&mut self, answer: &MetadataResponse, of_all: bool) {
        self.hasty = self.hasty.saturating_add(1);
        let age = if std::mem::take(&mut self.is_outdated) {
            Duration::ZERO
        } else {
            self.options.metadata_max_age
        };
        self.ask_at = Some(Instant::now() + age);
        // A broker that has just started knows no brokers yet; ask again.
        if answer.brokers.is_empty() || answer.error_code != 0 {
            self.refresh();
            return;
        }
        self.cluster.apply(answer);
        self.answers += 1;
        if of_all {
            self.wants_all = false;
            self.answers_of_all += 1;
            self.all_topics = answer
                .topics
                .iter()
                .filter_map(|topic| topic.name.as_ref())
                .map(|name| name.to_string())
                .collect();
        }
        for (id, address) in &self.cluster.brokers {
            self.network
                .set_addresses(Node::Broker(*id), vec![address.clone()]);
        }
        self.network.adopt_bootstrap(&self.cluster.brokers);
    }

    /// The user's requests succeed: at the next sign of a change metadata is requested at once.
    pub(super) fn note_success(&mut self) {
        self.hasty = 0;
    }

    fn ask_when_due(&mut self) {
        self.ask_another_when_silent();
        if self.ask_at.is_none_or(|at| at > Instant::now()) {
            return;
        }
        let Some(node) = self.network.any_node() else {
            return;
        };
        let timeout = self.options.connection.request_timeout;
        let of_all = self.wants_all;
        let Some(channel) = self.network.channel(node) else {
            return;
        };
        let sent = channel
            .versions()
            .highest::<MetadataRequest>()
            .and_then(|version| {
                let request = metadata_request(&self.topics, of_all, self.may_create_topics, version);
                channel.send(&request, version, timeout, Note::Metadata { of_all })
            });
        match sent {
            Ok(()) => {
                self.ask_at = None;
                self.is_outdated = false;
                self.asked = Some(node);
            }
            Err(error) => self.network.close(node, error),
        }
    }

    /// If the broker of the metadata request is silent, another one is asked. If the first answers nevertheless, the
    /// older answer does no harm.
    fn ask_another_when_silent(&mut self) {
        let Some(node) = self.asked.filter(|_| self.ask_at.is_none()) else {
            return;
        };
        if self.network.is_silent(node) && self.network.any_node().is_some_and(|another| another != node) {
            self.ask_at = Some(Instant::now());
        }
    }

    /// The error after no broker could be reached for the time `after`.
    pub(super) fn unreachable(&self, after: Duration) -> Error {
        let several = self.servers.len() > 1;
        match self.network.error() {
            Some(WireError::At { failure, .. }) if several && failure.is_passing() => {
                failure.at(self.servers_in_words()).into()
            }
            Some(error) => error.into(),
            None => WireError::TimedOut(after).at(self.servers_in_words()).into(),
        }
    }

    /// The permanent failure, if there is one and no broker is connected.
    pub(super) fn hopeless(&self) -> Option<Error> {
        if self.network.is_connected() || !self.network.is_hopeless() {
            return None;
        }
        self.network.error().map(Error::from)
    }

    /// The bootstrap servers as the user named them.
    pub(super) fn servers_in_words(&self) -> String {
        let servers: Vec<String> = self.servers.iter().map(ToString::to_string).collect();
        servers.join(",")
    }
}

/// An open connection that takes requests of the session's user.
#[derive(Debug)]
pub(super) struct Link<'a, T> {
    channel: &'a mut Channel<Note<T>>,
}

impl<T> Link<'_, T> {
    /// The versions that the broker serves.
    pub(super) fn versions(&self) -> &ApiVersions {
        self.channel.versions()
    }

    /// Requests without an answer.
    pub(super) fn unanswered(&self) -> usize {
        self.channel.unanswered()
    }

    /// Whether some output has not been written to the socket yet.
    pub(super) fn has_output(&self) -> bool {
        self.channel.has_output()
    }

    /// Sends `request` in the highest version up to `limit` that both sides know.
    pub(super) fn send<R: Request>(
        &mut self,
        build: impl FnOnce(i16) -> R,
        limit: i16,
        timeout: Duration,
        note: T,
    ) -> Result<(), WireError> {
        let version = self.channel.versions().highest_up_to::<R>(limit)?;
        self.channel
            .send(&build(version), version, timeout, Note::Other(note))
    }

    /// Sends a body that is already encoded; `None` for the timeout is a request without an answer.
    pub(super) fn send_pieces<R: Request>(
        &mut self,
        version: i16,
        body: Vec<Piece>,
        timeout: Option<Duration>,
        note: T,
    ) -> Result<(), WireError> {
        self.channel
            .send_pieces::<R>(version, body, timeout, Note::Other(note))
    }
}

fn metadata_request(topics: &[String], of_all: bool, may_create: bool, version: i16) -> MetadataRequest {
    let topics = topics.iter().map(|topic| {
        let name = TopicName(StrBytes::from_string(topic.clone()));
        MetadataRequestTopic::default().with_name(Some(name))
    });
    // Version 0 has no null, and takes the empty list for every topic.
    let all = (version == 0).then(Vec::new);
    let request = MetadataRequest::default().with_topics(if of_all { all } else { Some(topics.collect()) });
    if version < CREATION_CAN_BE_REFUSED {
        return request;
    }
    request.with_allow_auto_topic_creation(may_create)
}
