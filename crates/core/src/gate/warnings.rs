//! Warnings beside the verdict.

use crate::model::{
    Analysis, CorrectedMean, Criterion, CriterionOutcome, CriterionVerdict, MetricKind, MetricScores, Policy,
    Refusals, Requirement, Rule, Scope, StoredBaseline,
};
use crate::stats::{suite_mean, unseen_failure_share};

use super::evidence::Context;
use super::fill::{Fill, Selection};
use super::length_bias::{self, length_correlation};
use super::numbers::{percent, points};
use super::refusals::describe;
use super::trials::FLAKY;

/// Number of cases below which t bounds are too narrow near the ends of the scale.
const FEW_CASES: usize = 20;

/// Limitations of the decision that a reader should know.
pub(super) fn warnings(
    analysis: &Analysis,
    policy: &Policy,
    context: &Context,
    criteria: &[CriterionOutcome],
    refusals: &Refusals,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if policy.rule == Rule::Point {
        warnings.push(
            "rule: point compares plain averages; it fails an unchanged prompt about half the time and misses real \
             drops"
                .to_owned(),
        );
    }
    if analysis.repeats_cached {
        warnings.push(
            "all repeats of a variant have the same text although its temperature is above 0: a cache seems to \
             respond, so repeats count as one"
                .to_owned(),
        );
    }
    if context.scope == Scope::Suite && (analysis.repeats < 2 || analysis.repeats_cached) {
        warnings.push(
            "with one repeat, the noise of answers and judge is unknown; decided as if the cases were a sample of \
             traffic (scope: population)"
                .to_owned(),
        );
    }
    warnings.extend(sample(analysis, policy, context, criteria));
    if let Some(StoredBaseline { date, decides, model_change }) = &analysis.stored_baseline {
        let loss = if *decides {
            "a loss may be drift too"
        } else {
            "a loss against them has to be confirmed by fresh answers"
        };
        warnings
            .push(format!("compared with answers of {date}; a drift since then is not excluded, and {loss}"));
        if let Some(change) = model_change {
            warnings.push(format!("the stored baseline was answered by another model: {change}"));
        }
    }
    // Refusals that decide are among the reasons.
    warnings.extend(describe(refusals).filter(|_| refusals.verdict == CriterionVerdict::Pass));
    let flaky = criteria.iter().filter(|outcome| outcome.method == FLAKY);
    warnings.extend(flaky.map(|outcome| outcome.explanation.trim_end_matches('.').to_owned()));
    warnings.extend(noiseless(analysis, policy, context, criteria));
    let corrected = policy.criteria.iter().zip(criteria);
    warnings.extend(corrected.flat_map(|(criterion, outcome)| corrections(criterion, outcome, policy)));
    let permuted = criteria.iter().filter(|outcome| outcome.kind == "baseline" && outcome.method == "t");
    warnings.extend(
        permuted.map(|outcome| {
            format!("{}: too many scores to permute; its p comes from Student's t", outcome.id)
        }),
    );
    warnings.extend(
        analysis
            .metrics
            .iter()
            .filter_map(|metric| length_bias::warning(&metric.name, length_correlation(analysis, metric)?)),
    );
    warnings
}

/// The limits of a suite of this size, in one sentence.
fn sample(
    analysis: &Analysis,
    policy: &Policy,
    context: &Context,
    criteria: &[CriterionOutcome],
) -> Option<String> {
    let cases = analysis.cases.len();
    let unseen = unseen_failure_share(cases, context.alpha);
    if cases == 0 {
        return None;
    }
    if cases >= FEW_CASES {
        let is_pass = criteria.iter().all(|outcome| outcome.verdict == CriterionVerdict::Pass);
        let share = percent(unseen);
        return (unseen >= 0.01 && is_pass).then(|| {
            format!("even if all {cases} cases of the suite pass, up to {share} of traffic could fail")
        });
    }
    let compares_means = policy.criteria.iter().any(|criterion| {
        matches!(
            criterion.requirement,
            Requirement::Minimum { .. } | Requirement::NotWorse { .. } | Requirement::WinRate { .. }
        )
    });
    // Near the ends of the scale, t bounds over so few cases are too narrow.
    let drop = match policy.resolution {
        _ if !compares_means => String::new(),
        0.0 => ", and a small drop may pass unseen".to_owned(),
        resolution => format!(", and a drop of {} may pass unseen", points(resolution)),
    };
    let (subject, all_pass) =
        if cases == 1 { ("1 case".to_owned(), "it passes") } else { (format!("{cases} cases"), "all pass") };
    Some(format!(
        "{subject} cannot show how often other questions fail: even if {all_pass}, up to {} of traffic could{drop}",
        percent(unseen)
    ))
}

/// Lambda below which labels count for more than answers.
const LOW_LAMBDA: f64 = 0.5;

/// Warnings for a mean that is corrected by labels which say little about these answers.
fn corrections(criterion: &Criterion, outcome: &CriterionOutcome, policy: &Policy) -> Vec<String> {
    let (Some(labels), Some(corrected)) = (&criterion.labels, outcome.corrected) else { return Vec::new() };
    let mut found = Vec::new();
    let CorrectedMean { judged, lambda, .. } = corrected;
    if lambda < LOW_LAMBDA {
        found.push(format!(
            "{}: the judge follows people so loosely (lambda {lambda:.2}) that the labels weigh more than the answers of this \
             run",
            criterion.id
        ));
    }
    // The correction is that of answers like the labelled ones.
    if (judged - labels.judge_mean).abs() > policy.resolution.max(0.05) {
        found.push(format!(
            "{}: the judge gives these answers {judged:.2} and the labelled ones {:.2}, so they are not of one kind, and the \
             corrected mean may be off: label answers of this prompt",
            criterion.id, labels.judge_mean
        ));
    }
    found
}

/// A warning for the gated judged metrics without noise, over all cases or a slice: one for all with as many trials.
fn noiseless(
    analysis: &Analysis,
    policy: &Policy,
    context: &Context,
    criteria: &[CriterionOutcome],
) -> Vec<String> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    // With so few cases, the sentence about them says more.
    if analysis.cases.len() < FEW_CASES {
        return Vec::new();
    }
    for (criterion, outcome) in policy.criteria.iter().zip(criteria) {
        let judged = analysis.metric(&criterion.metric).filter(|metric| metric.kind == MetricKind::Judge);
        let is_expected = |metric: &&MetricScores| metric.declared_deterministic && metric.is_deterministic();
        let judged = judged.filter(|metric| outcome.method == "literal" && !is_expected(metric));
        let Some(metric) = judged else { continue };
        let selection =
            Selection { tag: criterion.tag.as_deref(), ..Selection::all(analysis, metric, false) };
        let filled = selection.fill(Fill::Observed);
        // Shared requests are compared literally as well, however noisy their answers.
        let without_noise = suite_mean(&filled.candidate).standard_error == 0.0;
        if !without_noise || context.scope(analysis.repeats as usize) != Scope::Suite {
            continue;
        }
        let trials = filled.candidate.values().len();
        // The number of clean trials that rules out a failing share of the resolution rho: ln(alpha) / ln(1 - rho).
        let enough = context.alpha.ln() / (1.0 - policy.resolution).ln();
        let thin = if enough.is_finite() && (trials as f64) < enough {
            format!("; {trials} trials are weak evidence; {} would be enough", enough.ceil())
        } else {
            String::new()
        };
        let slice = criterion.tag.as_ref().map(|tag| format!(" on cases tagged {tag}")).unwrap_or_default();
        let name = format!("{}{slice}", metric.name);
        match found.iter_mut().find(|(of, _)| *of == thin) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => found.push((thin, vec![name])),
        }
    }
    found.into_iter().map(|(thin, names)| noiseless_warning(&names, &thin)).collect()
}

fn noiseless_warning(names: &[String], thin: &str) -> String {
    match names {
        [name] => format!("{name} did not vary between repeats, so its mean is compared as it is{thin}"),
        [names @ .., last] => format!(
            "{} and {last} did not vary between repeats, so their means are compared as they are{thin}",
            names.join(", ")
        ),
        [] => String::new(),
    }
}
