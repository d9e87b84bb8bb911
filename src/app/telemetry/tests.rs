//! The trace of saved reports.

use std::path::Path;

use super::trace::RunTrace;
use crate::app::report_files;
use promptgate_adapters::otlp::{Attribute, Span, SpanKind, TraceId, Value, names};
use promptgate_core::model::{PublishedVersion, ReleaseLevel, Role};
use promptgate_core::text::{Redactor, Secret};
use promptgate_report::Report;
use promptgate_report::v1::Trial;

fn report(name: &str) -> Report {
    report_files::read(&Path::new("tests/fixtures/reports").join(name)).unwrap()
}

fn spans(report: &Report, content: bool) -> Vec<Span> {
    RunTrace::new(TraceId::random(), report, &Redactor::new(&[]), content).spans().collect()
}

fn value<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Value> {
    let mut values = attributes.iter().filter(|(written, _)| *written == name).map(|(_, value)| value);
    let value = values.next();
    assert_eq!(values.next(), None, "{name} twice");
    value
}

fn text<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    match value(attributes, name) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// The spans of trials of a case and a role.
fn trials<'a>(spans: &'a [Span], case: &str, role: &str) -> Vec<&'a Span> {
    let of = |span: &&Span| {
        text(&span.attributes, names::CASE_ID) == Some(case)
            && text(&span.attributes, names::ROLE) == Some(role)
    };
    spans.iter().filter(of).collect()
}

#[test]
fn run_cases_and_trials_are_spans_and_grades_are_events() {
    let report = report("fail.json");
    let spans = spans(&report, false);
    let root = &spans[0];
    assert_eq!((root.parent, root.is_error), (None, false));
    assert_eq!(root.end - root.start, report.duration_ms * 1_000_000);
    let started: jiff::Timestamp = report.started_at.parse().unwrap();
    assert_eq!(u128::from(root.start), started.as_nanosecond().unsigned_abs());
    assert_eq!(text(&root.attributes, "promptgate.verdict"), Some("fail"));
    assert_eq!(value(&root.attributes, "promptgate.exit_code"), Some(&Value::Integer(10)));
    assert_eq!(text(&root.attributes, "gen_ai.prompt.version"), Some("v3"));
    let cases: Vec<&Span> = spans.iter().filter(|span| span.parent == Some(root.id)).collect();
    assert_eq!(cases.len(), 6);
    let shared = report.cases.iter().filter(|case| case.shared).count();
    assert_eq!(spans.len(), 1 + 6 + 6 * 6 - 3 * shared);

    let of_candidate = trials(&spans, "refund-002", "candidate");
    assert_eq!(of_candidate.len(), 3);
    let trial = of_candidate[0];
    let case = cases.iter().find(|case| case.name == "case refund-002").unwrap();
    assert_eq!((trial.parent, trial.kind), (Some(case.id), SpanKind::Client));
    assert_eq!(text(&case.attributes, "promptgate.case.status"), Some("broken"));
    assert_eq!(trial.name, "chat gpt-4o-mini");
    let answered = report.cases.iter().find(|case| case.id == "refund-002").unwrap();
    let first = answered.trials.readable().find(|trial| trial.role == Role::Candidate).unwrap();
    // Nanoseconds; the fixture has milliseconds with fractions.
    let expected = first.latency_ms.unwrap() * 1e6;
    assert!(((trial.end - trial.start) as f64 - expected).abs() <= 1.0, "{expected}");
    assert!(case.end >= trial.end);
    for (name, expected) in [
        ("gen_ai.operation.name", Value::from("chat")),
        ("gen_ai.provider.name", Value::from("openai")),
        ("gen_ai.request.model", Value::from("gpt-4o-mini")),
        ("gen_ai.request.temperature", Value::Number(0.0)),
        ("gen_ai.request.max_tokens", Value::Integer(400)),
        ("gen_ai.response.finish_reasons", Value::Texts(vec!["stop".to_owned()])),
        ("gen_ai.usage.input_tokens", Value::Integer(203)),
        ("gen_ai.usage.output_tokens", Value::Integer(19)),
        ("gen_ai.prompt.name", Value::from("friendly")),
        ("gen_ai.prompt.version", Value::from("v3")),
    ] {
        assert_eq!(value(&trial.attributes, name), Some(&expected), "{name}");
    }
    let events: Vec<(&str, Option<&Value>, Option<&str>)> = trial
        .events
        .iter()
        .map(|event| {
            assert_eq!((event.name, event.time), ("gen_ai.evaluation.result", trial.end));
            let name = text(&event.attributes, "gen_ai.evaluation.name").unwrap();
            let score = value(&event.attributes, "gen_ai.evaluation.score.value");
            (name, score, text(&event.attributes, "gen_ai.evaluation.score.label"))
        })
        .collect();
    let [zero, one, quarter] = [0.0, 1.0, 0.25].map(Value::Number);
    assert_eq!(
        events,
        [
            ("check.json_schema", Some(&one), Some("pass")),
            ("check.not_contains", Some(&zero), Some("fail")),
            ("faithfulness", Some(&zero), None),
            ("relevance", Some(&quarter), None),
        ]
    );
}

#[test]
fn texts_are_left_out_unless_asked_for() {
    let report = report("fail.json");
    let without = format!("{:?}", spans(&report, false));
    let with = format!("{:?}", spans(&report, true));
    let case = &report.cases[1];
    let trial: Trial = case.trials.readable().next().unwrap().into_owned();
    let reason = trial.grades.iter().map(|grade| &grade.reason).find(|reason| !reason.is_empty()).unwrap();
    for text in [case.query.as_str(), "I can tell you that a refund takes 10 days", reason.as_str()] {
        assert!(!without.contains(text), "{text}");
        // Debug escapes quotation marks.
        let shown = format!("{text:?}");
        assert!(with.contains(shown.trim_matches('"')), "{text}");
    }
    let spans = spans(&report, true);
    let output = text(&trials(&spans, "refund-002", "candidate")[0].attributes, "gen_ai.output.messages");
    let output: serde_json::Value = serde_json::from_str(output.unwrap()).unwrap();
    assert_eq!(output[0]["role"], "assistant");
    assert_eq!(output[0]["finish_reason"], "stop");
    assert_eq!(output[0]["parts"][0]["content"], trial.output.unwrap());
}

#[test]
fn secrets_are_redacted_everywhere_and_texts_are_limited() {
    let key = "sk-canary-7f3a9b2c";
    let mut report = report("fail.json");
    report.name = format!("suite {key}");
    report.variants.candidate.model = format!("model-{key}");
    let case = &mut report.cases[0];
    case.id = format!("case-{key}");
    case.tags = vec![format!("tag {key}"), "nul\0".to_owned()];
    case.query = format!("{}{key}", "é".repeat(40_000));
    let edit = |trial: Trial| {
        let grades = trial.grades.into_iter().map(|mut grade| {
            grade.reason = format!("because of {key}");
            grade
        });
        Trial { output: Some(format!("\"{key}\"")), grades: grades.collect(), ..trial }
    };
    let trials: Vec<Trial> = case.trials.readable().map(|trial| edit(trial.into_owned())).collect();
    case.trials = trials.into();
    let redactor = Redactor::new(&[Secret::new(key)]);
    let spans: Vec<Span> = RunTrace::new(TraceId::random(), &report, &redactor, true).spans().collect();
    let all = format!("{spans:?}");
    assert!(!all.contains(key) && !all.contains("\\0"));
    assert!(all.contains("promptgate run suite [redacted]") && all.contains("because of [redacted]"));
    assert!(all.contains("nul\u{FFFD}"));
    let query = text(&spans[1].attributes, names::CASE_QUERY).unwrap();
    assert_eq!(query, format!("{}…", "é".repeat(32_768)));
}

#[test]
fn answers_that_cost_nothing_have_neither_tokens_nor_a_duration() {
    let mut report = report("fail.json");
    report.baseline_reused = true;
    let case = &mut report.cases[1];
    let cache = |trial: Trial| Trial { cached: trial.repeat == 0, ..trial };
    let cached: Vec<Trial> = case.trials.readable().map(|trial| cache(trial.into_owned())).collect();
    case.trials = cached.into();
    case.shared = false;
    let spans = spans(&report, false);
    let is_free = |span: &Span| {
        let tokens = value(&span.attributes, names::INPUT_TOKENS).is_some();
        let is_cached = value(&span.attributes, names::CACHED) == Some(&Value::Bool(true));
        assert_eq!(is_cached, !tokens, "{span:?}");
        assert_eq!(is_cached, span.kind == SpanKind::Internal && span.end == span.start, "{span:?}");
        assert_eq!(span.events.len(), 4);
        is_cached
    };
    let candidate = trials(&spans, "refund-002", "candidate").into_iter().map(is_free);
    assert_eq!(candidate.collect::<Vec<_>>(), [true, false, false]);
    assert!(trials(&spans, "refund-002", "baseline").into_iter().all(is_free));
}

#[test]
fn requests_that_both_variants_share_are_one_span() {
    let mut report = report("fail.json");
    report.cases[1].shared = true;
    let spans = spans(&report, false);
    assert_eq!(trials(&spans, "refund-002", "candidate").len(), 3);
    assert!(trials(&spans, "refund-002", "baseline").is_empty());
}

#[test]
fn faults_and_missing_verdicts_are_errors() {
    let report = report("incomplete.json");
    let spans = spans(&report, false);
    assert!(spans[0].is_error);
    let faults: Vec<(String, String)> = report
        .cases
        .iter()
        .flat_map(|case| case.trials.readable().map(|trial| (case.id.clone(), trial.into_owned())))
        .filter_map(|(case, trial)| Some((case, trial.error?.kind.as_str().to_owned())))
        .collect();
    let of_trials = |span: &&Span| span.is_error && text(&span.attributes, names::ROLE).is_some();
    let failed: Vec<(String, String)> = spans
        .iter()
        .filter(of_trials)
        .map(|span| {
            let read = |name| text(&span.attributes, name).unwrap().to_owned();
            (read(names::CASE_ID), read(names::ERROR_TYPE))
        })
        .collect();
    assert!(!failed.is_empty());
    assert_eq!(failed, faults);
    let ungraded: Vec<&str> = spans
        .iter()
        .flat_map(|span| &span.events)
        .filter(|event| value(&event.attributes, names::EVALUATION_SCORE).is_none())
        .map(|event| text(&event.attributes, names::ERROR_TYPE).unwrap())
        .collect();
    let grades = report.cases.iter().flat_map(|case| case.trials.readable());
    let missing: usize =
        grades.map(|trial| trial.grades.iter().filter(|grade| grade.score.is_none()).count()).sum();
    assert_eq!(ungraded.len(), missing);
}

#[test]
fn published_variants_have_the_name_and_version_of_the_release() {
    let mut report = report("pass.json");
    let baseline = report.variants.baseline.as_mut().unwrap();
    baseline.published = Some(PublishedVersion {
        name: "support/reply".to_owned(),
        version: "2.3.1".to_owned(),
        level: ReleaseLevel::Minor,
    });
    let spans = spans(&report, false);
    let prompt = |role: &str| {
        let span = spans.iter().find(|span| text(&span.attributes, names::ROLE) == Some(role)).unwrap();
        [names::PROMPT_NAME, names::PROMPT_VERSION].map(|name| text(&span.attributes, name).unwrap())
    };
    assert_eq!(prompt("baseline"), ["support/reply", "2.3.1"]);
    assert_eq!(prompt("candidate"), ["support", "v2"]);
}

#[test]
fn provider_is_that_of_the_protocol() {
    use promptgate_core::model::{ApplicationFacts, Protocol};
    let mut report = report("fail.json");
    let provider = |report: &Report| {
        let spans = spans(report, false);
        let trial = trials(&spans, "refund-002", "candidate")[0].clone();
        text(&trial.attributes, "gen_ai.provider.name").map(str::to_owned)
    };
    for (protocol, expected) in
        [(Protocol::OpenAi, "openai"), (Protocol::Anthropic, "anthropic"), (Protocol::Gemini, "gcp.gemini")]
    {
        report.variants.candidate.protocol = protocol;
        assert_eq!(provider(&report).as_deref(), Some(expected));
    }
    report.variants.candidate.application = Some(ApplicationFacts {
        source: "app".to_owned(),
        digest: "sha256:0".to_owned(),
        commit: None,
        deterministic: false,
    });
    assert_eq!(provider(&report).as_deref(), Some("application"));
}
