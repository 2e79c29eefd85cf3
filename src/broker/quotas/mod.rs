//! Client quotas at work: what clients send and get is measured, and whoever exceeds a quota is slowed down.
//!
//! As in Kafka (KIP-13, KIP-219) a client is told how long its connection is not read, and then it is not. Which quota
//! holds for a client is in `cluster/client_quotas.rs`. Where a cluster has no quotas, nothing is measured.

mod rate;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::cluster::client_quotas::{CONSUMER_BYTE_RATE, Held, PRODUCER_BYTE_RATE, held_by};
use super::cluster::image::ClusterImage;
use super::config::BrokerConfig;
use rate::{Rate, Window};

/// Clients that are measured at once; beyond that those are forgotten that were idle, and then all.
const MOST_CLIENTS: usize = 20_000;

/// What a quota limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::broker) enum Traffic {
    /// Bytes of Produce requests.
    Produce,
    /// Bytes of the answers to Fetch.
    Fetch,
}

impl Traffic {
    fn quota(self) -> &'static str {
        match self {
            Traffic::Produce => PRODUCER_BYTE_RATE,
            Traffic::Fetch => CONSUMER_BYTE_RATE,
        }
    }
}

/// Who a client says that it is.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct Sender<'a> {
    /// The name of its principal.
    pub(in crate::broker) user: &'a str,
    pub(in crate::broker) client_id: &'a str,
}

/// Whose traffic counts together: a user, a client id, or both.
type Client = (Traffic, String, String);

/// The traffic of clients that have a quota.
#[derive(Debug)]
pub(in crate::broker) struct QuotaManager {
    window: Window,
    rates: Mutex<HashMap<Client, Rate>>,
}

impl QuotaManager {
    pub(in crate::broker) fn new(config: &BrokerConfig) -> Self {
        let seconds = config
            .number("quota.window.size.seconds")
            .clamp(1, i64::from(i32::MAX));
        Self {
            window: Window {
                sample_ms: seconds * 1000,
                // Every sample takes memory.
                samples: config.number("quota.window.num").clamp(1, 1000),
            },
            rates: Mutex::default(),
        }
    }

    fn rates(&self) -> MutexGuard<'_, HashMap<Client, Rate>> {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(image: &ClusterImage, traffic: Traffic, sender: Sender<'_>) -> Option<Held> {
        let quotas = image.client_quotas();
        if quotas.is_empty() {
            return None;
        }
        held_by(quotas, traffic.quota(), sender.user, sender.client_id)
    }

    /// Counts bytes of a client, and returns for how many milliseconds it must be slowed down: until its rate over the
    /// window is within its quota; 0 if it is.
    pub(in crate::broker) fn record(
        &self,
        image: &ClusterImage,
        traffic: Traffic,
        sender: Sender<'_>,
        (bytes, now_ms): (usize, i64),
    ) -> i32 {
        let Some(held) = Self::held(image, traffic, sender) else {
            return 0;
        };
        let mut rates = self.rates();
        if rates.len() >= MOST_CLIENTS {
            rates.retain(|_, rate| !rate.is_idle(self.window, now_ms));
            if rates.len() >= MOST_CLIENTS {
                rates.clear();
            }
        }
        let rate = rates.entry((traffic, held.user, held.client_id)).or_default();
        rate.record(self.window, bytes as f64, now_ms);
        let (value, elapsed_ms) = rate.measure(self.window, now_ms);
        throttle_ms(value, held.limit, elapsed_ms)
    }

    /// Takes back what was counted: the bytes were not sent.
    pub(in crate::broker) fn unrecord(
        &self,
        image: &ClusterImage,
        traffic: Traffic,
        sender: Sender<'_>,
        (bytes, now_ms): (usize, i64),
    ) {
        if let Some(held) = Self::held(image, traffic, sender)
            && let Some(rate) = self.rates().get_mut(&(traffic, held.user, held.client_id))
        {
            rate.record(self.window, -(bytes as f64), now_ms);
        }
    }

    /// The most bytes that one answer to a client may have: what its quota allows within the window; more would slow
    /// it down for ever. `None` without a quota.
    pub(in crate::broker) fn most_bytes(
        &self,
        image: &ClusterImage,
        traffic: Traffic,
        sender: Sender<'_>,
    ) -> Option<usize> {
        let held = Self::held(image, traffic, sender)?;
        let full_samples = (self.window.samples - 1).saturating_mul(self.window.sample_ms / 1000);
        // A float becomes the nearest number that there is.
        Some((held.limit * full_samples as f64) as usize)
    }
}

/// How long nothing may come, so that the rate over that much longer a window is the limit.
fn throttle_ms(rate: f64, limit: f64, window_ms: i64) -> i32 {
    if rate > limit {
        // A float becomes the nearest number that there is.
        ((rate - limit) / limit * window_ms as f64).round() as i32
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_slowed_down_until_its_rate_is_within_the_quota() {
        // 5000 bytes over 10 seconds are 500 a second; at a limit of 100 they take 50 seconds, so 40 more.
        assert_eq!(throttle_ms(500.0, 100.0, 10_000), 40_000);
        assert_eq!(throttle_ms(100.0, 100.0, 10_000), 0);
        assert_eq!(throttle_ms(500.0, f64::NAN, 10_000), 0);
        assert_eq!(throttle_ms(f64::MAX, 1.0, 10_000), i32::MAX);
    }
}
