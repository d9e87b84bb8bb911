//! Who judges: the judges of the configuration, their planted answers, and what a report says of them.

use std::sync::Arc;

use serde_json::Value;

use crate::config::Settings;
use promptgate_adapters::load::{self, DatasetSource, LoadError, Tree};
use promptgate_core::model::{Case, Diagnostic, Diagnostics, JudgeFacts};
use promptgate_engine::judge::{self, Judge, Member, Planted};

/// Planted answers of one's own: each is put to its judges before every run.
const MAX_PLANTED: usize = 200;
/// Bytes of a planted answer.
const MAX_PLANTED_BYTES: usize = 100_000;

/// The judges of the configured metrics; they share the members of the panel.
pub(in crate::app) fn judges(settings: &Settings) -> Vec<Judge> {
    let Some(judge) = &settings.judge else { return Vec::new() };
    let member = |member: &crate::config::MemberSettings| {
        Arc::new(Member::new(member.model.value.clone(), member.parameters.clone()))
    };
    let panel: Vec<Arc<Member>> = judge.panel.iter().map(member).collect();
    settings
        .metrics
        .iter()
        .map(|metric| Judge::new(metric.name.clone(), metric.kind.clone(), panel.clone(), judge.votes))
        .collect()
}

/// The judge of a run with its fingerprint; `None` where no judge is asked.
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
        self_test: None,
        calibration: None,
    })
}

/// The planted answers of the configuration; `None` where the judge is not to be tried.
pub(super) fn planted(
    settings: &Settings,
    judges: &[Judge],
    tree: &Tree,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Planted>> {
    let judge = settings.judge.as_ref().filter(|judge| judge.self_test && !judges.is_empty())?;
    let Some(path) = &judge.planted else { return Some(Vec::new()) };
    let source = DatasetSource { path: path.value.clone(), ..DatasetSource::default() };
    let cases = match load::dataset(tree, &source) {
        Ok(loaded) => loaded.value.cases,
        Err(LoadError::Diagnostics(found)) => {
            diagnostics.0.extend(found.0);
            return None;
        }
        Err(LoadError::Empty(diagnostic)) => {
            diagnostics.0.push(diagnostic);
            return None;
        }
    };
    if cases.len() > MAX_PLANTED {
        let message =
            format!("{} planted answers are too many: each is a call before every run", cases.len());
        diagnostics.0.push(
            Diagnostic::new(message).at(path.place.clone()).help(format!("keep at most {MAX_PLANTED}")),
        );
        return None;
    }
    let names: Vec<&str> = judges.iter().map(Judge::name).collect();
    let mut planted = Vec::new();
    for case in cases {
        match plant(case, &names) {
            Ok(one) => planted.push(one),
            Err(diagnostic) => diagnostics.0.push(diagnostic),
        }
    }
    for judge in judges {
        let needs = judge.needs();
        for one in planted
            .iter()
            .filter(|one| [&one.low, &one.high].iter().any(|it| it.contains(&judge.name().to_owned())))
        {
            let lacking = [
                ("context", needs.context && one.case.context.is_none()),
                ("expected", needs.expected && one.case.expected.is_none()),
                ("query", needs.query && one.case.query.is_empty()),
            ];
            for (field, _) in lacking.into_iter().filter(|(_, lacks)| *lacks) {
                let message = format!("planted answer {}: `{}` needs `{field}`", one.name, judge.name());
                diagnostics.0.push(
                    Diagnostic::new(message)
                        .at(one.case.place.clone())
                        .help("add it, or leave the metric out"),
                );
            }
        }
    }
    Some(planted)
}

fn plant(mut case: Case, metrics: &[&str]) -> Result<Planted, Diagnostic> {
    let place = case.place.clone();
    let wrong = |message: String, help: String| Diagnostic::new(message).at(place.clone()).help(help);
    let form = || {
        "a planted answer has `answer`, and `low` or `high` with the metrics that must score it so".to_owned()
    };
    let answer = match case.vars.shift_remove("answer") {
        Some(Value::String(text)) => text,
        _ => return Err(wrong(format!("planted answer {}: `answer` must be a text", case.id), form())),
    };
    if answer.len() > MAX_PLANTED_BYTES {
        let message = format!("planted answer {}: its answer is {} bytes long", case.id, answer.len());
        return Err(wrong(message, format!("keep it below {MAX_PLANTED_BYTES}")));
    }
    let mut named = |key: &str| -> Result<Vec<String>, Diagnostic> {
        let listed = match case.vars.shift_remove(key) {
            None => Some(Vec::new()),
            Some(Value::String(name)) => Some(vec![name]),
            Some(Value::Array(names)) => names.iter().map(|name| Some(name.as_str()?.to_owned())).collect(),
            Some(_) => None,
        };
        let Some(names) = listed else {
            return Err(wrong(format!("planted answer {}: `{key}` must list metrics", case.id), form()));
        };
        if let Some(unknown) = names.iter().find(|name| !metrics.contains(&name.as_str())) {
            let message = format!("planted answer {}: `{unknown}` is no judged metric here", case.id);
            return Err(wrong(message, format!("the metrics here are {}", metrics.join(", "))));
        }
        Ok(names)
    };
    let (low, high) = (named("low")?, named("high")?);
    if let Some(unknown) = case.vars.keys().next() {
        let message = format!("planted answer {}: unknown column `{unknown}`", case.id);
        return Err(wrong(message, form()));
    }
    if low.is_empty() && high.is_empty() {
        return Err(wrong(format!("planted answer {} is meant for no metric", case.id), form()));
    }
    if let Some(both) = low.iter().find(|name| high.contains(name)) {
        let message = format!("planted answer {}: `{both}` cannot score it low and high", case.id);
        return Err(wrong(message, "leave it in one of the two".to_owned()));
    }
    case.must_answer = true;
    Ok(Planted { name: case.id.clone(), case, answer, low, high })
}
