//! Answers per second over the last second, counted in slices of 50 milliseconds.

/// Slices per second.
const SLICES: usize = 20;
const SLICE: f64 = 1.0 / SLICES as f64;

#[derive(Debug, Default)]
pub(super) struct Window {
    counts: [u32; SLICES],
    /// Number of the latest slice, from time 0.
    last: u64,
    /// When the first answer arrived.
    first: Option<f64>,
}

impl Window {
    /// Counts one answer.
    pub(super) fn add(&mut self, now: f64) {
        self.first.get_or_insert(now);
        let slice = self.advance(now);
        if let Some(count) = self.counts.get_mut(slice) {
            *count = count.saturating_add(1);
        }
    }

    /// Returns the number of answers in the last second and their rate per second. Where less than a second has passed
    /// since the first answer, the rate is over that time, with a minimum of one slice.
    pub(super) fn rate(&mut self, now: f64) -> (f64, f64) {
        let Some(first) = self.first else { return (0.0, 0.0) };
        self.advance(now);
        let sum: f64 = self.counts.iter().copied().map(f64::from).sum();
        // The current slice is incomplete: on average half of it is missing.
        (sum, sum / (now - first).clamp(SLICE, 1.0 - SLICE / 2.0))
    }

    /// Whether a second has passed since the first answer.
    pub(super) fn is_full(&self, now: f64) -> bool {
        self.first.is_some_and(|first| now - first >= 1.0)
    }

    /// Clears slices older than a second and returns the index of the current one.
    fn advance(&mut self, now: f64) -> usize {
        // Times are not negative, and no run lasts 2^53 slices.
        let number = (now.max(0.0) / SLICE) as u64;
        let passed = number.saturating_sub(self.last);
        for step in 1..=passed.min(SLICES as u64) {
            if let Some(count) = self.counts.get_mut(((self.last + step) % SLICES as u64) as usize) {
                *count = 0;
            }
        }
        self.last = self.last.max(number);
        (number % SLICES as u64) as usize
    }
}
