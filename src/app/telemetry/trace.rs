//! From a report to the spans of its trace.
//!
//! A root span for the run, below it a span for each case, and below that one for each trial, with its grades as events.
//! A report has the durations of calls, not their times: all spans begin with the run. A trial whose answer came from a
//! cache or an earlier run made no call, and has neither a duration nor tokens, so that sums over spans are those of this
//! run.

use std::iter;

use super::nanoseconds;
use super::redaction::redacted;
use promptgate_adapters::otlp::{Attribute, Span, SpanEvent, SpanId, SpanKind, TraceId, Value, names};
use promptgate_core::model::{FinishReason, Role};
use promptgate_core::text::Redactor;
use promptgate_report::Report;
use promptgate_report::v1::{Case, Grade, Trial, Variant, Verdict};
use serde_json::json;

const NANOSECONDS_PER_MILLISECOND: u64 = 1_000_000;
/// Maximum bytes of a text that is sent; collectors refuse requests of more than 20 MiB.
const MAX_TEXT: usize = 64 << 10;
/// The error of a judge that responded without a verdict.
const NO_VERDICT: &str = "no_verdict";

/// The trace of a run.
pub(super) struct RunTrace<'a> {
    report: &'a Report,
    redactor: &'a Redactor,
    /// Whether questions, answers and reasons are included.
    content: bool,
    /// Nanoseconds since 1970.
    start: u64,
    id: TraceId,
    root: SpanId,
}

impl<'a> RunTrace<'a> {
    pub(super) fn new(id: TraceId, report: &'a Report, redactor: &'a Redactor, content: bool) -> Self {
        let start = report.started_at.parse().map(nanoseconds).unwrap_or_default();
        Self { report, redactor, content, start, id, root: SpanId::random() }
    }

    /// All spans, the root first. Trials are read when they are needed.
    pub(super) fn spans(&self) -> impl Iterator<Item = Span> {
        let cases = self.report.cases.iter().flat_map(|case| self.case(case));
        iter::once(self.run()).chain(cases).map(|span| redacted(span, self.redactor))
    }

    fn run(&self) -> Span {
        let report = self.report;
        let usage = &report.usage;
        let mut attributes: Vec<Attribute> = vec![
            (names::SUITE, report.name.as_str().into()),
            (names::VERDICT, report.verdict.as_str().into()),
            (names::EXIT_CODE, u32::from(report.exit_code).into()),
            (names::SIMULATED, report.simulated.into()),
            (names::CASES, (report.cases.len() as u64).into()),
            (names::REPEATS, report.repeats.into()),
            (names::CALLS, usage.calls.into()),
            (names::JUDGE_INPUT_TOKENS, usage.judgements.prompt_tokens.into()),
            (names::JUDGE_OUTPUT_TOKENS, usage.judgements.completion_tokens.into()),
        ];
        attributes.extend(usage.cost_usd.map(|cost| (names::RUN_COST, cost.into())));
        attributes.extend(self.prompt(Role::Candidate));
        Span {
            trace: self.id,
            id: self.root,
            parent: None,
            name: format!("promptgate run {}", report.name),
            kind: SpanKind::Internal,
            start: self.start,
            end: self.start.saturating_add(report.duration_ms.saturating_mul(NANOSECONDS_PER_MILLISECOND)),
            attributes,
            events: Vec::new(),
            is_error: report.verdict == Verdict::Incomplete,
        }
    }

    /// The span of a case and those of its trials.
    fn case(&self, case: &Case) -> Vec<Span> {
        let id = SpanId::random();
        let mut attributes: Vec<Attribute> = vec![
            (names::CASE_ID, case.id.as_str().into()),
            (names::CASE_STATUS, case.status.as_str().into()),
            (names::CASE_TAGS, case.tags.clone().into()),
        ];
        if self.content {
            attributes.push((names::CASE_QUERY, self.text(&case.query).into()));
            let expected = case.expected.as_ref().map(|text| self.text(text));
            attributes.extend(expected.map(|text| (names::CASE_EXPECTED, text.into())));
        }
        let span = Span {
            trace: self.id,
            id,
            parent: Some(self.root),
            name: format!("case {}", case.id),
            kind: SpanKind::Internal,
            start: self.start,
            end: self.start,
            attributes,
            events: Vec::new(),
            is_error: false,
        };
        // Variants with the same request were answered once.
        let trials = case.trials.readable().filter(|trial| !case.shared || trial.role == Role::Candidate);
        let mut spans = vec![span];
        spans.extend(trials.filter_map(|trial| self.trial(id, case, &trial)));
        let end = spans.iter().map(|span| span.end).max().unwrap_or(self.start);
        spans.iter_mut().take(1).for_each(|span| span.end = end);
        spans
    }

    /// The span of a trial; `None` for a variant that the report does not have.
    fn trial(&self, parent: SpanId, case: &Case, trial: &Trial) -> Option<Span> {
        let variant = self.variant(trial.role)?;
        let from_earlier = trial.cached || (trial.role == Role::Baseline && self.report.baseline_reused);
        let called = !from_earlier && (trial.output.is_some() || !trial.attempts.is_empty());
        let milliseconds = trial.latency_ms.filter(|_| called).unwrap_or_default();
        // Seconds fit; a conversion of anything else saturates.
        let duration = (milliseconds * NANOSECONDS_PER_MILLISECOND as f64) as u64;
        let end = self.start.saturating_add(duration);
        let provider = match &variant.application {
            // Which model it calls is not known.
            Some(_) => "application",
            None if self.report.simulated => "simulated",
            None => variant.protocol.provider(),
        };
        let mut attributes: Vec<Attribute> = vec![
            (names::OPERATION, "chat".into()),
            (names::PROVIDER, provider.into()),
            (names::REQUEST_MODEL, variant.model.as_str().into()),
            (names::CASE_ID, case.id.as_str().into()),
            (names::ROLE, trial.role.as_str().into()),
            (names::REPEAT, trial.repeat.into()),
            (names::CACHED, from_earlier.into()),
        ];
        attributes.extend(self.prompt(trial.role));
        attributes.extend(parameters(variant));
        attributes.extend(trial.model.as_deref().map(|model| (names::RESPONSE_MODEL, model.into())));
        let finish = trial.finish_reason.as_ref().map(FinishReason::as_str);
        attributes.extend(finish.map(|reason| (names::FINISH_REASONS, vec![reason.to_owned()].into())));
        if let Some(usage) = trial.usage.filter(|_| called) {
            attributes.push((names::INPUT_TOKENS, usage.prompt_tokens.into()));
            attributes.push((names::OUTPUT_TOKENS, usage.completion_tokens.into()));
            if usage.cached_prompt_tokens > 0 {
                attributes.push((names::CACHE_READ_TOKENS, usage.cached_prompt_tokens.into()));
            }
        }
        let fault = trial.error.as_ref();
        attributes.extend(fault.map(|fault| (names::ERROR_TYPE, fault.kind.as_str().into())));
        if let Some(output) = trial.output.as_ref().filter(|_| self.content) {
            attributes.push((names::OUTPUT_MESSAGES, self.output(output, finish).into()));
        }
        Some(Span {
            trace: self.id,
            id: SpanId::random(),
            parent: Some(parent),
            name: format!("chat {}", variant.model),
            kind: if called { SpanKind::Client } else { SpanKind::Internal },
            start: self.start,
            end,
            attributes,
            events: trial.grades.iter().map(|grade| self.evaluation(grade, end)).collect(),
            is_error: fault.is_some(),
        })
    }

    fn evaluation(&self, grade: &Grade, time: u64) -> SpanEvent {
        let mut attributes: Vec<Attribute> = vec![(names::EVALUATION_NAME, grade.scorer.as_str().into())];
        if let Some(score) = grade.score {
            attributes.push((names::EVALUATION_SCORE, score.into()));
            // A judge's score has no threshold of its own: criteria are about means.
            let label = match grade.judging {
                None if score >= 1.0 => Some("pass"),
                None if score <= 0.0 => Some("fail"),
                _ => None,
            };
            attributes.extend(label.map(|label| (names::EVALUATION_LABEL, label.into())));
        }
        if let Some(ungraded) = &grade.ungraded {
            let kind = ungraded.fault.as_ref().map_or(NO_VERDICT, |fault| fault.kind.as_str());
            attributes.push((names::ERROR_TYPE, kind.into()));
        }
        if self.content && !grade.reason.is_empty() {
            attributes.push((names::EVALUATION_EXPLANATION, self.text(&grade.reason).into()));
        }
        SpanEvent { time, name: names::EVALUATION_EVENT, attributes }
    }

    fn variant(&self, role: Role) -> Option<&'a Variant> {
        match role {
            Role::Candidate => Some(&self.report.variants.candidate),
            Role::Baseline => self.report.variants.baseline.as_ref(),
        }
    }

    /// Name and version of a variant's prompt: those of the release if it has one.
    fn prompt(&self, role: Role) -> Vec<Attribute> {
        let Some(variant) = self.variant(role) else { return Vec::new() };
        let release = self.report.release.as_ref().filter(|_| role == Role::Candidate);
        let released = release.and_then(|release| Some((&release.name, release.version.as_ref()?)));
        let published = variant.published.as_ref().map(|published| (&published.name, &published.version));
        let (name, version) =
            published.or(released).unwrap_or((&variant.prompt.name, &variant.prompt.version));
        vec![(names::PROMPT_NAME, name.as_str().into()), (names::PROMPT_VERSION, version.as_str().into())]
    }

    /// An answer in the form of the conventions.
    fn output(&self, output: &str, finish: Option<&str>) -> String {
        let part = json!({"type": "text", "content": self.text(output)});
        json!([{"role": "assistant", "parts": [part], "finish_reason": finish}]).to_string()
    }

    /// Text without secrets, of limited length.
    fn text(&self, text: &str) -> String {
        let redacted = self.redactor.redact(text);
        if redacted.len() <= MAX_TEXT {
            return redacted.into_owned();
        }
        let end = (0..=MAX_TEXT).rev().find(|end| redacted.is_char_boundary(*end));
        format!("{}…", end.and_then(|end| redacted.get(..end)).unwrap_or_default())
    }
}

/// The parameters of requests that the conventions name.
fn parameters(variant: &Variant) -> impl Iterator<Item = Attribute> {
    let number = |key: &str| variant.parameters.get(key).and_then(serde_json::Value::as_f64);
    let integer = |key: &str| variant.parameters.get(key).and_then(serde_json::Value::as_u64);
    let limit = integer("max_completion_tokens").or_else(|| integer("max_tokens"));
    [
        (names::TEMPERATURE, number("temperature").map(Value::from)),
        (names::TOP_P, number("top_p").map(Value::from)),
        (names::MAX_TOKENS, limit.map(Value::from)),
        (names::SEED, integer("seed").map(Value::from)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}
