//! Recorded files of the official Python exporter, and written ones for everything that can go wrong.

use std::fmt::Write as _;
use std::path::Path;

use promptgate_release::ports::MetricReadings;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const SPANS: &str = include_str!("../../../../../tests/fixtures/metrics/otlp_spans.jsonl");
const LOGS: &str = include_str!("../../../../../tests/fixtures/metrics/otlp_logs.jsonl");
const SPAN: &str = include_str!("../../../../../tests/fixtures/metrics/otlp_span.json");
/// 2026-11-30T12:00:00Z.
const BEGIN: u64 = 1_796_040_000;

fn versions() -> Vec<TaggedVersion> {
    let tagged = |version: &str, id: &str| TaggedVersion {
        version: version.parse().unwrap(),
        registry_id: Some(id.to_owned()),
    };
    vec![tagged("2.3.1", "6"), tagged("2.4.0", "7")]
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// The window is the hour from [`BEGIN`] on.
async fn read_in(
    folder: &Path,
    pattern: &str,
    metrics: &[&str],
    from: &str,
    to: &str,
) -> Result<MetricReadings, PortError> {
    let (name, versions) = ("support/reply".parse().unwrap(), versions());
    let metrics: Vec<String> = metrics.iter().map(|metric| (*metric).to_owned()).collect();
    let window = Window { from: from.parse().unwrap(), to: to.parse().unwrap() };
    let query = MetricQuery { name: &name, versions: &versions, metrics: &metrics, window };
    OtlpFile::new(folder, pattern).unwrap().read(&query).await
}

async fn read(files: &[(&str, &str)], metrics: &[&str]) -> Result<MetricReadings, PortError> {
    let folder = folder(files);
    read_in(folder.path(), "*.jsonl", metrics, "2026-11-30T12:00:00Z", "2026-11-30T13:00:00Z").await
}

/// A span as this test writes it.
#[derive(Clone)]
struct Written {
    id: u64,
    version: Value,
    unit: Option<String>,
    start_ms: u64,
    latency_ms: u64,
    is_error: bool,
    events: Value,
}

fn span(id: u64, version: &str, unit: &str) -> Written {
    Written {
        id,
        version: json!({"stringValue": version}),
        unit: Some(unit.to_owned()),
        start_ms: 1000,
        latency_ms: 1000,
        is_error: false,
        events: json!([]),
    }
}

fn ids(id: u64) -> (String, String) {
    (format!("{id:032x}"), format!("{id:016x}"))
}

impl Written {
    fn line(&self) -> String {
        let (trace, span) = ids(self.id);
        let start = BEGIN * 1000 + self.start_ms;
        let mut attributes = vec![
            json!({"key": "gen_ai.prompt.name", "value": {"stringValue": "support/reply"}}),
            json!({"key": "gen_ai.prompt.version", "value": self.version}),
            json!({"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}}),
        ];
        let unit = self.unit.iter();
        attributes.extend(
            unit.map(|unit| json!({"key": "feature_flag.context.id", "value": {"stringValue": unit}})),
        );
        let span = json!({
            "traceId": trace, "spanId": span, "name": "chat", "attributes": attributes, "events": self.events,
            "startTimeUnixNano": format!("{start}000000"),
            "endTimeUnixNano": format!("{}000000", start + self.latency_ms),
            "status": if self.is_error { json!({"code": 2, "message": "timeout"}) } else { json!({}) },
        });
        json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string()
    }
}

fn score(id: u64, name: &str, time: u64, value: Value) -> String {
    let (trace, span) = ids(id);
    let record = json!({
        "timeUnixNano": time.to_string(), "eventName": "gen_ai.evaluation.result", "traceId": trace, "spanId": span,
        "attributes": [
            {"key": "gen_ai.evaluation.name", "value": {"stringValue": name}},
            {"key": "gen_ai.evaluation.score.value", "value": value},
        ],
    });
    json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).to_string()
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().fold(String::new(), |mut text, line| {
        writeln!(text, "{line}").unwrap();
        text
    })
}

fn has_note(readings: &MetricReadings, note: &str) -> bool {
    readings.notes.iter().any(|found| found == note)
}

#[track_caller]
fn assert_note(readings: &MetricReadings, note: &str) {
    assert!(has_note(readings, note), "no {note:?} in {:#?}", readings.notes);
}

#[tokio::test]
async fn spans_that_promptgate_sends_are_not_traffic() {
    let of_scope = |id: u64, scope: &str| {
        let mut line: Value = serde_json::from_str(&span(id, "2.4.0", "ada").line()).unwrap();
        line["resourceSpans"][0]["scopeSpans"][0]["scope"] = json!({"name": scope, "version": "0.1.0"});
        line.to_string()
    };
    let file = lines([of_scope(1, "promptgate.run"), of_scope(2, "app"), of_scope(3, "promptgate.rollout")]);
    let readings = read(&[("a.jsonl", &file)], &["error_rate"]).await.unwrap();
    assert_eq!(readings.samples["error_rate"][1], Ok(Sample::Share { successes: 0, n: 1 }));
}

#[tokio::test]
async fn recorded_spans_are_joined_with_recorded_log_records() {
    // Logs are read first, so their scores wait for the spans.
    let folder = folder(&[("a_logs.jsonl", LOGS), ("b_spans.jsonl", SPANS)]);
    let metrics = ["helpful", "error_rate", "latency", "input_tokens", "cost_usd"];
    let readings =
        read_in(folder.path(), "?_*.jsonl", &metrics, "2026-11-29T00:00:00Z", "2026-11-30T00:00:00Z")
            .await
            .unwrap();
    let share = |successes, n| Ok(Sample::Share { successes, n });
    assert_eq!(readings.samples["helpful"], [share(1, 1), share(1, 2)]);
    assert_eq!(readings.samples["error_rate"], [share(0, 1), share(0, 2)]);
    let Ok(Sample::Mean { n: 2, mean, .. }) = readings.samples["latency"][1] else { panic!("{readings:?}") };
    assert!((mean - 0.000_144_24).abs() < 1e-12, "{mean}");
    assert_eq!(readings.samples["input_tokens"][0], Ok(Sample::Mean { n: 1, mean: 12.0, variance: 0.0 }));
    assert!(readings.samples["cost_usd"][0].as_ref().unwrap_err().contains("gen_ai.usage.cost"));
    assert_eq!(readings.units, Some(vec![1, 2]));
    assert_note(&readings, "6 lines in 2 files of ?_*.jsonl");
    assert_note(&readings, "1 requests of 2.3.1, 2 of 2.4.0");
    assert_note(&readings, "helpful: 1 figures of 2.3.1, 2 of 2.4.0");
}

#[tokio::test]
async fn recorded_span_event_is_a_score_and_the_user_is_the_unit() {
    let line = serde_json::from_str::<Value>(SPAN).unwrap().to_string();
    let folder = folder(&[("span.jsonl", &line)]);
    let (from, to) = ("2026-11-29T00:00:00Z", "2026-11-30T00:00:00Z");
    let readings = read_in(folder.path(), "span.jsonl", &["helpful", "latency_p95"], from, to).await.unwrap();
    assert_eq!(readings.samples["helpful"][1], Ok(Sample::Mean { n: 1, mean: 0.9, variance: 0.0 }));
    assert_eq!(readings.samples["latency_p95"][1], Ok(Sample::Level { n: 1, value: 0.9 }));
    assert_eq!(readings.units, Some(vec![0, 1]));
    assert!(!readings.notes.concat().contains("without a unit"), "{readings:?}");
}

#[tokio::test]
async fn units_that_repeat_are_means_of_their_own_scores_in_every_version() {
    // Control has no unit that repeats, and is a mean all the same: both variants have to be comparable.
    let spans = (1..5).map(|id| span(id, "2.3.1", &format!("c{id}")));
    let spans = spans.chain((10..18).map(|id| span(id, "2.4.0", if id < 17 { "busy" } else { "other" })));
    let scores =
        (1..5).chain(10..18).map(|id| score(id, "helpful", 5, json!({"doubleValue": u8::from(id == 17)})));
    let text = lines(spans.map(|span| span.line()).chain(scores));
    let readings = read(&[("a.jsonl", &text)], &["helpful", "error_rate"]).await.unwrap();
    assert_eq!(readings.samples["helpful"][0], Ok(Sample::Mean { n: 4, mean: 0.0, variance: 0.0 }));
    // Seven scores of 0 of one unit and one score of 1 of another: two units, not eight samples.
    assert_eq!(readings.samples["helpful"][1], Ok(Sample::Mean { n: 2, mean: 0.5, variance: 0.5 }));
    assert_eq!(readings.samples["error_rate"][1], Ok(Sample::Mean { n: 2, mean: 0.0, variance: 0.0 }));
    assert_eq!(readings.units, Some(vec![4, 2]));
}

#[tokio::test]
async fn errors_are_the_successes_of_the_error_rate() {
    let failed = Written { is_error: true, ..span(2, "2.4.0", "b") };
    let named =
        span(3, "2.4.0", "c").line().replace(r#""status":{}"#, r#""status":{"code":"STATUS_CODE_ERROR"}"#);
    let text = lines([span(1, "2.4.0", "a").line(), failed.line(), named]);
    let readings = read(&[("a.jsonl", &text)], &["error_rate"]).await.unwrap();
    assert_eq!(readings.samples["error_rate"][1], Ok(Sample::Share { successes: 2, n: 3 }));
    assert_eq!(readings.samples["error_rate"][0], Ok(Sample::Share { successes: 0, n: 0 }));
}

#[tokio::test]
async fn percentile_is_that_of_requests_by_nearest_rank() {
    let spans = (1..=20).map(|id| Written { latency_ms: id * 100, ..span(id, "2.4.0", "u") }.line());
    let readings = read(&[("a.jsonl", &lines(spans))], &["latency_p95", "latency_p50"]).await.unwrap();
    assert_eq!(readings.samples["latency_p95"][1], Ok(Sample::Level { n: 20, value: 1.9 }));
    assert_eq!(readings.samples["latency_p50"][1], Ok(Sample::Level { n: 20, value: 1.0 }));
}

#[tokio::test]
async fn window_is_half_open_and_by_the_begin_of_the_span_so_that_late_scores_count() {
    let at = |id, start_ms| Written { start_ms, ..span(id, "2.4.0", &format!("u{id}")) };
    let inside = [at(1, 0), at(2, 3_599_999)].map(|span| span.line());
    let outside = at(3, 3_600_000).line();
    let before = at(4, 0).line().replace(&format!("\"{BEGIN}"), &format!("\"{}", BEGIN - 1));
    let hours_later = (BEGIN + 36_000) * 1_000_000_000;
    let scores = (1..=4).map(|id| score(id, "helpful", hours_later, json!({"intValue": "1"})));
    let text = lines(inside.into_iter().chain([outside, before]).chain(scores));
    let readings = read(&[("a.jsonl", &text)], &["helpful"]).await.unwrap();
    assert_eq!(readings.samples["helpful"][1], Ok(Sample::Share { successes: 2, n: 2 }));
    assert_note(&readings, "2 scores without a request of these versions in the window");
}

#[tokio::test]
async fn registry_versions_count_beside_semantic_ones() {
    let mut langfuse = span(4, "2.4.0", "d").line();
    langfuse = langfuse.replace("gen_ai.prompt.", "langfuse.observation.prompt.");
    langfuse = langfuse.replace(r#"{"stringValue":"2.4.0"}"#, r#"{"intValue":7}"#);
    let numbered = Written { version: json!({"intValue": "7"}), ..span(3, "", "c") };
    let text =
        lines([span(1, "2.4.0", "a").line(), span(2, "v2.4.0", "b").line(), numbered.line(), langfuse]);
    let other = lines([span(5, "12.4.0", "e").line(), span(6, "prod", "f").line()]);
    let unversioned = span(7, "2.4.0", "g").line().replace("gen_ai.prompt.version", "version");
    let all = format!("{text}{other}{unversioned}\n");
    let readings = read(&[("a.jsonl", &all)], &["error_rate"]).await.unwrap();
    assert_eq!(readings.samples["error_rate"][1], Ok(Sample::Share { successes: 0, n: 4 }));
    assert_note(&readings, "2 requests of other versions");
    assert_note(&readings, "1 request without a version");
}

#[tokio::test]
async fn newest_score_of_a_request_counts_once() {
    let event = json!([{"name": "gen_ai.evaluation.result", "timeUnixNano": "5", "attributes": [
        {"key": "gen_ai.evaluation.name", "value": {"stringValue": "helpful"}},
        {"key": "gen_ai.evaluation.score.value", "value": {"doubleValue": 1}}]}]);
    let twice = Written { events: event, ..span(1, "2.4.0", "a") }.line();
    let same = score(1, "helpful", 5, json!({"doubleValue": 1}));
    let corrected = score(1, "helpful", 9, json!({"boolValue": false}));
    let text = lines([twice.clone(), same.clone(), twice.clone()]);
    let readings = read(&[("a.jsonl", &text)], &["helpful"]).await.unwrap();
    assert_eq!(readings.samples["helpful"][1], Ok(Sample::Share { successes: 1, n: 1 }));
    assert_note(&readings, "1 request written more than once: the first counts");
    let readings = read(&[("a.jsonl", &lines([corrected, twice, same]))], &["helpful"]).await.unwrap();
    assert_eq!(readings.samples["helpful"][1], Ok(Sample::Share { successes: 0, n: 1 }));
}

#[tokio::test]
async fn score_that_is_not_a_number_holds_its_version() {
    let spans = [span(1, "2.3.1", "a").line(), span(2, "2.4.0", "b").line(), span(3, "2.4.0", "c").line()];
    let scores = [
        score(1, "helpful", 1, json!({"doubleValue": 1})),
        score(2, "helpful", 1, json!({"doubleValue": "NaN"})),
        score(3, "helpful", 1, json!({"doubleValue": 1})),
    ];
    let labelled = score(1, "helpful", 2, json!({})).replace("score.value", "score.label");
    let text = lines(spans.into_iter().chain(scores).chain([labelled]));
    let readings = read(&[("a.jsonl", &text)], &["helpful"]).await.unwrap();
    assert_eq!(readings.samples["helpful"][0], Ok(Sample::Share { successes: 1, n: 1 }));
    assert_eq!(readings.samples["helpful"][1], Err("1 figure that are not numbers".to_owned()));
    assert_note(&readings, "1 score without a value");
}

#[tokio::test]
async fn metric_without_figures_says_what_there_is() {
    let text = lines([span(1, "2.4.0", "a").line(), score(1, "faithfulness", 1, json!({"doubleValue": 1}))]);
    let readings = read(&[("a.jsonl", &text)], &["helpful"]).await.unwrap();
    let problem = readings.samples["helpful"][1].as_ref().unwrap_err();
    assert!(problem.ends_with("there are faithfulness"), "{problem}");
    let other = text.replace("support/reply", "support/triage");
    let readings = read(&[("a.jsonl", &other)], &["error_rate"]).await.unwrap();
    let problem = readings.samples["error_rate"][1].as_ref().unwrap_err();
    assert_eq!(problem, "no request of this prompt was seen, but of support/triage");
}

#[tokio::test]
async fn unit_with_both_versions_and_requests_without_a_unit_are_noted() {
    let unknown = Written { unit: None, ..span(3, "2.4.0", "") }.line();
    let text = lines([span(1, "2.3.1", "a").line(), span(2, "2.4.0", "a").line(), unknown]);
    let readings = read(&[("a.jsonl", &text)], &["error_rate"]).await.unwrap();
    assert_note(&readings, "1 unit with more than one version");
    assert_note(&readings, "1 request without a unit: each trace counts as one");
    assert_eq!(readings.units, Some(vec![1, 2]));
}

#[tokio::test]
async fn last_line_that_is_being_written_is_noted_and_any_other_is_an_error() {
    let whole = span(1, "2.4.0", "a").line();
    let half = &whole[..whole.len() / 2];
    let open = format!("{whole}\n\n  \r\n{half}");
    let readings = read(&[("a.jsonl", &open)], &["error_rate"]).await.unwrap();
    assert_eq!(readings.samples["error_rate"][1], Ok(Sample::Share { successes: 0, n: 1 }));
    assert_note(&readings, "the last line of a.jsonl is still being written");
    let without_break = read(&[("a.jsonl", &whole)], &["error_rate"]).await.unwrap();
    assert_eq!(without_break.samples["error_rate"][1], Ok(Sample::Share { successes: 0, n: 1 }));
    for (text, expected) in [
        (format!("{whole}\n{half}\n"), "a.jsonl:2: the line is cut off within its JSON"),
        (format!("{half}\n{whole}\n"), "a.jsonl:1: the line is cut off within its JSON"),
        (format!("{whole}\n\n}}{whole}\n"), "a.jsonl:3: invalid JSON (column 1)"),
        ("{\"level\": \"info\"}\n".to_owned(), "a.jsonl:1: expected an object with resourceSpans"),
        ("[1, 2]\n".to_owned(), "a.jsonl:1: not a message of OTLP in JSON"),
        (whole.replacen("000000000000", "zzzzzzzzzzzz", 1), "a.jsonl:1: not a message of OTLP in JSON"),
        (whole.replace("\"12\"", "\"sk-0123456789abcdef\""), "a.jsonl:1: not a message of OTLP in JSON"),
    ] {
        let Err(PortError::Damaged(problem)) = read(&[("a.jsonl", &text)], &["error_rate"]).await else {
            panic!("{text}")
        };
        assert!(problem.starts_with(expected), "{problem}");
        assert!(!problem.contains("sk-"), "{problem}");
    }
}

#[tokio::test]
async fn lines_of_metrics_are_skipped_and_nulls_are_absent_fields() {
    let metrics = r#"{"resourceMetrics":[{"scopeMetrics":[]}]}"#.to_owned();
    let nulls = r#"{"resourceSpans":[{"scopeSpans":null},{"scopeSpans":[{"spans":null}]}]}"#.to_owned();
    let log =
        r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hi"}}]}]}]}"#.to_owned();
    let text = lines([metrics, nulls, log, span(1, "2.4.0", "a").line()]);
    let readings = read(&[("a.jsonl", &text)], &["error_rate"]).await.unwrap();
    assert_eq!(readings.samples["error_rate"][1], Ok(Sample::Share { successes: 0, n: 1 }));
}

#[tokio::test]
async fn no_matching_file_is_not_an_empty_window() {
    let folder = folder(&[("a.txt", "")]);
    std::fs::create_dir(folder.path().join("b.jsonl")).unwrap();
    let (from, to) = ("2026-11-30T12:00:00Z", "2026-11-30T13:00:00Z");
    let Err(PortError::Unavailable(problem)) =
        read_in(folder.path(), "*.jsonl", &["error_rate"], from, to).await
    else {
        panic!("expected an error")
    };
    assert!(problem.contains("matches `*.jsonl`"), "{problem}");
    assert!(OtlpFile::new(folder.path(), "a[").unwrap_err().message.contains("invalid glob pattern"));
}
