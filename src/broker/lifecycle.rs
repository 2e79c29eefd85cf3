//! A broker's life: bind, open the data, serve, and stop in order.
//!
//! Owns the runtime. The nodes are `host/`'s; signals, files and the ready line are in `commands/broker/`.

use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::config::BrokerConfig;
use super::host::{Host, control};
use super::node::Node;
use super::notices::NoticeSink;
use super::server::accept;
use super::start_memory;
use crate::error::{Error, Result};

/// A broker that is bound and has its data, but does not serve yet.
#[derive(Debug)]
pub struct PreparedBroker {
    host: Arc<Host>,
    nodes: Vec<Arc<Node>>,
    leave_when_idle: Option<Duration>,
    control: Option<UnixListener>,
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
    /// Binds every listener and opens the data directory of each node.
    ///
    /// # Errors
    ///
    /// There is no config, an address is taken, or a data directory cannot be used.
    pub fn new(configs: Vec<BrokerConfig>, notices: NoticeSink) -> Result<Self> {
        let leave_when_idle = configs.first().and_then(|config| config.leave_when_idle);
        let (host, nodes) = Host::open(configs, notices)?;
        Ok(Self {
            host,
            nodes,
            leave_when_idle,
            control: None,
            stop: watch::Sender::new(false),
        })
    }

    /// The nodes, by id.
    pub fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// Lets other processes stop and start single nodes, and change faults, over this socket.
    #[must_use]
    pub fn with_control(mut self, socket: UnixListener) -> Self {
        self.control = Some(socket);
        self
    }

    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(self.stop.clone())
    }

    /// Serves until the handle stops it, or until no client has come for the configured time.
    ///
    /// # Errors
    ///
    /// The logs cannot be closed, or the disk of the only node has lost what it was given.
    pub fn run(self) -> Result<()> {
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
        // A node that is stopped or killed must not live on here.
        drop(nodes);
        runtime.block_on(async {
            host.serve_all();
            if let Some(socket) = control {
                tokio::spawn(control::listen(Arc::clone(&host), socket));
            }
            let mut stopped = stop.subscribe();
            tokio::select! {
                () = accept::stopped(&mut stopped) => {}
                () = idle_for_long(&host, leave_when_idle) => {}
                lost = host.end_on_lost_disk() => return Err(lost),
            }
            host.stop_all().await
        })
    }
}

/// Returns when no client has been connected to any node for this long; never without a limit.
async fn idle_for_long(host: &Host, limit: Option<Duration>) {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    let connections = host.connections();
    loop {
        connections.none().await;
        let before = connections.ever();
        tokio::time::sleep(limit).await;
        if connections.open() == 0 && connections.ever() == before {
            return;
        }
    }
}
