//! How long a handler has used its thread: what `request_percentage` limits (KIP-124).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// A future that adds up the time of its polls: the time in which it waits between them does not count.
#[derive(Debug)]
pub(super) struct Timed<F> {
    inner: F,
    spent: Duration,
}

impl<F: Future + Unpin> Timed<F> {
    pub(super) fn new(inner: F) -> Self {
        Self {
            inner,
            spent: Duration::ZERO,
        }
    }
}

impl<F: Future + Unpin> Future for Timed<F> {
    type Output = (F::Output, Duration);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let start = Instant::now();
        let polled = Pin::new(&mut self.inner).poll(cx);
        self.spent += start.elapsed();
        polled.map(|output| (output, self.spent))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn time_that_a_future_waits_is_not_counted() {
        const WAIT: Duration = Duration::from_millis(30);
        let mut polls = 0;
        let twice = std::future::poll_fn(move |_| {
            polls += 1;
            if polls < 2 {
                Poll::Pending
            } else {
                Poll::Ready(polls)
            }
        });
        let mut timed = Timed::new(twice);
        let mut cx = Context::from_waker(Waker::noop());
        let start = Instant::now();
        assert!(Pin::new(&mut timed).poll(&mut cx).is_pending());
        std::thread::sleep(WAIT);
        let Poll::Ready((polls, spent)) = Pin::new(&mut timed).poll(&mut cx) else {
            panic!("not ready");
        };
        assert_eq!(polls, 2);
        assert!(spent + WAIT <= start.elapsed(), "{spent:?}");
    }
}
