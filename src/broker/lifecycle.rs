//! A broker's life: bind, open the data directory, serve, and stop in order.
//!
//! Owns the runtime. Signals, files and the ready line are in `commands/broker/`.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;

use tokio::sync::watch;

use super::authorizer::Authorizer;
use super::config::{BrokerConfig, Endpoint};
use super::coordinator::group::{self, BrokerEnvironment, GroupConfig, GroupCoordinator, ShareGroupListener};
use super::coordinator::log::CoordinatorLog;
use super::coordinator::share::ShareCoordinator;
use super::coordinator::transaction::markers::MarkerWriter;
use super::coordinator::transaction::{self, TransactionConfig, TransactionCoordinator};
use super::features::{GROUP_VERSION, TRANSACTION_VERSION};
use super::fetch::fetch_session::FetchSessions;
use super::internal_topics::{CONSUMER_OFFSETS, SHARE_GROUP_STATE, TRANSACTION_STATE};
use super::node::{Node, Opened};
use super::notices::{NoticeSink, Notices};
use super::produce::write_trouble::WriteTrouble;
use super::quotas::QuotaManager;
use super::security::ListenerSecurity;
use super::server::accept;
use super::server::connections::{Connections, Listener};
use super::share::SharePartitionManager;
use super::share::partition_manager;
use super::start_memory;
use super::timers;
use crate::error::{Error, Kind, Result, io_words};
use crate::wire::host_port::host_port;

/// A broker that is bound and has its data, but does not serve yet.
#[derive(Debug)]
pub struct PreparedBroker {
    node: Arc<Node>,
    sockets: Vec<(TcpListener, Arc<Listener>)>,
    stop: watch::Sender<bool>,
}

/// Stops a broker; from any thread.
#[derive(Clone, Debug)]
pub struct StopHandle(watch::Sender<bool>);

impl StopHandle {
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl PreparedBroker {
    /// Binds every listener and opens the data directory.
    pub fn new(config: BrokerConfig, notices: NoticeSink) -> Result<Self> {
        let config = Arc::new(config);
        let sockets = config
            .listeners
            .iter()
            .map(|endpoint| bind(&config, endpoint))
            .collect::<Result<Vec<_>>>()?;
        let opened = Opened::new(&config)?;
        let log = |topic| CoordinatorLog::new(Arc::clone(&opened.replicas), topic);
        let offsets_log = Arc::new(log(&CONSUMER_OFFSETS));
        let share_states = ShareCoordinator::load(log(&SHARE_GROUP_STATE), Arc::clone(&opened.cluster))?;
        let share_states = Arc::new(share_states);
        let share = Arc::new(SharePartitionManager::new(
            Arc::clone(&share_states),
            Arc::clone(&opened.cluster),
            Arc::clone(&config),
        ));
        let environment = BrokerEnvironment::new(
            Arc::clone(&opened.cluster),
            share_states,
            Arc::clone(&share) as Arc<dyn ShareGroupListener>,
        );
        let environment = Arc::new(environment);
        let image = opened.cluster.image();
        let transaction_version = image.feature_level(&TRANSACTION_VERSION);
        let mut group_config = GroupConfig::from(&*config);
        group_config.has_consumer_protocol &= image.feature_level(&GROUP_VERSION) > 0;
        drop(image);
        let groups = GroupCoordinator::load(group_config, offsets_log, environment, timers::steady_ms())?;
        let groups = Arc::new(groups);
        let transactions = TransactionCoordinator::load(
            TransactionConfig::new(&config, transaction_version),
            log(&TRANSACTION_STATE),
            Arc::clone(&opened.cluster),
            MarkerWriter::new(Arc::clone(&opened.replicas), Arc::clone(&groups)),
            timers::steady_ms(),
        )?;
        let slots = usize::try_from(config.number("max.incremental.fetch.session.cache.slots")).unwrap_or(0);
        let data_dir = config.data_dir.clone();
        let quotas = QuotaManager::new(&config);
        let authorizer = authorizer(&config)?;
        let connections = Arc::new(Connections::new(&config));
        let node = Node {
            id: config.node_id,
            config,
            cluster: opened.cluster,
            replicas: opened.replicas,
            groups,
            transactions: Arc::new(transactions),
            share,
            connections,
            fetch_sessions: FetchSessions::new(slots),
            listeners: sockets.iter().map(|(_, listener)| Arc::clone(listener)).collect(),
            notices: Notices::new(notices),
            write_trouble: WriteTrouble::new(data_dir),
            quotas,
            authorizer,
        };
        for note in &opened.notes {
            node.notice(note);
        }
        Ok(Self {
            node: Arc::new(node),
            sockets,
            stop: watch::Sender::new(false),
        })
    }

    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(self.stop.clone())
    }

    /// Serves until the handle stops it, or until no client has come for the configured time.
    pub fn run(self) -> Result<()> {
        start_memory::give_back();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::from(error).context("start the broker"))?;
        let node = Arc::clone(&self.node);
        let served = runtime.block_on(self.serve());
        // Ending the runtime waits for the work on blocking threads.
        node.replicas.compaction.stop();
        served?;
        drop(runtime);
        node.replicas.close()
    }

    async fn serve(self) -> Result<()> {
        let mut accepting = tokio::task::JoinSet::new();
        for (socket, listener) in self.sockets {
            let socket = tokio::net::TcpListener::from_std(socket)?;
            let stop = self.stop.subscribe();
            accepting.spawn(accept::accept(Arc::clone(&self.node), socket, listener, stop));
        }
        // What was deleted before the last stop may still be there, and take long to remove.
        let node = Arc::clone(&self.node);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = node.replicas.purge_deleted() {
                node.notice(format_args!("cannot remove what was deleted: {error}"));
            }
        });
        let mut stop = self.stop.subscribe();
        tokio::select! {
            () = accept::stopped(&mut stop) => {}
            () = group::run_alarm(Arc::clone(&self.node.groups), timers::steady_ms) => {}
            () = transaction::run_alarm(Arc::clone(&self.node.transactions), timers::steady_ms) => {}
            () = partition_manager::run_alarm(Arc::clone(&self.node.share), timers::steady_ms) => {}
            () = timers::housekeeping(Arc::clone(&self.node)) => {}
            () = timers::compaction(Arc::clone(&self.node)) => {}
            () = timers::presence(Arc::clone(&self.node)) => {}
            () = idle_for_long(&self.node) => {
                self.stop.send_replace(true);
            }
        }
        while accepting.join_next().await.is_some() {}
        Ok(())
    }
}

/// Returns when no client has been connected for as long as the configuration allows; never if it sets no limit.
async fn idle_for_long(node: &Node) {
    let Some(limit) = node.config.leave_when_idle else {
        return std::future::pending().await;
    };
    loop {
        node.connections.none().await;
        let before = node.connections.ever();
        tokio::time::sleep(limit).await;
        if node.connections.open() == 0 && node.connections.ever() == before {
            return;
        }
    }
}

/// The authorizer that `authorizer.class.name` asks for: Kafka's own, under each of its names, or none.
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
fn bind(config: &BrokerConfig, endpoint: &Endpoint) -> Result<(TcpListener, Arc<Listener>)> {
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
        security: Arc::new(ListenerSecurity::new(config, endpoint)?),
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

/// The name of this machine. It is advertised for a listener on every address without an advertised one, as Kafka
/// does.
fn own_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if (name.as_str(), 0).to_socket_addrs().is_ok() {
        name
    } else {
        "127.0.0.1".to_owned()
    }
}
