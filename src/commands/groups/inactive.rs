//! Groups that are about to be changed: whether they exist, and whether they have active members.

use crate::client::admin::groups::{GroupDescription, SHARE};
use crate::client::admin::{AdminClient, ApiError};
use crate::commands::context::Context;
use crate::error::{Error, Kind, Result};
use crate::plain_words::few;
use crate::spelling::closest;

/// The group; `None` where there is no group of this name.
pub(super) fn find(name: &str, context: &mut Context) -> Result<Option<GroupDescription>> {
    match context.client.admin()?.describe_group(name)? {
        Ok(group) => Ok(Some(group)),
        Err(refusal) if refusal.name() == "GROUP_ID_NOT_FOUND" => Ok(None),
        Err(refusal) => Err(refused("describe", name, refusal)),
    }
}

/// Refuses to change the committed offsets of a share group, which has none; `option` of `kafka-share-groups` is about
/// the offsets that such a group begins at.
pub(super) fn check_commits(group: &GroupDescription, option: &str) -> Result<()> {
    if group.kind != SHARE {
        return Ok(());
    }
    let what = format!("group {} is a share group, which commits no offsets", group.id);
    let hint = format!("`kafkit kafka-share-groups --{option}` changes where it begins");
    Err(Error::failed(what).hint(hint))
}

/// Refuses to change a group with active members, and names them.
pub(super) fn check_no_members(group: &GroupDescription, what: &str) -> Result<()> {
    let members: Vec<String> = group
        .members
        .iter()
        .map(|member| {
            let name = member.instance_id.as_deref().unwrap_or(&member.client_id);
            format!("{name} on {}", member.host.trim_start_matches('/'))
        })
        .collect();
    let (are, them) = match members.len() {
        0 => return Ok(()),
        1 => ("1 member is active".to_owned(), "it"),
        count => (format!("{count} members are active"), "them"),
    };
    let named = few(&members);
    Err(
        Error::failed(format!("cannot {what} group {}: {are} ({named})", group.id))
            .hint(format!("stop {them} first")),
    )
}

/// The error for a group that is of another type, that the user may not see, or that does not exist.
pub(super) fn not_found(name: &str, context: &mut Context) -> Error {
    let described = context
        .client
        .admin()
        .and_then(|admin| admin.describe_group(name));
    if let Err(error) = described
        && error.kind() == Kind::Denied
    {
        return error;
    }
    let groups = context.client.admin().and_then(AdminClient::list_groups);
    let groups = groups.unwrap_or_default();
    if let Some(group) = groups.iter().find(|group| group.id == name) {
        return Error::failed(format!(
            "group {name} is a {} group, which commits no offsets",
            group.kind
        ));
    }
    let meant = closest(name, groups.iter().map(|group| group.id.as_str()));
    let meant = meant.map_or(String::new(), |meant| format!("; did you mean \"{meant}\"?"));
    Error::not_found(format!("group \"{name}\" not found{meant}"))
}

/// The error of a coordinator that refuses to do `what` with a group.
pub(super) fn refused(what: &str, group: &str, refusal: ApiError) -> Error {
    Error::from(refusal).context(format_args!("cannot {what} group {group}"))
}
