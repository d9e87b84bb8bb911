//! The growth of a rate after a cut: a cubic curve, as in CUBIC (RFC 9438).

/// Growth per second while the limit is unknown.
const SLOW_START: f64 = 4.0;
/// Share of the limit that is added after growing for twice the recovery time.
const PROBE_SHARE: f64 = 0.15;

/// The rate after a cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Curve {
    /// The rate from which growth starts.
    pub(super) low: f64,
    /// The estimated limit; `None` where there were too few answers for an estimate.
    pub(super) top: Option<f64>,
    /// Seconds of growth so far.
    pub(super) grown: f64,
    /// The time up to which growth is counted.
    pub(super) at: f64,
    /// Seconds of growth from `low` to `top`.
    pub(super) recovery: f64,
}

impl Curve {
    pub(super) fn rate(&self) -> f64 {
        let Some(top) = self.top else { return self.low * SLOW_START.powf(self.grown.min(20.0)) };
        let left = 1.0 - self.grown / self.recovery;
        let reach = if left > 0.0 { top - self.low } else { top * PROBE_SHARE };
        top - reach * left.powi(3)
    }

    pub(super) fn grow(&mut self, now: f64) {
        self.grown += (now - self.at).max(0.0);
        self.at = self.at.max(now);
    }
}
