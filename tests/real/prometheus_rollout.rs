//! A rollout that a real Prometheus shows to be bad.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use crate::prometheus_server::PrometheusServer;
use crate::release::{CHANGES, FIRST, NAME, Suite};

/// Seconds between two scrapes.
const SCRAPE: i64 = 30;
const HOURS: i64 = 12;

/// Counters from `begin` on: errors in 1 % of the requests of 1.0.0, and in a quarter of those of 1.1.0, which gets 5 %.
fn metrics(begin: Timestamp) -> String {
    let mut text = String::from("# TYPE requests counter\n");
    let scrapes = HOURS * 3600 / SCRAPE;
    for (version, outcome, requests, every) in
        [("1.0.0", "ok", 19, 1), ("1.0.0", "error", 1, 5), ("1.1.0", "ok", 3, 4), ("1.1.0", "error", 1, 4)]
    {
        for scrape in 0..scrapes {
            let count = (scrape / every) * requests;
            let at = begin.as_second() + 7 + scrape * SCRAPE;
            writeln!(
                text,
                "requests_total{{prompt=\"{NAME}\",version=\"{version}\",outcome=\"{outcome}\"}} {count} {at}"
            )
            .expect("text");
        }
    }
    text.push_str("# EOF\n");
    text
}

#[test]
fn bad_version_is_rolled_back_at_5_percent() {
    // Tomorrow: after the reports that are published today.
    let begin = Timestamp::from_second(Timestamp::now().as_second() + 86_400).expect("a time");
    let at = |hours: i64| (begin + SignedDuration::from_hours(hours)).to_string();
    let Some(server) = PrometheusServer::start(&metrics(begin)) else { return };
    let query = |outcome: &str| {
        format!(
            "sum(increase(requests_total{{prompt=\\\"$name\\\",version=\\\"$version\\\"{outcome}}}[$window]))"
        )
    };
    let (bad, all) = (query(",outcome=\\\"error\\\""), query(""));
    let mut suite = Suite::new(&format!(
        "levels: {{major: {{approvals: 0}}}}, \
         sources: {{requests: {{prometheus: {{url: \"{}\", bad: \"{bad}\", all: \"{all}\"}}}}}}, \
         guardrails: [{{name: error_rate, better: lower, margin: 0.02, source: requests}}]",
        server.url
    ));
    suite.set("PROMPTGATE_TIME", &at(0));
    suite.release(FIRST, "first");
    suite.serve("1.0.0");
    suite.release(CHANGES[0], "plans were missing");
    suite.promote("1.1.0", "staging", &[]).expect_code(0);
    let start = ["rollout", "start", NAME, "--per-day", "50000", "--allow-simulated"];
    assert_eq!(suite.json(0, &start)["rollout"]["percent"], 5.0);
    suite.set("PROMPTGATE_TIME", &at(6));
    let found = suite.json(10, &["rollout", "advance", NAME]);
    assert_eq!(
        (&found["result"], &found["rollout"]["step"]),
        (&"rolled_back".into(), &1.into()),
        "{found:#}"
    );
    let treated = found["metrics"][0]["treatment"].as_f64().expect("a share");
    assert!((treated - 0.25).abs() < 0.01, "{found:#}");
    assert_eq!(suite.label("canary"), "1.0.0");
    suite.run(&["log", NAME]).expect_code(0).says("harm shown: error_rate");
}
