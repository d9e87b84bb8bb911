//! Refusals that have nothing to do with the rate: their share, and when there are more of them than it explains.
//!
//! A cumulative sum test (CUSUM, Page 1954) of the share of refused calls against one that is clearly larger.

/// Evidence (a log-likelihood ratio) from which on noise explains no more.
const SURPRISE: f64 = 12.0;
/// Noise may turn out larger than it was first taken for, up to this multiple.
const NOISIER: f64 = 1.5;
/// The share is brought up to date after so many refusals.
const BLOCK: u64 = 20;
/// A share below this is none.
const MIN: f64 = 1e-4;

/// A share of calls that is refused whatever the rate.
#[derive(Debug)]
pub(super) struct Noise {
    share: f64,
    most: f64,
    /// Evidence so far that the share is larger.
    surprise: f64,
    /// Number of the last departure that was refused.
    last: u64,
    /// Refusals since the departure of number `from`.
    refused: u64,
    from: u64,
}

impl Noise {
    /// Noise of this share, above 0 and below 1.
    pub(super) fn new(share: f64) -> Self {
        let share = share.clamp(MIN, 0.9);
        Self { share, most: NOISIER * share, surprise: 0.0, last: 0, refused: 0, from: 0 }
    }

    /// Departures are numbered anew.
    pub(super) fn restart(&mut self) {
        (self.surprise, self.last, self.refused, self.from) = (0.0, 0, 0, 0);
    }

    /// Takes the refusal of a departure; whether noise explains it.
    pub(super) fn explains(&mut self, number: u64) -> bool {
        // Halfway from the noise to certainty, or three times the noise where that is less.
        let larger = (3.0 * self.share).min((1.0 + self.share) / 2.0);
        let refusal = (larger / self.share).ln();
        let answer = ((1.0 - larger) / (1.0 - self.share)).ln();
        // What lies between is taken for answered; a refusal that comes late was, and is not.
        let answers = if number > self.last { (number - self.last - 1) as f64 } else { -1.0 };
        self.surprise = (self.surprise + answers * answer).max(0.0) + refusal;
        self.last = self.last.max(number);
        self.refused += 1;
        if self.refused >= BLOCK {
            let share = self.refused as f64 / self.last.saturating_sub(self.from).max(self.refused) as f64;
            self.share = ((self.share + share) / 2.0).min(self.most);
            (self.refused, self.from) = (0, self.last);
        }
        self.surprise < SURPRISE
    }

    /// Whether next to nothing is refused any more.
    pub(super) fn is_over(&self) -> bool {
        self.share < MIN
    }
}
