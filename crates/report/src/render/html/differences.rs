//! Plots of the differences of all cases, sorted.

use std::collections::HashMap;

use minijinja::{Value, context};

use super::scale::round;
use crate::v1::{Case, MetricKind, Report, Role};
use crate::view::number::minus;
use crate::view::{Sanitizer, number};

/// Trials read for the differences; a larger run shows the largest difference of each case instead.
const MAX_TRIALS: usize = 20_000;
/// Metrics drawn.
const MAX_METRICS: usize = 8;
/// Bars per plot; more cases share bars.
const MAX_BARS: usize = 240;
/// Rows of each list below a plot.
const MAX_LISTED: usize = 10;
/// Width of the drawing.
const WIDTH: f64 = 720.0;
/// Height of the drawing.
const HEIGHT: f64 = 120.0;
/// Smaller differences count as zero.
const EPSILON: f64 = 1e-9;

/// Differences of one metric: case index, candidate minus baseline.
struct Series {
    metric: String,
    kind: MetricKind,
    differences: Vec<(usize, f64)>,
}

/// Returns the plots for the template, with lists of cases; none without a baseline.
pub(super) fn differences(report: &Report, sanitizer: &Sanitizer<'_>) -> Vec<Value> {
    if report.variants.baseline.is_none() {
        return Vec::new();
    }
    let trials: usize = report.cases.iter().map(|case| case.trials.len()).sum();
    let series = if trials <= MAX_TRIALS { by_metric(report) } else { largest(report) };
    series
        .into_iter()
        .take(MAX_METRICS)
        .enumerate()
        .map(|(index, series)| draw(report, series, index, sanitizer))
        .collect()
}

/// The differences of judged metrics, and of checks with a difference in any case.
fn by_metric(report: &Report) -> Vec<Series> {
    let kind = |name: &String| report.metrics.iter().find(|of| of.name == *name).map(|of| of.kind);
    let mut all: Vec<Series> = report
        .scorers
        .iter()
        .filter_map(|name| Some(Series { metric: name.clone(), kind: kind(name)?, differences: Vec::new() }))
        .collect();
    for (index, case) in report.cases.iter().enumerate() {
        let means = case_differences(case);
        for series in &mut all {
            if let Some(difference) = means.get(&series.metric) {
                series.differences.push((index, *difference));
            }
        }
    }
    let is_informative = |series: &Series| {
        series.kind == MetricKind::Judge || series.differences.iter().any(|(_, of)| of.abs() > EPSILON)
    };
    all.retain(|series| !series.differences.is_empty() && is_informative(series));
    // Judged metrics first.
    all.sort_by_key(|series| series.kind != MetricKind::Judge);
    all
}

/// Mean grade of the candidate minus that of the baseline, by metric.
fn case_differences(case: &Case) -> HashMap<String, f64> {
    let mut sums: HashMap<String, [(f64, u32); 2]> = HashMap::new();
    for trial in case.trials.readable() {
        let side = usize::from(trial.role == Role::Baseline);
        for grade in &trial.grades {
            let Some(score) = grade.score else { continue };
            let sum = &mut sums.entry(grade.scorer.clone()).or_default()[side];
            *sum = (sum.0 + score, sum.1 + 1);
        }
    }
    let mean = |(sum, count): (f64, u32)| (count > 0).then(|| sum / f64::from(count));
    sums.into_iter()
        .filter_map(|(metric, [candidate, baseline])| Some((metric, mean(candidate)? - mean(baseline)?)))
        .collect()
}

/// The largest difference of each case, which the report holds for runs of any size.
fn largest(report: &Report) -> Vec<Series> {
    let difference =
        |(index, case): (usize, &Case)| Some((index, case.largest_difference.as_ref()?.difference));
    let differences: Vec<(usize, f64)> = report.cases.iter().enumerate().filter_map(difference).collect();
    if differences.is_empty() {
        return Vec::new();
    }
    let metric = "largest change of any gated metric".to_owned();
    vec![Series { metric, kind: MetricKind::Judge, differences }]
}

fn draw(report: &Report, series: Series, index: usize, sanitizer: &Sanitizer<'_>) -> Value {
    let Series { metric, kind, mut differences } = series;
    differences.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    let worse = differences.iter().filter(|(_, of)| *of < -EPSILON).count();
    let better = differences.iter().filter(|(_, of)| *of > EPSILON).count();
    let same = differences.len() - worse - better;
    let metric = sanitizer.clip(&metric, 120);
    let show = |value: f64| minus(number::signed(kind, value));
    let id =
        |case: usize| report.cases.get(case).map_or_else(String::new, |case| sanitizer.clip(&case.id, 60));
    let listed = |(case, difference): &(usize, f64)| {
        context! { case => case + 1, id => id(*case), difference => show(*difference) }
    };
    let mut summary = format!(
        "{}: {} worse, {} better, {} unchanged",
        number::counted(differences.len() as u64, "case"),
        number::count(worse as u64),
        number::count(better as u64),
        number::count(same as u64)
    );
    let most_worse: Value = differences.iter().take(worse.min(MAX_LISTED)).map(listed).collect();
    let most_better: Value = differences.iter().rev().take(better.min(MAX_LISTED)).map(listed).collect();
    // With many cases the unchanged ones would leave no room for the others.
    if differences.len() > MAX_BARS {
        differences.retain(|(_, of)| of.abs() > EPSILON);
        summary.push_str(if differences.is_empty() { "" } else { "; only changed cases are drawn" });
    }
    let highest = differences.iter().map(|(_, of)| *of).fold(0.0, f64::max);
    let lowest = differences.iter().map(|(_, of)| *of).fold(0.0, f64::min);
    let span = if highest - lowest > EPSILON { highest - lowest } else { 1.0 };
    let zero = if highest - lowest > EPSILON { round(HEIGHT * highest / span) } else { HEIGHT / 2.0 };
    let per_bar = differences.len().div_ceil(MAX_BARS).max(1);
    let width = WIDTH / differences.chunks(per_bar).len().max(1) as f64;
    let bar = |(position, chunk): (usize, &[(usize, f64)])| {
        let (case, difference) = chunk.first().copied().unwrap_or_default();
        let height = round(HEIGHT * difference.abs() / span).max(0.0);
        (height > 0.0).then(|| {
            context! {
                x => round(position as f64 * width),
                y => if difference < 0.0 { zero } else { round(zero - height) },
                width => round((width * 0.86).max(0.5)),
                height,
                class => if difference < 0.0 { "worse" } else { "better" },
                // 0 for a bar of several cases.
                case => if chunk.len() == 1 { case + 1 } else { 0 },
                title => match chunk.len() {
                    1 => format!("{}: {}", id(case), show(difference)),
                    count => format!("{count} cases from {}", show(difference)),
                },
            }
        })
    };
    let bars: Value = differences.chunks(per_bar).enumerate().filter_map(bar).collect();
    context! {
        id => format!("differences-{index}"),
        metric,
        summary,
        highest => show(highest),
        lowest => show(lowest),
        zero,
        bars,
        worse => most_worse,
        better => most_better,
    }
}
