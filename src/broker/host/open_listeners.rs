//! The open listeners of a node: those it was started with, changed by `listeners` in its dynamic configs while it
//! runs (KIP-226).
//!
//! Owns the tasks that accept. Whether listeners may change is decided in `config/listener_changes.rs`. As in Kafka,
//! a listener is identified by its name: an open one keeps its address.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::assembly::{Sockets, bind};
use crate::broker::cluster::image::EndpointImage;
use crate::broker::config::listener_changes::opens_to_anybody;
use crate::broker::config::{BrokerConfig, Endpoint};
use crate::broker::node::{Node, advertised};
use crate::broker::notices::NoticeSink;
use crate::broker::server::accept;
use crate::broker::server::connections::Listener;
use crate::error::{Error, Result};

/// One open listener. If it is dropped, its connections break like those of a killed process.
#[derive(Debug)]
struct Open {
    listener: Arc<Listener>,
    stop: watch::Sender<bool>,
    /// A single task.
    accepting: JoinSet<()>,
}

impl Open {
    /// Closes the socket and all connections that it has accepted.
    async fn close(mut self) {
        self.stop.send_replace(true);
        while self.accepting.join_next().await.is_some() {}
    }
}

/// Binds a listener on a blocking thread: looking up a name may take long.
async fn bound(
    config: &Arc<BrokerConfig>,
    endpoint: Endpoint,
    notices: &NoticeSink,
) -> Result<(std::net::TcpListener, Arc<Listener>)> {
    let (config, notices) = (Arc::clone(config), Arc::clone(notices));
    let bound = tokio::task::spawn_blocking(move || bind(&config, &endpoint, &notices)).await;
    bound.unwrap_or_else(|_| Err(Error::failed("the listener could not be bound")))
}

/// The open listeners of a node, by name.
#[derive(Debug)]
pub(super) struct OpenListeners {
    node: Arc<Node>,
    open: BTreeMap<String, Open>,
}

impl OpenListeners {
    /// Accepts on these sockets.
    ///
    /// # Errors
    ///
    /// The system refuses a socket.
    pub(super) fn new(node: Arc<Node>, sockets: Sockets) -> Result<Self> {
        let mut listeners = Self {
            node,
            open: BTreeMap::new(),
        };
        for (socket, listener) in sockets {
            listeners.accept(socket, listener)?;
        }
        Ok(listeners)
    }

    fn accept(&mut self, socket: std::net::TcpListener, listener: Arc<Listener>) -> Result<()> {
        let socket = tokio::net::TcpListener::from_std(socket)?;
        let (stop, stopped) = watch::channel(false);
        let mut accepting = JoinSet::new();
        let (node, name) = (Arc::clone(&self.node), listener.name.clone());
        accepting.spawn(accept::accept(node, socket, Arc::clone(&listener), stopped));
        let open = Open {
            listener,
            stop,
            accepting,
        };
        self.open.insert(name, open);
        Ok(())
    }

    /// Opens and closes listeners as the node's configs change; never returns.
    pub(super) async fn follow(&mut self) {
        let mut changes = self.node.cluster.broker_config_changes();
        loop {
            self.update().await;
            if changes.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Opens and closes listeners to match the configs. One that cannot be opened is reported; the others are served.
    async fn update(&mut self) {
        let node = Arc::clone(&self.node);
        let dynamic = {
            let image = node.cluster.image();
            image.broker_configs(&node.id.to_string()).cloned()
        };
        let config = match node.config.with_listeners_of(&dynamic.unwrap_or_default()) {
            Ok(config) => Arc::new(config),
            Err(error) => return node.notice(format_args!("the listeners stay as they are: {error}")),
        };
        let is_named = |name: &String| config.listeners.iter().any(|endpoint| endpoint.name == *name);
        let gone: Vec<String> = self.open.keys().filter(|name| !is_named(name)).cloned().collect();
        let come = config.listeners.iter();
        let come: Vec<_> = come
            .filter(|endpoint| !self.open.contains_key(&endpoint.name))
            .collect();
        if gone.is_empty() && come.is_empty() {
            return;
        }
        // A new listener may need the port of one that is closed.
        for name in gone {
            if let Some(open) = self.open.remove(&name) {
                open.close().await;
            }
        }
        self.open_all(&config, &come).await;
        let endpoints = self.advertised(&config);
        node.cluster.change().set_endpoints(node.id, endpoints);
    }

    /// Opens listeners of these endpoints, as far as they are allowed.
    async fn open_all(&mut self, config: &Arc<BrokerConfig>, come: &[&Endpoint]) {
        let node = Arc::clone(&self.node);
        for endpoint in come {
            if opens_to_anybody(&node.config, config, endpoint) {
                node.notice(format_args!(
                    "listener {}: it is not opened to other machines without --allow-anonymous",
                    endpoint.name
                ));
                continue;
            }
            let opened = bound(config, (*endpoint).clone(), node.notices.sink()).await;
            let opened = opened.and_then(|(socket, listener)| self.accept(socket, listener));
            if let Err(error) = opened {
                node.notice(format_args!("a listener cannot be opened: {error}"));
            }
        }
    }

    /// The advertised addresses of the node. If `advertised.listeners` is set, listeners that it does not name are
    /// not advertised.
    fn advertised(&self, config: &BrokerConfig) -> Vec<EndpointImage> {
        let is_told = |listener: &Listener| {
            let is_first = |first: &Arc<Listener>| first.name == listener.name;
            config.advertised.is_empty() || self.node.listeners.iter().any(is_first)
        };
        let open = self.open.values().map(|open| &*open.listener);
        open.filter(|listener| is_told(listener))
            .map(advertised)
            .collect()
    }

    /// Closes every listener.
    pub(super) async fn close(self) {
        for open in self.open.values() {
            open.stop.send_replace(true);
        }
        for open in self.open.into_values() {
            open.close().await;
        }
    }
}
