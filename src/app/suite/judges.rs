//! The judges of a suite with their planted answers and their facts for the report.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::config::{MemberSettings, Settings};
use promptgate_adapters::files::{self, DatasetBytes, DatasetSource, LoadError};
use promptgate_core::model::{Case, Diagnostic, Diagnostics, JudgeFacts};
use promptgate_engine::judge::{self, Judge, Member, Planted};

/// Maximum number of configured planted answers: each one is judged before every run.
const MAX_PLANTED: usize = 200;
/// Maximum length of a planted answer, in bytes.
const MAX_PLANTED_BYTES: usize = 100_000;

/// The judges of the configured metrics, which share the members of the panel.
pub(in crate::app) fn judges(settings: &Settings) -> Vec<Judge> {
    let Some(judge) = &settings.judge else { return Vec::new() };
    let member =
        |member: &MemberSettings| Arc::new(Member::new(member.model.value.clone(), parameters(member)));
    let panel: Vec<Arc<Member>> = judge.panel.iter().map(member).collect();
    settings
        .metrics
        .iter()
        .map(|metric| Judge::new(metric.name.clone(), metric.kind.clone(), panel.clone(), judge.votes))
        .collect()
}

/// The parameters of every judgement by a member: at temperature 0, unless the configuration says otherwise.
pub(in crate::app) fn parameters(member: &MemberSettings) -> Map<String, Value> {
    let mut parameters = member.parameters.clone();
    parameters.entry("temperature").or_insert_with(|| Value::from(0));
    parameters
}

/// The facts of the judge for the report; `None` without a judged metric.
pub(in crate::app) fn judge_facts(
    settings: &Settings,
    judges: &[Judge],
    hosts: &[String],
) -> Option<JudgeFacts> {
    let judge = settings.judge.as_ref().filter(|_| !judges.is_empty())?;
    let fingerprint = judge::fingerprint(judges, hosts);
    Some(JudgeFacts {
        panel: judge.panel.iter().map(|member| member.model.value.clone()).collect(),
        votes: judge.votes,
        fingerprint: fingerprint.digest,
        parts: fingerprint.parts,
        by_metric: judges
            .iter()
            .map(|judge| {
                (judge.name().to_owned(), judge::fingerprint(std::slice::from_ref(judge), hosts).digest)
            })
            .collect(),
        temperature_zero: judge
            .panel
            .iter()
            .all(|member| parameters(member).get("temperature").and_then(Value::as_f64) == Some(0.0)),
        self_test: None,
        calibration: None,
    })
}

/// The fields that a judge needs and a case lacks.
pub(in crate::app) fn missing_fields(judge: &Judge, case: &Case) -> impl Iterator<Item = &'static str> {
    let needs = judge.needs();
    let fields = [
        ("context", needs.context && case.context.is_none()),
        ("expected", needs.expected && case.expected.is_none()),
        ("query", needs.query && !case.has_query()),
        ("criteria", !judge.applies(case)),
    ];
    fields.into_iter().filter_map(|(field, is_missing)| is_missing.then_some(field))
}

/// The planted answers of the configuration; `None` if the self-test is off or there is no judge.
pub(super) fn planted(
    settings: &Settings,
    judges: &[Judge],
    bytes: Option<DatasetBytes>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Planted>> {
    let judge = settings.judge.as_ref().filter(|judge| judge.self_test && !judges.is_empty())?;
    let Some((path, bytes)) = judge.planted.as_ref().zip(bytes) else { return Some(Vec::new()) };
    let source = DatasetSource { path: path.value.clone(), ..DatasetSource::default() };
    let cases = match files::parse_dataset(bytes, &source) {
        Ok(loaded) => loaded.value.cases,
        Err(LoadError::Diagnostics(Diagnostics(found))) => {
            diagnostics.0.extend(found);
            return None;
        }
        Err(LoadError::Empty(diagnostic)) => {
            diagnostics.0.push(diagnostic);
            return None;
        }
    };
    if cases.len() > MAX_PLANTED {
        let message =
            format!("{} planted answers are too many: each one is a call before every run", cases.len());
        diagnostics.0.push(
            Diagnostic::new(message).at(path.place.clone()).help(format!("keep at most {MAX_PLANTED}")),
        );
        return None;
    }
    let pairwise: Vec<&str> = judges.iter().filter(|judge| judge.is_pairwise()).map(Judge::name).collect();
    let metrics: Vec<&str> = judges.iter().filter(|judge| !judge.is_pairwise()).map(Judge::name).collect();
    let mut planted = Vec::new();
    for case in cases {
        match planted_answer(case, &metrics, &pairwise) {
            Ok(one) => planted.push(one),
            Err(diagnostic) => diagnostics.0.push(diagnostic),
        }
    }
    for judge in judges {
        let scored = |one: &&Planted| one.low.iter().chain(&one.high).any(|metric| metric == judge.name());
        for one in planted.iter().filter(scored) {
            for field in missing_fields(judge, &one.case) {
                let message = format!("planted answer {}: `{}` needs `{field}`", one.name, judge.name());
                diagnostics.0.push(
                    Diagnostic::new(message)
                        .at(one.case.place.clone())
                        .help("add it, or remove the metric from `low` and `high`"),
                );
            }
        }
    }
    Some(planted)
}

fn planted_answer(mut case: Case, metrics: &[&str], pairwise: &[&str]) -> Result<Planted, Diagnostic> {
    let place = case.place.clone();
    let error = |message: String, help: String| Diagnostic::new(message).at(place.clone()).help(help);
    let form = || "expected `answer`, and `low` or `high` with the metrics that must score it so".to_owned();
    let answer = match case.vars.shift_remove("answer") {
        Some(Value::String(text)) => text,
        _ => return Err(error(format!("planted answer {}: `answer` must be a text", case.id), form())),
    };
    if answer.len() > MAX_PLANTED_BYTES {
        let message = format!("planted answer {}: its answer has {} bytes", case.id, answer.len());
        return Err(error(message, format!("expected at most {MAX_PLANTED_BYTES} bytes")));
    }
    let mut metrics_of = |key: &str| -> Result<Vec<String>, Diagnostic> {
        let listed = match case.vars.shift_remove(key) {
            None => Some(Vec::new()),
            Some(Value::String(name)) => Some(vec![name]),
            Some(Value::Array(names)) => names.iter().map(|name| Some(name.as_str()?.to_owned())).collect(),
            Some(_) => None,
        };
        let Some(names) = listed else {
            return Err(error(format!("planted answer {}: `{key}` must list metrics", case.id), form()));
        };
        if let Some(pairwise) = names.iter().find(|name| pairwise.contains(&name.as_str())) {
            let message = format!("planted answer {}: `{pairwise}` compares two answers", case.id);
            return Err(error(message, "leave it out: it has planted pairs of its own".to_owned()));
        }
        if let Some(unknown) = names.iter().find(|name| !metrics.contains(&name.as_str())) {
            let message = format!("planted answer {}: `{unknown}` is not a judged metric", case.id);
            return Err(error(message, format!("the judged metrics are {}", metrics.join(", "))));
        }
        Ok(names)
    };
    let (low, high) = (metrics_of("low")?, metrics_of("high")?);
    if let Some(unknown) = case.vars.keys().next() {
        let message = format!("planted answer {}: unknown column `{unknown}`", case.id);
        return Err(error(message, form()));
    }
    if low.is_empty() && high.is_empty() {
        return Err(error(format!("planted answer {} has neither `low` nor `high`", case.id), form()));
    }
    if let Some(both) = low.iter().find(|name| high.contains(name)) {
        let message = format!("planted answer {}: `{both}` is in `low` and in `high`", case.id);
        return Err(error(message, "remove it from one of the two".to_owned()));
    }
    case.must_answer = true;
    Ok(Planted { name: case.id.clone(), case, answer, low, high })
}
