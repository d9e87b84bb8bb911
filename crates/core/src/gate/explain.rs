//! One sentence for each criterion, for readers who know the product and not the statistics.

use crate::model::{Analysis, CriterionOutcome, CriterionVerdict, MetricKind, Need};

use super::cases::Tally;
use super::evidence::Context;
use super::fill::Counts;
use super::{Bound, Criterion, Requirement, Rule, Statistic};

/// Beyond this many repeats or cases, a number would only pretend to be one.
const MAX: usize = 1_000;

/// All that a sentence may need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    /// What all criteria have in common.
    pub(super) context: &'a Context,
    /// The run's matrices.
    pub(super) analysis: &'a Analysis,
    /// The criterion.
    pub(super) criterion: &'a Criterion,
    /// Its outcome, still without the explanation.
    pub(super) outcome: &'a CriterionOutcome,
    /// Cells or trials that are open.
    pub(super) gaps: usize,
    /// Cells by what is in them.
    pub(super) counts: Counts,
    /// The trials of a case that must pass.
    pub(super) trials: Tally,
    /// Why there is nothing to go by.
    pub(super) unmeasured: Option<&'a str>,
}

/// The sentence.
pub(super) fn explain(told: &Told<'_>) -> String {
    let name = subject(told);
    if let Some(why) = told.unmeasured {
        return format!("{name} could not be decided: {why}.");
    }
    let sentence = match told.criterion.requirement {
        Requirement::Minimum { value: minimum } => threshold(told, &name, minimum),
        Requirement::NotWorse { tolerance } => baseline(told, &name, tolerance),
        Requirement::EveryTrial => every_trial(told, &name),
        Requirement::Limit { statistic, bound } => limit(told, &name, statistic, bound),
        Requirement::MustPass { .. } => must_pass(told, &name),
        Requirement::BrokenCases { max } => broken(told, max),
    };
    if told.context.rule == Rule::Point && told.outcome.method == "point" {
        return format!("{sentence} Compared without regard to chance (rule: point).");
    }
    sentence
}

/// What the sentence speaks of, with a capital letter.
fn subject(told: &Told<'_>) -> String {
    let mut name = match told.criterion.requirement {
        Requirement::MustPass { case } => {
            let id = told.analysis.cases.get(case).map_or("?", |facts| facts.id.as_str());
            return format!("Case {id}");
        }
        Requirement::BrokenCases { .. } => return "The number of broken cases".to_owned(),
        _ => match told.criterion.metric.strip_prefix("check.") {
            Some(check) => format!("Check {check}"),
            None => told.criterion.metric.replace('_', " "),
        },
    };
    if let Some(first) = name.get(..1).map(str::to_uppercase) {
        name.replace_range(..1, &first);
    }
    match &told.criterion.tag {
        Some(tag) => format!("{name} on cases tagged {tag}"),
        None => name,
    }
}

fn threshold(told: &Told<'_>, name: &str, minimum: f64) -> String {
    let estimate = told.outcome.estimate.unwrap_or_default();
    let digits = digits_apart(estimate, minimum);
    let (mean, required) = (score(estimate, digits), score(minimum, digits));
    match told.outcome.verdict {
        CriterionVerdict::Pass if estimate > minimum + 1e-9 => {
            format!("{name} averaged {mean}, above the required {required}.")
        }
        CriterionVerdict::Pass => format!("{name} averaged {mean}, just the required {required}."),
        CriterionVerdict::Fail => {
            format!("{name} averaged {mean}, below the required {required}{}.", beyond_chance(told))
        }
        CriterionVerdict::Inconclusive => {
            let bound = |bound: Option<f64>, else_say: &str| {
                // Student's t knows nothing of the ends of the scale; the reader does.
                bound.map_or_else(|| else_say.to_owned(), |bound| score(bound.clamp(0.0, 1.0), digits))
            };
            let (lower, upper) = (told.outcome.lower, told.outcome.upper);
            let side = if estimate >= minimum - 1e-9 {
                if lower.is_some_and(|lower| lower >= minimum - told.context.resolution - 1e-9) {
                    format!("and {required} is required, but there is too little evidence to vouch for it")
                } else {
                    format!(
                        "but could in truth be as low as {} where {required} is required",
                        bound(lower, "anything")
                    )
                }
            } else if told.outcome.p.is_none() {
                format!("below the required {required}, but there is too little evidence to be sure of it")
            } else if upper.is_some_and(|upper| upper < minimum) {
                format!(
                    "below the required {required}, though not by enough to be sure of so many criteria at once"
                )
            } else {
                format!(
                    "below the required {required}, but could in truth be as high as {}",
                    bound(upper, "anything")
                )
            };
            format!("{name} averaged {mean}, {side}; {}.", settle(told))
        }
        CriterionVerdict::Incomplete => {
            open(told, &format!("{name} averaged {mean} where {required} is required"))
        }
    }
}

fn baseline(told: &Told<'_>, name: &str, tolerance: f64) -> String {
    let difference = told.outcome.estimate.unwrap_or_default();
    let size = points(difference.abs());
    let change = if difference.abs() < 1e-9 {
        format!("{name} is the same as the baseline's")
    } else if difference < 0.0 {
        format!("{name} is {size} lower than the baseline's")
    } else {
        format!("{name} is {size} higher than the baseline's")
    };
    let forgiven = if tolerance > 0.0 {
        format!(" (a drop of {} is tolerated)", points(tolerance))
    } else {
        String::new()
    };
    let resolution = points(told.context.resolution + tolerance);
    match told.outcome.verdict {
        CriterionVerdict::Pass if told.outcome.method == "literal" || told.outcome.method == "point" => {
            format!("{change}{forgiven}.")
        }
        CriterionVerdict::Pass => {
            format!("{change}{forgiven}, and a drop of more than {resolution} is ruled out.")
        }
        CriterionVerdict::Fail => format!("{change}{}{forgiven}.", beyond_chance(told)),
        CriterionVerdict::Inconclusive => {
            let low = told.outcome.lower.map_or(1.0, |lower| (-lower).clamp(0.0, 1.0));
            let shown_worse = told.outcome.upper.is_some_and(|upper| upper < -tolerance);
            let worst = if told.outcome.lower.is_none() {
                "how much of that is chance cannot be told".to_owned()
            } else if shown_worse {
                "though not by enough to be sure of so many criteria at once".to_owned()
            } else if low <= told.context.resolution + tolerance + 1e-9 {
                "but there is too little evidence to vouch for it".to_owned()
            } else {
                format!("but a drop of up to {} cannot be ruled out", points(low))
            };
            format!("{change}{forgiven}, {worst}; {}.", settle(told))
        }
        CriterionVerdict::Incomplete => open(told, &change),
    }
}

fn every_trial(told: &Told<'_>, name: &str) -> String {
    let all = told.counts.candidate;
    let passed = (told.outcome.estimate.unwrap_or_default() * all as f64).round() as usize;
    match told.outcome.verdict {
        CriterionVerdict::Pass => format!("{name} passed on all {all} answers."),
        CriterionVerdict::Fail => {
            format!(
                "{name} failed on {} of {all} answers; every answer has to pass.",
                all.saturating_sub(passed)
            )
        }
        _ => open(told, &format!("{name} passed on {passed} of {all} answers")),
    }
}

fn limit(told: &Told<'_>, name: &str, statistic: Statistic, bound: Bound) -> String {
    let kind = told.analysis.metric(&told.criterion.metric).map_or(MetricKind::Length, |metric| metric.kind);
    let what = match statistic {
        Statistic::P50 => format!("{name} (median)"),
        Statistic::P95 => format!("{name} (95th percentile)"),
        Statistic::Mean => format!("{name} (mean)"),
    };
    let estimate = told.outcome.estimate.unwrap_or_default();
    let allowed = amount(told.outcome.required, kind);
    let allowed = match bound {
        Bound::Absolute(_) => format!("the limit of {allowed}"),
        Bound::MaxIncrease(increase) => format!("{allowed}, the baseline's and {} more", percent(increase)),
    };
    let found = format!("{what} was {}", amount(estimate, kind));
    let label = if told.outcome.method.starts_with("literal (") {
        "; too few values for an interval, so compared as they are"
    } else {
        ""
    };
    match told.outcome.verdict {
        CriterionVerdict::Pass => format!("{found}, within {allowed}{label}."),
        CriterionVerdict::Fail => format!("{found}, above {allowed}{}{label}.", beyond_chance(told)),
        CriterionVerdict::Inconclusive => {
            let reach = told.outcome.upper.map_or_else(|| "higher".to_owned(), |upper| amount(upper, kind));
            format!("{found} and could in truth be {reach}, against {allowed}; {}.", settle(told))
        }
        CriterionVerdict::Incomplete => open(told, &format!("{found}, against {allowed}")),
    }
}

fn must_pass(told: &Told<'_>, name: &str) -> String {
    let Tally { passed, silent, .. } = told.trials;
    // A judge that was settled is not asked about later trials, which then say nothing of this case.
    let (whose, count) = if silent > 0 { ("the", " that count") } else { ("its", "") };
    let trials = match told.trials.counted() {
        1 => format!("{whose} 1 trial{count}"),
        counted => format!("{whose} {counted} trials{count}"),
    };
    match told.outcome.verdict {
        CriterionVerdict::Pass if silent > 0 => format!("{name} passed in all {trials}, as it must."),
        CriterionVerdict::Pass => format!("{name} passed in every trial, as it must."),
        CriterionVerdict::Fail if passed == 0 => format!("{name} must pass, but none of {trials} did."),
        CriterionVerdict::Fail => format!("{name} must pass, but only {passed} of {trials} did."),
        CriterionVerdict::Inconclusive => {
            format!("{name} must pass in every trial, and {passed} of {trials} did: it is not dependable.")
        }
        CriterionVerdict::Incomplete => open(told, &format!("{name} must pass in every trial")),
    }
}

fn broken(told: &Told<'_>, max: usize) -> String {
    let count = told.outcome.estimate.unwrap_or_default() as usize;
    let found = match count {
        0 => "No case broke".to_owned(),
        1 => "1 case broke".to_owned(),
        _ => format!("{count} cases broke"),
    };
    let meaning = "(every trial of the baseline passed, every one of the candidate failed)";
    match told.outcome.verdict {
        CriterionVerdict::Pass => format!("{found}; up to {max} may."),
        CriterionVerdict::Fail => format!("{found} {meaning}; at most {max} may."),
        _ => open(told, &format!("{found} for certain; at most {max} may")),
    }
}

/// `, more than chance explains (p 0.012)`, where a test said so.
fn beyond_chance(told: &Told<'_>) -> String {
    match told.outcome.p {
        Some(p) if p < 0.0001 => ", more than chance explains (p below 0.0001)".to_owned(),
        Some(p) => format!(", more than chance explains (p {})", trimmed(p, if p < 0.01 { 4 } else { 3 })),
        None => String::new(),
    }
}

fn open(told: &Told<'_>, start: &str) -> String {
    let what = if told.counts == Counts::default() { "trials are open" } else { "grades are missing" };
    let (count, what) = match told.gaps {
        1 if told.counts == Counts::default() => ("1".to_owned(), "trial is open"),
        1 => ("1".to_owned(), "grade is missing"),
        many => (many.to_string(), what),
    };
    format!("{start}, but {count} {what} and could turn the verdict.")
}

/// What would settle it, in words.
fn settle(told: &Told<'_>) -> String {
    let more = |count: usize, one: &str, many: &str| match count {
        1 => format!("about 1 more {one} would settle it"),
        count if count <= MAX => format!("about {count} more {many} would settle it"),
        _ => format!("more than {MAX} further {many} would be needed to settle it"),
    };
    match told.outcome.need {
        Some(Need::Repeats(count)) => more(count, "repeat", "repeats"),
        Some(Need::Cases(count)) => more(count, "case", "cases"),
        None => "it is too close to call; more cases or repeats would help".to_owned(),
    }
}

/// The digits after the point at which two scores differ, at least 2.
fn digits_apart(a: f64, b: f64) -> usize {
    (2..9).find(|&digits| score(a, digits) != score(b, digits) || (a - b).abs() < 1e-9).unwrap_or(9)
}

fn score(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}

/// A difference of scores in points of 100: `5 points`, `0.4 points`.
pub(super) fn points(difference: f64) -> String {
    let size = difference * 100.0;
    // As many digits as it takes for something not to read as nothing.
    let digits = match size {
        _ if size >= 1.0 => 1,
        _ if (1e-7..0.005).contains(&size) => 7,
        _ => 2,
    };
    let text = trimmed(size, digits);
    if text == "1" { "1 point".to_owned() } else { format!("{text} points") }
}

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", trimmed(share * 100.0, if share < 0.01 { 2 } else { 1 }))
}

/// A number without needless zeros.
fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A measured amount with its unit.
fn amount(value: f64, kind: MetricKind) -> String {
    match kind {
        MetricKind::Latency => format!("{} s", trimmed(value, if value < 1.0 { 3 } else { 2 })),
        MetricKind::OutputTokens => format!("{} tokens", trimmed(value, 1)),
        MetricKind::Cost => format!("${}", trimmed(value, if value < 0.01 { 6 } else { 4 })),
        MetricKind::Length => format!("{} characters", trimmed(value, 1)),
        MetricKind::Check | MetricKind::Judge => score(value, 3),
    }
}
