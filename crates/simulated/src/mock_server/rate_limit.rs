//! A token bucket whose capacity is the rate of one second.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct RateLimit {
    per_second: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    at: Instant,
}

impl RateLimit {
    /// Creates a full bucket.
    pub(super) fn new(per_second: f64) -> Self {
        Self { per_second, state: Mutex::new(State { tokens: per_second.max(1.0), at: Instant::now() }) }
    }

    /// Takes a token; returns the time until the next one if there is none.
    pub(super) fn take(&self) -> Option<Duration> {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let refill = now.duration_since(state.at).as_secs_f64() * self.per_second;
        state.tokens = (state.tokens + refill).min(self.per_second.max(1.0));
        state.at = now;
        if state.tokens >= 1.0 {
            state.tokens -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64((1.0 - state.tokens) / self.per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bucket_allows_a_burst_of_one_second_then_the_rate() {
        let limit = RateLimit::new(10.0);
        let passed = (0..20).filter(|_| limit.take().is_none()).count();
        assert_eq!(passed, 10);
        let wait = limit.take().unwrap();
        assert!(wait <= Duration::from_millis(100) && !wait.is_zero());
        tokio::time::advance(Duration::from_millis(301)).await;
        assert_eq!((0..20).filter(|_| limit.take().is_none()).count(), 3);
    }
}
