//! The sentence of a run that passed: the drop that its comparisons exclude, and the one that nothing compares.

use super::{capitalized, name};
use crate::v1::{Criterion, Metric, MetricKind, Report, Requirement};
use crate::view::deciding::deciding;
use crate::view::number::{self, points};

/// A comparison of a score with the baseline.
type Comparison<'a> = (&'a Criterion, &'a Metric);

/// The largest drop that the comparisons leave possible, and a gated score that fell without being compared.
pub(super) fn excluded(report: &Report) -> Option<String> {
    let compared: Vec<Comparison<'_>> = report
        .criteria
        .iter()
        .filter(|criterion| criterion.kind == "baseline" && is_not_worse(report, criterion))
        .filter_map(|criterion| Some((criterion, score(report, &criterion.metric)?)))
        .collect();
    let fallen = fallen(report, &compared);
    let mut text = match compared.is_empty() {
        true => requirements_met(report),
        false => largest_drop(&compared, fallen.is_some())?,
    };
    if let Some(fallen) = fallen {
        text.push(' ');
        text.push_str(&fallen);
    }
    Some(text)
}

/// How the bound of a comparison is to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// A larger drop is excluded.
    Excluded,
    /// Nothing varied, or nothing can.
    Certain,
    /// Only the estimate was compared.
    Point,
    /// One repeat of a judged score: the spread of cases does not show a failure that none of them happened to have.
    OneRepeat,
}

impl Reading {
    fn of((criterion, metric): Comparison<'_>) -> Self {
        match criterion.method.as_str() {
            "literal" => Self::Certain,
            "point" => Self::Point,
            _ if criterion.repeats <= 1 && metric.kind == MetricKind::Judge => Self::OneRepeat,
            _ => Self::Excluded,
        }
    }
}

/// The largest drop that a comparison leaves possible.
fn possible(comparison: Comparison<'_>) -> f64 {
    let (criterion, _) = comparison;
    let bound = match Reading::of(comparison) {
        Reading::Excluded => criterion.lower,
        Reading::Certain | Reading::Point | Reading::OneRepeat => criterion.estimate,
    };
    bound.map_or(1.0, |bound| (-bound).clamp(0.0, 1.0))
}

/// The largest drop that the comparisons leave possible. `others_fell` says whether a gated score without a comparison did.
fn largest_drop(compared: &[Comparison<'_>], others_fell: bool) -> Option<String> {
    let worst = *compared.iter().max_by(|one, other| possible(**one).total_cmp(&possible(**other)))?;
    let (criterion, metric) = worst;
    let (drop, name) = (possible(worst), name(metric));
    let repeats = number::counted(u64::from(criterion.repeats), "repeat");
    let is_single = compared.len() == 1;
    Some(match Reading::of(worst) {
        Reading::OneRepeat if drop > 0.0 => format!(
            "The largest measured drop is {} (in {name}), {repeats}: rare failures are not excluded.",
            points(drop)
        ),
        Reading::OneRepeat => {
            format!("No drop was measured (in {name}), {repeats}: rare failures are not excluded.")
        }
        Reading::Point if drop > 0.0 => format!(
            "The largest measured drop is {} (in {name}), compared without regard to chance, {repeats}.",
            points(drop)
        ),
        _ if drop > 0.0 && is_single => {
            format!("No drop in {name} larger than {}, {repeats}.", points(drop))
        }
        _ if drop > 0.0 => format!("No drop larger than {} (in {name}), {repeats}.", points(drop)),
        _ if others_fell && is_single => format!("{} did not fall, {repeats}.", capitalized(&name)),
        _ if others_fell => format!("No metric fell that is compared with the baseline, {repeats}."),
        _ => format!("No gated metric fell, {repeats}."),
    })
}

/// The gated score that fell most of those that are not compared with the baseline, in a sentence.
fn fallen(report: &Report, compared: &[Comparison<'_>]) -> Option<String> {
    let gating = |name: &str| {
        report.criteria.iter().find(|criterion| criterion.metric == name && criterion.kind != "slice")
    };
    let is_compared = |name: &str| compared.iter().any(|(_, metric)| metric.name == name);
    let fell = report.metrics.iter().filter_map(|metric| {
        let difference = metric.difference.filter(|difference| difference.mean < 0.0)?;
        let criterion = gating(&metric.name).filter(|_| !is_compared(&metric.name))?;
        score(report, &metric.name).map(|metric| (metric, criterion, difference))
    });
    let (metric, criterion, difference) =
        fell.min_by(|(.., one), (.., other)| one.mean.total_cmp(&other.mean))?;
    let is_within_noise = difference.upper.is_some_and(|upper| upper >= 0.0);
    let noise = if is_within_noise { ", within noise," } else { "" };
    let gate = if criterion.kind == "threshold" {
        "is gated by its minimum alone"
    } else {
        "is not compared with the baseline"
    };
    Some(format!("{} fell {}{noise} and {gate}.", capitalized(&name(metric)), points(-difference.mean)))
}

/// The mean nearest to its minimum, or the number of requirements, where nothing is compared.
fn requirements_met(report: &Report) -> String {
    let nearest = deciding(report).filter(|nearest| nearest.criterion.kind == "threshold");
    match nearest {
        Some(nearest) => {
            let repeats = number::counted(u64::from(nearest.criterion.repeats), "repeat");
            format!("{}, {repeats}.", nearest.criterion.explanation.trim_end_matches('.'))
        }
        None => {
            let repeats = number::counted(u64::from(report.repeats), "repeat");
            let criteria = number::counted(report.criteria.len() as u64, "requirement");
            let cases = number::counted(report.cases.len() as u64, "case");
            let met = if report.criteria.len() == 1 { "is met" } else { "are all met" };
            format!("{criteria} {met}: {cases}, {repeats}.")
        }
    }
}

fn is_not_worse(report: &Report, criterion: &Criterion) -> bool {
    let requirement = report.policy.criteria.iter().find(|of| of.id == criterion.id).map(|of| of.requirement);
    matches!(requirement, None | Some(Requirement::NotWorse { .. }))
}

fn score<'a>(report: &'a Report, name: &str) -> Option<&'a Metric> {
    let is_score = |metric: &&Metric| matches!(metric.kind, MetricKind::Check | MetricKind::Judge);
    report.metrics.iter().find(|metric| metric.name == name).filter(is_score)
}
