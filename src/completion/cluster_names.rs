//! The kinds of names in a cluster, and the requests for them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::known::Known;
use super::seen_headers;
use super::target::Target;
use crate::client::admin::AdminClient;
use crate::client::admin::acls::AclFilter;
use crate::client::admin::config_details;
use crate::client::admin::configs::ConfigResource;
use crate::client::deadline::Deadline;
use crate::error::Result;

/// A kind of name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Topics,
    Groups,
    Brokers,
    Users,
    Principals,
    TransactionalIds,
    ClientMetrics,
    BrokerConfigs,
    GroupConfigs,
    /// Headers of the last records of a topic.
    Headers(String),
}

impl Kind {
    /// Its word in the cache.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Headers(topic) => format!("headers of {topic}"),
            kind => format!("{kind:?}"),
        }
    }
}

/// Asks once, within `limit`, without a retry.
pub(super) fn ask(kind: &Kind, target: &Target, limit: Duration) -> Result<Vec<Known>> {
    let settings = target.reachable()?;
    let mut admin = AdminClient::connect_once(&settings, Deadline::for_command(limit))?;
    let admin = &mut admin;
    let mut names = match kind {
        Kind::Topics => topics(admin)?,
        Kind::Groups => admin
            .list_groups()?
            .into_iter()
            .map(|group| noted(group.id, group.state))
            .collect(),
        Kind::Brokers => admin
            .brokers()?
            .iter()
            .map(|broker| noted(broker.id.to_string(), format!("{}:{}", broker.host, broker.port)))
            .collect(),
        Kind::Users => plain(users(admin)?),
        Kind::Principals => plain(principals(admin)?),
        Kind::TransactionalIds => admin
            .list_transactions()?
            .into_iter()
            .map(|transaction| Known {
                name: transaction.id,
                ..Known::default()
            })
            .collect(),
        Kind::ClientMetrics => plain(admin.client_metrics()??),
        Kind::BrokerConfigs => configs(admin, None)?,
        Kind::GroupConfigs => configs(admin, Some(ConfigResource::Group(String::from("kafkit"))))?,
        Kind::Headers(topic) => plain(seen_headers::of(admin, topic)?),
    };
    if *kind != Kind::Brokers {
        names.sort_by(|a, b| a.name.cmp(&b.name));
        names.dedup_by(|a, b| a.name == b.name);
    }
    Ok(names)
}

fn topics(admin: &mut AdminClient) -> Result<Vec<Known>> {
    let topics = admin.all_topics()?.into_iter();
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    Ok(topics
        .map(|topic| Known::topic(topic.name, count(topic.partitions.len())))
        .collect())
}

fn users(admin: &mut AdminClient) -> Result<Vec<String>> {
    let users = admin.scram_users(&[])??.into_iter();
    Ok(users.map(|user| user.name).collect())
}

/// Principals with ACLs, and users with SCRAM passwords. A cluster may support only one of the two.
fn principals(admin: &mut AdminClient) -> Result<Vec<String>> {
    let users = users(admin).unwrap_or_default();
    let mut names: BTreeSet<String> = users.into_iter().map(|user| format!("User:{user}")).collect();
    if let Ok(acls) = admin.describe_acls(&AclFilter::default())? {
        names.extend(acls.into_iter().map(|acl| acl.entry.principal));
    }
    Ok(names.into_iter().collect())
}

/// The configs of a resource; of any broker if none is named.
fn configs(admin: &mut AdminClient, resource: Option<ConfigResource>) -> Result<Vec<Known>> {
    let first = admin.brokers()?.first().map(|broker| broker.id);
    let Some(resource) = resource.or(first.map(ConfigResource::Broker)) else {
        return Ok(Vec::new());
    };
    let details = admin.config_details(&resource, config_details::Wanted::default())??;
    Ok(details
        .into_iter()
        .map(|detail| Known {
            name: detail.entry.name,
            count: u32::try_from(detail.type_code).unwrap_or(0),
            ..Known::default()
        })
        .collect())
}

fn noted(name: String, note: String) -> Known {
    Known { name, note, count: 0 }
}

fn plain(names: Vec<String>) -> Vec<Known> {
    names.into_iter().map(|name| noted(name, String::new())).collect()
}
