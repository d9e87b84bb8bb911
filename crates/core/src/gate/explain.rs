//! One sentence per criterion, for readers who know the product but not statistics.

use crate::model::{
    Analysis, Bound, CorrectedMean, Criterion, CriterionOutcome, CriterionVerdict, EVEN, MetricKind, Need,
    Requirement, Rule, Scope, Statistic, StoredBaseline,
};

use super::evidence::{Context, EXACT};
use super::fill::{CellCounts, Fill, Selection};
use super::means::MIN_UNITS;
use super::numbers::{amount, distinct_digits, percent, points, score, trimmed};
use super::trials::{FLAKY, Tally};
use crate::stats::{Repeated, fisher_p_worse, suite_mean};

/// Maximum number of needed repeats or cases that is spelled out; larger estimates are too imprecise.
const MAX_NEED: usize = 1_000;

/// The end of the explanation of a check that the baseline fails as often: nothing else of the report may then put the
/// failure down to the change.
pub const NOT_CAUSED: &str = "not caused by this change";

/// The input of a sentence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Explanation<'a> {
    pub(super) context: &'a Context,
    pub(super) analysis: &'a Analysis,
    pub(super) criterion: &'a Criterion,
    /// The outcome, still without its explanation.
    pub(super) outcome: &'a CriterionOutcome,
    /// Number of open cells or trials.
    pub(super) gaps: usize,
    pub(super) counts: CellCounts,
    /// The trials of a `must_pass` case.
    pub(super) trials: Tally,
    /// The baseline's trials of that case.
    pub(super) baseline_trials: Tally,
    /// The reason for a criterion without evidence.
    pub(super) unmeasured: Option<&'a str>,
}

/// Explains the outcome of a criterion.
pub(super) fn explain(input: &Explanation<'_>) -> String {
    let name = subject(input);
    if let Some(reason) = input.unmeasured {
        return format!("{name} could not be decided: {reason}.");
    }
    let sentence = match input.criterion.requirement {
        Requirement::Minimum { value } => threshold(input, &name, value),
        Requirement::NotWorse { tolerance } => baseline(input, &name, tolerance),
        Requirement::WinRate { tolerance } => preference(input, &name, tolerance),
        Requirement::EveryTrial => every_trial(input, &name),
        Requirement::NoNewFailures => no_new_failures(input, &name),
        Requirement::Limit { statistic, bound } => limit(input, &name, statistic, bound),
        Requirement::MustPass { .. } => must_pass(input, &name),
        Requirement::BrokenCases { max } => broken_cases(input, max),
    };
    if input.context.rule == Rule::Point && input.outcome.method == "point" {
        return format!("{sentence} Compared without regard to chance (rule: point).");
    }
    sentence
}

/// The capitalised subject of the sentence.
pub(super) fn subject(input: &Explanation<'_>) -> String {
    let mut name = match input.criterion.requirement {
        Requirement::MustPass { case, .. } => {
            let id = input.analysis.cases.get(case).map_or("?", |facts| facts.id.as_str());
            return format!("Case {id}");
        }
        Requirement::BrokenCases { .. } => return "The number of broken cases".to_owned(),
        _ => match input.criterion.metric.strip_prefix("check.") {
            Some(check) => format!("Check {check}"),
            None => input.criterion.metric.replace('_', " "),
        },
    };
    if let Some(first) = name.get(..1).map(str::to_uppercase) {
        name.replace_range(..1, &first);
    }
    match &input.criterion.tag {
        Some(tag) => format!("{name} on cases tagged {tag}"),
        None => name,
    }
}

fn threshold(input: &Explanation<'_>, name: &str, minimum: f64) -> String {
    let estimate = input.outcome.estimate.unwrap_or_default();
    let digits = distinct_digits(estimate, minimum);
    let (mean, required) = (score(estimate, digits), score(minimum, digits));
    let name = &match input.outcome.corrected {
        Some(CorrectedMean { judged, lambda, labels }) => format!(
            "{name}, corrected by {labels} labels from {} (lambda {lambda:.2}),",
            score(judged, digits)
        ),
        None => name.to_owned(),
    };
    match input.outcome.verdict {
        CriterionVerdict::Pass if estimate > minimum + 1e-9 => {
            format!("{name} averaged {mean}, above the required {required}.")
        }
        CriterionVerdict::Pass => format!("{name} averaged {mean}, exactly the required {required}."),
        CriterionVerdict::Fail => {
            let cause = no_lower_than_baseline(input);
            format!("{name} averaged {mean}, below the required {required}{}{cause}.", beyond_chance(input))
        }
        CriterionVerdict::Inconclusive => {
            let doubt = threshold_doubt(input, estimate, minimum, digits);
            format!("{name} averaged {mean}, {doubt}; {}.", need(input, estimate >= minimum - 1e-9))
        }
        CriterionVerdict::Incomplete => {
            incomplete(input, &format!("{name} averaged {mean}, where {required} is required"))
        }
    }
}

/// The reason for an inconclusive threshold.
fn threshold_doubt(input: &Explanation<'_>, estimate: f64, minimum: f64, digits: usize) -> String {
    let required = score(minimum, digits);
    // Student's t ignores the ends of the scale.
    let on_scale = |bound: f64| score(bound.clamp(0.0, 1.0), digits);
    let (lower, upper) = (input.outcome.lower, input.outcome.upper);
    if estimate >= minimum - 1e-9 {
        let may_be_lower = lower.filter(|lower| *lower < minimum - input.context.resolution - 1e-9);
        return may_be_lower.map_or_else(
            || format!("which meets the required {required}, but {}", unconfirmed_mean(input)),
            |lower| {
                let lower = on_scale(lower);
                format!("but the true value could be as low as {lower}, below the required {required}")
            },
        );
    }
    let doubt = match upper.filter(|_| input.outcome.p.is_some()) {
        None => "there is too little evidence to be sure".to_owned(),
        Some(upper) if upper < minimum => "with this many criteria that could be chance".to_owned(),
        Some(upper) => format!("the true value could be as high as {}", on_scale(upper)),
    };
    format!("below the required {required}, but {doubt}")
}

/// Why a mean does not pass although its interval meets the requirement.
fn unconfirmed_mean(input: &Explanation<'_>) -> String {
    let few = few_units(input).filter(|(_, scope)| *scope == Scope::Population);
    let Some((units, _)) = few else { return "there is too little evidence to confirm it".to_owned() };
    // One repeat does not show the noise of the suite, so that its cases count as a sample.
    let without = if input.context.scope == Scope::Suite { "without repeats " } else { "" };
    format!("{without}fewer than {MIN_UNITS} cases cannot pass, and there are {units}")
}

/// The independent cases of a criterion, where they are too few, and the scope that decides.
fn few_units(input: &Explanation<'_>) -> Option<(usize, Scope)> {
    let metric = input.analysis.metric(&input.criterion.metric)?;
    let paired = matches!(input.criterion.requirement, Requirement::NotWorse { .. });
    let selection = Selection {
        tag: input.criterion.tag.as_deref(),
        ..Selection::all(input.analysis, metric, paired && metric.scores.baseline.is_some())
    };
    let filled = selection.fill(Fill::Worst);
    let scope = input.context.scope(filled.repeats());
    (filled.units() < MIN_UNITS).then(|| (filled.units(), scope))
}

fn baseline(input: &Explanation<'_>, name: &str, tolerance: f64) -> String {
    let difference = input.outcome.estimate.unwrap_or_default();
    let size = points(difference.abs());
    let change = if difference.abs() < 1e-9 {
        format!("{name} is the same as the baseline's")
    } else if difference < 0.0 {
        format!("{name} is {size} lower than the baseline's")
    } else {
        format!("{name} is {size} higher than the baseline's")
    };
    let tolerated = if tolerance > 0.0 {
        format!(" (a drop of {} is tolerated)", points(tolerance))
    } else {
        String::new()
    };
    let resolution = points(input.context.resolution + tolerance);
    match input.outcome.verdict {
        CriterionVerdict::Pass if input.outcome.method == "literal" || input.outcome.method == "point" => {
            format!("{change}{tolerated}.")
        }
        CriterionVerdict::Pass => {
            format!("{change}{tolerated}, and a drop of more than {resolution} is ruled out.")
        }
        CriterionVerdict::Fail => format!("{change}{}{tolerated}.", beyond_chance(input)),
        CriterionVerdict::Inconclusive => {
            let low = input.outcome.lower.map_or(1.0, |lower| (-lower).clamp(0.0, 1.0));
            let looks_worse = input.outcome.upper.is_some_and(|upper| upper < -tolerance);
            let doubt = if input.outcome.lower.is_none() {
                "but it is unknown how much of that is chance".to_owned()
            } else if looks_worse {
                "but with this many criteria that could be chance".to_owned()
            } else if low <= input.context.resolution + tolerance + 1e-9 {
                format!("but {}", unconfirmed_mean(input))
            } else {
                format!("but a drop of up to {} cannot be ruled out", points(low))
            };
            format!("{change}{tolerated}, {doubt}; {}.", need(input, difference >= -tolerance - 1e-9))
        }
        CriterionVerdict::Incomplete => incomplete(input, &change),
    }
}

fn preference(input: &Explanation<'_>, name: &str, tolerance: f64) -> String {
    let rate = input.outcome.estimate.unwrap_or_default();
    let required = EVEN - tolerance;
    let digits = distinct_digits(rate, required);
    let shown = format!(
        "{name}: the candidate's win rate over the baseline is {}, ties counting half",
        score(rate, digits)
    );
    let lowest = (required - input.context.resolution).max(0.0);
    match input.outcome.verdict {
        CriterionVerdict::Pass if input.outcome.method == "literal" || input.outcome.method == "point" => {
            format!("{shown}, where {} is required.", score(required, digits))
        }
        CriterionVerdict::Pass => format!("{shown}, and one below {} is ruled out.", score(lowest, 2)),
        CriterionVerdict::Fail => {
            format!("{shown}, below the required {}{}.", score(required, digits), beyond_chance(input))
        }
        CriterionVerdict::Inconclusive => {
            let doubt = match (input.outcome.lower, input.outcome.upper) {
                (None, _) => "but it is unknown how much of that is chance".to_owned(),
                (_, Some(upper)) if upper < required => {
                    "but with this many criteria that could be chance".to_owned()
                }
                (Some(lower), _) if lower >= lowest - 1e-9 => format!("but {}", unconfirmed_mean(input)),
                (Some(lower), _) => format!("but one as low as {} cannot be ruled out", score(lower, 2)),
            };
            format!("{shown}, {doubt}; {}.", need(input, rate >= required - 1e-9))
        }
        CriterionVerdict::Incomplete => incomplete(input, &shown),
    }
}

fn every_trial(input: &Explanation<'_>, name: &str) -> String {
    let all = input.counts.candidate;
    let passed = (input.outcome.estimate.unwrap_or_default() * all as f64).round() as usize;
    match input.outcome.verdict {
        CriterionVerdict::Pass => format!("{name} passed on all {all} answers."),
        CriterionVerdict::Fail => {
            let failed = all.saturating_sub(passed);
            let cause = not_caused(input, failed);
            format!("{name} failed on {failed} of {all} answers; every answer must pass{cause}.")
        }
        _ => incomplete(input, &format!("{name} passed on {passed} of {all} answers")),
    }
}

/// The scores of the criterion's cases that both variants have, of candidate and baseline; `None` without a baseline.
fn observed_pair(input: &Explanation<'_>) -> Option<(Repeated, Repeated)> {
    let metric = input.analysis.metric(&input.criterion.metric)?;
    let selection = Selection {
        tag: input.criterion.tag.as_deref(),
        ..Selection::all(input.analysis, metric, metric.scores.baseline.is_some())
    };
    let filled = selection.fill(Fill::Observed);
    Some((filled.candidate, filled.baseline?))
}

/// `; the baseline fails it as often (3 of 90): not caused by this change`, where that is so.
fn not_caused(input: &Explanation<'_>, failed: usize) -> String {
    let none = String::new;
    let Some((_, baseline)) = observed_pair(input) else { return none() };
    let (all, of) = (input.counts.candidate, baseline.values().len());
    let theirs = baseline.values().iter().filter(|score| **score < 1.0 - EXACT).count();
    if theirs == 0 || of == 0 || all == 0 {
        none()
    } else if theirs * all >= failed * of {
        format!("; the baseline fails it as often ({theirs} of {of}): {NOT_CAUSED}")
    } else if fisher_p_worse(all - failed, all, of - theirs, of) > 0.05 {
        format!("; the baseline fails it too ({theirs} of {of}), and the difference may be chance")
    } else {
        none()
    }
}

/// `; the baseline averages 0.62: not caused by this change`, unless the candidate's mean is lower.
fn no_lower_than_baseline(input: &Explanation<'_>) -> String {
    let Some((candidate, baseline)) = observed_pair(input).filter(|(_, baseline)| !baseline.is_empty())
    else {
        return String::new();
    };
    let (ours, theirs) = (suite_mean(&candidate).mean, suite_mean(&baseline).mean);
    if ours + EXACT < theirs {
        return String::new();
    }
    format!("; the baseline averages {}: {NOT_CAUSED}", score(theirs, 2))
}

fn no_new_failures(input: &Explanation<'_>, name: &str) -> String {
    let share = input.outcome.estimate.unwrap_or_default();
    match input.outcome.verdict {
        CriterionVerdict::Pass => format!("{name} failed on no case that passed before."),
        CriterionVerdict::Fail => format!(
            "{name} failed on {} of the answers to cases that passed before; each of these must pass.",
            percent(1.0 - share)
        ),
        _ => incomplete(input, &format!("{name} is required of the cases that passed before")),
    }
}

fn limit(input: &Explanation<'_>, name: &str, statistic: Statistic, bound: Bound) -> String {
    let kind =
        input.analysis.metric(&input.criterion.metric).map_or(MetricKind::Length, |metric| metric.kind);
    let statistic = match statistic {
        Statistic::P50 => "median",
        Statistic::P95 => "95th percentile",
        Statistic::Mean => "mean",
    };
    let estimate = input.outcome.estimate.unwrap_or_default();
    let allowed = amount(input.outcome.required.unwrap_or_default(), kind);
    let allowed = match bound {
        Bound::Absolute(_) => format!("the limit of {allowed}"),
        Bound::MaxIncrease(increase) => format!("{allowed}, the baseline's plus {}", percent(increase)),
    };
    let measured = format!("{name} ({statistic}) was {}", amount(estimate, kind));
    let label = if input.outcome.method.starts_with("literal (") {
        "; compared without an interval, because there are too few values"
    } else {
        ""
    };
    match input.outcome.verdict {
        CriterionVerdict::Pass => format!("{measured}, within {allowed}{label}."),
        CriterionVerdict::Fail => format!("{measured}, above {allowed}{}{label}.", beyond_chance(input)),
        CriterionVerdict::Inconclusive => {
            let reach = input.outcome.upper.map_or_else(|| "higher".to_owned(), |upper| amount(upper, kind));
            format!(
                "{measured}, but the true value could be {reach}, against {allowed}; {}.",
                need(input, false)
            )
        }
        CriterionVerdict::Incomplete => incomplete(input, &format!("{measured}, against {allowed}")),
    }
}

fn must_pass(input: &Explanation<'_>, name: &str) -> String {
    let Tally { passed, excluded, .. } = input.trials;
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let counted = input.trials.counted();
    // Trials after a judge was settled are not graded by it and do not count.
    let trials = if excluded > 0 {
        format!("the {counted} counted trial{}", plural(counted))
    } else {
        format!("its {counted} trial{}", plural(counted))
    };
    if input.outcome.verdict == CriterionVerdict::Pass && input.outcome.method == FLAKY {
        let Tally { passed: theirs, .. } = input.baseline_trials;
        let of = input.baseline_trials.counted();
        return format!(
            "{name} must pass and is flaky: it passed in {passed} of {trials}, and in {theirs} of {of} with the \
             baseline, so that is {NOT_CAUSED} (`must_pass: strict` fails it)."
        );
    }
    match input.outcome.verdict {
        CriterionVerdict::Pass if excluded > 0 => format!("{name} passed in {trials}, as required."),
        CriterionVerdict::Pass => format!("{name} passed in every trial, as required."),
        CriterionVerdict::Fail => {
            let theirs = match (input.baseline_trials.passed, input.baseline_trials.counted()) {
                (_, 0) => String::new(),
                (theirs, of) if theirs * counted <= passed * of => {
                    format!(" (with the baseline {theirs} of {of}): {NOT_CAUSED}")
                }
                (theirs, of) => format!(" (with the baseline {theirs} of {of})"),
            };
            match passed {
                0 => format!("{name} must pass, but none of {trials} did{theirs}."),
                passed => format!("{name} must pass, but only {passed} of {trials} did{theirs}."),
            }
        }
        CriterionVerdict::Inconclusive => {
            format!("{name} must pass in every trial, but only {passed} of {trials} did: it is unreliable.")
        }
        CriterionVerdict::Incomplete => incomplete(input, &format!("{name} must pass in every trial")),
    }
}

fn broken_cases(input: &Explanation<'_>, max: usize) -> String {
    let count = input.outcome.estimate.unwrap_or_default() as usize;
    let broken = match count {
        0 => "No case broke".to_owned(),
        1 => "1 case broke".to_owned(),
        _ => format!("{count} cases broke"),
    };
    let allowed = match max {
        0 => "none is allowed".to_owned(),
        1 => "at most 1 is allowed".to_owned(),
        _ => format!("at most {max} are allowed"),
    };
    let meaning = "(every trial of the baseline passed, every trial of the candidate failed)";
    match input.outcome.verdict {
        CriterionVerdict::Pass => format!("{broken}; {allowed}."),
        CriterionVerdict::Fail => format!("{broken} {meaning}; {allowed}."),
        _ => incomplete(input, &format!("{broken} for certain; {allowed}")),
    }
}

/// Why a verdict against a stored baseline does not count, and what to do.
pub(super) fn unconfirmed(analysis: &Analysis, stored: &StoredBaseline) -> String {
    let date = &stored.date;
    let why = match &stored.model_change {
        Some(change) => format!("But the baseline was answered on {date} by another model ({change})"),
        None => format!(
            "But the baseline was answered on {date}, and a drift of the endpoint since then would look the same"
        ),
    };
    let next = if analysis.baseline_reused {
        "a saved report cannot be asked again: name a prompt, such as `baseline: git:merge-base` or `baseline: \
         file:PATH`"
    } else {
        "run again with `cache: {baseline: fresh}` and without --cached-only"
    };
    format!("{why}; {next}.")
}

/// `, more than chance explains (p 0.012)` if a test showed it, otherwise empty.
fn beyond_chance(input: &Explanation<'_>) -> String {
    match input.outcome.p {
        Some(p) if p < 0.0001 => ", more than chance explains (p below 0.0001)".to_owned(),
        Some(p) => format!(", more than chance explains (p {})", trimmed(p, if p < 0.01 { 4 } else { 3 })),
        None => String::new(),
    }
}

fn incomplete(input: &Explanation<'_>, start: &str) -> String {
    let of_trials = input.counts == CellCounts::default();
    let gaps = match (input.gaps, of_trials) {
        (1, true) => "1 trial is undecided".to_owned(),
        (1, false) => "1 grade is missing".to_owned(),
        (count, true) => format!("{count} trials are undecided"),
        (count, false) => format!("{count} grades are missing"),
    };
    format!("{start}, but {gaps}, which could change the verdict.")
}

/// The repeats or cases that would settle the criterion. `meets` says whether its estimate meets the requirement.
fn need(input: &Explanation<'_>, meets: bool) -> String {
    let more = |count: usize, one: &str, many: &str| match count {
        1 => format!("about 1 more {one} would settle it"),
        count if count <= MAX_NEED => format!("about {count} more {many} would settle it"),
        _ => format!("more than {MAX_NEED} further {many} would be needed to settle it"),
    };
    match input.outcome.need {
        Some(Need::Repeats(count)) => more(count, "repeat", "repeats"),
        Some(Need::Cases(count)) => more(count, "case", "cases"),
        None if meets && input.counts.cases == 1 => {
            "a single case whose answers may vary never passes by its mean alone: add cases; if its answers are the same \
             each time, set `temperature: 0`, or `deterministic: true` for an application"
                .to_owned()
        }
        None => "it is too close to call; more cases or repeats would help".to_owned(),
    }
}
