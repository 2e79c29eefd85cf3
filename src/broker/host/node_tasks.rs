//! The tasks of a running node: accepting, deadlines, upkeep, and copying from other nodes.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::assembly::Sockets;
use super::open_listeners::OpenListeners;
use crate::broker::coordinator::{group, transaction};
use crate::broker::node::{Node, coordinator_duties, log_dir_moves, replica_fetcher};
use crate::broker::server::accept;
use crate::broker::share::partition_manager;
use crate::broker::timers;
use crate::error::Result;

/// Serves until `stop` is set; then every connection is closed. If it is dropped before, the node ends like a killed
/// process. `is_one`: there is no other node, and never will be.
pub(super) async fn serve(
    node: Arc<Node>,
    sockets: Sockets,
    is_one: bool,
    mut stop: watch::Receiver<bool>,
) -> Result<()> {
    let mut listeners = OpenListeners::new(Arc::clone(&node), sockets)?;
    let is_several = !is_one;
    let mut copying = JoinSet::new();
    if is_several {
        copying.spawn(replica_fetcher::follow_everyone(Arc::clone(&node)));
    }
    // Files that were deleted before the last stop may remain, and take long to remove.
    let purging = Arc::clone(&node);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = purging.replicas.purge_deleted() {
            purging.notice(format_args!("cannot remove what was deleted: {error}"));
        }
    });
    tokio::select! {
        () = accept::stopped(&mut stop) => {}
        () = listeners.follow() => {}
        () = group::run_alarm(Arc::clone(&node.groups), timers::steady_ms) => {}
        () = transaction::run_alarm(Arc::clone(&node.transactions), timers::steady_ms) => {}
        () = partition_manager::run_alarm(Arc::clone(&node.share), timers::steady_ms) => {}
        () = timers::housekeeping(Arc::clone(&node)) => {}
        () = timers::producer_expiration(Arc::clone(&node)) => {}
        () = timers::compaction(Arc::clone(&node)) => {}
        () = timers::presence(Arc::clone(&node)) => {}
        () = timers::token_expiry(Arc::clone(&node)) => {}
        () = log_dir_moves::run(Arc::clone(&node)) => {}
        () = transaction::held_back::run(Arc::clone(&node.transactions), timers::steady_ms), if is_several => {}
        () = coordinator_duties::run(Arc::clone(&node)), if is_several => {}
        () = timers::isr_shrinking(Arc::clone(&node)), if is_several => {}
    }
    copying.shutdown().await;
    listeners.close().await;
    Ok(())
}
