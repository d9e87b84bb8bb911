use simulation::{Faults, Log, bucket, concurrent, fixed_window, simulate, unlimited};

use super::*;

mod simulation;

/// Latency in seconds, and maximum calls in flight.
const CLIENTS: [(f64, usize); 4] = [(0.0005, 32), (0.002, 32), (0.02, 32), (0.1, 32)];

/// Random refusals that name a second, as those of many gateways.
const fn refusing(share: f64) -> Faults {
    Faults { refused: share, wait: Some(1.0), failed: 0.0 }
}

#[track_caller]
fn assert_settles(log: &Log, from: f64, to: f64, limit: f64, within: f64, most_refused: f64) {
    let (rate, refused) = (log.rate(from, to), log.refused(from, to));
    assert!((rate / limit - 1.0).abs() <= within, "{rate:.1}/s, expected {limit:.1}/s");
    assert!(refused < most_refused, "{:.1} % refused", refused * 100.0);
}

#[test]
fn the_rate_is_unlimited_before_the_first_refusal() {
    let mut rate = AdaptiveRate::new(4);
    for call in 0..100_000 {
        let now = f64::from(call) * 1e-5;
        assert!(rate.is_unlimited(now));
        let ticket = rate.start(now).unwrap();
        let outcome = if call % 10 == 0 { CallOutcome::Failed } else { CallOutcome::Ok };
        rate.record(ticket, outcome, now);
    }
    assert_eq!(rate.rate(), None);
}

#[test]
fn a_limit_of_50_per_second_is_found() {
    for (latency, width) in CLIENTS {
        for burst in [50.0, 10.0, 1.0] {
            let log = simulate(bucket(|_| 50.0, burst), latency, width, 70.0);
            assert_settles(&log, 10.0, 40.0, 50.0, 0.1, 0.02);
            assert_settles(&log, 40.0, 70.0, 50.0, 0.1, 0.02);
        }
    }
}

#[test]
fn a_limit_of_500_per_second_is_found() {
    for (latency, width) in [(0.0005, 32), (0.002, 32), (0.02, 32), (0.1, 64)] {
        let log = simulate(bucket(|_| 500.0, 500.0), latency, width, 60.0);
        assert_settles(&log, 10.0, 60.0, 500.0, 0.1, 0.02);
    }
}

#[test]
fn windows_of_a_second_are_found() {
    for (latency, width) in CLIENTS {
        let log = simulate(fixed_window(50, 1.0, Some), latency, width, 70.0);
        assert_settles(&log, 10.0, 70.0, 50.0, 0.1, 0.02);
        let log = simulate(fixed_window(50, 1.0, |_| None), latency, width, 70.0);
        assert_settles(&log, 10.0, 70.0, 50.0, 0.1, 0.05);
        // A server that asks for a whole second, whatever is left of the window, gets fewer calls.
        let log = simulate(fixed_window(50, 1.0, |_| Some(1.0)), latency, width, 70.0);
        assert_settles(&log, 10.0, 70.0, 50.0, 0.2, 0.02);
    }
}

#[test]
fn windows_of_a_minute_are_used_up_and_waits_pause_all_calls() {
    for (latency, width) in CLIENTS {
        let log = simulate(fixed_window(500, 60.0, Some), latency, width, 300.0);
        // At most the calls in flight are refused when the window is used up.
        assert_settles(&log, 0.0, 300.0, 500.0 / 60.0, 0.1, 0.03);
        assert_settles(&log, 60.0, 300.0, 500.0 / 60.0, 0.1, 0.005);
        // The server names no time: only probes reveal the end of the window, until its length is known.
        let log = simulate(fixed_window(500, 60.0, |_| None), latency, width, 300.0);
        assert_settles(&log, 0.0, 300.0, 500.0 / 60.0, 0.2, 0.1);
    }
}

#[test]
fn slow_endpoints_are_used_and_rarely_refuse() {
    for latency in [2.0, 5.0] {
        let burst = simulate(bucket(|_| 1.0, 60.0), latency, 32, 600.0);
        assert_settles(&burst, 120.0, 600.0, 1.0, 0.1, 0.02);
        let even = simulate(bucket(|_| 1.0, 1.0), latency, 32, 600.0);
        assert_settles(&even, 120.0, 600.0, 1.0, 0.1, 0.02);
        let minute = simulate(fixed_window(60, 60.0, Some), latency, 32, 600.0);
        assert_settles(&minute, 0.0, 600.0, 1.0, 0.1, 0.02);
    }
}

#[test]
fn random_refusals_do_not_throttle() {
    for (latency, width) in [(0.02, 32), (0.1, 32), (0.5, 64)] {
        let full = width as f64 / latency;
        for share in [0.01, 0.05, 0.2, 0.5] {
            let logs: Vec<Log> = (1..=10)
                .map(|seed| simulate(refusing(share).before(unlimited(), seed), latency, width, 60.0))
                .collect();
            // Two of the seeds may draw a share that looks like a limit for some time.
            let assert_fast = |from: f64, to: f64| {
                let rates: Vec<f64> = logs.iter().map(|log| log.rate(from, to)).collect();
                let slow = rates.iter().filter(|rate| **rate <= 0.6 * full).count();
                assert!(slow <= 2, "{rates:.0?} of {full}/s at {share}, {latency} s");
            };
            assert_fast(30.0, 60.0);
            if share == 0.2 {
                assert_fast(3.0, 10.0);
            }
        }
    }
}

/// 4,000 answers of 100 ms, 256 in flight: a server failure does not rest the growth of what refusals have cut.
#[test]
fn failures_beside_random_refusals_do_not_throttle() {
    for wait in [None, Some(1.0)] {
        let faults = |refused, failed| Faults { refused, wait, failed };
        for seed in 1..=10 {
            let rate = |faults: Faults| {
                simulate(faults.before(unlimited(), seed), 0.1, 256, 40.0).rate_of_first(4000)
            };
            let [refused, failed, both] = [faults(0.2, 0.0), faults(0.0, 0.05), faults(0.2, 0.05)].map(rate);
            let slower = refused.min(failed);
            assert!(
                both >= 0.8 * slower,
                "seed {seed}, {wait:?}: {both:.0}/s, alone {refused:.0} and {failed:.0}/s"
            );
            assert!(both > 700.0, "seed {seed}, {wait:?}: {both:.0}/s of 2,560/s");
        }
    }
}

#[test]
fn a_limit_behind_random_refusals_is_found() {
    for (latency, width) in [(0.002, 32), (0.02, 32), (0.1, 32)] {
        for seed in 1..=10 {
            let log = simulate(refusing(0.2).before(bucket(|_| 50.0, 50.0), seed), latency, width, 120.0);
            // A fifth of the calls within the limit is refused at random.
            assert_settles(&log, 10.0, 120.0, 50.0, 0.25, 0.35);
        }
    }
}

#[test]
fn a_limit_on_calls_in_flight_is_found() {
    for (latency, width) in [(0.02, 32), (0.1, 32), (0.5, 32)] {
        let log = simulate(concurrent(8), latency, width, 60.0);
        // Evenly spaced calls whose latencies differ cannot keep all eight busy.
        assert_settles(&log, 10.0, 60.0, 8.0 / latency, 0.3, 0.02);
    }
}

#[test]
fn a_rate_that_changes_is_followed() {
    let rate = |now: f64| match now {
        early if early < 40.0 => 50.0,
        middle if middle < 80.0 => 20.0,
        _ => 100.0,
    };
    for (latency, width) in CLIENTS {
        let log = simulate(bucket(rate, 20.0), latency, width, 160.0);
        assert_settles(&log, 10.0, 40.0, 50.0, 0.1, 0.02);
        assert_settles(&log, 50.0, 80.0, 20.0, 0.1, 0.02);
        assert_settles(&log, 120.0, 160.0, 100.0, 0.1, 0.02);
    }
}

/// Returns a rate with all calls in flight, after 100 answers.
fn busy(now: f64) -> (AdaptiveRate, Vec<Ticket>) {
    let mut rate = AdaptiveRate::new(32);
    let mut out = Vec::new();
    for call in 0..132 {
        let at = now * f64::from(call) / 132.0;
        out.push(rate.start(at).unwrap());
        if call >= 32 {
            rate.record(out.remove(0), CallOutcome::Ok, at);
        }
    }
    (rate, out)
}

#[test]
fn one_episode_causes_one_cut() {
    let (mut rate, out) = busy(1.0);
    let wait = Some(2.0);
    for (index, ticket) in out.iter().enumerate() {
        rate.record(*ticket, CallOutcome::Refused { wait }, 1.0 + index as f64 * 0.001);
    }
    let cut = rate.rate().unwrap();
    assert!(cut < 100.0 && cut > 30.0, "100 answers in a second, then a wait of two: {cut}");
    assert_eq!(rate.epoch.number, 1, "32 refusals, one episode");
    // The wait pauses all calls, and the latest one applies.
    assert_eq!(rate.start(1.5), Err(1.031 + 2.0));
    assert!(rate.start(3.1).is_ok());
}

#[test]
fn failures_slow_growth_by_their_share() {
    let grown_in_five_seconds = |failed_of_ten: u64| {
        let (mut rate, out) = busy(1.0);
        rate.record(out[0], CallOutcome::Refused { wait: None }, 1.0);
        let cut = rate.rate().unwrap();
        let mut now = 1.0;
        for call in 0.. {
            match rate.start(now) {
                Ok(_) if now > 6.0 => break,
                Ok(ticket) if call % 10 < failed_of_ten => rate.record(ticket, CallOutcome::Failed, now),
                Ok(ticket) => rate.record(ticket, CallOutcome::Ok, now),
                Err(at) => now = at,
            }
        }
        rate.rate().unwrap() / cut
    };
    let [none, half, all] = [0, 5, 10].map(grown_in_five_seconds);
    assert!(none > half && half > 1.05, "{none} {half}");
    assert!(all < 1.001, "no growth where every call fails: {all}");
}

#[test]
fn a_blocked_endpoint_is_reported() {
    let (mut rate, out) = busy(1.0);
    for ticket in out {
        rate.record(ticket, CallOutcome::Refused { wait: Some(60.0) }, 1.0);
    }
    assert_eq!(rate.blocked(121.0), (120.0, 32));
    let ticket = rate.start(121.0).unwrap();
    rate.record(ticket, CallOutcome::Ok, 121.0);
    assert_eq!(rate.blocked(121.0), (0.0, 0));
}

#[test]
fn invalid_times_and_tickets_are_harmless() {
    let mut rate = AdaptiveRate::new(1);
    let foreign = Ticket { epoch: 77, number: u64::MAX };
    for now in [5.0, 1.0, 1e15, 3.0, 1e300] {
        for outcome in [
            CallOutcome::Refused { wait: Some(1e6) },
            CallOutcome::Failed,
            CallOutcome::Ok,
            CallOutcome::Refused { wait: None },
        ] {
            rate.record(foreign, outcome, now);
            if let Ok(ticket) = rate.start(now) {
                rate.record(ticket, outcome, now);
            }
        }
        assert!(rate.rate().is_none_or(|rate| rate.is_finite() && rate > 0.0));
    }
}
