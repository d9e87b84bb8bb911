//! Servers with limits of all kinds and a client with a fixed number of calls in flight, in simulated time.

use std::collections::{BinaryHeap, VecDeque};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::{AdaptiveRate, CallOutcome, Ticket};

pub(super) trait Limiter {
    /// Decides about a call while `in_flight` others are being processed.
    fn arrive(&mut self, now: f64, in_flight: usize) -> CallOutcome;
}

impl<T: FnMut(f64, usize) -> CallOutcome> Limiter for T {
    fn arrive(&mut self, now: f64, in_flight: usize) -> CallOutcome {
        self(now, in_flight)
    }
}

/// A token bucket that names the time to the next token.
pub(super) fn bucket(per_second: impl Fn(f64) -> f64, burst: f64) -> impl Limiter {
    let (mut level, mut at) = (burst, 0.0);
    move |now: f64, _| {
        let rate = per_second(now);
        level = (level + (now - at) * rate).min(burst);
        at = now;
        if level >= 1.0 {
            level -= 1.0;
            return CallOutcome::Ok;
        }
        CallOutcome::Refused { wait: Some((1.0 - level) / rate) }
    }
}

/// `max` calls per window; `wait` turns the seconds left into the wait that is sent.
pub(super) fn fixed_window(max: u32, seconds: f64, wait: impl Fn(f64) -> Option<f64>) -> impl Limiter {
    let (mut window, mut count) = (0, 0);
    move |now: f64, _| {
        let number = (now / seconds) as u64;
        if number != window {
            (window, count) = (number, 0);
        }
        count += 1;
        if count <= max {
            return CallOutcome::Ok;
        }
        CallOutcome::Refused { wait: wait((number + 1) as f64 * seconds - now) }
    }
}

/// Calls that are refused or fail at random.
#[derive(Debug, Clone, Copy)]
pub(super) struct Faults {
    pub(super) refused: f64,
    /// The wait that a refusal names.
    pub(super) wait: Option<f64>,
    pub(super) failed: f64,
}

impl Faults {
    /// Applies the faults before another limiter decides.
    pub(super) fn before(self, mut inner: impl Limiter, seed: u64) -> impl Limiter {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        move |now: f64, in_flight| match random.random::<f64>() {
            draw if draw < self.refused => CallOutcome::Refused { wait: self.wait },
            draw if draw < self.refused + self.failed => CallOutcome::Failed,
            _ => inner.arrive(now, in_flight),
        }
    }
}

pub(super) fn unlimited() -> impl Limiter {
    |_: f64, _| CallOutcome::Ok
}

/// Refuses calls beyond `max` in flight.
pub(super) fn concurrent(max: usize) -> impl Limiter {
    move |_: f64, in_flight| {
        if in_flight < max { CallOutcome::Ok } else { CallOutcome::Refused { wait: None } }
    }
}

/// Time and outcome of each returned call.
pub(super) struct Log(Vec<(f64, CallOutcome)>);

impl Log {
    /// Returns the answers per second between two times.
    pub(super) fn rate(&self, from: f64, to: f64) -> f64 {
        let answers = self.between(from, to).filter(|outcome| **outcome == CallOutcome::Ok).count();
        answers as f64 / (to - from)
    }

    /// Returns the answers per second until the last of this many.
    pub(super) fn rate_of_first(&self, answers: usize) -> f64 {
        let last = self.0.iter().filter(|(_, outcome)| *outcome == CallOutcome::Ok).nth(answers - 1);
        last.map_or(0.0, |(at, _)| answers as f64 / at)
    }

    /// Returns the refused share between two times.
    pub(super) fn refused(&self, from: f64, to: f64) -> f64 {
        let refused =
            self.between(from, to).filter(|outcome| matches!(outcome, CallOutcome::Refused { .. })).count();
        refused as f64 / self.between(from, to).count().max(1) as f64
    }

    fn between(&self, from: f64, to: f64) -> impl Iterator<Item = &CallOutcome> {
        self.0.iter().filter(move |(at, _)| (from..to).contains(at)).map(|(_, outcome)| outcome)
    }
}

/// Runs a client that keeps `width` calls in flight whenever the rate allows.
pub(super) fn simulate(mut server: impl Limiter, latency: f64, width: usize, seconds: f64) -> Log {
    let mut rate = AdaptiveRate::new(width);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut log = Vec::new();
    let (mut now, mut processing) = (0.0, 0);
    // Nanoseconds, so that they can be sorted; negated, so that the earliest is on top.
    let mut flying: BinaryHeap<(i64, bool, u64)> = BinaryHeap::new();
    let mut calls: VecDeque<(Ticket, CallOutcome)> = VecDeque::new();
    let (mut first, mut number) = (0_u64, 0_u64);
    while now < seconds {
        let mut wake = f64::INFINITY;
        while flying.len() < width {
            match rate.start(now) {
                Ok(ticket) => {
                    let outcome = server.arrive(now, processing);
                    let is_ok = outcome == CallOutcome::Ok;
                    processing += usize::from(is_ok);
                    // A refusal needs no processing, but still takes time on the network.
                    let takes = if is_ok {
                        latency * (0.8 + 0.4 * random.random::<f64>())
                    } else {
                        latency.min(0.001)
                    };
                    flying.push((-((now + takes) * 1e9) as i64, is_ok, number));
                    calls.push_back((ticket, outcome));
                    number += 1;
                }
                Err(at) => {
                    // A timer has a resolution of a millisecond.
                    wake = ((at * 1000.0).ceil() / 1000.0).max(now + 1e-6);
                    break;
                }
            }
        }
        let next = flying.peek().map_or(f64::INFINITY, |(at, ..)| -*at as f64 / 1e9);
        if wake < next {
            now = wake;
            continue;
        }
        now = now.max(next);
        let Some((_, is_ok, which)) = flying.pop() else { break };
        processing -= usize::from(is_ok);
        let (ticket, outcome) = calls[(which - first) as usize];
        rate.record(ticket, outcome, now);
        log.push((now, outcome));
        while calls.len() > 20_000 {
            calls.pop_front();
            first += 1;
        }
    }
    Log(log)
}
