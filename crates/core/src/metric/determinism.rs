//! Repeats that are certain to be the same again. Only there a lack of noise shows that there is none.
//!
//! Temperature 0 has to be explicit for every variant, and sent to every judge of a judged metric, and all answers and
//! verdicts have to be byte for byte the same. By single cases this would let short labels pass whose answers vary.

use serde_json::{Map, Value};

use crate::model::{Run, Trial, TrialResult, TrialSummary};

/// The flag of a judgement whose endpoint refused the parameter `temperature`.
const TEMPERATURE_REFUSED: &str = "parameter_refused:temperature";

/// How many first repeats of every case are certain to be the same again, for a check or for the metric of a judge.
/// `cases` are the trials of every case and side, by repeat.
pub(super) fn repeats<'a>(
    run: &Run,
    cases: impl Iterator<Item = &'a [Option<&'a Trial>]>,
    judged: Option<&str>,
) -> u32 {
    if !answered_at_zero(run) || (judged.is_some() && !judged_at_zero(run)) {
        return 0;
    }
    same_repeats(cases, judged)
}

/// Why a run without any difference between its repeats is not decided as one without noise; `None` if it is, or if its
/// repeats differ.
pub fn determinism_warning(run: &Run) -> Option<String> {
    let repeats = run.repeats.per_case;
    let mut by_case: Vec<(usize, crate::model::Role, &TrialSummary)> = Vec::new();
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
    (answered_at_zero(run) && refuses_temperature(run)).then(|| {
        "the judge refused the parameter `temperature`: its verdicts may vary, so equal ones count as noisy, and more \
         repeats are needed to pass"
            .to_owned()
    })
}

fn answered_at_zero(run: &Run) -> bool {
    let mut variants = [Some(&run.candidate), run.baseline.as_ref()].into_iter().flatten();
    variants.all(|variant| variant.parameters.get("temperature").and_then(Value::as_f64) == Some(0.0))
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

/// The number of first repeats in which no case has another answer, or another verdict on it.
fn same_repeats<'a>(cases: impl Iterator<Item = &'a [Option<&'a Trial>]>, judged: Option<&str>) -> u32 {
    let differs = |first: &TrialSummary, other: &TrialSummary| {
        let verdict = |answer: &TrialSummary| {
            let grade = answer.grade(judged?)?;
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
