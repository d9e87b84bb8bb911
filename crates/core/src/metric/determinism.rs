//! Repeats that are certain to be the same again. Only there a lack of noise shows that there is none.
//!
//! Temperature 0 has to be explicit for every variant, or its application has to be declared deterministic; temperature 0 has
//! to be sent to every judge of a judged metric; and all answers and verdicts have to be byte for byte the same. By single cases this would let short labels pass whose answers vary.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::model::{Role, Run, Trial, TrialResult, TrialSummary};

/// The flag of a judgement whose endpoint refused the parameter `temperature`.
const TEMPERATURE_REFUSED: &str = "parameter_refused:temperature";

/// Cases that a warning names.
const NAMED: usize = 3;

/// How many first repeats of every case are certain to be the same again, for a check or for the metric of a judge.
/// `cases` are the trials of every case and side, by repeat.
pub(super) fn repeats<'a>(
    run: &Run,
    cases: impl Iterator<Item = &'a [Option<&'a Trial>]>,
    (name, is_judged): (&str, bool),
) -> u32 {
    if !never_varies(run) || (is_judged && !judged_at_zero(run)) {
        return 0;
    }
    same_repeats(cases, name)
}

/// Why a run without any difference between its repeats is not decided as one without noise; `None` if it is, or if its
/// repeats differ.
pub fn determinism_warning(run: &Run) -> Option<String> {
    let repeats = run.repeats.per_case;
    let mut by_case: Vec<(usize, Role, &TrialSummary)> = Vec::new();
    let mut repeated = false;
    for trial in &run.trials {
        let TrialResult::Completed(answer) = &trial.result else { continue };
        match by_case.iter().rev().take(2).find(|(case, role, _)| (*case, *role) == (trial.case, trial.role))
        {
            Some((.., first)) if text(first) != text(answer) => return None,
            Some(_) => repeated = true,
            None => by_case.push((trial.case, trial.role, answer)),
        }
    }
    if !repeated {
        return None;
    }
    let temperature = |parameters: &Map<String, Value>| parameters.get("temperature").cloned();
    let variants = [Some(("candidate", &run.candidate)), run.baseline.as_ref().map(|it| ("baseline", it))];
    let mut without =
        variants.into_iter().flatten().filter(|(_, facts)| temperature(&facts.parameters).is_none());
    // The parameters of an application are its own.
    if run.candidate.application.is_some() {
        return None;
    }
    if let Some((role, _)) = without.next() {
        return Some(format!(
            "every answer is the same in all {repeats} repeats, but the {role} has no explicit temperature: a few equal \
             repeats do not show that there is no noise. If its answers never vary, write `parameters: {{temperature: 0}}`"
        ));
    }
    (never_varies(run) && refuses_temperature(run)).then(|| {
        "the judge refused the parameter `temperature`: its verdicts may vary, so equal ones count as noisy, and more \
         repeats are needed to pass"
            .to_owned()
    })
}

/// Warns about an application that is declared deterministic and gave different answers to one case.
pub fn variation_warning(run: &Run) -> Option<String> {
    let is_declared = |role: Role| {
        let facts = if role == Role::Candidate { Some(&run.candidate) } else { run.baseline.as_ref() };
        facts
            .and_then(|facts| facts.application.as_ref())
            .is_some_and(|application| application.deterministic)
    };
    let mut first: BTreeMap<(usize, Role), &TrialSummary> = BTreeMap::new();
    let mut varying: BTreeSet<usize> = BTreeSet::new();
    for trial in run.trials.iter().filter(|trial| is_declared(trial.role)) {
        let TrialResult::Completed(answer) = &trial.result else { continue };
        let earlier = *first.entry((trial.case, trial.role)).or_insert(answer);
        if text(earlier) != text(answer) {
            varying.insert(trial.case);
        }
    }
    let id = |case: &usize| run.cases.get(*case).map(|case| case.id.as_str());
    let named: Vec<&str> = varying.iter().take(NAMED).filter_map(id).collect();
    let more = if varying.len() > NAMED { ", …" } else { "" };
    (!varying.is_empty()).then(|| {
        format!(
            "`target.deterministic` is true, but the answers to {} of {} cases differ between repeats ({}{more}), so equal \
             answers do not count as free of noise: remove the key, or make the application deterministic",
            varying.len(),
            run.cases.len(),
            named.join(", ")
        )
    })
}

/// Whether every variant is an application that is declared deterministic.
pub(super) fn is_declared(run: &Run) -> bool {
    let mut variants = [Some(&run.candidate), run.baseline.as_ref()].into_iter().flatten();
    variants.all(|variant| variant.application.as_ref().is_some_and(|application| application.deterministic))
}

/// Whether the answers of every variant are said not to vary: by temperature 0, or of an application by its configuration.
fn never_varies(run: &Run) -> bool {
    let mut variants = [Some(&run.candidate), run.baseline.as_ref()].into_iter().flatten();
    variants.all(|variant| {
        variant.application.as_ref().is_some_and(|application| application.deterministic)
            || variant.parameters.get("temperature").and_then(Value::as_f64) == Some(0.0)
    })
}

fn judged_at_zero(run: &Run) -> bool {
    run.judge.as_ref().is_some_and(|judge| judge.temperature_zero) && !refuses_temperature(run)
}

/// Whether a judge refused the parameter `temperature`.
fn refuses_temperature(run: &Run) -> bool {
    let answers = run.trials.iter().filter_map(|trial| trial.result.answer());
    let mut flags = answers.flat_map(|answer| &answer.grades).flat_map(|grade| &grade.flags);
    flags.any(|flag| &**flag == TEMPERATURE_REFUSED)
}

fn text(answer: &TrialSummary) -> (u64, usize) {
    (answer.text_hash, answer.characters)
}

/// The number of first repeats in which no case has another answer, or another grade of it: a check may be a command, which
/// need not give the same answer the same score.
fn same_repeats<'a>(cases: impl Iterator<Item = &'a [Option<&'a Trial>]>, name: &str) -> u32 {
    let differs = |first: &TrialSummary, other: &TrialSummary| {
        let verdict = |answer: &TrialSummary| {
            let grade = answer.grade(name)?;
            Some((grade.score.map(f64::to_bits), grade.verdict_hash))
        };
        // A verdict that is missing does not differ.
        text(first) != text(other)
            || verdict(first).zip(verdict(other)).is_some_and(|(first, other)| first != other)
    };
    let mut same = usize::MAX;
    for case in cases {
        same = same.min(case.len());
        let answers = || case.iter().map(|trial| trial.and_then(|trial| trial.result.answer()));
        let Some(first) = answers().flatten().next() else { continue };
        let other = answers().position(|answer| answer.is_some_and(|answer| differs(first, answer)));
        same = other.map_or(same, |repeat| same.min(repeat));
    }
    u32::try_from(same).unwrap_or(0)
}
