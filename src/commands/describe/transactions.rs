//! Transactional ids: a list of all, or some with their transactions.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::client::admin::transactions::TransactionDescription;
use crate::client::admin::{AdminClient, ApiError};
use crate::commands::context::Context;
use crate::error::{Error, Result};
use crate::output::transaction;
use crate::spelling::closest;

pub(super) fn describe(ids: &[String], context: &mut Context) -> Result<()> {
    if ids.is_empty() {
        let transactions = context.client.admin()?.list_transactions()?;
        return transaction::list(&mut context.printer, &transactions);
    }
    let mut described = Vec::new();
    for id in ids {
        described.push(find(id, context)?);
    }
    transaction::describe(&mut context.printer, &described, now_ms())
}

/// A transactional id with its transaction.
pub(in crate::commands) fn find(id: &str, context: &mut Context) -> Result<TransactionDescription> {
    let found = context.client.admin()?.describe_transaction(id)?;
    found.map_err(|refusal| no_transaction(id, refusal, context))
}

/// Milliseconds since 1970.
pub(in crate::commands) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_millis() as i64)
}

fn no_transaction(id: &str, refusal: ApiError, context: &mut Context) -> Error {
    if refusal.name() != "TRANSACTIONAL_ID_NOT_FOUND" {
        return Error::from(refusal).context(format_args!("cannot describe transactional id {id}"));
    }
    let known = context.client.admin().and_then(AdminClient::list_transactions);
    let known = known.unwrap_or_default();
    let meant = closest(id, known.iter().map(|transaction| transaction.id.as_str()));
    let meant = meant.map_or(String::new(), |meant| format!("; did you mean \"{meant}\"?"));
    Error::not_found(format!("transactional id \"{id}\" not found{meant}"))
}
