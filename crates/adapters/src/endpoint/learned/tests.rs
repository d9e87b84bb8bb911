use simulation::{Log, at_random, bucket, concurrent, fixed_window, simulate, unlimited};

use super::*;

mod simulation;

/// Latency in seconds and calls in flight at most.
const CLIENTS: [(f64, usize); 4] = [(0.0005, 32), (0.002, 32), (0.02, 32), (0.1, 32)];

#[track_caller]
fn assert_settles(log: &Log, from: f64, to: f64, limit: f64, within: f64, most_refused: f64) {
    let (rate, refused) = (log.rate(from, to), log.refused(from, to));
    assert!((rate / limit - 1.0).abs() <= within, "{rate:.1}/s where {limit:.1}/s are allowed");
    assert!(refused < most_refused, "{:.1} % refused", refused * 100.0);
}

#[test]
fn nothing_is_limited_before_the_first_refusal() {
    let mut learned = Learned::new(4);
    for call in 0..100_000 {
        let now = f64::from(call) * 1e-5;
        assert!(learned.is_free(now));
        let departure = learned.depart(now).unwrap();
        let came = if call % 10 == 0 { Came::Failed } else { Came::Well };
        learned.came_back(departure, came, now);
    }
    assert_eq!(learned.rate(), None);
}

#[test]
fn fifty_a_second_settle_at_fifty() {
    for (latency, width) in CLIENTS {
        for burst in [50.0, 10.0, 1.0] {
            let log = simulate(bucket(|_| 50.0, burst), latency, width, 70.0);
            assert_settles(&log, 10.0, 40.0, 50.0, 0.1, 0.02);
            assert_settles(&log, 40.0, 70.0, 50.0, 0.1, 0.02);
        }
    }
}

#[test]
fn five_hundred_a_second_settle_at_five_hundred() {
    for (latency, width) in [(0.0005, 32), (0.002, 32), (0.02, 32), (0.1, 64)] {
        let log = simulate(bucket(|_| 500.0, 500.0), latency, width, 60.0);
        assert_settles(&log, 10.0, 60.0, 500.0, 0.1, 0.02);
    }
}

#[test]
fn windows_of_a_second_settle_too() {
    for (latency, width) in CLIENTS {
        let log = simulate(fixed_window(50, 1.0, Some), latency, width, 70.0);
        assert_settles(&log, 10.0, 70.0, 50.0, 0.1, 0.02);
        let log = simulate(fixed_window(50, 1.0, |_| None), latency, width, 70.0);
        assert_settles(&log, 10.0, 70.0, 50.0, 0.1, 0.05);
        // Who asks for a whole second whatever is left of the window gets less.
        let log = simulate(fixed_window(50, 1.0, |_| Some(1.0)), latency, width, 70.0);
        assert_settles(&log, 10.0, 70.0, 50.0, 0.2, 0.02);
    }
}

#[test]
fn windows_of_a_minute_are_used_up_and_the_wait_is_held_by_all() {
    for (latency, width) in CLIENTS {
        let log = simulate(fixed_window(500, 60.0, Some), latency, width, 300.0);
        // At most those in flight are refused when the door closes.
        assert_settles(&log, 0.0, 300.0, 500.0 / 60.0, 0.1, 0.03);
        assert_settles(&log, 60.0, 300.0, 500.0 / 60.0, 0.1, 0.005);
        // The server names no time: knocking now and then is all that can be done, until the window is known.
        let log = simulate(fixed_window(500, 60.0, |_| None), latency, width, 300.0);
        assert_settles(&log, 0.0, 300.0, 500.0 / 60.0, 0.2, 0.1);
    }
}

#[test]
fn refusals_at_random_do_not_strangle() {
    for (latency, width) in [(0.002, 32), (0.02, 32), (0.1, 32), (0.5, 64)] {
        let full = width as f64 / latency;
        for share in [0.01, 0.05, 0.2, 0.5] {
            let log = simulate(at_random(share, Some(1.0), unlimited()), latency, width, 60.0);
            let rate = log.rate(30.0, 60.0);
            assert!(rate > 0.6 * full, "{rate:.0}/s of {full}/s at {share}, {latency} s");
        }
        let log = simulate(at_random(0.2, Some(1.0), unlimited()), latency, width, 10.0);
        let rate = log.rate(3.0, 10.0);
        assert!(rate > 0.6 * full, "{rate:.0}/s of {full}/s within ten seconds, {latency} s");
    }
}

#[test]
fn a_limit_behind_random_refusals_is_found() {
    for (latency, width) in [(0.002, 32), (0.02, 32), (0.1, 32)] {
        let server = at_random(0.2, Some(1.0), bucket(|_| 50.0, 50.0));
        let log = simulate(server, latency, width, 120.0);
        // A fifth of what is let in is refused by chance.
        assert_settles(&log, 10.0, 120.0, 50.0, 0.25, 0.3);
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

/// A full client whose calls come back one by one.
fn busy(now: f64) -> (Learned, Vec<Departure>) {
    let mut learned = Learned::new(32);
    let mut out = Vec::new();
    for call in 0..132 {
        let at = now * f64::from(call) / 132.0;
        out.push(learned.depart(at).unwrap());
        if call >= 32 {
            learned.came_back(out.remove(0), Came::Well, at);
        }
    }
    (learned, out)
}

#[test]
fn one_episode_cuts_once() {
    let (mut learned, out) = busy(1.0);
    let wait = Some(2.0);
    for (index, departure) in out.iter().enumerate() {
        learned.came_back(*departure, Came::Refused { wait }, 1.0 + index as f64 * 0.001);
    }
    let cut = learned.rate().unwrap();
    assert!(cut < 100.0 && cut > 30.0, "100 came through in a second, then a wait of two: {cut}");
    assert_eq!(learned.epoch, 1, "32 refusals, one episode");
    // The wait holds everybody, up to the last word on it.
    assert_eq!(learned.depart(1.5), Err(1.031 + 2.0));
    assert!(learned.depart(3.1).is_ok());
}

#[test]
fn failures_pause_the_growth() {
    let (mut learned, out) = busy(1.0);
    learned.came_back(out[0], Came::Refused { wait: None }, 1.0);
    let departure = learned.depart(1.0).unwrap();
    let cut = learned.rate().unwrap();
    learned.came_back(departure, Came::Failed, 1.0);
    let next = learned.depart(1.9).unwrap();
    assert_eq!(learned.rate(), Some(cut), "a second of rest");
    learned.came_back(next, Came::Well, 1.9);
    learned.depart(3.0).unwrap();
    assert!(learned.rate().unwrap() > cut);
}

#[test]
fn a_closed_door_is_told() {
    let (mut learned, out) = busy(1.0);
    for departure in out {
        learned.came_back(departure, Came::Refused { wait: Some(60.0) }, 1.0);
    }
    assert_eq!(learned.closed(121.0), (120.0, 32));
    let departure = learned.depart(121.0).unwrap();
    learned.came_back(departure, Came::Well, 121.0);
    assert_eq!(learned.closed(121.0), (0.0, 0));
}

#[test]
fn strange_times_and_departures_do_no_harm() {
    let mut learned = Learned::new(1);
    let stranger = Departure { epoch: 77, number: u64::MAX };
    for now in [5.0, 1.0, 1e15, 3.0, 1e300] {
        for came in
            [Came::Refused { wait: Some(1e6) }, Came::Failed, Came::Well, Came::Refused { wait: None }]
        {
            learned.came_back(stranger, came, now);
            if let Ok(departure) = learned.depart(now) {
                learned.came_back(departure, came, now);
            }
        }
        assert!(learned.rate().is_none_or(|rate| rate.is_finite() && rate > 0.0));
    }
}
