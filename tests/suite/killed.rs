//! kill -9 in the middle of a run: what the next run has to pay for again.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::cache::suite;
use crate::servers::{Server, says};

/// A server that answers after 20 ms, and when it received and answered each request.
struct Timed {
    server: Server,
    received: Arc<Mutex<Vec<(String, Instant)>>>,
    answered: Arc<Mutex<Vec<Instant>>>,
}

impl Timed {
    fn start() -> Self {
        let (received, answered) = <(Arc<Mutex<Vec<_>>>, Arc<Mutex<Vec<_>>>)>::default();
        let (ins, outs) = (Arc::clone(&received), Arc::clone(&answered));
        let server = Server::start(move |request, _| {
            ins.lock().expect("times").push((request["messages"].to_string(), Instant::now()));
            // The time that a model takes.
            std::thread::sleep(Duration::from_millis(20));
            outs.lock().expect("times").push(Instant::now());
            (200, says("Plan 1 gives 11 days."))
        });
        Self { server, received, answered }
    }

    fn calls(&self) -> usize {
        self.received.lock().expect("times").len()
    }

    /// Requests that were in flight at `end`, or answered in the 100 ms before `killed`.
    fn at_risk(&self, killed: Instant, end: Instant) -> usize {
        let safe = killed - Duration::from_millis(100);
        let received = self.received.lock().expect("times").iter().filter(|(_, at)| *at <= end).count();
        received - self.answered.lock().expect("times").iter().filter(|at| **at <= safe).count()
    }

    /// Requests beyond the first of each content.
    fn repeated(&self) -> usize {
        let received = self.received.lock().expect("times");
        let distinct: BTreeSet<&String> = received.iter().map(|(content, _)| content).collect();
        received.len() - distinct.len()
    }
}

/// kill -9 costs at most the calls in flight and those answered in the last 100 ms, as docs/cache.md says.
#[test]
fn killed_run_repeats_only_the_last_moment() {
    let (mut repeated, mut at_risk) = (0, 0);
    for moment in [1, 16, 40, 75, 120, 170, 230, 300] {
        let timed = Timed::start();
        let folder = suite(160);
        let arguments = ["run", "--no-judge", "--concurrency", "16"];
        let mut command = folder.command(&arguments);
        command.env("OPENAI_BASE_URL", &timed.server.base_url).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the executable starts");
        while timed.calls() < moment {
            assert!(child.try_wait().expect("its state").is_none(), "it ended before call {moment}");
            std::thread::yield_now();
        }
        let killed = Instant::now();
        child.kill().expect("a kill");
        child.wait().expect("its end");
        at_risk += timed.at_risk(killed, Instant::now());
        folder.against(&timed.server.base_url, &arguments);
        assert_eq!(timed.calls() - timed.repeated(), 2 * 160, "every request was made");
        repeated += timed.repeated();
    }
    assert!(0 < repeated && repeated <= at_risk, "{repeated} repeated, {at_risk} at risk");
}
