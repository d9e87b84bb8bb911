//! What every rendering says of a report, whatever its looks: the rows, in words and formatted numbers.

use std::collections::HashSet;

use super::concern::{self, Concern};
use super::number::{self, NONE};
use super::v1::{
    Bound, Case, CaseStatus, Criterion, CriterionVerdict, EndedKind, FaultKind, Grade, Interval, Metric,
    MetricKind, Reason, ReasonCode, Report, Requirement, Scope, Tokens, Variant, VariantSummary, Verdict,
};
use promptgate_core::text::{Redactor, neutral};

/// Cases that a reason names.
const NAMED: usize = 5;

/// A criterion as a row.
pub(super) struct CriterionRow<'a> {
    /// Its id.
    pub(super) id: &'a str,
    /// The estimate.
    pub(super) estimate: String,
    /// The bounds around it.
    pub(super) interval: String,
    /// The required value with its direction.
    pub(super) required: String,
    /// The verdict.
    pub(super) verdict: CriterionVerdict,
    /// The kind of row that may stand for it: it passes to the letter, and there is no more to say.
    plain: Option<Plain>,
}

/// Criteria that pass to the letter, by what they look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plain {
    Check,
    Case,
}

/// The criteria as a reader wants them: one by one where there is something to see, the others together.
pub(super) struct Criteria<'a> {
    /// Those that did not pass, then those with an interval or a count.
    pub(super) listed: Vec<CriterionRow<'a>>,
    /// Two or more that every trial passes, as one row each.
    pub(super) folded: Vec<Folded<'a>>,
}

/// Criteria of one kind that every trial passes.
pub(super) struct Folded<'a> {
    /// How many of what: `10 checks`.
    pub(super) label: String,
    /// The rows it stands for.
    pub(super) rows: Vec<CriterionRow<'a>>,
}

/// A metric as a row.
pub(super) struct MetricRow<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// The candidate's mean.
    pub(super) candidate: String,
    /// The baseline's mean.
    pub(super) baseline: String,
    /// Candidate minus baseline.
    pub(super) difference: String,
    /// The bounds around the difference, or around the candidate's mean without one.
    pub(super) interval: String,
    /// Missing grades of both variants.
    pub(super) missing: usize,
}

/// A case that wants a look, as a row.
pub(super) struct CaseRow<'a> {
    /// The case.
    pub(super) case: &'a Case,
    /// Its status, or that it must pass, in a word.
    pub(super) words: &'static str,
    /// Trials of the baseline that passed: `3/3`.
    pub(super) baseline: String,
    /// Trials of the candidate that passed.
    pub(super) candidate: String,
    /// The metric that lost most, and how much.
    pub(super) difference: Option<(&'a str, String)>,
}

/// The criteria, those that did not pass first, those that pass to the letter folded.
pub(super) fn criteria(report: &Report) -> Criteria<'_> {
    let mut listed = criterion_rows(report);
    let mut folded = Vec::new();
    for (plain, noun) in [(Plain::Check, "check"), (Plain::Case, "must-pass case")] {
        if listed.iter().filter(|row| row.plain == Some(plain)).count() < 2 {
            continue;
        }
        let (rows, rest): (Vec<_>, Vec<_>) = listed.into_iter().partition(|row| row.plain == Some(plain));
        listed = rest;
        folded.push(Folded { label: number::counted(rows.len() as u64, noun), rows });
    }
    Criteria { listed, folded }
}

fn criterion_rows(report: &Report) -> Vec<CriterionRow<'_>> {
    let mut rows: Vec<_> = report.criteria.iter().collect();
    rows.sort_by_key(|criterion| match criterion.verdict {
        CriterionVerdict::Fail => 0,
        CriterionVerdict::Incomplete => 1,
        CriterionVerdict::Inconclusive => 2,
        CriterionVerdict::Pass => 3,
    });
    rows.into_iter().map(|criterion| criterion_row(report, criterion)).collect()
}

/// One criterion as a row.
pub(super) fn criterion_row<'a>(report: &Report, criterion: &'a Criterion) -> CriterionRow<'a> {
    let requirement = report.policy.criteria.iter().find(|of| of.id == criterion.id).map(|of| of.requirement);
    let kind = report.metrics.iter().find(|metric| metric.name == criterion.metric).map(|metric| metric.kind);
    let counts = criterion.kind == "broken_cases";
    let relative = matches!(requirement, Some(Requirement::Limit { bound: Bound::MaxIncrease(_), .. }));
    let difference =
        matches!(requirement, Some(Requirement::NotWorse { .. })) || criterion.kind == "baseline";
    let at_most =
        counts || criterion.kind == "limit" || matches!(requirement, Some(Requirement::Limit { .. }));
    let show = |value: f64| match kind {
        _ if counts => format!("{value:.0}"),
        Some(kind) if difference => number::signed(kind, value),
        Some(kind) => number::value(kind, value),
        None if difference => number::signed(MetricKind::Judge, value),
        None => number::value(MetricKind::Judge, value),
    };
    let sign = if at_most { "≤" } else { "≥" };
    let required = match (requirement, criterion.required) {
        (Some(Requirement::EveryTrial | Requirement::MustPass { .. }), _) => "every trial".to_owned(),
        (Some(Requirement::Limit { bound: Bound::MaxIncrease(share), .. }), _) if relative => {
            format!("at most {:+.0} %", share * 100.0)
        }
        (_, Some(required)) => format!("{sign} {}", show(required)),
        (_, None) => NONE.to_owned(),
    };
    let plain = match requirement {
        _ if criterion.verdict != CriterionVerdict::Pass || criterion.estimate.is_none_or(|of| of < 1.0) => {
            None
        }
        Some(Requirement::EveryTrial) => Some(Plain::Check),
        Some(Requirement::MustPass { .. }) => Some(Plain::Case),
        _ => None,
    };
    CriterionRow {
        plain,
        id: &criterion.id,
        estimate: criterion.estimate.map_or_else(|| NONE.to_owned(), show),
        interval: number::bounds(criterion.lower, criterion.upper, show),
        required,
        verdict: criterion.verdict,
    }
}

/// Whether no answer of the candidate was graded or measured: tables would be empty.
pub(super) fn nothing_measured(report: &Report) -> bool {
    report.metrics.iter().all(|metric| metric.candidate.mean.is_none())
}

/// The reasons in words: a failed check with its cases, what merely follows from an early end as one. A name is cut
/// only after secrets are out of it, since half of one would not be known.
pub(super) fn reasons(report: &Report, redactor: &Redactor) -> Vec<String> {
    let early = matches!(report.ended.kind, EndedKind::Stopped | EndedKind::Interrupted);
    let follows =
        |reason: &Reason| early && reason.code == ReasonCode::MissingGrades && reason.criterion.is_some();
    let following = report.reasons.iter().filter(|reason| follows(reason)).count();
    if following < 2 {
        return report.reasons.iter().map(|reason| reason_words(report, reason, redactor)).collect();
    }
    let mut words: Vec<String> = report
        .reasons
        .iter()
        .filter(|reason| !follows(reason))
        .map(|reason| reason_words(report, reason, redactor))
        .collect();
    words.push(format!(
        "{} of {} criteria could not be decided for want of answers.",
        number::count(following as u64),
        number::count(report.criteria.len() as u64)
    ));
    words
}

fn reason_words(report: &Report, reason: &Reason, redactor: &Redactor) -> String {
    let criterion = reason
        .criterion
        .as_ref()
        .filter(|_| reason.code == ReasonCode::CheckFailed)
        .and_then(|id| report.criteria.iter().find(|criterion| criterion.id == *id));
    let Some(criterion) = criterion else { return reason.message.clone() };
    let failing: Vec<&Case> =
        report.cases.iter().filter(|case| case.failing.contains(&criterion.metric)).collect();
    let name = |case: &&Case| neutral::clip(&redactor.redact(&case.id), 32);
    let mut names: Vec<String> = failing.iter().take(NAMED).map(name).collect();
    if failing.len() > NAMED {
        names.push(format!("{} more", number::count((failing.len() - NAMED) as u64)));
    }
    match names.as_slice() {
        [] => reason.message.clone(),
        [name] => format!("{} The case: {name}.", reason.message),
        [names @ .., last] => format!("{} The cases: {} and {last}.", reason.message, names.join(", ")),
    }
}

/// The rows of the metrics that say something beside the criteria: no check that every trial passes, no length
/// where nothing is judged, nothing that was not measured.
pub(super) fn telling_metrics(report: &Report) -> Vec<MetricRow<'_>> {
    let perfect = |of: &VariantSummary| of.missing == 0 && of.mean.is_some_and(|mean| mean >= 1.0);
    let telling = |metric: &&Metric| match metric.kind {
        MetricKind::Judge => true,
        MetricKind::Check => {
            !perfect(&metric.candidate) || metric.baseline.as_ref().is_some_and(|of| !perfect(of))
        }
        // A judge may favour long answers, so their length belongs beside its scores.
        MetricKind::Length => report.judge.is_some() && metric.candidate.mean.is_some(),
        MetricKind::Latency | MetricKind::OutputTokens | MetricKind::Cost => metric.candidate.mean.is_some(),
    };
    report.metrics.iter().filter(telling).map(metric_row).collect()
}

/// The rows of the metrics.
pub(super) fn metrics(report: &Report) -> Vec<MetricRow<'_>> {
    report.metrics.iter().map(metric_row).collect()
}

fn metric_row(metric: &Metric) -> MetricRow<'_> {
    let mean =
        |mean: Option<f64>| mean.map_or_else(|| NONE.to_owned(), |mean| number::value(metric.kind, mean));
    let (difference, interval) = match &metric.difference {
        Some(difference) => {
            (number::signed(metric.kind, difference.mean), difference_bounds(metric, difference))
        }
        None => {
            let of = &metric.candidate;
            (NONE.to_owned(), number::bounds(of.lower, of.upper, |value| number::value(metric.kind, value)))
        }
    };
    MetricRow {
        name: &metric.name,
        candidate: mean(metric.candidate.mean),
        baseline: mean(metric.baseline.as_ref().and_then(|baseline| baseline.mean)),
        difference,
        interval,
        missing: metric.candidate.missing + metric.baseline.as_ref().map_or(0, |baseline| baseline.missing),
    }
}

fn difference_bounds(metric: &Metric, difference: &Interval) -> String {
    number::bounds(difference.lower, difference.upper, |value| number::signed(metric.kind, value))
}

/// The cases that want a look, the most pressing first.
pub(super) fn worst(report: &Report) -> Vec<CaseRow<'_>> {
    let concerns = concern::concerns(report).into_iter();
    concerns.map(|(concern, case)| case_row(report, case, Some(concern))).collect()
}

/// The other cases that are not as they were, in dataset order.
pub(super) fn changed(report: &Report) -> Vec<CaseRow<'_>> {
    let worst: HashSet<&str> = worst(report).iter().map(|row| row.case.id.as_str()).collect();
    let others = |case: &&Case| case.status != CaseStatus::Same && !worst.contains(case.id.as_str());
    report.cases.iter().filter(others).map(|case| case_row(report, case, None)).collect()
}

fn case_row<'a>(report: &Report, case: &'a Case, of: Option<Concern>) -> CaseRow<'a> {
    let passes = |passes: Option<super::v1::Passes>| {
        passes.map_or_else(|| NONE.to_owned(), |passes| format!("{}/{}", passes.passed, passes.of))
    };
    let difference = case.largest_difference.as_ref().map(|largest| {
        (largest.metric.as_str(), number::signed(kind(report, &largest.metric), largest.difference))
    });
    CaseRow {
        case,
        words: concern::words(report, case, of),
        baseline: passes(case.baseline_passes),
        candidate: passes(case.candidate_passes),
        difference,
    }
}

/// What a metric measures; a metric that the report does not tell of is taken for a score.
pub(super) fn kind(report: &Report, metric: &str) -> MetricKind {
    let found = report.metrics.iter().find(|of| of.name == metric);
    found.map_or(MetricKind::Judge, |metric| metric.kind)
}

/// How many cases have which status, in words: `2 broken, 1 regressed, 27 same`; without a baseline how many fail and
/// pass, where anything tells.
pub(super) fn tally(report: &Report) -> String {
    const ORDER: [&str; 9] =
        ["broken", "regressed", "missing", "failing", "flaky", "fixed", "improved", "same", "passing"];
    let count = |word: &str| report.cases.iter().filter(|case| concern::status(report, case) == word).count();
    let parts = ORDER.into_iter().map(|word| (word, count(word))).filter(|(_, count)| *count > 0);
    let parts: Vec<String> =
        parts.map(|(word, count)| format!("{} {word}", number::count(count as u64))).collect();
    parts.join(", ")
}

/// What a report starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Somebody stopped it before it was done, and nothing failed until then.
    Interrupted,
    /// There was no key, and so not one answer.
    NotEvaluated,
    /// The verdict.
    Of(Verdict),
}

impl Standing {
    /// In a word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::NotEvaluated => "not evaluated",
            Self::Of(verdict) => verdict.as_str(),
        }
    }
}

/// What the report starts with.
pub(super) fn standing(report: &Report) -> Standing {
    let without_key =
        || report.ended.fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::MissingCredentials);
    match report.verdict {
        verdict if verdict != Verdict::Fail && report.ended.kind == EndedKind::Interrupted => {
            Standing::Interrupted
        }
        Verdict::Incomplete if without_key() && nothing_measured(report) => Standing::NotEvaluated,
        verdict => Standing::Of(verdict),
    }
}

/// Whether the exit code is 0 though the run did not pass.
pub(super) fn is_let_through(report: &Report) -> bool {
    report.exit_code == 0 && !matches!(report.verdict, Verdict::Pass | Verdict::Unchanged)
}

/// What a scope asks.
pub(super) fn question(scope: Scope) -> &'static str {
    match scope {
        Scope::Suite => "would this very suite give the same if run again?",
        Scope::Population => "would new cases of the same kind give the same?",
    }
}

/// Name and version of a variant's prompt.
pub(super) fn variant_name(variant: &Variant) -> String {
    format!("{} {}", variant.prompt.name, variant.prompt.version)
}

/// How a note starts that says why there is no baseline.
pub(super) const NO_BASELINE: &str = "no baseline: ";

/// Why there is no baseline, or where its answers are from.
pub(super) fn baseline_words(note: &str) -> &str {
    match note {
        "new" => "new: there is nothing to compare with at the base",
        "none" => "none, as configured",
        note if note.starts_with(NO_BASELINE) => note.trim_start_matches(NO_BASELINE),
        // The code is for scripts, the rest for people.
        other => other.strip_prefix("baseline_reused: ").unwrap_or(other),
    }
}

/// Calls, tokens, money and time in one line.
pub(super) fn cost(report: &Report) -> String {
    let usage = &report.usage;
    let money = money(report, usage.cost_usd);
    let tokens = Tokens { prompt_tokens: usage.prompt_tokens, completion_tokens: usage.completion_tokens };
    let cached = match usage.cached {
        0 => String::new(),
        cached => format!(" ({} from the cache)", number::count(cached)),
    };
    format!(
        "{}{cached}, {}, {money}, {}",
        number::counted(usage.calls, "call"),
        number::tokens(tokens),
        number::duration(report.duration_ms)
    )
}

/// What share of the answers came from the cache, how many judgements did, and how old the oldest of it was when the
/// run started; `None` where nothing did.
pub(super) fn cached(report: &Report) -> Option<String> {
    let usage = &report.usage;
    if usage.cached == 0 && usage.cached_judgements == 0 {
        return None;
    }
    let mut words = number::counted(usage.cached, "answer");
    let all = report.trials() as u64;
    if usage.cached <= all {
        words = format!("{} of {}", number::count(usage.cached), number::counted(all, "answer"));
    }
    if usage.cached_judgements > 0 {
        words.push_str(&format!(" and {}", number::counted(usage.cached_judgements, "judgement")));
    }
    let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
    let age = usage.cached_since.as_deref().and_then(time).zip(time(&report.started_at));
    if let Some((since, started)) = age {
        let hours = (started.as_second() - since.as_second()).max(0) / 3600;
        words.push_str(&match hours {
            0 => ", less than an hour old".to_owned(),
            1..48 => format!(", up to {} old", number::counted(hours.unsigned_abs(), "hour")),
            _ => format!(", up to {} old", number::counted(hours.unsigned_abs() / 24, "day")),
        });
    }
    Some(words)
}

/// What was spent, in words; nothing is where the simulated model answered.
pub(super) fn money(report: &Report, usd: Option<f64>) -> String {
    match usd {
        Some(usd) if report.simulated => format!("nothing spent (would be {})", number::dollars(usd)),
        Some(usd) => number::dollars(usd),
        None if report.simulated => "nothing spent".to_owned(),
        None => "price not known".to_owned(),
    }
}

/// Whether a grade is among the reasons why its case fails.
pub(super) fn fails(case: &Case, grade: &Grade) -> bool {
    grade.score.is_none_or(|score| score < 1.0 && case.failing.contains(&grade.scorer))
}

/// The smallest drops that the suite detects, by judged metric, of at most `most`; names pass through `text`.
pub(super) fn smallest_drops(report: &Report, most: usize, text: impl Fn(&str) -> String) -> Option<String> {
    let judged = report.metrics.iter().filter(|metric| metric.kind == MetricKind::Judge);
    let drops = judged.filter_map(|metric| {
        let drop = metric.smallest_detectable_drop?;
        let of_people = metric.judged.as_ref().and_then(|judged| judged.smallest_true_drop);
        let of_people = of_people.map_or_else(String::new, |drop| {
            format!(" ({} in what people would say)", number::value(metric.kind, drop))
        });
        Some(format!("{} {}{of_people}", text(&metric.name), number::value(metric.kind, drop)))
    });
    let drops: Vec<String> = drops.take(most).collect();
    (!drops.is_empty()).then(|| drops.join(", "))
}

/// What n clean cases cannot exclude at 95 %, the exact (Clopper and Pearson) bound for no failure in n: failures in a
/// share of 1 - 0.05^(1/n).
pub(super) fn not_excluded(cases: usize) -> Option<String> {
    let share = (cases > 0).then(|| 1.0 - 0.05_f64.powf(1.0 / cases as f64))?;
    Some(format!("failures in up to {:.1} % of traffic", share * 100.0))
}
