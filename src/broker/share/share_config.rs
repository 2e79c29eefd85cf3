//! The configs of a group that say how it reads partitions: the group's own, and else the broker's.

use super::share_partition::ShareLimits;
use crate::broker::cluster::image::ClusterImage;
use crate::broker::config::BrokerConfig;
use crate::broker::config::group_config;

/// Where a group begins to read a partition: `share.auto.offset.reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetReset {
    Earliest,
    Latest,
    /// At the first record that is at most so old, in milliseconds.
    ByDuration(i64),
}

/// How one group reads partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareConfig {
    pub limits: ShareLimits,
    pub offset_reset: OffsetReset,
    /// Whether records of transactions that have not been committed are kept back.
    pub read_committed: bool,
    /// Whether members may hold records for longer (KIP-1222).
    pub renews: bool,
}

impl ShareConfig {
    /// The configs of a group in force.
    pub(in crate::broker) fn of(group: &str, image: &ClusterImage, broker: &BrokerConfig) -> Self {
        let own = image.group_configs(group).cloned().unwrap_or_default();
        let value = |name: &str| {
            let key = group_config::find(name)?;
            let strongest = key.origins(&own, broker).into_iter().next()?;
            Some(strongest.value.trim().to_owned())
        };
        let number = |name: &str| value(name).and_then(|value| value.parse().ok()).unwrap_or(0_i64);
        let is =
            |name: &str, wanted: &str| value(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
        Self {
            limits: ShareLimits {
                max_in_flight: number("share.partition.max.record.locks"),
                max_delivery_count: i16::try_from(number("share.delivery.count.limit")).unwrap_or(i16::MAX),
                lock_ms: number("share.record.lock.duration.ms"),
            },
            offset_reset: offset_reset(&value("share.auto.offset.reset").unwrap_or_default()),
            read_committed: is("share.isolation.level", "read_committed"),
            renews: is("share.renew.acknowledge.enable", "true"),
        }
    }
}

fn offset_reset(value: &str) -> OffsetReset {
    match value {
        "earliest" => OffsetReset::Earliest,
        _ => match value.strip_prefix("by_duration:").and_then(iso_8601_duration_ms) {
            Some(milliseconds) => OffsetReset::ByDuration(milliseconds),
            None => OffsetReset::Latest,
        },
    }
}

/// The milliseconds of `PnDTnHnMn.nS`, as Java's `Duration` reads it; None if it is no such text, or is negative.
pub fn iso_8601_duration_ms(text: &str) -> Option<i64> {
    let (days, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None => (text.strip_prefix('P')?, ""),
    };
    if days.is_empty() && time.is_empty() {
        return None;
    }
    let mut total = 0_i64;
    if !days.is_empty() {
        let days: i64 = days.strip_suffix('D')?.parse().ok()?;
        total = days.checked_mul(86_400_000)?;
    }
    let mut rest = time;
    for (unit, milliseconds) in [('H', 3_600_000_i64), ('M', 60_000)] {
        if let Some((number, after)) = rest.split_once(unit) {
            total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(milliseconds)?)?;
            rest = after;
        }
    }
    if !rest.is_empty() {
        total = total.checked_add(seconds_ms(rest.strip_suffix('S')?)?)?;
    }
    (total >= 0).then_some(total)
}

fn seconds_ms(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    let seconds: i64 = whole.parse().ok()?;
    seconds.checked_mul(1000)?.checked_add(thousandths.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_java_reads_them() {
        let read = iso_8601_duration_ms;
        assert_eq!(read("PT1H"), Some(3_600_000));
        assert_eq!(read("P2DT3H4M5.25S"), Some(183_845_250));
        assert_eq!(read("P1D"), Some(86_400_000));
        assert_eq!(read("PT0.001S"), Some(1));
        for wrong in [
            "",
            "P",
            "PT",
            "1H",
            "PT1",
            "P1DT",
            "PT1.5H",
            "PT-1H",
            "PT1X",
            "P99999999999999D",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_place_to_begin_is_read() {
        assert_eq!(offset_reset("earliest"), OffsetReset::Earliest);
        assert_eq!(offset_reset("latest"), OffsetReset::Latest);
        assert_eq!(offset_reset("by_duration:PT1M"), OffsetReset::ByDuration(60_000));
    }
}
