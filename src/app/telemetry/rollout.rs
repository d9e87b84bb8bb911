//! From the result of a command of rollouts to its span.

use jiff::Timestamp;

use super::nanoseconds;
use crate::app::release::{RolledBack, word};
use promptgate_adapters::otlp::{Attribute, Span, SpanEvent, SpanId, SpanKind, TraceId, names};
use promptgate_report::release::rollout::{Finding, FindingStatus, Rollout, RolloutPosition, RolloutResult};

/// A command of rollouts, and its time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RolloutCall {
    /// `start`, `advance`, `pause`, `resume`, `abort` or `rollback`.
    pub(crate) command: &'static str,
    /// When it began.
    pub(crate) begun: Timestamp,
    /// When it had its results.
    pub(crate) ended: Timestamp,
}

/// The span of a result, in a trace of its own, with its findings as events.
pub(super) fn span(rollout: &Rollout, call: RolloutCall) -> Span {
    let (start, end) = (nanoseconds(call.begun), nanoseconds(call.ended.max(call.begun)));
    let name = rollout.name.as_str();
    let mut attributes: Vec<Attribute> = vec![
        (names::PROMPT_NAME, name.into()),
        (names::FLAG_KEY, name.into()),
        (names::ROLLOUT_COMMAND, call.command.into()),
        (names::ROLLOUT_RESULT, word(&rollout.result).into()),
    ];
    match &rollout.rollout {
        Some(running) => attributes.extend(position(running)),
        None => attributes
            .extend(rollout.version.as_deref().map(|version| (names::PROMPT_VERSION, version.into()))),
    }
    let monitor = rollout.monitor.as_ref();
    if let Some(monitored) = monitor {
        attributes.push((names::MONITOR_VERSION, monitored.version.as_str().into()));
        attributes.push((names::MONITOR_RESULT, word(&monitored.result).into()));
    }
    let of_step = rollout.findings.iter().map(|finding| (finding, None));
    let of_production = monitor.into_iter().flat_map(|monitored| {
        monitored.findings.iter().map(|finding| (finding, Some(monitored.version.as_str())))
    });
    let findings: Vec<(&Finding, Option<&str>)> = of_step.chain(of_production).collect();
    if !rollout.obstacles.is_empty() {
        let codes: Vec<String> = rollout.obstacles.iter().map(|obstacle| obstacle.code.clone()).collect();
        attributes.push((names::ROLLOUT_OBSTACLES, codes.into()));
    }
    Span {
        trace: TraceId::random(),
        id: SpanId::random(),
        parent: None,
        name: names::ROLLOUT_SPAN.to_owned(),
        kind: SpanKind::Internal,
        start,
        end,
        attributes,
        events: findings.iter().map(|(finding, version)| event(finding, *version, end)).collect(),
        is_error: findings.iter().any(|(finding, _)| finding.status == FindingStatus::Error),
    }
}

/// The span of a rollback, in a trace of its own.
pub(super) fn rollback_span(rolled_back: &RolledBack, call: RolloutCall) -> Span {
    let (start, end) = (nanoseconds(call.begun), nanoseconds(call.ended.max(call.begun)));
    let name = rolled_back.name.to_string();
    Span {
        trace: TraceId::random(),
        id: SpanId::random(),
        parent: None,
        name: names::ROLLOUT_SPAN.to_owned(),
        kind: SpanKind::Internal,
        start,
        end,
        attributes: vec![
            (names::PROMPT_NAME, name.as_str().into()),
            (names::FLAG_KEY, name.as_str().into()),
            (names::ROLLOUT_COMMAND, call.command.into()),
            (names::ROLLOUT_RESULT, word(&RolloutResult::RolledBack).into()),
            (names::PROMPT_VERSION, rolled_back.to.to_string().as_str().into()),
            (names::ROLLBACK_LABEL, rolled_back.label.to_string().as_str().into()),
            (names::ROLLBACK_FROM, rolled_back.from.to_string().as_str().into()),
        ],
        events: Vec::new(),
        is_error: false,
    }
}

fn position(position: &RolloutPosition) -> Vec<Attribute> {
    let count = |count: usize| (count as u64).into();
    let mut attributes: Vec<Attribute> = vec![
        (names::PROMPT_VERSION, position.treatment.as_str().into()),
        (names::FLAG_VERSION, format!("{}/{}", position.number, position.step).into()),
        (names::ROLLOUT_NUMBER, position.number.into()),
        (names::ROLLOUT_KIND, position.kind.as_str().into()),
        (names::ROLLOUT_CONTROL, position.control.as_str().into()),
        (names::ROLLOUT_STEP, count(position.step)),
        (names::ROLLOUT_STEPS, count(position.steps)),
        (names::ROLLOUT_PERCENT, position.percent.into()),
    ];
    attributes.extend(position.paused.as_deref().map(|reason| (names::ROLLOUT_PAUSED, reason.into())));
    attributes
}

/// A finding; `production` is the version in production if it is about that.
fn event(finding: &Finding, production: Option<&str>, time: u64) -> SpanEvent {
    let mut attributes: Vec<Attribute> = vec![
        (names::FINDING_STATUS, word(&finding.status).into()),
        (names::FINDING_CODE, finding.code.as_str().into()),
        (names::FINDING_TEXT, finding.text.as_str().into()),
    ];
    attributes.extend(finding.metric.as_deref().map(|metric| (names::FINDING_METRIC, metric.into())));
    attributes.extend(production.map(|version| (names::MONITOR_VERSION, version.into())));
    SpanEvent { time, name: names::FINDING_EVENT, attributes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use promptgate_adapters::otlp::Value;
    use promptgate_report::release::promotion::Obstacle;
    use promptgate_report::release::rollout::{MonitorResult, Monitored, SCHEMA};
    use serde_json::json;

    fn call() -> RolloutCall {
        let begun: Timestamp = "2027-01-06T00:00:00Z".parse().unwrap();
        RolloutCall { command: "advance", begun, ended: begun + jiff::SignedDuration::from_millis(1_500) }
    }

    fn finding(metric: Option<&str>, status: FindingStatus, code: &str) -> Finding {
        let text = format!("the sentence of {code}");
        Finding { metric: metric.map(str::to_owned), status, code: code.to_owned(), text }
    }

    fn rollout(result: RolloutResult) -> Rollout {
        let written = json!({
            "schema": SCHEMA,
            "name": "support/reply",
            "result": result,
            "findings": [],
            "metrics": [],
            "looks": [],
            "obstacles": [],
            "notes": [],
            "dry_run": false,
        });
        serde_json::from_value(written).unwrap()
    }

    fn running(result: RolloutResult) -> Rollout {
        let position = RolloutPosition {
            number: 3,
            kind: "canary".to_owned(),
            treatment: "1.1.0".to_owned(),
            control: "1.0.0".to_owned(),
            percent: 12.5,
            step: 2,
            steps: 4,
            started_at: "2027-01-04T00:00:00Z".to_owned(),
            step_started_at: "2027-01-05T00:00:00Z".to_owned(),
            paused: None,
        };
        Rollout { rollout: Some(position), ..rollout(result) }
    }

    fn value(attributes: &[Attribute], name: &str) -> Option<Value> {
        let mut values = attributes.iter().filter(|(written, _)| *written == name).map(|(_, value)| value);
        let value = values.next().cloned();
        assert_eq!(values.next(), None, "{name} twice");
        value
    }

    #[test]
    fn result_and_position_are_attributes_and_findings_are_events() {
        let findings = vec![
            finding(Some("faithfulness"), FindingStatus::Pass, "no_harm"),
            finding(None, FindingStatus::Inconclusive, "hold_until"),
        ];
        let span = span(&Rollout { findings, ..running(RolloutResult::RolledBack) }, call());
        assert_eq!((span.name.as_str(), span.parent, span.is_error), ("promptgate.rollout", None, false));
        // 2027-01-06T00:00:00Z.
        assert_eq!((span.start, span.end), (1_799_193_600_000_000_000, 1_799_193_601_500_000_000));
        for (name, expected) in [
            ("gen_ai.prompt.name", Value::from("support/reply")),
            ("gen_ai.prompt.version", Value::from("1.1.0")),
            ("feature_flag.key", Value::from("support/reply")),
            ("feature_flag.version", Value::from("3/2")),
            ("promptgate.rollout.command", Value::from("advance")),
            ("promptgate.rollout.result", Value::from("rolled_back")),
            ("promptgate.rollout.number", Value::Integer(3)),
            ("promptgate.rollout.kind", Value::from("canary")),
            ("promptgate.rollout.control", Value::from("1.0.0")),
            ("promptgate.rollout.step", Value::Integer(2)),
            ("promptgate.rollout.steps", Value::Integer(4)),
            ("promptgate.rollout.percent", Value::Number(12.5)),
        ] {
            assert_eq!(value(&span.attributes, name), Some(expected), "{name}");
        }
        assert_eq!(span.attributes.len(), 12);
        let [of_metric, of_step] = span.events.as_slice() else { panic!("{:?}", span.events) };
        assert_eq!((of_metric.name, of_metric.time), ("promptgate.rollout.finding", span.end));
        for (name, expected) in [
            ("promptgate.rollout.finding.metric", "faithfulness"),
            ("promptgate.rollout.finding.status", "pass"),
            ("promptgate.rollout.finding.code", "no_harm"),
            ("promptgate.rollout.finding.text", "the sentence of no_harm"),
        ] {
            assert_eq!(value(&of_metric.attributes, name), Some(Value::from(expected)), "{name}");
        }
        assert_eq!(value(&of_step.attributes, "promptgate.rollout.finding.metric"), None);
        assert_eq!(
            value(&of_step.attributes, "promptgate.rollout.finding.status"),
            Some("inconclusive".into())
        );
    }

    #[test]
    fn results_without_a_rollout_have_no_version() {
        let span = span(&rollout(RolloutResult::NotRunning), call());
        assert_eq!(value(&span.attributes, "promptgate.rollout.result"), Some("not_running".into()));
        for name in ["gen_ai.prompt.version", "feature_flag.version", "promptgate.rollout.percent"] {
            assert_eq!(value(&span.attributes, name), None, "{name}");
        }
    }

    #[test]
    fn failed_source_is_an_error_and_obstacles_and_pauses_have_their_reasons() {
        let findings = vec![finding(Some("cost"), FindingStatus::Error, "source_failed")];
        let mut failed = Rollout { findings, ..running(RolloutResult::Paused) };
        failed.rollout.as_mut().unwrap().paused = Some("sources failed".to_owned());
        let paused = span(&failed, call());
        assert!(paused.is_error);
        assert_eq!(value(&paused.attributes, "promptgate.rollout.paused"), Some("sources failed".into()));

        let obstacle = Obstacle { code: "approvals".to_owned(), message: "0 of 1".to_owned(), help: None };
        let refused = Rollout { obstacles: vec![obstacle], ..rollout(RolloutResult::NotReady) };
        let codes = value(&span(&refused, call()).attributes, "promptgate.rollout.obstacles");
        assert_eq!(codes, Some(Value::Texts(vec!["approvals".to_owned()])));
    }

    #[test]
    fn version_on_its_way_and_production_have_attributes_of_their_own() {
        let monitor = Monitored {
            version: "1.0.0".to_owned(),
            result: MonitorResult::Alert,
            findings: vec![finding(Some("latency_p95"), FindingStatus::Hold, "beyond")],
            notes: Vec::new(),
        };
        let waiting = rollout(RolloutResult::NeedsGate);
        let staged = Rollout { version: Some("1.1.0".to_owned()), monitor: Some(monitor), ..waiting };
        let span = span(&staged, call());
        assert_eq!(value(&span.attributes, "gen_ai.prompt.version"), Some("1.1.0".into()));
        assert_eq!(value(&span.attributes, "promptgate.rollout.result"), Some("needs_gate".into()));
        assert_eq!(value(&span.attributes, "promptgate.rollout.monitor.result"), Some("alert".into()));
        assert_eq!(value(&span.attributes, "promptgate.rollout.monitor.version"), Some("1.0.0".into()));
        let [event] = span.events.as_slice() else { panic!("{:?}", span.events) };
        assert_eq!(value(&event.attributes, "promptgate.rollout.monitor.version"), Some("1.0.0".into()));
    }

    #[test]
    fn clock_that_goes_back_gives_no_negative_duration() {
        let call = RolloutCall { ended: "2027-01-05T00:00:00Z".parse().unwrap(), ..call() };
        let span = span(&rollout(RolloutResult::NotRunning), call);
        assert_eq!(span.start, span.end);
    }
}
