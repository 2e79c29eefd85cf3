//! The limits of connections in force, from settings that may change while the broker runs.
//!
//! A limit is one function here. Waiting and refusing is in `accept`, counting in `quotas/connection_quotas.rs`.

use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::time::Duration;

use super::connections::Listener;
use crate::broker::cluster::client_quotas::connection_rate_of;
use crate::broker::config::effective_config::BrokerValues;
use crate::broker::node::Node;
use crate::broker::quotas::connection_quotas::AddressLimits;
use crate::broker::timers::steady_ms;

/// The value of a setting that means no limit.
const UNLIMITED: i64 = i32::MAX as i64;

/// `max.connections.per.ip.overrides`, parsed once for each value that it has had.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    text: String,
    by_address: HashMap<IpAddr, usize>,
}

impl Overrides {
    fn of(&mut self, text: &str, address: IpAddr) -> Option<usize> {
        if self.text != text {
            text.clone_into(&mut self.text);
            self.by_address = text.split(',').filter_map(host_and_count).flatten().collect();
        }
        self.by_address.get(&address).copied()
    }
}

/// The addresses of a host, each with the count after its colon.
fn host_and_count(word: &str) -> Option<impl Iterator<Item = (IpAddr, usize)>> {
    let (host, count) = word.trim().rsplit_once(':')?;
    let count = count.trim().parse().ok()?;
    let addresses = (host.trim_matches(['[', ']']), 0).to_socket_addrs().ok()?;
    Some(addresses.map(move |address| (address.ip().to_canonical(), count)))
}

/// The limits for a connection from an address.
pub(super) fn of_address(node: &Node, overrides: &mut Overrides, address: IpAddr) -> AddressLimits {
    let image = node.cluster.image();
    let values = node.broker_values(&image);
    let text = values
        .value("max.connections.per.ip.overrides")
        .unwrap_or_default();
    let own = overrides.of(text, address);
    let all = || usize::try_from(values.number("max.connections.per.ip")).unwrap_or(0);
    AddressLimits {
        connections: own.unwrap_or_else(all),
        rate: connection_rate_of(image.client_quotas(), address),
    }
}

/// Counts a new connection, and returns how long it has to wait for `max.connection.creation.rate` of the broker and
/// of the listener.
pub(super) fn wait_after(node: &Node, listener: &Listener) -> Duration {
    let image = node.cluster.image();
    let values = node.broker_values(&image);
    let name = "max.connection.creation.rate";
    let limits = [
        ("", Some(values.number(name))),
        (&listener.name, of_listener(values, listener, name)),
    ];
    let limits: Vec<(&str, f64)> = limits
        .iter()
        .filter_map(|(listener, limit)| Some((*listener, (*limit)?)))
        .filter(|(_, limit)| *limit < UNLIMITED)
        .map(|(listener, limit)| (listener, limit as f64))
        .collect();
    if limits.is_empty() {
        return Duration::ZERO;
    }
    let wait_ms = node.connections.quotas().came(&limits, steady_ms());
    Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))
}

/// Whether `max.connections` of the broker and of the listener leave room for one more.
pub(super) fn has_room(node: &Node, listener: &Listener) -> bool {
    let image = node.cluster.image();
    let values = node.broker_values(&image);
    let name = "max.connections";
    let fits = |open: usize, limit: i64| usize::try_from(limit).is_ok_and(|limit| open < limit);
    let own = of_listener(values, listener, name);
    let open = node.connections.quotas().open_on(&listener.name);
    fits(node.connections.open(), values.number(name)) && own.is_none_or(|limit| fits(open, limit))
}

/// A listener's own value of a setting: `listener.name.plain.max.connections`.
fn of_listener(values: BrokerValues<'_>, listener: &Listener, setting: &str) -> Option<i64> {
    let name = format!("listener.name.{}.{setting}", listener.name.to_lowercase());
    values.value(&name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_for_every_address_of_a_host() {
        let mut overrides = Overrides::default();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let text = "127.0.0.1:3, 10.0.0.1:5,[::1]:7";
        for (from, count) in [
            ("127.0.0.1", Some(3)),
            ("10.0.0.1", Some(5)),
            ("::1", Some(7)),
            ("10.0.0.2", None),
        ] {
            assert_eq!(overrides.of(text, address(from)), count, "{from}");
        }
        assert_eq!(overrides.of("", address("10.0.0.1")), None);
        assert_eq!(overrides.of("localhost:9", address("127.0.0.1")), Some(9));
    }
}
