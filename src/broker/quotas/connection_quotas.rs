//! Limits of connections: their number, their rate and their addresses, and the decision on a new one.
//!
//! As in Apache Kafka (`max.connections`, KIP-402; `max.connection.creation.rate` and `connection_creation_rate`,
//! KIP-612): over a limit of the broker or of a listener, no connection is accepted until there is room; over the
//! limit of its address, a connection is closed; over the rate of its address, it is closed after a while. Pure: the
//! clock is an argument, in milliseconds.

use std::collections::HashMap;
use std::net::IpAddr;

use super::rate::{Rate, Window};

/// The most addresses to remember; beyond that idle ones are forgotten.
const MOST_ADDRESSES: usize = 20_000;

/// The limits for one connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::broker) struct AddressLimits {
    /// `max.connections.per.ip`, or the override for the address.
    pub(in crate::broker) connections: usize,
    /// The quota `connection_creation_rate` of the address, in connections a second; infinite without one.
    pub(in crate::broker) rate: f64,
}

/// The decision on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::broker) enum Verdict {
    /// It is served, and counted until [`ConnectionQuotas::close`].
    Serve,
    /// It is closed.
    Close,
    /// It is closed after this many milliseconds.
    CloseAfter(i32),
}

/// The connections of one address.
#[derive(Clone, Debug, Default)]
struct Address {
    open: usize,
    rate: Rate,
}

/// The connections of one node.
#[derive(Debug)]
pub(in crate::broker) struct ConnectionQuotas {
    window: Window,
    addresses: HashMap<IpAddr, Address>,
    /// The number of open connections, by listener.
    open: HashMap<String, usize>,
    /// The rates of new connections, by listener; the broker's under "".
    rates: HashMap<String, Rate>,
}

impl ConnectionQuotas {
    pub(in crate::broker) fn new(window: Window) -> Self {
        Self {
            window,
            addresses: HashMap::new(),
            open: HashMap::new(),
            rates: HashMap::new(),
        }
    }

    /// The number of open connections on a listener.
    pub(in crate::broker) fn open_on(&self, listener: &str) -> usize {
        self.open.get(listener).copied().unwrap_or(0)
    }

    /// Counts a new connection against limits per second by listener ("" for the broker). Returns for how many
    /// milliseconds no other is accepted: at most one sample of the window.
    pub(in crate::broker) fn came(&mut self, limits: &[(&str, f64)], now_ms: i64) -> i32 {
        let window = self.window;
        let waits = limits.iter().map(|(listener, limit)| {
            let rate = self.rates.entry((*listener).to_owned()).or_default();
            rate.record(window, 1.0, now_ms);
            rate.throttle_ms(window, *limit, now_ms)
        });
        waits.max().unwrap_or(0).min(window.sample_as_ms())
    }

    /// Decides on a connection from this address.
    pub(in crate::broker) fn open(
        &mut self,
        listener: &str,
        address: IpAddr,
        limits: AddressLimits,
        now_ms: i64,
    ) -> Verdict {
        let window = self.window;
        if self.addresses.len() >= MOST_ADDRESSES {
            self.addresses
                .retain(|_, address| address.open > 0 || !address.rate.is_idle(window, now_ms));
        }
        let known = self.addresses.entry(address).or_default();
        if limits.rate.is_finite() {
            known.rate.record(window, 1.0, now_ms);
            let throttle_ms = known.rate.throttle_ms(window, limits.rate, now_ms);
            if throttle_ms > 0 {
                // It is not served, and so does not count.
                known.rate.record(window, -1.0, now_ms);
                return Verdict::CloseAfter(throttle_ms.min(window.sample_as_ms()));
            }
        }
        if known.open >= limits.connections {
            return Verdict::Close;
        }
        known.open += 1;
        *self.open.entry(listener.to_owned()).or_default() += 1;
        Verdict::Serve
    }

    /// Counts a connection that was served as closed.
    pub(in crate::broker) fn close(&mut self, listener: &str, address: IpAddr) {
        if let Some(open) = self.open.get_mut(listener) {
            *open = open.saturating_sub(1);
        }
        if let Some(known) = self.addresses.get_mut(&address) {
            known.open = known.open.saturating_sub(1);
            if known.open == 0 && known.rate.is_unused() {
                self.addresses.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window {
        sample_ms: 1000,
        samples: 11,
    };
    const FREE: AddressLimits = AddressLimits {
        connections: usize::MAX,
        rate: f64::INFINITY,
    };

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    #[test]
    fn an_address_has_so_many_connections_at_once_and_others_have_theirs() {
        let mut quotas = ConnectionQuotas::new(WINDOW);
        let limits = AddressLimits {
            connections: 2,
            ..FREE
        };
        assert_eq!(quotas.open("A", address(1), limits, 0), Verdict::Serve);
        assert_eq!(quotas.open("A", address(1), limits, 0), Verdict::Serve);
        assert_eq!(quotas.open("A", address(1), limits, 0), Verdict::Close);
        assert_eq!(quotas.open("B", address(2), limits, 0), Verdict::Serve);
        assert_eq!((quotas.open_on("A"), quotas.open_on("B")), (2, 1));
        quotas.close("A", address(1));
        assert_eq!(quotas.open("A", address(1), limits, 0), Verdict::Serve);
    }

    #[test]
    fn an_address_that_comes_too_fast_is_sent_away_and_that_does_not_count() {
        let mut quotas = ConnectionQuotas::new(WINDOW);
        let limits = AddressLimits { rate: 1.0, ..FREE };
        // Ten at once are one per second over the ten full samples.
        for _ in 0..10 {
            assert_eq!(quotas.open("A", address(1), limits, 0), Verdict::Serve);
        }
        for _ in 0..3 {
            assert_eq!(quotas.open("A", address(1), limits, 0), Verdict::CloseAfter(1000));
        }
        assert_eq!(quotas.open("A", address(2), limits, 0), Verdict::Serve);
        assert_eq!(quotas.open("A", address(1), FREE, 0), Verdict::Serve);
        assert_eq!(quotas.open("A", address(1), limits, 11_000), Verdict::Serve);
    }

    #[test]
    fn a_broker_that_is_visited_too_fast_waits_a_second_at_most() {
        let mut quotas = ConnectionQuotas::new(WINDOW);
        let limits = [("", 10.0), ("A", 1.0)];
        for _ in 0..10 {
            assert_eq!(quotas.came(&limits, 0), 0);
        }
        assert_eq!(quotas.came(&limits, 0), 1000);
        assert_eq!(quotas.came(&[("", 10.0)], 0), 0);
        assert_eq!(quotas.came(&limits, 20_000), 0);
    }

    #[test]
    fn addresses_without_connections_are_forgotten() {
        let mut quotas = ConnectionQuotas::new(WINDOW);
        quotas.open("A", address(1), FREE, 0);
        quotas.close("A", address(1));
        assert!(quotas.addresses.is_empty());
        let limits = AddressLimits { rate: 1.0, ..FREE };
        quotas.open("A", address(1), limits, 0);
        quotas.close("A", address(1));
        assert_eq!(quotas.addresses.len(), 1);
    }
}
