//! Enforcing client quotas: traffic of clients is measured, and clients over a quota are throttled.
//!
//! As in Kafka (KIP-13, KIP-219) a client is told how long its connection will be muted, and then it is. Which quota
//! applies to a client is in `cluster/client_quotas.rs`. In a cluster without quotas nothing is measured. Connections
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

/// The most clients to measure; beyond that idle ones are forgotten, and then all.
const MOST_CLIENTS: usize = 20_000;

/// What a quota limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::broker) enum Traffic {
    /// Bytes of Produce requests.
    Produce,
    /// Bytes of Fetch responses.
    Fetch,
    /// The share of a thread's time that requests use, in percent (KIP-124).
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

/// A client, as quotas name it.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct Sender<'a> {
    /// The name of its principal.
    pub(in crate::broker) user: &'a str,
    pub(in crate::broker) client_id: &'a str,
}

/// The key of a measurement: a user, a client id, or both.
type Client = (Traffic, String, String);

/// The decision on partitions that a client with a quota creates or deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::broker) struct MutationVerdict {
    pub(in crate::broker) is_allowed: bool,
    /// For how many milliseconds the client is throttled, or has to wait before it asks again.
    pub(in crate::broker) throttle_ms: i32,
}

/// The measured traffic of clients with a quota.
#[derive(Debug)]
pub(in crate::broker) struct QuotaManager {
    window: Window,
    rates: Mutex<HashMap<Client, Rate>>,
    mutation_window: Window,
    /// The tokens left for creating and deleting partitions, by user and client id.
    mutations: Mutex<HashMap<(String, String), TokenBucket>>,
}

/// The window in two settings.
pub(in crate::broker) fn window(config: &BrokerConfig, seconds: &str, samples: &str) -> Window {
    let seconds = config.number(seconds).clamp(1, i64::from(i32::MAX));
    Window {
        sample_ms: seconds * 1000,
        // Every sample takes memory.
        samples: config.number(samples).clamp(1, 1000),
    }
}

/// The window for clients and connections.
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

    /// Counts bytes of a client. Returns for how many milliseconds it must be throttled until its rate over the
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

    /// Counts the thread time of a request. Returns for how many milliseconds its client must be throttled: at most
    /// one sample of the window.
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

    /// Takes back a count: the bytes were not sent.
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

    /// The most bytes in one answer to a client: what its quota allows within the window; more would throttle it
    /// forever. `None` without a quota.
    pub(in crate::broker) fn most_bytes(
        &self,
        image: &ClusterImage,
        traffic: Traffic,
        sender: Sender<'_>,
    ) -> Option<usize> {
        let held = Self::held(image, traffic, sender)?;
        let full_samples = (self.window.samples - 1).saturating_mul(self.window.sample_ms / 1000);
        // The cast saturates.
        Some((held.limit * full_samples as f64) as usize)
    }

    /// Counts partitions that a client creates or deletes (KIP-599). While the client is over its quota, a request
    /// with `is_strict`, which has an error for this, is refused and not counted; any other is carried out, and its
    /// client throttled.
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
