//! Counts of sent and refused calls.

/// Sent calls, and the refused ones among them. Refusals return sooner than answers, so shares are of sent calls, never
/// of returned ones.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) sent: u64,
    pub(super) refused: u64,
    /// Number of the latest sent call that is known to be refused.
    last_refused: u64,
}

impl Tally {
    pub(super) fn add_refused(&mut self, number: u64) {
        self.refused += 1;
        self.last_refused = self.last_refused.max(number);
    }

    /// Returns the refused share of all calls; exact once all have returned.
    pub(super) fn share(self) -> f64 {
        ratio(self.refused, self.sent)
    }

    /// Returns the refused share of the calls up to the last refused one.
    pub(super) fn share_so_far(self) -> f64 {
        ratio(self.refused, self.last_refused)
    }
}

/// Divides counts; those beyond 2^52 lose their last digits.
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
