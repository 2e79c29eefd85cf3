//! A token bucket that fills at the rate of a quota, as Apache Kafka limits mutations of the cluster (KIP-599).
//!
//! Pure: the clock is an argument, in milliseconds.

use super::rate::Window;

/// The tokens that are left. A new bucket is full: that much a client may do at once.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::broker) struct TokenBucket {
    /// Negative after more was taken than there was.
    tokens: f64,
    filled_ms: Option<i64>,
}

impl TokenBucket {
    /// The most tokens: what the rate allows in a window.
    fn burst(window: Window, rate: f64) -> f64 {
        window.length_ms() as f64 / 1000.0 * rate
    }

    fn fill(&mut self, window: Window, rate: f64, now_ms: i64) {
        let burst = Self::burst(window, rate);
        self.tokens = match self.filled_ms {
            Some(before) => (self.tokens + rate * (now_ms - before).max(0) as f64 / 1000.0).min(burst),
            None => burst,
        };
        self.filled_ms = Some(now_ms);
    }

    /// The milliseconds until the tokens are not negative; 0 if they are not.
    pub(in crate::broker) fn wait_ms(&mut self, window: Window, rate: f64, now_ms: i64) -> i32 {
        self.fill(window, rate, now_ms);
        if self.tokens < 0.0 {
            // The cast saturates.
            (-self.tokens / rate * 1000.0).round() as i32
        } else {
            0
        }
    }

    /// Takes tokens, even if there are not enough.
    pub(in crate::broker) fn take(&mut self, window: Window, rate: f64, tokens: f64, now_ms: i64) {
        self.fill(window, rate, now_ms);
        self.tokens -= tokens;
    }

    /// Whether it is as full as a new one.
    pub(in crate::broker) fn is_full(&mut self, window: Window, rate: f64, now_ms: i64) -> bool {
        self.fill(window, rate, now_ms);
        self.tokens >= Self::burst(window, rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window {
        sample_ms: 1000,
        samples: 10,
    };

    /// The example of KIP-599: 5 per second over 10 seconds allow 50 at once; what is beyond has to wait.
    #[test]
    fn a_burst_is_free_and_what_is_beyond_it_is_waited_for() {
        let mut bucket = TokenBucket::default();
        assert_eq!(bucket.wait_ms(WINDOW, 5.0, 0), 0);
        bucket.take(WINDOW, 5.0, 50.0, 0);
        assert_eq!(bucket.wait_ms(WINDOW, 5.0, 0), 0);
        bucket.take(WINDOW, 5.0, 60.0, 0);
        assert_eq!(bucket.wait_ms(WINDOW, 5.0, 0), 12_000);
        assert_eq!(bucket.wait_ms(WINDOW, 5.0, 11_000), 1_000);
        assert_eq!(bucket.wait_ms(WINDOW, 5.0, 12_000), 0);
    }

    #[test]
    fn it_holds_no_more_than_a_burst() {
        let mut bucket = TokenBucket::default();
        bucket.take(WINDOW, 5.0, 50.0, 0);
        assert!(!bucket.is_full(WINDOW, 5.0, 9_999));
        assert!(bucket.is_full(WINDOW, 5.0, 10_000));
        bucket.take(WINDOW, 5.0, 51.0, 1_000_000);
        assert_eq!(bucket.wait_ms(WINDOW, 5.0, 1_000_000), 200);
    }

    #[test]
    fn a_clock_that_goes_back_takes_no_tokens() {
        let mut bucket = TokenBucket::default();
        bucket.take(WINDOW, 5.0, 50.0, 1_000);
        assert_eq!(bucket.wait_ms(WINDOW, 5.0, 0), 0);
    }
}
