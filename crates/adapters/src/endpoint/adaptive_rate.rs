//! The rate limit of an endpoint, estimated from its refusals. Pure: times are arguments, nothing waits here.
//!
//! Nothing is limited until the first refusal (a 429, or a 503 with a time to retry). A refusal of a call sent after
//! the last cut starts an episode: the rate is cut once, and the server's wait pauses all calls. Calls sent before the
//! cut belong to its episode and cause no further cut. From there the rate grows along a cubic curve: fast at first,
//! flat near the refused rate, then faster again.
//!
//! Some endpoints refuse at random, whatever the rate. There a cut does not help, and repeated cuts would throttle the
//! run to a standstill. So the refused share after a cut is compared with that before it. If two cuts in a row, the
//! second one to half of the throughput, leave it unchanged, the cuts are undone and this share counts as noise: from
//! then on only a clearly larger share starts an episode.

use curve::Curve;
use noise::Noise;
use tally::Tally;
use window::Window;

mod curve;
mod noise;
mod tally;
mod window;

/// Share of the throughput that is left after a cut.
const CUT: f64 = 0.9;
/// The same for an experiment: a cut after one that did not help.
const EXPERIMENT: f64 = 0.5;
/// Minimum share of the rate that any cut leaves.
const MIN_CUT: f64 = 0.25;
/// A refusal at this share of the estimated limit or above confirms the estimate.
const CONFIRMING: f64 = 0.95;
/// Seconds of growth from a cut back to the refused rate; longer each time the estimate is confirmed.
const RECOVERY: f64 = 5.0;
const MAX_RECOVERY: f64 = 15.0;
const RECOVERY_GROWTH: f64 = 1.5;
/// Refused calls needed to evaluate a cut, and an experiment.
const MIN_REFUSED: u64 = 3;
const MIN_REFUSED_IN_EXPERIMENT: u64 = 4;
/// A cut helped if the refused share fell below this part of the earlier one.
const HELPED: f64 = 0.5;
/// A larger refused share means that the endpoint is blocked, never noise.
const BLOCKED: f64 = 0.75;
/// An estimate below this part of the first one is doubted while almost nothing was refused.
const DOUBTED: f64 = 0.6;
/// Almost nothing: a refused share below this.
const NEGLIGIBLE: f64 = 0.05;
/// A limit that refused a larger share than this is not doubted.
const CONVINCING: f64 = 0.3;
/// Answered shares that differ by less than this factor are equal.
const SIMILAR: f64 = 1.4;
/// Calls per second after a refusal with too few answers for an estimate.
const UNKNOWN_RATE: f64 = 32.0;
/// Answers in the last second that are enough for an estimate.
const MIN_ANSWERS: f64 = 10.0;
/// Seconds without calls where everything is refused and the server names no time; doubles until an answer.
const PROBE_DELAY: f64 = 0.25;
const MAX_PROBE_DELAY: f64 = 30.0;
/// Minimum rate, in calls per second.
const MIN_RATE: f64 = 0.05;
/// Seconds without growth after a failure of the server.
const FAILURE_PAUSE: f64 = 1.0;
/// Seconds of calls that may be made up for when a timer fires late.
const SLACK: f64 = 0.005;
/// Waits from this many seconds on reveal the length of a server's window.
const WINDOW_WAIT: f64 = 2.0;
/// Growth ends at this multiple of the rate that is used.
const HEADROOM: f64 = 2.0;

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
#[derive(Debug)]
pub(super) struct AdaptiveRate {
    max_in_flight: usize,
    in_flight: usize,
    /// The rate since the last cut; `None` while nothing is limited.
    curve: Option<Curve>,
    /// The earliest start of the next call at this rate.
    next_start: f64,
    /// End of the wait that the server asked for.
    paused_until: f64,
    /// Number of cuts; calls of an earlier epoch do not reflect the current rate.
    epoch: u32,
    current: Tally,
    previous: Tally,
    /// When the first call of this epoch was sent.
    epoch_start: f64,
    /// Cuts in a row that did not help.
    futile_cuts: u32,
    /// The first estimate since cuts were last undone or a limit was convincing, and the tally since then.
    first_top: f64,
    tally: Tally,
    /// The share that is refused whatever the rate.
    noise: Option<Noise>,
    /// Recent answers.
    window: Window,
    /// End of the last pause, and answers since then.
    open_since: f64,
    answered: u64,
    /// Since when all calls are refused, and how many were.
    blocked_since: Option<f64>,
    blocked_calls: u64,
    probe_delay: f64,
}

impl AdaptiveRate {
    pub(super) fn new(max_in_flight: usize) -> Self {
        Self {
            max_in_flight,
            in_flight: 0,
            curve: None,
            next_start: 0.0,
            paused_until: 0.0,
            epoch: 0,
            current: Tally::default(),
            previous: Tally::default(),
            epoch_start: 0.0,
            futile_cuts: 0,
            first_top: 0.0,
            tally: Tally::default(),
            noise: None,
            window: Window::default(),
            open_since: 0.0,
            answered: 0,
            blocked_since: None,
            blocked_calls: 0,
            probe_delay: PROBE_DELAY,
        }
    }

    /// Whether calls may start without a wait.
    pub(super) fn is_unlimited(&self, now: f64) -> bool {
        self.curve.is_none() && now >= self.paused_until
    }

    /// Returns the estimated rate in calls per second; `None` while nothing is limited.
    pub(super) fn rate(&self) -> Option<f64> {
        self.curve.as_ref().map(Curve::rate)
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
        if let Some(curve) = &mut self.curve {
            if now < self.next_start {
                return Err(self.next_start);
            }
            curve.grow(now);
            self.next_start = self.next_start.max(now - SLACK) + 1.0 / curve.rate().max(MIN_RATE);
            if self.current.sent == 0 {
                self.epoch_start = now;
            }
        }
        self.in_flight += 1;
        self.current.sent += 1;
        self.tally.sent += 1;
        Ok(Ticket { epoch: self.epoch, number: self.current.sent })
    }

    /// Records the outcome of a call.
    pub(super) fn record(&mut self, ticket: Ticket, outcome: CallOutcome, now: f64) {
        match outcome {
            CallOutcome::Ok => {
                self.window.add(now);
                self.probe_delay = PROBE_DELAY;
                self.unblock(now);
                self.answered += 1;
            }
            CallOutcome::Failed => {
                if let Some(curve) = &mut self.curve {
                    curve.grow(now);
                    curve.at = now + FAILURE_PAUSE;
                }
            }
            CallOutcome::Refused { wait } => {
                self.blocked_since.get_or_insert(now);
                self.blocked_calls += 1;
                self.tally.refused += 1;
                self.record_refusal(ticket, wait, now);
            }
        }
        self.limit_growth(now);
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    fn record_refusal(&mut self, ticket: Ticket, wait: Option<f64>, now: f64) {
        if ticket.epoch != self.epoch {
            if ticket.epoch.wrapping_add(1) == self.epoch {
                self.previous.add_refused(ticket.number);
            }
            if self.noise.is_none() && self.curve.is_some() && self.futile_cuts == 0 {
                // The same episode: the latest wait applies.
                self.pause(now, wait);
            }
            return;
        }
        self.current.add_refused(ticket.number);
        if self.noise.is_none() && self.blocked_calls > 1 && wait.is_some_and(|wait| wait >= WINDOW_WAIT) {
            // No answer since the last refusal: the server's window is used up.
            self.pause(now, wait);
        }
        let is_noise = match &mut self.noise {
            Some(noise) => noise.explains(ticket.number),
            None => false,
        };
        if !is_noise {
            self.react(wait, now);
        } else if self.noise.as_ref().is_some_and(Noise::is_over) {
            self.noise = None;
        }
    }

    /// Ends growth at a multiple of the rate that is used.
    fn limit_growth(&mut self, now: f64) {
        let Some(curve) = &mut self.curve else { return };
        let elapsed = now - self.epoch_start;
        if elapsed > 1.0
            && self.current.sent > 0
            && curve.rate() > HEADROOM * self.current.sent as f64 / elapsed
        {
            curve.at = curve.at.max(now);
        }
    }

    /// Ends a blocked period at its first answer. After a long one, the answers before it are what the endpoint allows
    /// in the whole time.
    fn unblock(&mut self, now: f64) {
        let Some(since) = self.blocked_since.take() else { return };
        self.blocked_calls = 0;
        if now - since < WINDOW_WAIT || (self.answered as f64) < MIN_ANSWERS || self.curve.is_none() {
            return;
        }
        let throughput = self.answered as f64 / (now - self.open_since);
        self.cut(CUT * throughput, Some(throughput), RECOVERY, now);
    }

    /// Reacts to a refusal that noise does not explain.
    fn react(&mut self, wait: Option<f64>, now: f64) {
        let Some(mut curve) = self.curve else {
            // An idle client's throughput does not reveal what the endpoint would have allowed.
            let is_busy = self.in_flight >= self.max_in_flight;
            let throughput = self.throughput(wait, now).filter(|_| is_busy);
            self.pause(now, wait);
            return match throughput {
                Some(throughput) => self.cut(CUT * throughput, Some(throughput), RECOVERY, now),
                None => self.cut(UNKNOWN_RATE, None, RECOVERY, now),
            };
        };
        curve.grow(now);
        let rate = curve.rate();
        if let Some(top) = curve.top
            && rate >= CONFIRMING * top
        {
            return self.confirm(wait, rate, curve.recovery, now);
        }
        let (current, previous) = (self.current.share_so_far(), self.previous.share());
        let needed = if self.futile_cuts == 0 { MIN_REFUSED } else { MIN_REFUSED_IN_EXPERIMENT };
        if self.current.refused < needed {
            return;
        }
        if current > BLOCKED {
            return self.back_off(wait, rate, now);
        }
        let helped = self.previous.sent > 0
            && (current < HELPED * previous || (1.0 - current) > SIMILAR * (1.0 - previous));
        if helped {
            self.futile_cuts = 0;
        } else {
            self.futile_cuts += 1;
            let is_worse = current * HELPED > previous || (1.0 - current) * SIMILAR < (1.0 - previous);
            if self.futile_cuts > 1 && !is_worse {
                return self.undo_cuts((current + previous) / 2.0);
            }
        }
        if current > HELPED {
            self.pause(now, wait);
        }
        if current > CONVINCING {
            self.first_top = 0.0;
        }
        let top = (rate * (1.0 - current)).max(rate * MIN_CUT);
        let factor = if helped { CUT } else { EXPERIMENT };
        self.cut(factor * top, Some(top), RECOVERY, now);
    }

    /// The endpoint refused near the estimated limit: cuts once more, or undoes the cuts where the estimates keep
    /// falling though almost nothing is refused.
    fn confirm(&mut self, wait: Option<f64>, rate: f64, recovery: f64, now: f64) {
        self.futile_cuts = 0;
        let throughput = self.throughput(wait, now).unwrap_or(rate).clamp(rate * MIN_CUT, rate);
        if self.first_top == 0.0 {
            self.first_top = throughput;
            self.tally = Tally::default();
        }
        let is_brief = wait.is_none_or(|wait| wait < WINDOW_WAIT);
        if is_brief && throughput < DOUBTED * self.first_top && self.tally.share() < NEGLIGIBLE {
            return self.undo_cuts(self.tally.share());
        }
        self.pause(now, wait);
        let recovery = (recovery * RECOVERY_GROWTH).min(MAX_RECOVERY);
        self.cut(CUT * throughput, Some(throughput), recovery, now);
    }

    /// Pauses because almost all calls are refused.
    fn back_off(&mut self, wait: Option<f64>, rate: f64, now: f64) {
        self.futile_cuts = 0;
        self.pause(now, wait.or(Some(self.probe_delay)));
        self.probe_delay = (self.probe_delay * 2.0).min(MAX_PROBE_DELAY);
        match self.throughput(wait, now) {
            Some(throughput) if throughput > rate * MIN_CUT => {
                // In its first second a server may still be granting its burst.
                let most = if self.window.is_full(now) { rate } else { rate * EXPERIMENT };
                let top = throughput.min(most);
                self.cut(CUT * top, Some(top), RECOVERY, now);
            }
            _ => self.cut(rate * MIN_CUT, None, RECOVERY, now),
        }
    }

    /// Returns recent answers per second; after a request for a long wait, those of the whole window, the wait
    /// included. `None` where there are too few.
    fn throughput(&mut self, wait: Option<f64>, now: f64) -> Option<f64> {
        let (count, rate) = match wait {
            Some(wait) if wait >= WINDOW_WAIT => {
                (self.answered as f64, self.answered as f64 / (now - self.open_since + wait))
            }
            _ => self.window.rate(now),
        };
        (count >= MIN_ANSWERS).then_some(rate)
    }

    fn pause(&mut self, now: f64, wait: Option<f64>) {
        let Some(wait) = wait else { return };
        self.paused_until = self.paused_until.max(now + wait);
    }

    fn cut(&mut self, low: f64, top: Option<f64>, recovery: f64, now: f64) {
        let at = self.paused_until.max(now);
        self.curve = Some(Curve { low: low.max(MIN_RATE), top, grown: 0.0, at, recovery });
        self.next_start = at;
        if at - now >= WINDOW_WAIT || self.blocked_since.is_none() {
            self.open_since = at;
            self.answered = 0;
        }
        self.start_epoch();
    }

    /// Removes the limit: `share` of the calls is refused whatever the rate.
    fn undo_cuts(&mut self, share: f64) {
        self.curve = None;
        self.paused_until = 0.0;
        self.futile_cuts = 0;
        self.noise = Some(Noise::new(share));
        self.first_top = 0.0;
        self.tally = Tally::default();
        self.start_epoch();
    }

    fn start_epoch(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        self.previous = std::mem::take(&mut self.current);
        if let Some(noise) = &mut self.noise {
            noise.restart();
        }
    }
}

#[cfg(test)]
mod tests;
