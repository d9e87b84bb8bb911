//! Progress on standard error: a bar on a terminal, a line every ten seconds elsewhere, nothing when quiet.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::port::{Event, EventSink};
use crate::text::neutral;

/// Between two lines of progress where there is no terminal.
const TICK: Duration = Duration::from_secs(10);
/// So many undecided criteria are named.
const NAMED: usize = 4;

/// What has happened so far.
#[derive(Debug, Default, Clone)]
struct Counts {
    cases: usize,
    cases_done: usize,
    trials: usize,
    trials_done: usize,
    missing: usize,
    in_flight: u64,
    retries: u64,
    spent_usd: f64,
    last_retry: Option<String>,
}

impl Counts {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Planned { cases, completions, .. } => {
                self.cases = *cases;
                self.cases_done = 0;
                self.trials = self.trials_done + completions;
            }
            Event::CallStarted => self.in_flight += 1,
            Event::CallEnded => self.in_flight = self.in_flight.saturating_sub(1),
            Event::Retried { reason, wait_seconds } => {
                self.retries += 1;
                self.last_retry = Some(format!("{} (waits {wait_seconds:.1} s)", neutral::terminal(reason)));
            }
            Event::TrialEnded { missing, case_done, .. } => {
                self.trials_done = (self.trials_done + 1).min(self.trials);
                self.missing += usize::from(*missing);
                self.cases_done = (self.cases_done + usize::from(*case_done)).min(self.cases);
            }
            Event::Spent { usd } => self.spent_usd = *usd,
            Event::LookTaken { .. } | Event::Warning { .. } | Event::Paced { .. } => {}
        }
    }

    fn detail(&self) -> String {
        let mut parts = vec![
            format!("{}/{} cases", self.cases_done, self.cases),
            format!("{} in flight", self.in_flight),
        ];
        if self.retries > 0 {
            parts.push(format!("{} retries", self.retries));
        }
        if self.missing > 0 {
            parts.push(format!("{} missing", self.missing));
        }
        if self.spent_usd > 0.0 {
            parts.push(format!("${:.2}", self.spent_usd));
        }
        parts.join(" · ")
    }
}

/// Where progress goes.
enum Display {
    Bar(ProgressBar),
    Lines { started: Instant },
    Quiet,
}

/// The sink that shows progress.
pub(super) struct Progress(Mutex<(Counts, Display)>);

impl Progress {
    /// A bar where standard error is a terminal, else lines; nothing at all when `quiet`.
    pub(super) fn new(quiet: bool) -> Self {
        let display = if quiet {
            Display::Quiet
        } else if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len} answers · {msg} · ETA {eta}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            Display::Bar(bar)
        } else {
            Display::Lines { started: Instant::now() }
        };
        Self(Mutex::new((Counts::default(), display)))
    }

    /// Writes how far the run is, where there is no bar; called every few seconds.
    pub(super) fn line(&self) {
        let Ok(mut state) = self.0.lock() else { return };
        let (counts, Display::Lines { started }) = &mut *state else { return };
        let mut line = format!("{}/{} answers · {}", counts.trials_done, counts.trials, counts.detail());
        if counts.trials_done > 0 {
            let left = counts.trials.saturating_sub(counts.trials_done) as f64 / counts.trials_done as f64;
            line.push_str(&format!(" · about {} s left", started.elapsed().mul_f64(left).as_secs()));
        }
        if let Some(retry) = counts.last_retry.take() {
            line.push_str(&format!(" · last retry: {retry}"));
        }
        write_line(&line);
    }

    /// Writes a line from time to time, even when nothing happens.
    pub(super) async fn tick(&self) -> std::convert::Infallible {
        let mut interval = tokio::time::interval(TICK);
        interval.tick().await;
        loop {
            interval.tick().await;
            self.line();
        }
    }

    /// Takes the bar away; what is printed next stands on a clean line.
    pub(super) fn finish(&self) {
        if let Ok(state) = self.0.lock()
            && let Display::Bar(bar) = &state.1
        {
            bar.finish_and_clear();
        }
    }
}

impl EventSink for Progress {
    fn emit(&self, event: Event) {
        let Ok(mut state) = self.0.lock() else { return };
        let (counts, display) = &mut *state;
        counts.take(&event);
        let said = said(&event);
        match display {
            Display::Bar(bar) => {
                bar.set_length(counts.trials as u64);
                bar.set_position(counts.trials_done as u64);
                bar.set_message(counts.detail());
                if let Some(line) = said {
                    bar.println(line);
                }
            }
            Display::Lines { .. } => {
                if let Some(line) = said {
                    write_line(&line);
                }
            }
            Display::Quiet => {}
        }
    }
}

/// What an event says in a line of its own.
fn said(event: &Event) -> Option<String> {
    match event {
        Event::Warning { message } => Some(format!("warning: {}", neutral::terminal(message))),
        Event::LookTaken { repeats, next, undecided } => {
            let (named, more) = undecided.split_at(undecided.len().min(NAMED));
            let more = match more.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let named: Vec<_> = named.iter().map(|id| neutral::terminal(id)).collect();
            Some(format!(
                "undecided after {repeats} repeats: {}{more}; asking for {} more",
                named.join(", "),
                next - repeats
            ))
        }
        _ => None,
    }
}

fn write_line(line: &str) {
    // Progress that cannot be shown is no reason to lose a run.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
