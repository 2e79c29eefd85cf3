//! The steps of `kafka-share-groups`, in the order of Apache Kafka's own tool.

mod changes;
mod show;

use crate::client::admin::AdminClient;
use crate::client::admin::groups::GroupListing;
use crate::client::admin::share_groups::ShareGroupDescription;
use crate::commands::context::Context;
use crate::java::hash_order::hash_order;
use crate::java_tools::group_tools::failure::{Result, Thrown, admin};
use crate::java_tools::option_parser::Parsed;

/// The default time-out of one request, in milliseconds.
const DEFAULT_TIMEOUT_MS: i64 = 5000;

/// Runs the action; its output may still be in the printer's buffer when this returns.
pub(super) fn run(parsed: &Parsed, context: &mut Context) -> Result<()> {
    if parsed.has("list") {
        show::list(parsed, context)
    } else if parsed.has("describe") {
        show::describe(parsed, context)
    } else if parsed.has("delete") {
        changes::delete(parsed, context)
    } else if parsed.has("delete-offsets") {
        changes::delete_offsets(parsed, context)
    } else {
        changes::reset(parsed, context)
    }
}

/// The time-out of one request, in milliseconds.
pub(super) fn timeout(parsed: &Parsed) -> Result<i64> {
    let given = parsed.long("timeout")?.unwrap_or(DEFAULT_TIMEOUT_MS);
    Ok(given.max(0))
}

/// The share groups, in Java's order.
fn share_groups(context: &mut Context) -> Result<Vec<GroupListing>, Thrown> {
    let listed = context.client.admin().and_then(AdminClient::list_groups);
    let mut groups = listed.map_err(|error| Thrown::listing(&error))?;
    groups.retain(|group| group.kind == "share");
    Ok(hash_order(groups, |group| &group.id))
}

/// A share group with its members, or the exception of Java's client.
fn describe_group(group: &str, context: &mut Context) -> Result<ShareGroupDescription, Thrown> {
    const CALL: &str = "describeShareGroups(api=FIND_COORDINATOR)";
    let described = admin(context, CALL)?.describe_share_group(group);
    let described = described.map_err(|error| Thrown::asking(&error, CALL))?;
    described.map_err(|refusal| Thrown::refused(&refusal))
}
