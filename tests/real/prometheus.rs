//! The source of Prometheus with the real server.

use std::fmt::Write as _;

use promptgate_adapters::metrics::{Prometheus, PrometheusOptions, PrometheusQueries};
use promptgate_release::PortError;
use promptgate_release::ports::{MetricQuery, MetricReadings, MetricSource as _, TaggedVersion, Window};
use promptgate_release::rollout::Sample;

use crate::mlflow_server::runtime;
use crate::prometheus_server::PrometheusServer;

/// 2026-11-30T12:00:00Z.
const BEGIN: u64 = 1_796_040_000;
/// Seconds between two scrapes.
const SCRAPE: u64 = 30;
const OFFSET: u64 = 7;
const HOURS: u64 = 2;

/// Counters of two hours. The application of 2.4.0 restarts after the first half hour of the second one.
fn metrics() -> String {
    let mut text = String::from("# TYPE requests counter\n");
    let scrapes = HOURS * 3600 / SCRAPE;
    for (version, registry, outcome, steps, restarts) in [
        ("2.3.1", "6", "ok", 19, false),
        ("2.3.1", "6", "error", 1, false),
        ("2.4.0", "7", "ok", 9, true),
        ("2.4.0", "7", "error", 1, true),
    ] {
        let mut count = 0;
        for scrape in 0..scrapes {
            if restarts && scrape == scrapes * 3 / 4 {
                count = 0;
            }
            count += steps;
            writeln!(
                text,
                "requests_total{{name=\"support/reply\",version=\"{version}\",registry=\"{registry}\",outcome=\"{outcome}\"}} \
                 {count} {}",
                BEGIN + OFFSET + scrape * SCRAPE
            )
            .expect("text");
        }
    }
    text.push_str("# TYPE latency_seconds histogram\n");
    for scrape in 1..=scrapes {
        for (bound, share) in [("1", 18), ("2", 20), ("+Inf", 20)] {
            writeln!(
                text,
                "latency_seconds_bucket{{version=\"2.4.0\",le=\"{bound}\"}} {} {}",
                scrape * share,
                BEGIN + OFFSET + (scrape - 1) * SCRAPE
            )
            .expect("text");
        }
    }
    text.push_str("# EOF\n");
    text
}

fn source(server: &PrometheusServer, queries: PrometheusQueries) -> Prometheus {
    let options = PrometheusOptions { url: server.url.clone(), headers: Vec::new(), queries };
    Prometheus::new(options).expect("valid options")
}

fn good(label: &str, placeholder: &str) -> PrometheusQueries {
    let query = |outcome: &str| {
        format!("sum(increase(requests_total{{name=\"$name\",{label}=\"{placeholder}\"{outcome}}}[$window]))")
    };
    PrometheusQueries::Good { good: query(",outcome=\"ok\""), all: query("") }
}

/// Reads a metric of 2.3.1, 2.4.0 and 3.0.0, which has no data, over the second hour.
fn read(source: &Prometheus, metric: &str) -> Result<MetricReadings, PortError> {
    let tagged = |version: &str, id: &str| TaggedVersion {
        version: version.parse().expect("a version"),
        registry_id: Some(id.to_owned()),
    };
    let (name, metrics) = ("support/reply".parse().expect("a name"), [metric.to_owned()]);
    let versions = [tagged("2.3.1", "6"), tagged("2.4.0", "7"), tagged("3.0.0", "8")];
    let window = Window {
        from: "2026-11-30T13:00:00Z".parse().expect("a time"),
        to: "2026-11-30T14:00:00Z".parse().expect("a time"),
    };
    let query = MetricQuery { name: &name, versions: &versions, metrics: &metrics, window };
    runtime().block_on(source.read(&query))
}

#[track_caller]
fn assert_share(sample: &Result<Sample, String>, expected: (u64, u64)) {
    let Ok(Sample::Share { successes, n }) = *sample else { panic!("{sample:?}") };
    // The results are extrapolated to the window.
    let is_near = |found: u64, expected: u64| found.abs_diff(expected) * 100 <= expected;
    assert!(is_near(successes, expected.0) && is_near(n, expected.1), "{successes} of {n}, not {expected:?}");
}

#[test]
fn requests_are_counted_across_a_restart() {
    let Some(server) = PrometheusServer::start(&metrics()) else { return };
    for (label, placeholder) in [("version", "$version"), ("registry", "$registry_version")] {
        let readings = read(&source(&server, good(label, placeholder)), "error_rate").expect("readings");
        let samples = &readings.samples["error_rate"];
        assert_share(&samples[0], (120, 2400));
        // The counter fell from 1,620 to 9 within the window.
        assert_share(&samples[1], (120, 1200));
        assert!(samples[2].as_ref().expect_err("no data").contains("no series"), "{samples:?}");
        assert!(readings.notes[0].starts_with("error_rate: 2"), "{:?}", readings.notes);
    }
    let availability = read(&source(&server, good("version", "$version")), "availability").expect("readings");
    assert_share(&availability.samples["availability"][0], (2280, 2400));
}

#[test]
fn replies_without_one_number_are_missing() {
    let Some(server) = PrometheusServer::start(&metrics()) else { return };
    let level = |value: &str| PrometheusQueries::Level {
        value: value.to_owned(),
        count: "sum(increase(latency_seconds_bucket{version=\"$version\",le=\"+Inf\"}[$window]))".to_owned(),
    };
    let buckets = "sum by (le) (increase(latency_seconds_bucket{version=\"$version\"}[$window]))";
    let quantile = level(&format!("histogram_quantile(0.95, {buckets})"));
    let readings = read(&source(&server, quantile), "latency_p95").expect("readings");
    let Ok(Sample::Level { n, value }) = readings.samples["latency_p95"][1] else { panic!("{readings:?}") };
    // Of 20 requests a scrape 18 took up to a second and 2 up to two: the 95th percentile is in their middle.
    assert!((value - 1.5).abs() < 1e-6 && n.abs_diff(2400) < 24, "{n} {value}");
    assert!(readings.samples["latency_p95"][0].as_ref().expect_err("no data").contains("no series"));
    for (query, expected) in [
        ("0/0", "found NaN"),
        ("1/0", "found +Inf"),
        ("scalar(nope)", "found NaN"),
        (buckets, "3 series, expected one"),
        ("requests_total[5m]", "a range of numbers"),
        ("\"text\"", "a text"),
    ] {
        let readings = read(&source(&server, level(query)), "x").expect("readings");
        let problem = readings.samples["x"][1].as_ref().expect_err(query);
        assert!(problem.contains(expected), "{query}: {problem}");
    }
}

#[test]
fn zero_is_written_as_a_vector_and_long_queries_are_posted() {
    let Some(server) = PrometheusServer::start(&metrics()) else { return };
    let all = format!(
        "sum(increase(requests_total{{version=\"$version\",outcome=~\"{}ok|error\"}}[$window]))",
        "a|".repeat(2000)
    );
    let bad = "sum(increase(requests_total{version=\"$version\",outcome=\"timeout\"}[$window])) or vector(0)";
    let queries = PrometheusQueries::Bad { bad: bad.to_owned(), all };
    let readings = read(&source(&server, queries), "timeouts").expect("readings");
    assert_share(&readings.samples["timeouts"][0], (0, 2400));
    // A version without requests is missing all the same.
    assert!(readings.samples["timeouts"][2].is_err(), "{readings:?}");
}

#[test]
fn query_that_the_server_rejects_fails_with_its_reason() {
    let Some(server) = PrometheusServer::start(&metrics()) else { return };
    let queries = PrometheusQueries::Good { good: "sum((".to_owned(), all: "1".to_owned() };
    let error = read(&source(&server, queries), "x").expect_err("an error").to_string();
    assert!(error.contains("400 Bad Request") && error.contains("unclosed left parenthesis"), "{error}");
}
