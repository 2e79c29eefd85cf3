//! Starts moves between the log directories of a broker.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{JavaFailure, JavaResult, told};
use crate::commands::context::Context;
use crate::java_tools::reassign::words;
use crate::reassignment::plan::PartitionReplica;
use crate::wire::error_codes::REPLICA_NOT_AVAILABLE;

/// The pause between two attempts to start these moves.
const LOG_DIR_RETRY: Duration = Duration::from_millis(100);
/// Retries until every broker has begun: a replica that is new to its broker can only be moved once it exists.
pub(super) fn start_log_dir_moves(
    mut pending: BTreeMap<PartitionReplica, String>,
    timeout: Duration,
    context: &mut Context,
) -> JavaResult {
    let start = Instant::now();
    while !pending.is_empty() {
        let answers = context.client.admin()?.alter_replica_log_dirs(&pending)?;
        let mut begun = Vec::new();
        for (replica, answer) in answers {
            match answer {
                Ok(()) => begun.push(replica),
                Err(error) if error.code == REPLICA_NOT_AVAILABLE => {}
                Err(_) => return Err(told(format!("Failed to alter dir for {replica}"))),
            }
        }
        for replica in begun {
            if let Some(log_dir) = pending.remove(&replica) {
                context
                    .printer
                    .line(words::log_dir_move_started(&replica, &log_dir))?;
            }
        }
        context.printer.flush()?;
        if !pending.is_empty() && start.elapsed() >= timeout {
            return Err(JavaFailure::Terse(words::log_dir_moves_timed_out(pending.keys())));
        }
        if !pending.is_empty() {
            std::thread::sleep(LOG_DIR_RETRY);
        }
    }
    Ok(())
}
