//! The difference of every case, sorted: how many lost how much.

use std::collections::HashMap;

use serde::Serialize;

use super::scale::round;
use super::untrusted_text::Sanitizer;
use crate::v1::{Case, MetricKind, Report, Role};
use crate::view::number;
use crate::view::number::minus;

/// Trials that are read for the differences; of a larger run those are shown that the report names itself.
const MAX_TRIALS: usize = 20_000;
/// Metrics that are drawn.
const MAX: usize = 8;
/// Bars of a plot; more cases share them.
const BARS: usize = 240;
/// Rows of each list below a plot.
const LISTED: usize = 10;
/// Size of the drawing.
const WIDTH: f64 = 720.0;
/// See [`WIDTH`].
const HEIGHT: f64 = 120.0;
/// Differences smaller than this are none.
const NONE: f64 = 1e-9;

/// The differences of a metric as a plot with lists.
#[derive(Serialize)]
pub(super) struct Differences {
    pub(super) id: String,
    pub(super) metric: String,
    pub(super) told: String,
    pub(super) highest: String,
    pub(super) lowest: String,
    pub(super) zero: f64,
    pub(super) bars: Vec<Bar>,
    pub(super) lost: Vec<Moved>,
    pub(super) won: Vec<Moved>,
}

/// A bar.
#[derive(Serialize)]
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) class: &'static str,
    /// The number of its case; 0 where several share the bar.
    pub(super) case: usize,
    pub(super) title: String,
}

/// A case of a list.
#[derive(Serialize)]
pub(super) struct Moved {
    pub(super) case: usize,
    pub(super) id: String,
    pub(super) difference: String,
}

/// The differences of one metric: index of the case, candidate minus baseline.
struct Series {
    metric: String,
    kind: MetricKind,
    differences: Vec<(usize, f64)>,
}

/// The plots; none without a baseline.
pub(super) fn differences(report: &Report, sanitizer: &Sanitizer<'_>) -> Vec<Differences> {
    if report.variants.baseline.is_none() {
        return Vec::new();
    }
    let trials: usize = report.cases.iter().map(|case| case.trials.len()).sum();
    let series = if trials <= MAX_TRIALS { by_metric(report) } else { largest(report) };
    series
        .into_iter()
        .take(MAX)
        .enumerate()
        .map(|(index, series)| draw(report, series, index, sanitizer))
        .collect()
}

/// The differences of the judged metrics, and of the checks that did not always pass on both sides.
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
    let tells = |series: &Series| {
        series.kind == MetricKind::Judge || series.differences.iter().any(|(_, of)| of.abs() > NONE)
    };
    all.retain(|series| !series.differences.is_empty() && tells(series));
    // Judged ones first: they are what a gate is about.
    all.sort_by_key(|series| series.kind != MetricKind::Judge);
    all
}

/// The mean of the candidate's grades less that of the baseline's, by metric.
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

/// Of every case the gated metric that moved most, which the report names whatever its size.
fn largest(report: &Report) -> Vec<Series> {
    let moved = |(index, case): (usize, &Case)| Some((index, case.largest_difference.as_ref()?.difference));
    let differences: Vec<(usize, f64)> = report.cases.iter().enumerate().filter_map(moved).collect();
    if differences.is_empty() {
        return Vec::new();
    }
    let metric = "the gated metric that moved most".to_owned();
    vec![Series { metric, kind: MetricKind::Judge, differences }]
}

fn draw(report: &Report, series: Series, index: usize, sanitizer: &Sanitizer<'_>) -> Differences {
    let Series { metric, kind, mut differences } = series;
    differences.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    let lost = differences.iter().filter(|(_, of)| *of < -NONE).count();
    let won = differences.iter().filter(|(_, of)| *of > NONE).count();
    let same = differences.len() - lost - won;
    let metric = sanitizer.clip(&metric, 120);
    let show = |value: f64| minus(number::signed(kind, value));
    let moved = |(case, difference): &(usize, f64)| Moved {
        case: case + 1,
        id: report.cases.get(*case).map_or_else(String::new, |case| sanitizer.clip(&case.id, 60)),
        difference: show(*difference),
    };
    let mut told = format!(
        "{}: {} lost, {} won, {} the same",
        number::counted(differences.len() as u64, "case"),
        number::count(lost as u64),
        number::count(won as u64),
        number::count(same as u64)
    );
    let lists = (
        differences.iter().take(lost.min(LISTED)).map(moved).collect(),
        differences.iter().rev().take(won.min(LISTED)).map(moved).collect(),
    );
    // Among thousands those that are the same would leave no room for the others.
    if differences.len() > BARS {
        differences.retain(|(_, of)| of.abs() > NONE);
        told.push_str(if differences.is_empty() { "" } else { "; only those that differ are drawn" });
    }
    let most = differences.iter().map(|(_, of)| *of).fold(0.0, f64::max);
    let least = differences.iter().map(|(_, of)| *of).fold(0.0, f64::min);
    let span = if most - least > NONE { most - least } else { 1.0 };
    let zero = if most - least > NONE { round(HEIGHT * most / span) } else { HEIGHT / 2.0 };
    let each = differences.len().div_ceil(BARS).max(1);
    let width = WIDTH / differences.chunks(each).len().max(1) as f64;
    let bar = |(place, chunk): (usize, &[(usize, f64)])| {
        let (case, difference) = chunk.first().copied().unwrap_or_default();
        let height = round(HEIGHT * difference.abs() / span).max(0.0);
        Bar {
            x: round(place as f64 * width),
            y: if difference < 0.0 { zero } else { round(zero - height) },
            width: round((width * 0.86).max(0.5)),
            height,
            class: if difference < 0.0 { "lost" } else { "won" },
            case: if chunk.len() == 1 { case + 1 } else { 0 },
            title: match chunk.len() {
                1 => format!("{}: {}", moved(&(case, difference)).id, show(difference)),
                many => format!("{many} cases from {}", show(difference)),
            },
        }
    };
    let bars = differences.chunks(each).enumerate().map(bar).filter(|bar| bar.height > 0.0).collect();
    Differences {
        id: format!("differences-{index}"),
        metric,
        told,
        highest: show(most),
        lowest: show(least),
        zero,
        bars,
        lost: lists.0,
        won: lists.1,
    }
}
