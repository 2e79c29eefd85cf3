//! The admin client over our own wire: requests to any broker, to a given broker, the controller or a coordinator.
//!
//! Each file has one family of operations; this one owns what they share: which broker is asked, what is retried and
//! for how long. A request that changes something is sent again only when it is certain that no broker saw it.

pub mod acls;
mod answers;
mod api_error;
mod attempts;
mod cluster;
pub mod config_details;
pub mod configs;
pub mod delegation_tokens;
pub mod elections;
mod fan_out;
pub mod features;
mod fetch;
pub mod group_changes;
pub mod group_overview;
mod grouped;
pub mod groups;
mod led_partitions;
pub mod log_dirs;
pub mod offsets;
pub mod parts;
mod patience;
mod pool;
pub mod producers;
pub mod quorum;
pub mod quotas;
pub mod reassignments;
pub mod record_deletion;
pub mod registration;
pub mod replica_log_dirs;
pub mod scram_users;
pub mod share_groups;
pub mod throttles;
pub mod topic_specs;
pub mod topics;
pub mod transactional_producer;
pub mod transactions;
mod visibility;
pub mod volumes;

use std::any::Any;
use std::time::Duration;

use kafka_protocol::messages::{
    ApiKey, DescribeClusterRequest, DescribeQuorumRequest, FindCoordinatorRequest, MetadataRequest,
    MetadataResponse,
};
use kafka_protocol::protocol::{Request, StrBytes};

use crate::client::deadline::Deadline;
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::topic_partition::BrokerId;
use crate::wire::{HostPort, WireError};
pub use api_error::ApiError;
use attempts::Attempts;
pub use cluster::{Broker, Cluster};
pub use fan_out::Absent;
use pool::Pool;

/// The longest an admin call takes with all its tries, unless `default.api.timeout.ms` or the command's time-out says
/// otherwise.
const DEFAULT_API_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a cluster that cannot be reached at all is tried, unless `default.api.timeout.ms` says otherwise.
const DEFAULT_PATIENCE: Duration = Duration::from_millis(2500);

/// The hint if a broker accepted a request and did not answer in time.
const SLOW: &str = "does the broker need longer than --timeout allows?";

/// A connection to a cluster for admin calls.
#[derive(Debug)]
pub struct AdminClient {
    pool: Pool,
    cluster: Option<Cluster>,
    api_timeout: Duration,
    patience: Duration,
    deadline: Option<Deadline>,
    /// Brokers that could not be asked.
    absent: Absent,
    /// What the user should know about calls that succeeded.
    notes: Vec<String>,
}

/// The receiver of a request.
#[derive(Clone, Copy, Debug)]
enum Target<'a> {
    Anybody,
    Broker(BrokerId),
    Controller,
    GroupCoordinator(&'a str),
    TransactionCoordinator(&'a str),
}

/// Why one try failed, and whether the request can be sent again without harm.
struct Failure {
    error: Error,
    /// Nothing was carried out, and a retry may help.
    again: bool,
    /// The broker received the whole request.
    was_asked: bool,
}

impl AdminClient {
    /// Connects to the first bootstrap broker that answers.
    pub fn connect(settings: &Settings) -> Result<Self> {
        Self::connect_within(settings, settings.timeout().map(Deadline::for_command), None)
    }

    /// [`AdminClient::connect`] with one try alone, for callers that need an answer at once or none.
    pub fn connect_once(settings: &Settings, deadline: Deadline) -> Result<Self> {
        Self::connect_with_patience(settings, Some(deadline), Some(Duration::ZERO), None)
    }

    /// [`AdminClient::connect`] with a deadline that may be running already; `tell` gets the failure of each try that
    /// reached no broker.
    pub fn connect_within(
        settings: &Settings,
        deadline: Option<Deadline>,
        tell: Option<fn(&WireError)>,
    ) -> Result<Self> {
        Self::connect_with_patience(settings, deadline, settings.api_timeout()?, tell)
    }

    fn connect_with_patience(
        settings: &Settings,
        deadline: Option<Deadline>,
        patience: Option<Duration>,
        tell: Option<fn(&WireError)>,
    ) -> Result<Self> {
        let servers = settings.bootstrap_servers()?;
        if servers.is_empty() {
            return Err(Error::usage("no broker to ask").hint("give one with -b HOST:PORT"));
        }
        let api_timeout = settings.api_timeout()?;
        let mut client = Self {
            pool: Pool::new(servers, settings.connection_options()?),
            cluster: None,
            api_timeout: api_timeout
                .or_else(|| deadline.as_ref().map(Deadline::limit))
                .unwrap_or(DEFAULT_API_TIMEOUT),
            patience: patience.unwrap_or(DEFAULT_PATIENCE),
            deadline,
            absent: Absent::new(),
            notes: Vec::new(),
        };
        let mut attempts = client.attempts();
        while let Err(error) = client.pool.anybody(attempts.left()) {
            if error.is_passing()
                && let Some(tell) = tell
            {
                tell(&error);
            }
            if !error.is_passing() || !attempts.pause_unreached() {
                return Err(attempts.gave_up(error).into());
            }
        }
        Ok(client)
    }

    /// Replaces the deadline.
    pub fn set_deadline(&mut self, deadline: Option<Deadline>) {
        self.deadline = deadline;
    }

    /// The time that is left for one more call.
    fn time_left(&self) -> Duration {
        let left = self.deadline.as_ref().map_or(self.api_timeout, Deadline::left);
        left.min(self.api_timeout)
    }

    /// What the user should know about calls that succeeded since the last call.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// The broker that answers requests to any broker.
    pub fn connected_to(&mut self) -> Result<HostPort> {
        let limit = self.time_left();
        let connection = self.pool.anybody(limit)?;
        Ok(connection.address().clone())
    }

    /// The version in which `R` is sent to any broker.
    pub fn version_of<R: Request>(&mut self) -> Result<i16> {
        let limit = self.time_left();
        Ok(self.pool.anybody(limit)?.version_of::<R>()?)
    }

    /// The cluster as the brokers last described it.
    pub fn cluster(&mut self) -> Result<&Cluster> {
        if self.cluster.is_none() {
            self.refresh()?;
        }
        self.cluster.as_ref().ok_or_else(|| Error::failed("no metadata"))
    }

    /// The live brokers, by id.
    pub fn brokers(&mut self) -> Result<&[Broker]> {
        Ok(&self.cluster()?.brokers)
    }

    /// The cluster's id; very old brokers have none.
    pub fn cluster_id(&mut self) -> Result<Option<&str>> {
        Ok(self.cluster()?.id.as_deref())
    }

    /// The controller, or the broker that passes requests on to it (`KRaft`); `None` during an election.
    pub fn controller_id(&mut self) -> Result<Option<BrokerId>> {
        Ok(self.cluster()?.controller)
    }

    /// Asks the cluster for its brokers again.
    pub fn refresh(&mut self) -> Result<()> {
        if self.asks_a_controller()? {
            return self.refresh_by_controller();
        }
        let request = MetadataRequest::default().with_topics(Some(Vec::new()));
        let answer = self.send(request)?;
        ApiError::check(answer.error_code, None::<String>)?;
        self.learn(&answer);
        Ok(())
    }

    /// Whether the given address is a controller's own listener, which serves no Metadata.
    fn asks_a_controller(&mut self) -> Result<bool> {
        match self.version_of::<MetadataRequest>() {
            Ok(_) => Ok(false),
            Err(error) if topics::is_unsupported(&error) => {
                Ok(self.version_of::<DescribeClusterRequest>().is_ok())
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the controllers instead of the brokers, from one of them (KIP-919).
    fn refresh_by_controller(&mut self) -> Result<()> {
        let request = DescribeClusterRequest::default().with_endpoint_type(2);
        let answer = self.send(request)?;
        ApiError::check(answer.error_code, answer.error_message.as_deref())?;
        let cluster = Cluster::of_controllers(&answer);
        self.pool.learn(cluster.addresses());
        self.cluster = Some(cluster);
        Ok(())
    }

    /// Takes the brokers from a Metadata answer.
    fn learn(&mut self, answer: &MetadataResponse) {
        let cluster = Cluster::of(answer);
        self.pool.learn(cluster.addresses());
        self.cluster = Some(cluster);
    }

    /// Sends `request` to any broker.
    pub fn send<R: Request + Clone>(&mut self, request: R) -> Result<R::Response>
    where
        R::Response: 'static,
    {
        self.send_with(move |_| request.clone())
    }

    /// Sends what `build` makes for the version in use to any broker.
    pub fn send_with<R: Request>(&mut self, mut build: impl FnMut(i16) -> R) -> Result<R::Response>
    where
        R::Response: 'static,
    {
        self.call(Target::Anybody, &mut build)
    }

    /// Sends `request` to one broker.
    pub fn send_to<R: Request + Clone>(&mut self, broker: BrokerId, request: R) -> Result<R::Response>
    where
        R::Response: 'static,
    {
        self.send_to_with(broker, move |_| request.clone())
    }

    /// Sends what `build` makes for the version in use to one broker.
    pub fn send_to_with<R: Request>(
        &mut self,
        broker: BrokerId,
        mut build: impl FnMut(i16) -> R,
    ) -> Result<R::Response>
    where
        R::Response: 'static,
    {
        self.call(Target::Broker(broker), &mut build)
    }

    /// Sends `request` to the controller, and to the new one if it changes during the call.
    pub fn send_to_controller<R: Request + Clone>(&mut self, request: R) -> Result<R::Response>
    where
        R::Response: 'static,
    {
        self.send_to_controller_with(move |_| request.clone())
    }

    /// Sends what `build` makes for the version in use to the controller.
    pub fn send_to_controller_with<R: Request>(
        &mut self,
        mut build: impl FnMut(i16) -> R,
    ) -> Result<R::Response>
    where
        R::Response: 'static,
    {
        self.call(Target::Controller, &mut build)
    }

    /// Sends `request` to the coordinator of `group`, and waits while it is elected or loads.
    pub fn send_to_coordinator<R: Request + Clone>(&mut self, group: &str, request: R) -> Result<R::Response>
    where
        R::Response: 'static,
    {
        self.send_to_coordinator_with(group, move |_| request.clone())
    }

    /// Sends what `build` makes for the version in use to the coordinator of `group`.
    pub fn send_to_coordinator_with<R: Request>(
        &mut self,
        group: &str,
        mut build: impl FnMut(i16) -> R,
    ) -> Result<R::Response>
    where
        R::Response: 'static,
    {
        self.call(Target::GroupCoordinator(group), &mut build)
    }

    /// Sends `request` to the coordinator of a transactional id.
    pub fn send_to_transaction_coordinator<R: Request + Clone>(
        &mut self,
        transactional_id: &str,
        request: R,
    ) -> Result<R::Response>
    where
        R::Response: 'static,
    {
        let mut build = move |_| request.clone();
        self.call(Target::TransactionCoordinator(transactional_id), &mut build)
    }

    fn attempts(&self) -> Attempts {
        Attempts::new(self.time_left(), self.patience)
    }

    /// Tries until there is an answer, a permanent failure, or no more time.
    fn call<R: Request>(&mut self, target: Target<'_>, build: &mut dyn FnMut(i16) -> R) -> Result<R::Response>
    where
        R::Response: 'static,
    {
        let mut attempts = self.attempts();
        loop {
            match self.try_once(target, build, &attempts) {
                Ok(answer) => match moved(target, &answer) {
                    Some(()) if attempts.pause() => self.cluster = None,
                    _ => return Ok(answer),
                },
                Err(failure) => {
                    let unreached = failure
                        .error
                        .cause::<WireError>()
                        .is_some_and(WireError::is_passing);
                    // A silent broker has used its share of the time: another one is asked without a pause.
                    let is_silent = is_silence(&failure.error) && self.pool.has_choice();
                    let goes_on = failure.again
                        && !(is_silent && matches!(target, Target::GroupCoordinator(_)))
                        && if unreached && !is_silent {
                            attempts.pause_unreached()
                        } else {
                            attempts.pause()
                        };
                    if !goes_on {
                        let is_slow = failure.was_asked && is_silence(&failure.error);
                        let error = attempts.explain(failure.error);
                        return Err(if is_slow { error.hint(SLOW) } else { error });
                    }
                    self.cluster = None;
                }
            }
        }
    }

    fn try_once<R: Request>(
        &mut self,
        target: Target<'_>,
        build: &mut dyn FnMut(i16) -> R,
        attempts: &Attempts,
    ) -> Result<R::Response, Failure> {
        let address = self.address_of(target, attempts)?;
        let limit = self.limit_of_one_try::<R>(target, attempts);
        let connection = match &address {
            Some(address) => self.pool.at(address, limit),
            None => self.pool.anybody(limit),
        };
        let connection = connection.map_err(Failure::before)?;
        let version = connection
            .version_up_to::<R>(newest_version(R::KEY))
            .map_err(Failure::lasting)?;
        let request = build(version);
        let sent = connection.write(&request, version);
        let was_asked = sent.is_ok();
        let (error, again) = match sent {
            Ok(sent) => match connection.read::<R>(sent) {
                Ok(answer) => return Ok(answer),
                Err(error) => (error, changes_nothing(R::KEY)),
            },
            Err(error) => (error, true),
        };
        let address = connection.address().clone();
        self.pool.close(&address);
        Err(Failure {
            again: again && error.is_passing(),
            error: error.at(address).into(),
            was_asked,
        })
    }

    /// How long one try may take. A question can go to another broker if one is silent, so one try gets only a part of
    /// the time (what only a silent group coordinator knows is then shown as unknown); a change is sent once and gets
    /// all of it.
    fn limit_of_one_try<R: Request>(&self, target: Target<'_>, attempts: &Attempts) -> Duration {
        let left = attempts.left();
        if !changes_nothing(R::KEY) || !self.pool.has_choice() {
            return left;
        }
        match target {
            Target::Anybody | Target::Controller | Target::GroupCoordinator(_) => left / 3,
            Target::Broker(_) | Target::TransactionCoordinator(_) => left,
        }
    }

    /// Whether every broker forwards requests to the controller (`KRaft`), so that any broker can be asked. No broker
    /// of a cluster with `ZooKeeper` serves `DescribeQuorum`. A controller forwards nothing.
    fn passes_on_to_the_controller(&mut self) -> bool {
        let is_kraft = self.version_of::<DescribeQuorumRequest>().is_ok();
        is_kraft && !self.asks_a_controller().is_ok_and(|asks| asks)
    }

    /// The address of the target; `None` for any broker.
    fn address_of(&mut self, target: Target<'_>, attempts: &Attempts) -> Result<Option<HostPort>, Failure> {
        match target {
            Target::Anybody => Ok(None),
            Target::Broker(id) => {
                let cluster = self.cluster().map_err(Failure::final_error)?;
                let address = cluster
                    .address_of(id)
                    .ok_or_else(|| Failure::final_error(cluster.no_broker(id)))?;
                Ok(Some(address.clone()))
            }
            Target::Controller if self.passes_on_to_the_controller() => Ok(None),
            Target::Controller => {
                let cluster = self.cluster().map_err(Failure::final_error)?;
                match cluster.controller.and_then(|id| cluster.address_of(id)) {
                    Some(address) => Ok(Some(address.clone())),
                    None => Err(Failure {
                        error: Error::unreachable("the cluster has no controller now"),
                        again: true,
                        was_asked: false,
                    }),
                }
            }
            Target::GroupCoordinator(group) => self.find_coordinator(group, 0, attempts).map(Some),
            Target::TransactionCoordinator(id) => self.find_coordinator(id, 1, attempts).map(Some),
        }
    }

    /// Asks any broker for the coordinator of a group (`key_type` 0) or a transactional id (1).
    fn find_coordinator(
        &mut self,
        key: &str,
        key_type: i8,
        attempts: &Attempts,
    ) -> Result<HostPort, Failure> {
        let connection = self.pool.anybody(attempts.left()).map_err(Failure::before)?;
        let asked = StrBytes::from_string(key.to_owned());
        let answer = connection.send_with(|version| {
            let request = FindCoordinatorRequest::default().with_key_type(key_type);
            match version {
                ..=3 => request.with_key(asked.clone()),
                4.. => request.with_coordinator_keys(vec![asked.clone()]),
            }
        });
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let address = connection.address().clone();
                self.pool.close(&address);
                return Err(Failure::before(error.at(address)));
            }
        };
        let found = cluster::coordinator(&answer);
        found.map_err(|error| Failure {
            again: answers::coordinator_moves(error.code) || error.is_retriable(),
            error: Error::from(error).context(match key_type {
                0 => format!("group {key}"),
                _ => format!("transactional id {key}"),
            }),
            was_asked: false,
        })
    }
}

impl Failure {
    /// A failure before anything was sent.
    fn before(error: WireError) -> Self {
        Self {
            again: error.is_passing(),
            error: error.into(),
            was_asked: false,
        }
    }

    fn lasting(error: WireError) -> Self {
        Self::final_error(error.into())
    }

    fn final_error(error: Error) -> Self {
        Self {
            error,
            again: false,
            was_asked: false,
        }
    }
}

fn is_silence(error: &Error) -> bool {
    error.cause::<WireError>().is_some_and(WireError::is_silence)
}

/// Whether the answer says that the target has moved.
fn moved(target: Target<'_>, answer: &dyn Any) -> Option<()> {
    let code = match target {
        Target::Anybody | Target::Broker(_) => None,
        Target::Controller => answers::not_controller(answer),
        Target::GroupCoordinator(_) | Target::TransactionCoordinator(_) => answers::not_coordinator(answer),
    };
    code.map(|_| ())
}

/// The newest version of a request that is used. Newer versions of a transactional producer's requests are for use
/// between brokers, or for producers that get a new epoch with each transaction (KIP-890).
fn newest_version(api_key: i16) -> i16 {
    match ApiKey::try_from(api_key) {
        Ok(ApiKey::AddPartitionsToTxn) => 3,
        Ok(ApiKey::AddOffsetsToTxn | ApiKey::EndTxn | ApiKey::TxnOffsetCommit) => 4,
        _ => i16::MAX,
    }
}

/// Whether a request only reads, so that it may be carried out twice.
fn changes_nothing(api_key: i16) -> bool {
    let Ok(key) = ApiKey::try_from(api_key) else {
        return false;
    };
    matches!(
        key,
        ApiKey::Metadata
            | ApiKey::ListOffsets
            | ApiKey::OffsetFetch
            | ApiKey::FindCoordinator
            | ApiKey::DescribeGroups
            | ApiKey::ListGroups
            | ApiKey::ApiVersions
            | ApiKey::OffsetForLeaderEpoch
            | ApiKey::DescribeAcls
            | ApiKey::DescribeConfigs
            | ApiKey::DescribeLogDirs
            | ApiKey::DescribeDelegationToken
            | ApiKey::ListPartitionReassignments
            | ApiKey::DescribeClientQuotas
            | ApiKey::DescribeUserScramCredentials
            | ApiKey::DescribeQuorum
            | ApiKey::DescribeCluster
            | ApiKey::DescribeProducers
            | ApiKey::DescribeTransactions
            | ApiKey::ListTransactions
            | ApiKey::ConsumerGroupDescribe
            | ApiKey::ShareGroupDescribe
            | ApiKey::DescribeShareGroupOffsets
            | ApiKey::ListConfigResources
            | ApiKey::DescribeTopicPartitions
    )
}
