//! Servers with limits of all kinds and a client of some width, in simulated time.

use std::collections::{BinaryHeap, VecDeque};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::{Came, Departure, Learned};

/// What a server does with a call that arrives; `in_flight` are those it works on.
pub(super) trait Limiter {
    fn arrive(&mut self, now: f64, in_flight: usize) -> Came;
}

impl<T: FnMut(f64, usize) -> Came> Limiter for T {
    fn arrive(&mut self, now: f64, in_flight: usize) -> Came {
        self(now, in_flight)
    }
}

/// So many a second, with a burst; says how long until the next is let through.
pub(super) fn bucket(per_second: impl Fn(f64) -> f64, burst: f64) -> impl Limiter {
    let (mut level, mut at) = (burst, 0.0);
    move |now: f64, _| {
        let rate = per_second(now);
        level = (level + (now - at) * rate).min(burst);
        at = now;
        if level >= 1.0 {
            level -= 1.0;
            return Came::Well;
        }
        Came::Refused { wait: Some((1.0 - level) / rate) }
    }
}

/// So many in each window of so many seconds; `wait` makes what it says of the seconds left.
pub(super) fn fixed_window(most: u32, seconds: f64, wait: impl Fn(f64) -> Option<f64>) -> impl Limiter {
    let (mut window, mut count) = (0, 0);
    move |now: f64, _| {
        let number = (now / seconds) as u64;
        if number != window {
            (window, count) = (number, 0);
        }
        count += 1;
        if count <= most {
            return Came::Well;
        }
        Came::Refused { wait: wait((number + 1) as f64 * seconds - now) }
    }
}

/// Refuses a share at random, of what another lets through.
pub(super) fn at_random(share: f64, wait: Option<f64>, mut inner: impl Limiter) -> impl Limiter {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    move |now: f64, in_flight| {
        if random.random::<f64>() < share { Came::Refused { wait } } else { inner.arrive(now, in_flight) }
    }
}

/// Lets everything through.
pub(super) fn unlimited() -> impl Limiter {
    |_: f64, _| Came::Well
}

/// Refuses what would be beyond so many in flight.
pub(super) fn concurrent(most: usize) -> impl Limiter {
    move |_: f64, in_flight| if in_flight < most { Came::Well } else { Came::Refused { wait: None } }
}

/// What came back in the simulation: when, and whether it was refused.
pub(super) struct Log(Vec<(f64, bool)>);

impl Log {
    /// Answers a second between two times.
    pub(super) fn rate(&self, from: f64, to: f64) -> f64 {
        self.0.iter().filter(|(at, refused)| !refused && (from..to).contains(at)).count() as f64 / (to - from)
    }

    /// The share of refused calls between two times.
    pub(super) fn refused(&self, from: f64, to: f64) -> f64 {
        let calls: Vec<bool> =
            self.0.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, refused)| *refused).collect();
        calls.iter().filter(|refused| **refused).count() as f64 / calls.len().max(1) as f64
    }
}

/// A client that always has something to ask, `width` at once, for so many seconds of simulated time.
pub(super) fn simulate(mut server: impl Limiter, latency: f64, width: usize, seconds: f64) -> Log {
    let mut learned = Learned::new(width);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut log = Vec::new();
    let (mut now, mut working) = (0.0, 0);
    // Nanoseconds, so that they can be sorted; latest first, so they are negative.
    let mut flying: BinaryHeap<(i64, bool, u64)> = BinaryHeap::new();
    let mut calls: VecDeque<(Departure, Came)> = VecDeque::new();
    let (mut first, mut number) = (0_u64, 0_u64);
    while now < seconds {
        let mut wake = f64::INFINITY;
        while flying.len() < width {
            match learned.depart(now) {
                Ok(departure) => {
                    let came = server.arrive(now, working);
                    let well = came == Came::Well;
                    working += usize::from(well);
                    // A refusal needs no work, but it has to travel too.
                    let takes = if well {
                        latency * (0.8 + 0.4 * random.random::<f64>())
                    } else {
                        latency.min(0.001)
                    };
                    flying.push((-((now + takes) * 1e9) as i64, well, number));
                    calls.push_back((departure, came));
                    number += 1;
                }
                Err(at) => {
                    // As with a timer of a millisecond's resolution.
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
        let Some((_, well, which)) = flying.pop() else { break };
        working -= usize::from(well);
        let (departure, came) = calls[(which - first) as usize];
        learned.came_back(departure, came, now);
        log.push((now, came != Came::Well));
        while calls.len() > 20_000 {
            calls.pop_front();
            first += 1;
        }
    }
    Log(log)
}
