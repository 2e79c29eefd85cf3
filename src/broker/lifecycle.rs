//! A broker's life: bind, open the data, serve, and stop in order.
//!
//! Owns the runtime. The nodes belong to `host/`; signals, files and the ready line are in `commands/broker/`.

use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::config::BrokerConfig;
use super::host::{Growth, Host, control};
use super::node::Node;
use super::notices::NoticeSink;
use super::start_memory;
use crate::error::{Error, Result};

/// How long after the start the work of starting is expected to be done.
const SETTLED: Duration = Duration::from_secs(3);

/// A broker whose listeners are bound and whose data is open; it does not serve yet.
#[derive(Debug)]
pub struct PreparedBroker {
    host: Arc<Host>,
    nodes: Vec<Arc<Node>>,
    leave_when_idle: Option<Duration>,
    control: Option<UnixListener>,
    stop: StopHandle,
}

/// Stops a broker; from any thread.
#[derive(Clone, Debug)]
pub struct StopHandle {
    asked: watch::Sender<u32>,
    /// Whether its own nodes have stopped while those of other processes run on.
    stays: watch::Sender<bool>,
}

impl StopHandle {
    fn new() -> Self {
        Self {
            asked: watch::Sender::new(0),
            stays: watch::Sender::new(false),
        }
    }

    /// The first call stops its own nodes. If it also runs nodes of other processes, those run on until a second
    /// call.
    pub fn stop(&self) {
        self.asked.send_modify(|asked| *asked += 1);
    }

    /// Whether only nodes of other processes are left.
    pub fn stays(&self) -> bool {
        *self.stays.borrow()
    }

    /// Returns when `stop` has been called `times` times.
    async fn asked(&self, times: u32) {
        let _ = self.asked.subscribe().wait_for(|asked| *asked >= times).await;
    }
}

/// Called when a broker's own nodes have stopped and nodes of other processes run on.
pub type OnStay = Box<dyn FnOnce() + Send>;

impl PreparedBroker {
    /// Binds every listener and opens the data directory of each node.
    ///
    /// # Errors
    ///
    /// There is no config, an address is taken, or a data directory cannot be used.
    pub fn new(configs: Vec<BrokerConfig>, growth: Growth, notices: NoticeSink) -> Result<Self> {
        let leave_when_idle = configs.first().and_then(|config| config.leave_when_idle);
        let (host, nodes) = Host::open(configs, growth, notices)?;
        Ok(Self {
            host,
            nodes,
            leave_when_idle,
            control: None,
            stop: StopHandle::new(),
        })
    }

    /// The nodes, by id.
    pub fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    pub fn cluster_id(&self) -> &str {
        self.host.cluster_id()
    }

    /// Lets other processes stop and start single nodes, change faults and add nodes of their own, over this socket.
    #[must_use]
    pub fn with_control(mut self, socket: UnixListener) -> Self {
        self.control = Some(socket);
        self
    }

    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Serves until the handle stops it, or until no client has been connected for the configured time.
    ///
    /// # Errors
    ///
    /// A log cannot be closed, or the disk of the only node has lost acknowledged data.
    pub fn run(self, on_stay: OnStay) -> Result<()> {
        start_memory::give_back();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::from(error).context("start the broker"))?;
        let Self {
            host,
            nodes,
            leave_when_idle,
            control,
            stop,
        } = self;
        // These would keep a stopped or killed node alive.
        drop(nodes);
        runtime.block_on(async {
            host.serve_all();
            tokio::spawn(give_back_when_settled());
            if let Some(socket) = control {
                tokio::spawn(control::listen(Arc::clone(&host), socket));
            }
            tokio::select! {
                () = stop.asked(1) => stay_for_others(&host, &stop, on_stay).await?,
                () = idle_for_long(&host, leave_when_idle) => {}
                lost = host.end_on_lost_disk() => return Err(lost),
            }
            host.stop_all().await
        })
    }
}

/// After the start the nodes elect leaders, take over coordinators and create the first topics: memory that is hardly
/// ever needed again.
async fn give_back_when_settled() {
    tokio::time::sleep(SETTLED).await;
    start_memory::give_back();
}

/// Stops the own nodes only, as long as other processes have nodes here.
async fn stay_for_others(host: &Arc<Host>, stop: &StopHandle, on_stay: OnStay) -> Result<()> {
    if !host.has_members() {
        return Ok(());
    }
    host.stop_own().await?;
    stop.stays.send_replace(true);
    on_stay();
    tokio::select! {
        () = host.members_have_left() => {}
        () = stop.asked(2) => {}
    }
    stop.stays.send_replace(false);
    Ok(())
}

/// Returns when no client has been connected to any node for this long; never without a limit.
async fn idle_for_long(host: &Host, limit: Option<Duration>) {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    let clients = host.clients();
    loop {
        clients.none().await;
        let before = clients.ever();
        tokio::time::sleep(limit).await;
        if clients.open() == 0 && clients.ever() == before {
            return;
        }
    }
}
