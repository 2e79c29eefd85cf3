//! Assembles one node from its parts: sockets, replicas, coordinators.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::{Arc, Weak};

use crate::broker::authorizer::Authorizer;
use crate::broker::cluster::elections::Departure;
use crate::broker::cluster::{Cluster, ImageObserver};
use crate::broker::config::{BrokerConfig, Endpoint};
use crate::broker::coordinator::group::{
    BrokerEnvironment, GroupConfig, GroupCoordinator, ShareGroupListener,
};
use crate::broker::coordinator::log::CoordinatorLog;
use crate::broker::coordinator::ownership::Ownership;
use crate::broker::coordinator::share::{OtherShareCoordinators, ShareCoordinator};
use crate::broker::coordinator::transaction::markers::{MarkerWriter, OtherNodes};
use crate::broker::coordinator::transaction::{TransactionConfig, TransactionCoordinator};
use crate::broker::fetch::fetch_session::FetchSessions;
use crate::broker::internal_topics::{CONSUMER_OFFSETS, InternalTopic, SHARE_GROUP_STATE, TRANSACTION_STATE};
use crate::broker::node::replica_manager::ReplicaManager;
use crate::broker::node::{Arrival, Duties, Gate, Node, Peers, join, registration};
use crate::broker::notices::{NoticeSink, Notices};
use crate::broker::produce::write_trouble::WriteTrouble;
use crate::broker::quotas::QuotaManager;
use crate::broker::security::ListenerSecurity;
use crate::broker::server::connections::{Clients, Connections, Listener};
use crate::broker::share::SharePartitionManager;
use crate::broker::timers;
use crate::error::{Error, Kind, Result, io_words};
use crate::wire::host_port::host_port;

/// The bound sockets of a node.
pub(super) type Sockets = Vec<(TcpListener, Arc<Listener>)>;

/// What the nodes of a process share.
#[derive(Clone)]
pub(in crate::broker) struct Shared {
    pub(in crate::broker) cluster: Arc<Cluster>,
    pub(in crate::broker) peers: Arc<Peers>,
    /// Whether there is no other node, and never will be.
    pub(in crate::broker) is_one: bool,
    pub(in crate::broker) clients: Arc<Clients>,
    pub(in crate::broker) notices: NoticeSink,
}

/// Binds every listener of a node.
pub(super) fn bind_all(config: &BrokerConfig, notices: &NoticeSink) -> Result<Sockets> {
    config
        .listeners
        .iter()
        .map(|endpoint| bind(config, endpoint, notices))
        .collect()
}

/// The listeners of these sockets.
pub(super) fn listeners(sockets: &Sockets) -> Vec<Arc<Listener>> {
    sockets.iter().map(|(_, listener)| Arc::clone(listener)).collect()
}

/// The parts that coordinators are made of.
struct Parts<'a> {
    config: &'a Arc<BrokerConfig>,
    replicas: &'a Arc<ReplicaManager>,
    shared: &'a Shared,
}

impl Parts<'_> {
    fn cluster(&self) -> Arc<Cluster> {
        Arc::clone(&self.shared.cluster)
    }

    fn log(&self, topic: &'static InternalTopic) -> CoordinatorLog {
        let ownership = if self.shared.is_one {
            Ownership::Everything
        } else {
            Ownership::of_several()
        };
        CoordinatorLog::new(Arc::clone(self.replicas), topic, ownership)
    }

    fn share_states(&self) -> Result<Arc<ShareCoordinator>> {
        let others = Arc::clone(&self.shared.peers) as Arc<dyn OtherShareCoordinators>;
        let states = ShareCoordinator::load(self.log(&SHARE_GROUP_STATE), self.cluster(), others)?;
        Ok(Arc::new(states))
    }

    fn groups(
        &self,
        share_states: Arc<ShareCoordinator>,
        share: &Arc<SharePartitionManager>,
    ) -> Result<Arc<GroupCoordinator>> {
        let listener = Arc::clone(share) as Arc<dyn ShareGroupListener>;
        let environment = BrokerEnvironment::new(self.cluster(), share_states, listener);
        let config = GroupConfig::from(&**self.config);
        let groups = GroupCoordinator::load(
            config,
            Arc::new(self.log(&CONSUMER_OFFSETS)),
            Arc::new(environment),
            timers::steady_ms(),
        )?;
        Ok(Arc::new(groups))
    }

    fn transactions(&self, groups: &Arc<GroupCoordinator>) -> Result<Arc<TransactionCoordinator>> {
        let markers = MarkerWriter::new(
            self.config.node_id,
            Arc::clone(self.replicas),
            self.cluster(),
            Arc::clone(groups),
            Arc::clone(&self.shared.peers) as Arc<dyn OtherNodes>,
        );
        let transactions = TransactionCoordinator::load(
            TransactionConfig::new(self.config),
            self.log(&TRANSACTION_STATE),
            self.cluster(),
            markers,
            timers::steady_ms(),
        )?;
        Ok(Arc::new(transactions))
    }
}

/// A node with its coordinators. Those of a single node have loaded all their partitions; those of several nodes load
/// partitions when they become leaders.
pub(in crate::broker) fn assemble(
    config: Arc<BrokerConfig>,
    replicas: Arc<ReplicaManager>,
    listeners: Vec<Arc<Listener>>,
    shared: Shared,
) -> Result<Arc<Node>> {
    let parts = Parts {
        config: &config,
        replicas: &replicas,
        shared: &shared,
    };
    let share_states = parts.share_states()?;
    let share = Arc::new(SharePartitionManager::new(
        Arc::clone(&share_states),
        parts.cluster(),
        Arc::clone(&config),
    ));
    let groups = parts.groups(share_states, &share)?;
    let transactions = parts.transactions(&groups)?;
    let slots = usize::try_from(config.number("max.incremental.fetch.session.cache.slots")).unwrap_or(0);
    let is_one = shared.is_one;
    let node = Arc::new(Node {
        id: config.node_id,
        write_trouble: WriteTrouble::new(config.data_dir.clone()),
        quotas: QuotaManager::new(&config),
        authorizer: authorizer(&config)?,
        connections: Arc::new(Connections::new(&config, shared.clients)),
        config,
        cluster: shared.cluster,
        replicas,
        peers: shared.peers,
        gate: Gate::default(),
        duties: Duties::default(),
        groups,
        transactions,
        share,
        fetch_sessions: FetchSessions::new(slots),
        listeners,
        notices: Notices::new(shared.notices),
    });
    if !is_one {
        node.coordinate_what_it_leads();
    }
    Ok(node)
}

/// Opens the log dirs of a node again, in a running cluster. It leaves every ISR, whatever the image says, and leads
/// nothing until it is unfenced. Also returns lines to report about its log dirs.
pub(in crate::broker) fn rejoin(
    config: &Arc<BrokerConfig>,
    listeners: Vec<Arc<Listener>>,
    shared: &Shared,
    arrival: Arrival,
) -> Result<(Arc<Node>, Vec<String>)> {
    let cluster = &shared.cluster;
    let mut change = cluster.change();
    let joined = join(config, cluster, arrival)?;
    let broker = registration(config, joined.replicas.log_dirs(), &listeners);
    let node = assemble(Arc::clone(config), joined.replicas, listeners, shared.clone())?;
    change.register(broker);
    change.enlist(config.node_id, joined.voter);
    change.observe(Arc::downgrade(&node) as Weak<dyn ImageObserver>);
    let departure = if joined.was_clean {
        Departure::Silent
    } else {
        Departure::Unclean
    };
    // In the change that registers it, so that it is not elected in between.
    change.fence(config.node_id, departure)?;
    drop(change);
    Ok((node, joined.notes))
}

/// The authorizer in `authorizer.class.name`: Kafka's own, by any of its class names, or none.
fn authorizer(config: &BrokerConfig) -> Result<Option<Authorizer>> {
    let class = config.value("authorizer.class.name").unwrap_or_default().trim();
    let name = class.rsplit('.').next().unwrap_or(class);
    match name {
        "" => Ok(None),
        "StandardAuthorizer" | "AclAuthorizer" | "SimpleAclAuthorizer" => {
            let allows = config.given("allow.everyone.if.no.acl.found");
            let allows = allows.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
            let super_users = config.given("super.users").unwrap_or_default();
            Ok(Some(Authorizer::new(super_users, allows)))
        }
        _ => Err(
            Error::bad_data(format!("authorizer.class.name: {class} cannot be run here"))
                .hint("org.apache.kafka.metadata.authorizer.StandardAuthorizer is what there is"),
        ),
    }
}

/// Binds one endpoint.
pub(super) fn bind(
    config: &BrokerConfig,
    endpoint: &Endpoint,
    notices: &NoticeSink,
) -> Result<(TcpListener, Arc<Listener>)> {
    let address = host_port(&endpoint.host, endpoint.port);
    let failed = |error: std::io::Error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "is another broker running? `--listen 127.0.0.1:0` takes a free port"
            }
            std::io::ErrorKind::PermissionDenied => "ports below 1024 are the system's",
            _ => "--listen takes an address of this machine",
        };
        Error::new(Kind::Failed, io_words(&error))
            .context(format!("cannot listen on {address}"))
            .hint(hint)
    };
    let addresses: Vec<SocketAddr> = (endpoint.bind_host(), endpoint.port)
        .to_socket_addrs()
        .map_err(failed)?
        .collect();
    let socket = TcpListener::bind(addresses.as_slice()).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    let bound = socket.local_addr().map_err(failed)?;
    let advertised = config
        .advertised
        .iter()
        .find(|advertised| advertised.name == endpoint.name);
    let listener = Listener {
        name: endpoint.name.clone(),
        security: Arc::new(ListenerSecurity::new(config, endpoint, notices)?),
        bound,
        advertised_host: match advertised.map(|endpoint| endpoint.host.clone()) {
            Some(host) if !host.is_empty() => host,
            _ if bound.ip().is_unspecified() => own_name(),
            _ => bound.ip().to_string(),
        },
        advertised_port: match advertised {
            Some(endpoint) if endpoint.port != 0 => endpoint.port,
            _ => bound.port(),
        },
    };
    Ok((socket, Arc::new(listener)))
}

/// The name of this machine. As in Kafka, it is advertised for a listener on every address that has no advertised
/// address.
fn own_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if (name.as_str(), 0).to_socket_addrs().is_ok() {
        name
    } else {
        "127.0.0.1".to_owned()
    }
}
