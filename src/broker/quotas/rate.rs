//! A rate over a window of samples, measured as by Apache Kafka for quotas.
//!
//! Pure: the clock is an argument, in milliseconds.

/// The length of a sample in ms, and the number of samples in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::broker) struct Window {
    pub(in crate::broker) sample_ms: i64,
    pub(in crate::broker) samples: i64,
}

impl Window {
    /// The age in ms at which a sample stops counting.
    pub(in crate::broker) fn length_ms(self) -> i64 {
        self.sample_ms.saturating_mul(self.samples)
    }

    /// The length of a sample in ms, as the protocol's type.
    pub(in crate::broker) fn sample_as_ms(self) -> i32 {
        i32::try_from(self.sample_ms).unwrap_or(i32::MAX)
    }
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    start_ms: i64,
    last_event_ms: i64,
    value: f64,
}

impl Sample {
    fn new(now_ms: i64) -> Self {
        Self {
            start_ms: now_ms,
            last_event_ms: now_ms,
            value: 0.0,
        }
    }
}

/// The samples of one rate; one more than the window has, as the window begins inside a sample.
#[derive(Clone, Debug, Default)]
pub(in crate::broker) struct Rate {
    samples: Vec<Sample>,
    current: usize,
}

impl Rate {
    /// Counts a value; a negative one takes back a count.
    pub(in crate::broker) fn record(&mut self, window: Window, value: f64, now_ms: i64) {
        let is_complete = match self.samples.get(self.current) {
            Some(sample) => now_ms - sample.start_ms >= window.sample_ms,
            None => true,
        };
        if is_complete {
            self.advance(window, now_ms);
        }
        if let Some(sample) = self.samples.get_mut(self.current) {
            sample.value += value;
            sample.last_event_ms = now_ms;
        }
    }

    fn advance(&mut self, window: Window, now_ms: i64) {
        let most = usize::try_from(window.samples).unwrap_or(0).saturating_add(1);
        let next = if self.samples.is_empty() {
            0
        } else {
            (self.current + 1) % most
        };
        match self.samples.get_mut(next) {
            Some(sample) => *sample = Sample::new(now_ms),
            None => self.samples.push(Sample::new(now_ms)),
        }
        self.current = next;
    }

    /// The rate per second, and the milliseconds over which it was measured: at least all samples but one.
    pub(in crate::broker) fn measure(&mut self, window: Window, now_ms: i64) -> (f64, i64) {
        for sample in &mut self.samples {
            if now_ms - sample.last_event_ms >= window.length_ms() {
                *sample = Sample::new(now_ms);
            }
        }
        let oldest = self
            .samples
            .iter()
            .map(|sample| sample.start_ms)
            .min()
            .unwrap_or(now_ms);
        let mut elapsed = now_ms - oldest;
        let missing = window.samples - 1 - elapsed / window.sample_ms.max(1);
        elapsed += missing.max(0) * window.sample_ms;
        // With one sample in the window no time may have passed.
        let elapsed = elapsed.max(1);
        let sum: f64 = self.samples.iter().map(|sample| sample.value).sum();
        (sum * 1000.0 / elapsed as f64, elapsed)
    }

    /// The milliseconds without any value after which the rate would be the limit; 0 if it is within it.
    pub(in crate::broker) fn throttle_ms(&mut self, window: Window, limit: f64, now_ms: i64) -> i32 {
        let (value, elapsed_ms) = self.measure(window, now_ms);
        if value > limit {
            // The cast saturates.
            ((value - limit) / limit * elapsed_ms as f64).round() as i32
        } else {
            0
        }
    }

    /// Whether nothing was ever counted.
    pub(in crate::broker) fn is_unused(&self) -> bool {
        self.samples.is_empty()
    }

    /// Whether nothing was counted within the window.
    pub(in crate::broker) fn is_idle(&self, window: Window, now_ms: i64) -> bool {
        self.samples
            .iter()
            .all(|sample| now_ms - sample.last_event_ms >= window.length_ms())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window {
        sample_ms: 1000,
        samples: 11,
    };

    #[test]
    fn a_rate_is_over_ten_full_samples_at_least() {
        let mut rate = Rate::default();
        rate.record(WINDOW, 5000.0, 100);
        assert_eq!(rate.measure(WINDOW, 100), (500.0, 10_000));
        // While the first sample counts, its age extends the window.
        assert_eq!(rate.measure(WINDOW, 10_600), (5000.0 / 10.5, 10_500));
    }

    #[test]
    fn a_client_is_slowed_down_until_its_rate_is_within_the_quota() {
        // 5000 bytes over 10 seconds are 500 a second; at a limit of 100 they take 50 seconds, so 40 more.
        for (bytes, limit, throttle_ms) in [
            (5000.0, 100.0, 40_000),
            (1000.0, 100.0, 0),
            (5000.0, f64::NAN, 0),
            (f64::MAX / 10.0, 1.0, i32::MAX),
        ] {
            let mut rate = Rate::default();
            rate.record(WINDOW, bytes, 0);
            assert_eq!(
                rate.throttle_ms(WINDOW, limit, 0),
                throttle_ms,
                "{bytes} at {limit}"
            );
        }
    }

    #[test]
    fn a_sample_goes_when_nothing_was_counted_in_it_for_a_window() {
        let mut rate = Rate::default();
        rate.record(WINDOW, 5000.0, 0);
        assert!(rate.measure(WINDOW, 10_999).0 > 0.0);
        assert!(rate.is_idle(WINDOW, 11_000));
        assert_eq!(rate.measure(WINDOW, 11_000), (0.0, 10_000));
    }

    #[test]
    fn no_more_samples_are_kept_than_the_window_has_and_one() {
        let mut rate = Rate::default();
        for second in 0..100 {
            rate.record(WINDOW, 1000.0, second * 1000);
        }
        assert_eq!(rate.samples.len(), 12);
        let (value, elapsed) = rate.measure(WINDOW, 99_000);
        assert!((1000.0..=1100.0).contains(&value), "{value} over {elapsed}");
    }
}
