//! The rate that an endpoint allows, learned from what comes back. Pure: times are handed in, nothing waits here.
//!
//! Until the first refusal (a 429, or a 503 that says when to come back) nothing is limited. A refusal of a call
//! that left after the last cut opens an episode: the rate is cut, once, and the server's wait holds everybody. Calls
//! that left before the cut belong to it and cut nothing. From there the rate grows along a cubic, as in CUBIC (RFC
//! 9438): fast at first, flat near the rate that was refused, then faster again.
//!
//! Some endpoints refuse at random, whatever the rate. There a cut does not help, and cutting again and again would
//! strangle the run. So the share of refused calls after a cut is held against that before it. Where two cuts in a
//! row, the second to half of what came through, leave it as it was, the cuts are taken back and this share counts as
//! noise: from then on only a share that is clearly larger opens an episode.

use noise::Noise;
use window::Window;

mod noise;
mod window;

/// A cut leaves this part of the rate that came through.
const CUT: f64 = 0.9;
/// A cut that is also an experiment, since the one before it did not help, leaves this part.
const EXPERIMENT: f64 = 0.5;
/// One cut takes no more than this: it leaves a quarter.
const MAX_DEPTH: f64 = 0.25;
/// Refused this near to the rate that was refused before (as a part of it), the limit is where it was thought to be.
const NEAR: f64 = 0.95;
/// Seconds of growth from a cut back to the rate that was refused; longer with each time it proves right.
const RECOVERY: f64 = 5.0;
const MAX_RECOVERY: f64 = 15.0;
/// How much of the refused rate is added when growth has gone on for twice the recovery.
const PROBE: f64 = 0.15;
/// Refused calls that are needed to judge a cut, and those to judge an experiment.
const EVIDENCE: u64 = 3;
const MORE_EVIDENCE: u64 = 4;
/// A share of refused calls below this part of the earlier one: the cut helped.
const HELPED: f64 = 0.5;
/// A larger share is a closed door, never noise.
const CLOSED: f64 = 0.75;
/// Limits that were found at less than this part of the first one, while next to nothing was refused, are doubted.
const DOUBTED: f64 = 0.6;
/// Next to nothing: less than this share.
const DOUBTFUL: f64 = 0.05;
/// A limit that refused a larger share than this is not doubted.
const CONVINCING: f64 = 0.3;
/// Shares of calls that came through which differ by less than this factor are the same.
const ALIKE: f64 = 1.4;
/// Calls a second after a refusal that came when next to nothing was known; grows by this factor each second.
const UNKNOWN: f64 = 32.0;
const SLOW_START: f64 = 4.0;
/// Answers of the last second that say how many come through.
const KNOWN: f64 = 10.0;
/// Seconds that nobody leaves where everything is refused and the server names no time; doubles until an answer.
const KNOCK: f64 = 0.25;
const MAX_KNOCK: f64 = 30.0;
/// Never slower than this, in calls a second.
const SLOWEST: f64 = 0.05;
/// Seconds that growth rests after a failure of the server.
const REST: f64 = 1.0;
/// Seconds' worth of departures that may be made up for when a timer wakes late.
const SLACK: f64 = 0.005;
/// Waits from this many seconds on say how long a whole window of the server is.
const WINDOW_WAIT: f64 = 2.0;
/// Growth ends at this multiple of the rate that is really used.
const HEADROOM: f64 = 2.0;

/// How a call came back, as far as pace is concerned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Came {
    /// With an answer, or with a fault that is the request's own.
    Well,
    /// Refused for coming too fast, with the seconds to wait where the server says.
    Refused {
        /// Seconds.
        wait: Option<f64>,
    },
    /// With a failure of the server.
    Failed,
}

/// A call's departure: the epoch, and which one of it, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Departure {
    epoch: u32,
    number: u64,
}

/// Calls that left, and those of them that were refused. Refusals come back sooner than answers, so a share is taken
/// of departures, never of what has come back.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    departed: u64,
    refused: u64,
    /// Number of the latest departure that is known to be refused.
    furthest: u64,
}

impl Tally {
    fn add_refused(&mut self, number: u64) {
        self.refused += 1;
        self.furthest = self.furthest.max(number);
    }

    /// The refused share of all departures; right when all are back.
    fn share(self) -> f64 {
        ratio(self.refused, self.departed)
    }

    /// The refused share of the departures up to the last that was refused.
    fn share_so_far(self) -> f64 {
        ratio(self.refused, self.furthest)
    }
}

/// Counts beyond 2^52 lose their last digits.
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// The rate after a cut.
#[derive(Debug, Clone, Copy)]
struct Limit {
    /// Rate from which growth starts.
    low: f64,
    /// The rate that is thought to be the limit; `None` where nothing came through yet.
    top: Option<f64>,
    /// Seconds of growth so far, and the time up to which they are counted.
    grown: f64,
    at: f64,
    /// Seconds of growth from `low` to `top`.
    recovery: f64,
}

impl Limit {
    fn rate(&self) -> f64 {
        let Some(top) = self.top else { return self.low * SLOW_START.powf(self.grown.min(20.0)) };
        let left = 1.0 - self.grown / self.recovery;
        let reach = if left > 0.0 { top - self.low } else { top * PROBE };
        top - reach * left.powi(3)
    }

    fn grow(&mut self, now: f64) {
        self.grown += (now - self.at).max(0.0);
        self.at = self.at.max(now);
    }
}

/// The learned rate of one endpoint. Times are seconds since some moment before the first call.
#[derive(Debug)]
pub(super) struct Learned {
    /// Calls in flight at most, and now.
    width: usize,
    in_flight: usize,
    limit: Option<Limit>,
    /// When the next call may leave, by the rate.
    next: f64,
    /// Until when the server wants nobody.
    hold: f64,
    /// Grows with every cut; a call that left in an earlier one says nothing about this one's rate.
    epoch: u32,
    here: Tally,
    before: Tally,
    /// When the first call of this epoch left.
    since: f64,
    /// Cuts in a row that did not help.
    futile: u32,
    /// The limit that was found first, since something was last taken back or proved right; and the tally since then.
    first_top: f64,
    tally: Tally,
    /// The share that is refused whatever the rate, where there is one.
    noise: Option<Noise>,
    /// Answers of late.
    window: Window,
    /// Answers since the last hold ended, and when that was.
    opened: f64,
    answered: u64,
    /// When the door was closed, if nobody came through since, and how many were refused; and how long to wait
    /// before the next knock.
    closed: Option<f64>,
    turned_away: u64,
    knock: f64,
}

impl Learned {
    /// Knows nothing yet but how many calls are in flight at most.
    pub(super) fn new(width: usize) -> Self {
        Self {
            width,
            in_flight: 0,
            limit: None,
            next: 0.0,
            hold: 0.0,
            epoch: 0,
            here: Tally::default(),
            before: Tally::default(),
            since: 0.0,
            futile: 0,
            first_top: 0.0,
            tally: Tally::default(),
            noise: None,
            window: Window::default(),
            opened: 0.0,
            answered: 0,
            closed: None,
            turned_away: 0,
            knock: KNOCK,
        }
    }

    /// Whether calls may leave as they come.
    pub(super) fn is_free(&self, now: f64) -> bool {
        self.limit.is_none() && now >= self.hold
    }

    /// The learned rate in calls a second; `None` while nothing is limited.
    pub(super) fn rate(&self) -> Option<f64> {
        self.limit.as_ref().map(Limit::rate)
    }

    /// For how many seconds nobody was let in, and how many were refused in that time.
    pub(super) fn closed(&self, now: f64) -> (f64, u64) {
        (self.closed.map_or(0.0, |since| now - since), self.turned_away)
    }

    /// Lets a call leave now, or says when to ask again.
    pub(super) fn depart(&mut self, now: f64) -> Result<Departure, f64> {
        if now < self.hold {
            return Err(self.hold);
        }
        if let Some(limit) = &mut self.limit {
            if now < self.next {
                return Err(self.next);
            }
            limit.grow(now);
            self.next = self.next.max(now - SLACK) + 1.0 / limit.rate().max(SLOWEST);
            if self.here.departed == 0 {
                self.since = now;
            }
        }
        self.in_flight += 1;
        self.here.departed += 1;
        self.tally.departed += 1;
        Ok(Departure { epoch: self.epoch, number: self.here.departed })
    }

    /// Takes note of a call that came back.
    pub(super) fn came_back(&mut self, departure: Departure, came: Came, now: f64) {
        match came {
            Came::Well => {
                self.window.add(now);
                self.knock = KNOCK;
                self.reopen(now);
                self.answered += 1;
            }
            Came::Failed => {
                if let Some(limit) = &mut self.limit {
                    limit.grow(now);
                    limit.at = now + REST;
                }
            }
            Came::Refused { wait } => {
                self.closed.get_or_insert(now);
                self.turned_away += 1;
                self.tally.refused += 1;
                self.take_refusal(departure, wait, now);
            }
        }
        self.confine(now);
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    fn take_refusal(&mut self, departure: Departure, wait: Option<f64>, now: f64) {
        if departure.epoch != self.epoch {
            if departure.epoch.wrapping_add(1) == self.epoch {
                self.before.add_refused(departure.number);
            }
            if self.noise.is_none() && self.limit.is_some() && self.futile == 0 {
                // The same episode; the latest word on how long it lasts counts.
                self.hold_until(now, wait);
            }
            return;
        }
        self.here.add_refused(departure.number);
        if self.noise.is_none() && self.turned_away > 1 && wait.is_some_and(|wait| wait >= WINDOW_WAIT) {
            // Nobody came through since the last refusal: the door is closed.
            self.hold_until(now, wait);
        }
        let is_noise = match &mut self.noise {
            Some(noise) => noise.explains(departure.number),
            None => false,
        };
        if !is_noise {
            self.refused(wait, now);
        } else if self.noise.as_ref().is_some_and(Noise::is_over) {
            self.noise = None;
        }
    }

    /// Growth goes no further than to a multiple of what is used.
    fn confine(&mut self, now: f64) {
        let Some(limit) = &mut self.limit else { return };
        let elapsed = now - self.since;
        if elapsed > 1.0
            && self.here.departed > 0
            && limit.rate() > HEADROOM * self.here.departed as f64 / elapsed
        {
            limit.at = limit.at.max(now);
        }
    }

    /// Somebody came through. Where the door was closed for long, what came through before it closed is what the
    /// endpoint allows in all that time.
    fn reopen(&mut self, now: f64) {
        let Some(closed) = self.closed.take() else { return };
        self.turned_away = 0;
        if now - closed < WINDOW_WAIT || (self.answered as f64) < KNOWN || self.limit.is_none() {
            return;
        }
        let through = self.answered as f64 / (now - self.opened);
        self.cut(CUT * through, Some(through), RECOVERY, now);
    }

    fn refused(&mut self, wait: Option<f64>, now: f64) {
        let Some(mut limit) = self.limit else {
            // Where there was not enough to do, what came through says nothing of what could have.
            let is_busy = self.in_flight >= self.width;
            let through = self.through(wait, now).filter(|_| is_busy);
            self.hold_until(now, wait);
            return match through {
                Some(through) => self.cut(CUT * through, Some(through), RECOVERY, now),
                None => self.cut(UNKNOWN, None, RECOVERY, now),
            };
        };
        limit.grow(now);
        let rate = limit.rate();
        let (here, before) = (self.here.share_so_far(), self.before.share());
        if let Some(top) = limit.top
            && rate >= NEAR * top
        {
            self.futile = 0;
            let through = self.through(wait, now).unwrap_or(rate).clamp(rate * MAX_DEPTH, rate);
            if self.first_top == 0.0 {
                self.first_top = through;
                self.tally = Tally::default();
            }
            let is_brief = wait.is_none_or(|wait| wait < WINDOW_WAIT);
            if is_brief && through < DOUBTED * self.first_top && self.tally.share() < DOUBTFUL {
                return self.take_back(self.tally.share());
            }
            self.hold_until(now, wait);
            let recovery = (limit.recovery * 1.5).min(MAX_RECOVERY);
            return self.cut(CUT * through, Some(through), recovery, now);
        }
        let needed = if self.futile == 0 { EVIDENCE } else { MORE_EVIDENCE };
        if self.here.refused < needed {
            return;
        }
        if here > CLOSED {
            return self.knock(wait, rate, now);
        }
        let helped =
            self.before.departed > 0 && (here < HELPED * before || (1.0 - here) > ALIKE * (1.0 - before));
        if helped {
            self.futile = 0;
        } else {
            self.futile += 1;
            let worse = here * HELPED > before || (1.0 - here) * ALIKE < (1.0 - before);
            if self.futile > 1 && !worse {
                return self.take_back((here + before) / 2.0);
            }
        }
        if here > HELPED {
            self.hold_until(now, wait);
        }
        if here > CONVINCING {
            self.first_top = 0.0;
        }
        let top = (rate * (1.0 - here)).max(rate * MAX_DEPTH);
        let part = if helped { CUT } else { EXPERIMENT };
        self.cut(part * top, Some(top), RECOVERY, now);
    }

    /// Next to everything is refused: stays away for a while.
    fn knock(&mut self, wait: Option<f64>, rate: f64, now: f64) {
        self.futile = 0;
        self.hold_until(now, wait.or(Some(self.knock)));
        self.knock = (self.knock * 2.0).min(MAX_KNOCK);
        match self.through(wait, now) {
            Some(through) if through > rate * MAX_DEPTH => {
                // Within its first second a server may still be giving what it had saved up.
                let most = if self.window.is_whole(now) { rate } else { rate * EXPERIMENT };
                let top = through.min(most);
                self.cut(CUT * top, Some(top), RECOVERY, now);
            }
            _ => self.cut(rate * MAX_DEPTH, None, RECOVERY, now),
        }
    }

    /// Answers a second of late; of the whole time in which the door was open and will be closed where the server
    /// asks for a long wait. `None` where too few came to say.
    fn through(&mut self, wait: Option<f64>, now: f64) -> Option<f64> {
        let (count, rate) = match wait {
            Some(wait) if wait >= WINDOW_WAIT => {
                (self.answered as f64, self.answered as f64 / (now - self.opened + wait))
            }
            _ => self.window.rate(now),
        };
        (count >= KNOWN).then_some(rate)
    }

    fn hold_until(&mut self, now: f64, wait: Option<f64>) {
        let Some(wait) = wait else { return };
        self.hold = self.hold.max(now + wait);
    }

    fn cut(&mut self, low: f64, top: Option<f64>, recovery: f64, now: f64) {
        let at = self.hold.max(now);
        self.limit = Some(Limit { low: low.max(SLOWEST), top, grown: 0.0, at, recovery });
        self.next = at;
        if at - now >= WINDOW_WAIT || self.closed.is_none() {
            self.opened = at;
            self.answered = 0;
        }
        self.new_epoch();
    }

    /// The cuts did not help: such a share is refused whatever the rate.
    fn take_back(&mut self, share: f64) {
        self.limit = None;
        self.hold = 0.0;
        self.futile = 0;
        self.noise = Some(Noise::new(share));
        self.first_top = 0.0;
        self.tally = Tally::default();
        self.new_epoch();
    }

    fn new_epoch(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        self.before = std::mem::take(&mut self.here);
        if let Some(noise) = &mut self.noise {
            noise.restart();
        }
    }
}

#[cfg(test)]
mod tests;
