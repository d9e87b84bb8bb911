//! Answers a second over the last second, from counts in slices of 50 milliseconds.

/// Slices of a second.
const SLICES: usize = 20;
const SLICE: f64 = 1.0 / SLICES as f64;

/// Counts of the last second.
#[derive(Debug, Default)]
pub(super) struct Window {
    counts: [u32; SLICES],
    /// The number of the slice that was counted last, from time 0.
    last: u64,
    /// When the first answer came.
    first: Option<f64>,
}

impl Window {
    /// Counts one answer.
    pub(super) fn add(&mut self, now: f64) {
        self.first.get_or_insert(now);
        let slice = self.turn_to(now);
        if let Some(count) = self.counts.get_mut(slice) {
            *count = count.saturating_add(1);
        }
    }

    /// Answers of the last second, and how many that is a second: over a shorter time where less has passed since
    /// the first one, but a slice at least.
    pub(super) fn rate(&mut self, now: f64) -> (f64, f64) {
        let Some(first) = self.first else { return (0.0, 0.0) };
        self.turn_to(now);
        let sum: f64 = self.counts.iter().copied().map(f64::from).sum();
        // The slice under way is not over: on average half of it is still missing.
        (sum, sum / (now - first).clamp(SLICE, 1.0 - SLICE / 2.0))
    }

    /// Whether a second has passed since the first answer.
    pub(super) fn is_whole(&self, now: f64) -> bool {
        self.first.is_some_and(|first| now - first >= 1.0)
    }

    /// Empties what is older than a second; the place of the slice of this moment.
    fn turn_to(&mut self, now: f64) -> usize {
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
