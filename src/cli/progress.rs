//! Progress on standard error: a bar on a terminal, a line every ten seconds elsewhere, nothing when quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::work::Work;
use promptgate_core::port::{Event, EventSink};
use promptgate_core::text::neutral;

/// Interval of progress lines where there is no terminal.
const TICK: Duration = Duration::from_secs(10);
/// Shortest interval between redraws of the bar.
const REDRAW: Duration = Duration::from_millis(100);
/// Undecided criteria that are named.
const NAMED: usize = 4;

/// The bar; its message is cut at the width of the terminal.
const BAR: &str = "{bar:16} {pos}/{len} answers{wide_msg}";
/// Columns of the bar with the blank behind it.
const BAR_WIDTH: usize = 17;

/// Totals of the events so far.
#[derive(Debug, Default, Clone)]
struct Counts {
    cases: usize,
    cases_done: usize,
    trials: usize,
    trials_done: usize,
    missing: usize,
    in_flight: u64,
    /// Calls that ended, whatever their result.
    calls: u64,
    retries: u64,
    cached: u64,
    work: Work,
    spent_usd: f64,
    last_retry: Option<(String, f64)>,
    /// Calls a second that each endpoint allows.
    paces: BTreeMap<String, f64>,
}

impl Counts {
    fn take(&mut self, event: Event) {
        match event {
            Event::Planned { cases, completions, judgements } => {
                self.cases = cases;
                self.cases_done = 0;
                self.trials = self.trials_done + completions;
                self.work.plan_trials(completions, judgements);
            }
            Event::SelfTestPlanned { calls } => self.work.plan_self_test(calls),
            Event::CallStarted => self.in_flight += 1,
            Event::CallEnded => {
                self.in_flight = self.in_flight.saturating_sub(1);
                self.calls += 1;
                self.work.end_call();
            }
            Event::Retried { reason, wait_seconds } => {
                self.retries += 1;
                self.last_retry = Some((reason, wait_seconds));
            }
            Event::TrialEnded { missing, case_done, .. } => {
                self.trials_done = (self.trials_done + 1).min(self.trials);
                self.work.end_trial();
                self.missing += usize::from(missing);
                self.cases_done = (self.cases_done + usize::from(case_done)).min(self.cases);
            }
            // Events of concurrent calls may arrive in any order; the total never falls.
            Event::Spent { usd } => self.spent_usd = self.spent_usd.max(usd),
            Event::RateLimitChanged { endpoint, calls_per_second: Some(rate) } => {
                self.paces.insert(endpoint, rate);
            }
            Event::RateLimitChanged { endpoint, calls_per_second: None } => {
                self.paces.remove(&endpoint);
            }
            Event::CacheHit { .. } => {
                self.cached += 1;
                self.work.end_call();
            }
            Event::LookTaken { .. } | Event::Note { .. } | Event::Warning { .. } => {}
        }
    }

    fn detail(&self) -> String {
        self.parts().join(" · ")
    }

    /// The message beside the bar: the parts that fit a terminal of `width` columns.
    fn message(&self, width: usize) -> String {
        let mut left =
            width.saturating_sub(BAR_WIDTH + format!("{}/{} answers", self.trials_done, self.trials).len());
        let mut message = String::new();
        let parts = self.parts().into_iter().map(|part| format!(" · {part}"));
        for part in std::iter::once(self.left()).chain(parts) {
            let columns = part.chars().count();
            if columns <= left {
                left -= columns;
                message.push_str(&part);
            }
        }
        message
    }

    fn parts(&self) -> Vec<String> {
        let mut parts = Vec::from_iter(self.work.self_test());
        parts.push(format!("{}/{} cases", self.cases_done, self.cases));
        parts.push(format!("{} in flight", self.in_flight));
        match self.cached {
            0 => {}
            _ if self.calls == 0 => parts.push("all from the cache so far".to_owned()),
            cached => parts.push(format!("{cached} from the cache")),
        }
        if self.retries > 0 {
            parts.push(if self.retries == 1 {
                "1 retry".to_owned()
            } else {
                format!("{} retries", self.retries)
            });
        }
        match self.paces.len() {
            0 => {}
            1 => parts.extend(self.paces.values().map(|rate| format!("{} (endpoint's limit)", pace(*rate)))),
            _ => parts.extend(self.paces.iter().map(|(endpoint, rate)| {
                format!("{} ({}'s limit)", pace(*rate), neutral::terminal(endpoint))
            })),
        }
        if self.missing > 0 {
            parts.push(format!("{} missing", self.missing));
        }
        if self.spent_usd > 0.0 {
            parts.push(format!("${:.2}", self.spent_usd));
        }
        parts
    }

    /// The time left as a part of a line, once it can be estimated.
    fn left(&self) -> String {
        self.work.left().map_or_else(String::new, |left| format!(" · about {} left", rounded(left)))
    }

    /// A line about a finished run without a call.
    fn all_cached(&self) -> Option<&'static str> {
        let is_done = self.trials > 0 && self.trials_done == self.trials;
        (is_done && self.calls == 0 && self.cached > 0)
            .then_some("everything came from the cache: no call was made")
    }
}

/// `40 s`, `3 min`, `2 h`.
fn rounded(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{} s", seconds.max(1)),
        seconds @ 100..5400 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{} h", (seconds + 1800) / 3600),
    }
}

/// `48 calls/s`; `12 calls/min` where it is slower than one a second.
fn pace(calls_per_second: f64) -> String {
    if calls_per_second >= 1.0 {
        format!("{calls_per_second:.0} calls/s")
    } else {
        format!("{:.0} calls/min", calls_per_second * 60.0)
    }
}

/// How progress is shown.
enum Display {
    Bar { bar: ProgressBar, drawn: Option<Instant> },
    Lines,
    Quiet,
}

/// Everything that was shown.
struct State {
    counts: Counts,
    display: Display,
    /// Warnings that were printed: each is printed once, whoever found it.
    warned: BTreeSet<String>,
}

/// The sink that shows progress.
pub(super) struct Progress(Mutex<State>);

impl Progress {
    /// A bar where standard error is a terminal, else lines; nothing at all when `quiet`.
    pub(super) fn new(quiet: bool) -> Self {
        let display = if quiet {
            Display::Quiet
        } else if std::io::stderr().is_terminal() {
            // Hidden until there is something to count: a bar of nothing would be full.
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
            let style = ProgressStyle::with_template(BAR);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            Display::Bar { bar, drawn: None }
        } else {
            Display::Lines
        };
        Self(Mutex::new(State { counts: Counts::default(), display, warned: BTreeSet::new() }))
    }

    /// Writes a line of progress, where there is no bar.
    fn line(&self) {
        let Ok(mut state) = self.0.lock() else { return };
        let State { counts, display: Display::Lines, .. } = &mut *state else { return };
        if counts.trials == 0 {
            return;
        }
        let mut line = format!("{}/{} answers · {}", counts.trials_done, counts.trials, counts.detail());
        line.push_str(&counts.left());
        if let Some((reason, wait_seconds)) = counts.last_retry.take() {
            let reason = neutral::terminal(&reason);
            line.push_str(&format!(" · last retry: {reason} (waits {wait_seconds:.1} s)"));
        }
        write_line(&line);
    }

    /// Writes a line in regular intervals, even when nothing happens.
    pub(super) async fn tick(&self) -> std::convert::Infallible {
        let mut interval = tokio::time::interval(TICK);
        interval.tick().await;
        loop {
            interval.tick().await;
            self.line();
        }
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        let Ok(state) = self.0.lock() else { return };
        if let Display::Bar { bar, .. } = &state.display {
            bar.finish_and_clear();
        }
        if let Some(line) = state.counts.all_cached().filter(|_| !matches!(state.display, Display::Quiet)) {
            write_line(line);
        }
    }
}

impl EventSink for Progress {
    fn emit(&self, event: Event) {
        let Ok(mut state) = self.0.lock() else { return };
        let State { counts, display, warned } = &mut *state;
        let line = own_line(&event)
            .filter(|line| !matches!(event, Event::Warning { .. }) || warned.insert(line.clone()));
        counts.take(event);
        match display {
            Display::Bar { bar, drawn } => {
                let line = line.map(|line| wrapped(&line, terminal_width()));
                match line {
                    Some(line) if drawn.is_none() => write_line(&line),
                    Some(line) => bar.println(line),
                    None => {}
                }
                if counts.trials == 0 {
                    return;
                }
                // Events arrive much faster than the bar can be redrawn.
                let is_last = counts.trials_done == counts.trials;
                if is_last || drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
                    bar.set_length(counts.trials as u64);
                    bar.set_position(counts.trials_done as u64);
                    bar.set_message(counts.message(terminal_width()));
                    if drawn.is_none() {
                        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
                        bar.tick();
                    }
                    *drawn = Some(Instant::now());
                }
            }
            Display::Lines => {
                if let Some(line) = line {
                    write_line(&line);
                }
            }
            Display::Quiet => {}
        }
    }
}

/// The line of an event that is shown on a line of its own.
fn own_line(event: &Event) -> Option<String> {
    match event {
        Event::Note { message } => Some(neutral::terminal(message)),
        Event::Warning { message } => Some(format!("warning: {}", neutral::terminal(message))),
        Event::LookTaken { repeats, next, undecided } => {
            let (named, more) = undecided.split_at(undecided.len().min(NAMED));
            let more = match more.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let named: Vec<_> = named.iter().map(|id| neutral::terminal(id)).collect();
            Some(format!(
                "undecided after {repeats} repeats: {}{more}; requesting {} more",
                named.join(", "),
                next - repeats
            ))
        }
        _ => None,
    }
}

/// Columns of the terminal of standard error.
fn terminal_width() -> usize {
    terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(width, _)| usize::from(width.0))
}

/// A line with breaks between words, where the terminal would break it inside one.
fn wrapped(line: &str, width: usize) -> String {
    let mut out = String::with_capacity(line.len());
    let mut used = 0;
    for (index, word) in line.split(' ').enumerate() {
        let length = word.chars().count();
        if index > 0 {
            let fits = used + 1 + length <= width;
            out.push(if fits { ' ' } else { '\n' });
            used = if fits { used + 1 } else { 0 };
        }
        out.push_str(word);
        used += length;
    }
    out
}

fn write_line(line: &str) {
    // A run goes on even if its progress cannot be shown.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use promptgate_core::model::Purpose;

    fn after(events: impl IntoIterator<Item = Event>) -> Counts {
        let mut counts = Counts::default();
        events.into_iter().for_each(|event| counts.take(event));
        counts
    }

    fn paced(endpoint: &str, calls_per_second: Option<f64>) -> Event {
        Event::RateLimitChanged { endpoint: endpoint.to_owned(), calls_per_second }
    }

    #[test]
    fn flight_retries_pace_and_money_are_shown() {
        let retried = Event::Retried { wait_seconds: 1.0, reason: "429".to_owned() };
        let counts = after([
            Event::Planned { cases: 3, completions: 6, judgements: 0 },
            Event::CallStarted,
            Event::CallStarted,
            Event::CallEnded,
            retried,
            paced("api.example.com", Some(48.4)),
            Event::Spent { usd: 1.5 },
            Event::Spent { usd: 1.25 },
        ]);
        assert_eq!(
            counts.detail(),
            "0/3 cases · 1 in flight · 1 retry · 48 calls/s (endpoint's limit) · $1.50"
        );
    }

    #[test]
    fn message_beside_the_bar_has_whole_parts_only() {
        let counts = after([
            Event::Planned { cases: 3, completions: 6, judgements: 0 },
            paced("api.example.com", Some(48.4)),
            Event::Spent { usd: 1.5 },
        ]);
        let bar = BAR_WIDTH + "0/6 answers".len();
        assert_eq!(counts.message(200), " · 0/3 cases · 0 in flight · 48 calls/s (endpoint's limit) · $1.50");
        for width in [0, 40, 60, 80] {
            let message = counts.message(width);
            assert!(message.is_empty() || bar + message.chars().count() <= width, "{width}: {message}");
        }
        assert_eq!(counts.message(bar + 14 + 14 + 8), " · 0/3 cases · 0 in flight · $1.50");
    }

    #[test]
    fn cache_and_self_test_are_shown() {
        let planned = || Event::Planned { cases: 1, completions: 1, judgements: 2 };
        let hit = || Event::CacheHit { purpose: Purpose::Judgement, at: 0 };
        let ended = || Event::TrialEnded { case: "a".to_owned(), missing: false, case_done: true };
        let testing = after([planned(), Event::SelfTestPlanned { calls: 3 }, Event::CallEnded, hit()]);
        assert_eq!(testing.detail(), "self-test 2/3 · 0/1 cases · 0 in flight · 1 from the cache");
        assert_eq!(testing.all_cached(), None);
        let cached = after([planned(), hit(), ended()]);
        assert_eq!(cached.detail(), "1/1 cases · 0 in flight · all from the cache so far");
        assert!(cached.all_cached().is_some());
        assert_eq!(after([planned(), ended()]).all_cached(), None);
    }

    #[test]
    fn lines_break_between_words() {
        let text = "requesting 228 answers to 38 cases and 456 judgements after a self-test";
        let lines = wrapped(text, 40);
        assert_eq!(lines, "requesting 228 answers to 38 cases and\n456 judgements after a self-test");
        assert_eq!(wrapped(text, 80), text);
        assert_eq!(wrapped("aaaaaaaa b", 4), "aaaaaaaa\nb");
        assert_eq!(wrapped("  indented", 80), "  indented");
    }

    #[test]
    fn pace_is_shown_while_it_is_limited() {
        assert_eq!(after([paced("a", Some(5.0)), paced("a", None)]).detail(), "0/0 cases · 0 in flight");
        let two = after([paced("a:1", Some(5.0)), paced("b:2", Some(0.2))]);
        assert_eq!(
            two.detail(),
            "0/0 cases · 0 in flight · 5 calls/s (a:1's limit) · 12 calls/min (b:2's limit)"
        );
    }
}
