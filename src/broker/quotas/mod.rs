//! Client quotas at work: what clients send and get is measured, and whoever exceeds a quota is slowed down.
//!
//! As in Kafka (KIP-13, KIP-219) a client is told how long its connection is not read, and then it is not. Which quota
//! holds for a client is in `cluster/client_quotas.rs`. Where a cluster has no quotas, nothing is measured. Connections
//! are counted in [`connection_quotas`].

pub(in crate::broker) mod connection_quotas;
mod rate;
mod token_bucket;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cluster::client_quotas::{
    CONSUMER_BYTE_RATE, CONTROLLER_MUTATION_RATE, Held, PRODUCER_BYTE_RATE, REQUEST_PERCENTAGE, held_by,
};
use super::cluster::image::ClusterImage;
use super::config::BrokerConfig;
use rate::{Rate, Window};
use token_bucket::TokenBucket;

/// Clients that are measured at once; beyond that those are forgotten that were idle, and then all.
const MOST_CLIENTS: usize = 20_000;

/// What a quota limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::broker) enum Traffic {
    /// Bytes of Produce requests.
    Produce,
    /// Bytes of the answers to Fetch.
    Fetch,
    /// The share of a thread's time that requests take, in percent (KIP-124).
    Time,
}

impl Traffic {
    fn quota(self) -> &'static str {
        match self {
            Traffic::Produce => PRODUCER_BYTE_RATE,
            Traffic::Fetch => CONSUMER_BYTE_RATE,
            Traffic::Time => REQUEST_PERCENTAGE,
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

/// What becomes of a change of the cluster that a client with a quota asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::broker) struct MutationVerdict {
    pub(in crate::broker) is_allowed: bool,
    /// For how many milliseconds the client is slowed down, or has to wait before it asks again.
    pub(in crate::broker) throttle_ms: i32,
}

/// The traffic of clients that have a quota.
#[derive(Debug)]
pub(in crate::broker) struct QuotaManager {
    window: Window,
    rates: Mutex<HashMap<Client, Rate>>,
    mutation_window: Window,
    /// What is left to clients of the partitions that they may create and delete, by user and client id.
    mutations: Mutex<HashMap<(String, String), TokenBucket>>,
}

/// The window that two settings describe.
pub(in crate::broker) fn window(config: &BrokerConfig, seconds: &str, samples: &str) -> Window {
    let seconds = config.number(seconds).clamp(1, i64::from(i32::MAX));
    Window {
        sample_ms: seconds * 1000,
        // Every sample takes memory.
        samples: config.number(samples).clamp(1, 1000),
    }
}

/// The window of clients and connections.
pub(in crate::broker) fn client_window(config: &BrokerConfig) -> Window {
    window(config, "quota.window.size.seconds", "quota.window.num")
}

impl QuotaManager {
    pub(in crate::broker) fn new(config: &BrokerConfig) -> Self {
        Self {
            window: client_window(config),
            rates: Mutex::default(),
            mutation_window: window(
                config,
                "controller.quota.window.size.seconds",
                "controller.quota.window.num",
            ),
            mutations: Mutex::default(),
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
        self.record_value(image, traffic, sender, bytes as f64, now_ms)
    }

    /// Counts the time that a thread has spent on a request, and returns for how many milliseconds its client must be
    /// slowed down: one sample of the window at most.
    pub(in crate::broker) fn record_time(
        &self,
        image: &ClusterImage,
        sender: Sender<'_>,
        spent: Duration,
        now_ms: i64,
    ) -> i32 {
        let percent = spent.as_secs_f64() * 100.0;
        let throttle_ms = self.record_value(image, Traffic::Time, sender, percent, now_ms);
        throttle_ms.min(self.window.sample_as_ms())
    }

    fn record_value(
        &self,
        image: &ClusterImage,
        traffic: Traffic,
        sender: Sender<'_>,
        value: f64,
        now_ms: i64,
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
        rate.record(self.window, value, now_ms);
        rate.throttle_ms(self.window, held.limit, now_ms)
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

    /// Counts partitions that a client creates or deletes (KIP-599). A request that knows how to be refused
    /// (`is_strict`) is refused, and does not count, while the client has used more than its quota; another one is
    /// answered, and its client slowed down.
    pub(in crate::broker) fn record_mutations(
        &self,
        image: &ClusterImage,
        sender: Sender<'_>,
        is_strict: bool,
        (partitions, now_ms): (usize, i64),
    ) -> MutationVerdict {
        let quotas = image.client_quotas();
        let held = held_by(quotas, CONTROLLER_MUTATION_RATE, sender.user, sender.client_id);
        let Some(held) = held.filter(|_| !quotas.is_empty()) else {
            return MutationVerdict {
                is_allowed: true,
                throttle_ms: 0,
            };
        };
        let (window, rate) = (self.mutation_window, held.limit);
        let mut buckets = self.mutations.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_CLIENTS {
            buckets.retain(|_, bucket| !bucket.is_full(window, rate, now_ms));
            if buckets.len() >= MOST_CLIENTS {
                buckets.clear();
            }
        }
        let bucket = buckets.entry((held.user, held.client_id)).or_default();
        let before_ms = bucket.wait_ms(window, rate, now_ms);
        if is_strict && before_ms > 0 {
            return MutationVerdict {
                is_allowed: false,
                throttle_ms: before_ms,
            };
        }
        bucket.take(window, rate, partitions as f64, now_ms);
        let after_ms = if is_strict {
            0
        } else {
            bucket.wait_ms(window, rate, now_ms)
        };
        MutationVerdict {
            is_allowed: true,
            throttle_ms: after_ms,
        }
    }
}
