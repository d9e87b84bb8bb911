//! Refusals that do not depend on the rate: their share, and a test for refusals beyond it.
//!
//! The test is a cumulative sum (CUSUM, Page 1954) of the refused share against one that is clearly larger.

/// Evidence (a log-likelihood ratio) from which on noise no longer explains the refusals.
const MAX_EVIDENCE: f64 = 12.0;
/// The share may grow to this multiple of the first estimate.
const MAX_GROWTH: f64 = 1.5;
/// Refusals between two updates of the share.
const UPDATE_EVERY: u64 = 20;
/// A smaller share counts as none.
const MIN_SHARE: f64 = 1e-4;

/// A share of calls that is refused whatever the rate.
#[derive(Debug)]
pub(super) struct Noise {
    share: f64,
    max_share: f64,
    /// Evidence so far for a larger share.
    evidence: f64,
    /// Number of the last refused call.
    last: u64,
    /// Refusals since call number `from`.
    refused: u64,
    from: u64,
}

impl Noise {
    /// Creates noise of this share, above 0 and below 1.
    pub(super) fn new(share: f64) -> Self {
        let share = share.clamp(MIN_SHARE, 0.9);
        Self { share, max_share: MAX_GROWTH * share, evidence: 0.0, last: 0, refused: 0, from: 0 }
    }

    /// Starts a new epoch, in which calls are numbered from 1 again.
    pub(super) fn restart(&mut self) {
        (self.evidence, self.last, self.refused, self.from) = (0.0, 0, 0, 0);
    }

    /// Records the refusal of a call and returns whether noise explains it.
    pub(super) fn explains(&mut self, number: u64) -> bool {
        // Halfway from the noise to certainty, or three times the noise where that is less.
        let larger = (3.0 * self.share).min((1.0 + self.share) / 2.0);
        let refusal = (larger / self.share).ln();
        let answer = ((1.0 - larger) / (1.0 - self.share)).ln();
        // Calls in between count as answered; a late refusal takes one of these answers back.
        let answers = if number > self.last { (number - self.last - 1) as f64 } else { -1.0 };
        self.evidence = (self.evidence + answers * answer).max(0.0) + refusal;
        self.last = self.last.max(number);
        self.refused += 1;
        if self.refused >= UPDATE_EVERY {
            let share = self.refused as f64 / self.last.saturating_sub(self.from).max(self.refused) as f64;
            self.share = ((self.share + share) / 2.0).min(self.max_share);
            (self.refused, self.from) = (0, self.last);
        }
        self.evidence < MAX_EVIDENCE
    }

    /// Whether almost nothing is refused any more.
    pub(super) fn is_over(&self) -> bool {
        self.share < MIN_SHARE
    }
}
