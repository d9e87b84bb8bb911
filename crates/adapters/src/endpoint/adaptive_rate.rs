//! The pace of one endpoint, learned from its refusals. Pure: times are arguments, in seconds, and nothing waits here.
//!
//! 1. **Open:** nothing is limited until a call is refused (429, or a 503 that names a wait).
//! 2. **Cut:** a refusal opens an episode. The wait that the server asks for holds all calls, and the limit becomes the
//!    rate at which calls were accepted. One cut an episode: refusals of calls sent before it belong to it.
//! 3. **Check:** for one round, calls are sent at nine tenths of the limit.
//! 4. **Growth:** then the rate follows the curve of TCP CUBIC (RFC 9438): fast back to the limit, slowly past it, and
//!    faster again. Failures of the server slow it down by their share of the calls; they never cut.
//!
//! Some endpoints refuse at random, whatever the rate. There a cut does not help, and cut after cut would strangle the
//! run. So a check in which calls are refused is repeated at half the rate. If that does not double the accepted share,
//! the rate is not the reason: the limit is removed and the refused share is noise, which opens no episode.
//!
//! Checks and growth are counted in rounds of calls, so an unused limit does not grow, and a slow endpoint is asked as
//! often per step as a fast one.

/// Seconds of a round, the least time that is enough to measure a rate: limits per second allow a burst of one.
const ROUND: f64 = 1.0;
/// Calls that a round has at least, refusals that end a check early, and refusals beyond the noise that open an episode:
/// enough for a share that is right within a factor of two.
const ENOUGH: u64 = 12;
/// Refused calls that are no accident: fewer do not fail a check, and so many at its start mean that all are refused.
const FEW: u64 = 3;
/// Share of the limit in a check: below it, even where the limit was measured a little too high.
const CUT: f64 = 0.9;
/// Rounds of growth from the cut to the limit: a call in some hundred finds out whether the limit has risen.
const RECOVERY: f64 = 5.0;
/// Maximum share of the calls that counts as noise: where more are refused, the endpoint is blocked.
const MAX_NOISE: f64 = 0.5;
/// Minimum rate, in calls per second: a blocked endpoint is tried every 30 seconds.
const MIN_RATE: f64 = 1.0 / 30.0;
/// Seconds of calls that are made up for when a timer fires late.
const SLACK: f64 = 0.005;

/// The outcome of a call with regard to the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum CallOutcome {
    /// An answer, or a fault of the request itself.
    Ok,
    /// Refused for exceeding a rate limit, with the seconds to wait where the server names them.
    Refused { wait: Option<f64> },
    /// A failure of the server.
    Failed,
}

/// Identifies a sent call: its epoch, and its number within it, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    epoch: u32,
    number: u64,
}

/// The adaptive rate of one endpoint. Times are in seconds since a moment before the first call.
#[derive(Debug, Default)]
pub(super) struct AdaptiveRate {
    max_in_flight: usize,
    /// `None` while nothing is limited.
    limit: Option<Limit>,
    epoch: Epoch,
    /// Refused share of the last check, if that failed: the current one runs at half the rate.
    failed_check: Option<f64>,
    /// The share that is refused whatever the rate, and the checks it was measured in: calls sent, calls refused.
    noise: f64,
    checked: (u64, u64),
    /// Refusals beyond the noise (a leaky bucket).
    excess: f64,
    /// Earliest start of the next call at this rate.
    next_start: f64,
    /// End of the wait that the server asked for.
    paused_until: f64,
    /// Since when all calls are refused, and how many were.
    blocked_since: Option<f64>,
    blocked_calls: u64,
}

/// A limited rate.
#[derive(Debug, Clone, Copy)]
struct Limit {
    /// Calls per second that the endpoint accepted.
    top: f64,
    /// Share of it that is sent during the check.
    check: f64,
    /// Rounds since the cut; the first one is the check.
    rounds: f64,
    /// Whether `top` is a measurement; otherwise the run was too young and the rate doubles with each round.
    is_measured: bool,
}

/// Calls since the last cut.
#[derive(Debug, Default)]
struct Epoch {
    number: u32,
    /// When the first call was sent.
    start: f64,
    sent: u64,
    refused: u64,
    failed: u64,
    /// Number of the latest call that is known to be refused.
    last_refused: u64,
    /// Accepted calls of the last rounds, at most `RECOVERY`, and the seconds that they took at the limited rate.
    recently_accepted: f64,
    recent_seconds: f64,
    phase: Phase,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Phase {
    #[default]
    Settled,
    Check,
    /// All calls are refused.
    Blocked,
}

impl Limit {
    fn rate(&self) -> f64 {
        let grown = self.rounds - 1.0;
        let share = if grown <= 0.0 {
            self.check
        } else if self.is_measured {
            1.0 + (1.0 - CUT) * (grown / RECOVERY - 1.0).powi(3)
        } else {
            CUT * grown.exp2()
        };
        (share * self.top).max(MIN_RATE)
    }
}

impl Epoch {
    /// Returns the refused share of the calls up to the last refused one: later ones may still be refused.
    fn refused_share(&self) -> f64 {
        self.refused as f64 / (self.last_refused as f64 + 1.0).max(ENOUGH as f64)
    }
}

impl AdaptiveRate {
    pub(super) fn new(max_in_flight: usize) -> Self {
        Self { max_in_flight, ..Self::default() }
    }

    /// Whether calls may start without a wait.
    pub(super) fn is_unlimited(&self, now: f64) -> bool {
        self.limit.is_none() && now >= self.paused_until
    }

    /// Returns the limited rate in calls per second; `None` while nothing is limited.
    pub(super) fn rate(&self) -> Option<f64> {
        self.limit.as_ref().map(Limit::rate)
    }

    /// Returns for how many seconds all calls have been refused, and how many there were.
    pub(super) fn blocked(&self, now: f64) -> (f64, u64) {
        (self.blocked_since.map_or(0.0, |since| now - since), self.blocked_calls)
    }

    /// Lets a call start now, or returns the time of the next try.
    pub(super) fn start(&mut self, now: f64) -> Result<Ticket, f64> {
        if now < self.paused_until {
            return Err(self.paused_until);
        }
        let epoch = &mut self.epoch;
        if let Some(limit) = &mut self.limit {
            if now < self.next_start {
                return Err(self.next_start);
            }
            let spacing = 1.0 / limit.rate();
            self.next_start = self.next_start.max(now - SLACK) + spacing;
            let failed = epoch.failed as f64 / epoch.sent.max(1) as f64;
            let period = (limit.rounds / RECOVERY) as u64;
            limit.rounds += (spacing / ROUND).min(1.0 / ENOUGH as f64) * (1.0 - failed.min(1.0));
            if period != (limit.rounds / RECOVERY) as u64 {
                (epoch.recently_accepted, epoch.recent_seconds) = (0.0, 0.0);
            }
            epoch.recent_seconds += spacing;
        }
        if epoch.sent == 0 {
            epoch.start = now;
        }
        epoch.sent += 1;
        epoch.recently_accepted += 1.0;
        self.excess = (self.excess - tolerated(self.noise)).max(0.0);
        Ok(Ticket { epoch: epoch.number, number: epoch.sent })
    }

    /// Records the outcome of a call.
    pub(super) fn record(&mut self, ticket: Ticket, outcome: CallOutcome, now: f64) {
        let is_current = ticket.epoch == self.epoch.number;
        match outcome {
            CallOutcome::Ok => {
                (self.blocked_since, self.blocked_calls) = (None, 0);
                if is_current && self.epoch.phase == Phase::Blocked {
                    self.resume(now);
                }
            }
            CallOutcome::Failed => self.epoch.failed += u64::from(is_current),
            CallOutcome::Refused { wait } => {
                self.blocked_since.get_or_insert(now);
                self.blocked_calls += 1;
                if is_current {
                    self.record_refusal(ticket.number, wait, now);
                } else if self.noise == 0.0 && self.failed_check.is_none() {
                    // The same episode: the latest wait applies.
                    self.pause(wait, now);
                }
            }
        }
        let is_over = self.limit.is_some_and(|limit| limit.rounds >= 1.0);
        if is_over && self.epoch.phase != Phase::Settled {
            self.judge_check(None, now);
        }
    }

    fn record_refusal(&mut self, number: u64, wait: Option<f64>, now: f64) {
        self.excess += 1.0;
        let epoch = &mut self.epoch;
        epoch.refused += 1;
        epoch.recently_accepted -= 1.0;
        epoch.last_refused = epoch.last_refused.max(number);
        let are_all = epoch.refused == epoch.last_refused;
        if self.limit.is_some() && are_all && (epoch.refused >= FEW || self.blocked_calls >= ENOUGH) {
            self.back_off(wait, now);
        } else if epoch.phase != Phase::Settled {
            if epoch.refused >= ENOUGH {
                self.judge_check(wait, now);
            }
        } else {
            // Refusals return before answers, so without a limit as many as are in flight may come at once.
            let at_once = if self.limit.is_none() { self.max_in_flight } else { 0 };
            if self.noise == 0.0 || self.excess > (ENOUGH as usize + at_once) as f64 {
                self.cut(CUT, wait, now);
            }
        }
    }

    /// Ends the check after a cut: either it helped, or the next check runs at half the rate, or the rate is not the
    /// reason of the refusals.
    fn judge_check(&mut self, wait: Option<f64>, now: f64) {
        self.epoch.phase = Phase::Settled;
        let refused = self.epoch.refused;
        let sent = if refused >= ENOUGH { self.epoch.last_refused } else { self.epoch.sent }.max(1);
        let share = refused as f64 / sent as f64;
        let is_noise =
            refused > 0 && self.failed_check.is_some_and(|before| 1.0 - share < 2.0 * (1.0 - before));
        if !is_noise && refused >= FEW && share > tolerated(self.noise) {
            self.failed_check = Some(share);
            return self.cut(0.5, wait, now);
        }
        self.failed_check = None;
        let (checked, refused) = if is_noise { (0, 0) } else { self.checked };
        self.checked = (checked + sent, refused + self.epoch.refused);
        let noise = if is_noise || self.checked.1 >= FEW {
            (self.checked.1 as f64 / self.checked.0 as f64).min(MAX_NOISE)
        } else {
            0.0
        };
        if is_noise || noise > tolerated(self.noise) {
            self.limit = None;
            self.paused_until = now;
            self.start_epoch(Phase::Settled, now);
        }
        self.noise = noise;
    }

    /// Limits the rate to what the endpoint accepted; the next round sends a share of that.
    fn cut(&mut self, check: f64, wait: Option<f64>, now: f64) {
        let (top, is_measured) = self.accepted_rate(wait, now);
        self.pause(wait, now);
        self.limit = Some(Limit { top: top.max(MIN_RATE), check, rounds: 0.0, is_measured });
        self.start_epoch(Phase::Check, now);
    }

    /// Halves the rate of an endpoint that refuses all calls.
    fn back_off(&mut self, wait: Option<f64>, now: f64) {
        self.pause(wait, now);
        if let Some(limit) = &mut self.limit {
            let check = limit.rate() / limit.top / 2.0;
            *limit = Limit { check, rounds: 0.0, is_measured: true, ..*limit };
        }
        self.start_epoch(Phase::Blocked, now);
    }

    /// Goes on after a blocked period: a little slower than before, as that rate led to it.
    fn resume(&mut self, now: f64) {
        if let Some(limit) = &mut self.limit {
            let check = if self.failed_check.is_some() { 0.5 } else { CUT };
            *limit = Limit { top: CUT * limit.top, check, rounds: 0.0, ..*limit };
        }
        self.start_epoch(Phase::Check, now);
    }

    /// Returns the rate at which the endpoint accepted calls, and whether that is measured.
    fn accepted_rate(&self, wait: Option<f64>, now: f64) -> (f64, bool) {
        let epoch = &self.epoch;
        let accepted = epoch.sent.saturating_sub(epoch.refused) as f64;
        let elapsed = (now - epoch.start).max(0.0);
        if let Some(wait) = wait.filter(|wait| *wait > ROUND) {
            // A quota per minute, say, is used up until then: this is all that the endpoint accepts in that time.
            return (accepted / (elapsed + wait), true);
        }
        match &self.limit {
            Some(limit) if limit.is_measured && epoch.recent_seconds >= ROUND => {
                (epoch.recently_accepted / epoch.recent_seconds, true)
            }
            Some(limit) => (limit.rate() * (1.0 - epoch.refused_share()), true),
            None if elapsed < ROUND => (accepted.max(ENOUGH as f64) / ROUND, false),
            None => (accepted / elapsed, true),
        }
    }

    fn pause(&mut self, wait: Option<f64>, now: f64) {
        self.paused_until = self.paused_until.max(now + wait.unwrap_or(0.0));
    }

    fn start_epoch(&mut self, phase: Phase, now: f64) {
        self.excess = 0.0;
        // Where the server names no wait: a bucket that was just emptied has no token yet.
        self.next_start = self.paused_until.max(now + self.rate().map_or(0.0, |rate| 1.0 / rate));
        self.epoch = Epoch { number: self.epoch.number.wrapping_add(1), phase, ..Epoch::default() };
    }
}

/// Returns the refused share up to which noise explains refusals: that of two tries.
fn tolerated(noise: f64) -> f64 {
    1.0 - (1.0 - noise).powi(2)
}

#[cfg(test)]
mod tests;
