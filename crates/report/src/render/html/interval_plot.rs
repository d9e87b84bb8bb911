//! Interval plots: geometry of estimate, interval, required value and detectable drop of a metric.

use std::collections::HashSet;

use minijinja::{Value, context};
use serde::Serialize;

use super::scale::{LEFT, RIGHT, Scale, round};
use crate::v1::{Bound, Criterion, Metric, MetricKind, Report, Requirement, Statistic, VariantSummary};
use crate::view::number::minus;
use crate::view::{self, Sanitizer, number};

/// Metrics drawn; the table lists all of them.
const MAX_METRICS: usize = 40;
/// Height of a line.
const LINE_HEIGHT: f64 = 20.0;
/// Height of the label of a mark; each has a line of its own, since marks may be close together.
const LABEL_HEIGHT: f64 = 13.0;
/// Baseline of the first label.
const FIRST_LABEL: f64 = 11.0;
/// Margin above the lines, without labels.
const TOP_MARGIN: f64 = 8.0;
/// Margin below the lines, for the axis.
const BOTTOM_MARGIN: f64 = 24.0;

/// A metric with its plots.
#[derive(Serialize)]
pub(super) struct Panel {
    pub(super) metric: String,
    pub(super) verdicts: Vec<PanelVerdict>,
    pub(super) note: String,
    pub(super) gated: bool,
    pub(super) plots: Vec<Value>,
}

/// The verdict of one criterion on the metric.
#[derive(Serialize)]
pub(super) struct PanelVerdict {
    pub(super) id: String,
    pub(super) verdict: &'static str,
}

/// A line before layout: label, class, estimate, bounds.
type Estimate = (&'static str, &'static str, f64, Option<f64>, Option<f64>);

/// Returns the plots of the informative metrics, and the number of omitted metrics.
pub(super) fn panels(report: &Report, sanitizer: &Sanitizer<'_>) -> (Vec<Panel>, usize) {
    let informative: HashSet<&str> = view::informative_metrics(report).iter().map(|row| row.name).collect();
    let metrics: Vec<&Metric> =
        report.metrics.iter().filter(|metric| informative.contains(metric.name.as_str())).collect();
    let drawn = metrics.iter().take(MAX_METRICS).enumerate();
    let panels = drawn.map(|(index, metric)| panel(report, metric, index, sanitizer)).collect();
    (panels, metrics.len().saturating_sub(MAX_METRICS))
}

fn panel(report: &Report, metric: &Metric, index: usize, sanitizer: &Sanitizer<'_>) -> Panel {
    let criteria: Vec<(&Criterion, Requirement)> = report
        .policy
        .criteria
        .iter()
        .filter(|of| of.metric == metric.name && of.tag.is_none())
        .filter_map(|of| {
            let outcome = report.criteria.iter().find(|criterion| criterion.id == of.id)?;
            Some((outcome, of.requirement))
        })
        .collect();
    let verdict = |(criterion, _): &(&Criterion, Requirement)| PanelVerdict {
        id: sanitizer.clip(&criterion.id, 120),
        verdict: criterion.verdict.as_str(),
    };
    let name = sanitizer.clip(&metric.name, 120);
    let mean = mean_plot(metric, &criteria, &name, index);
    let difference = difference_plot(metric, &criteria, &name, index);
    Panel {
        verdicts: criteria.iter().map(verdict).collect(),
        note: note(metric),
        gated: !criteria.is_empty() || metric.kind == MetricKind::Judge,
        plots: [mean, difference].into_iter().flatten().collect(),
        metric: name,
    }
}

/// Cases, repeats, noise and missing grades in one line.
fn note(metric: &Metric) -> String {
    let mut parts = vec![
        number::counted(metric.candidate.n as u64, "case"),
        number::counted(u64::from(metric.repeats), "repeat"),
    ];
    if let Some(noise) = metric.noise {
        parts.push(format!("noise between repeats {}", number::value(metric.kind, noise)));
    }
    let missing = metric.candidate.missing + metric.baseline.as_ref().map_or(0, |of| of.missing);
    if missing > 0 {
        parts.push(format!("{} missing", number::counted(missing as u64, "grade")));
    }
    parts.join(", ")
}

/// Plots both means, limited percentiles and the required values.
fn mean_plot(
    metric: &Metric,
    criteria: &[(&Criterion, Requirement)],
    name: &str,
    index: usize,
) -> Option<Value> {
    let estimate = |summary: &VariantSummary, label, class| -> Option<Estimate> {
        Some((label, class, summary.mean?, summary.lower, summary.upper))
    };
    let mut lines: Vec<Estimate> =
        estimate(&metric.candidate, "candidate", "candidate").into_iter().collect();
    lines.extend(metric.baseline.as_ref().and_then(|summary| estimate(summary, "baseline", "baseline")));
    let mut required = Vec::new();
    for (criterion, requirement) in criteria {
        let Some(value) = criterion.required else { continue };
        let shown = minus(number::value(metric.kind, value));
        match requirement {
            Requirement::Minimum { .. }
            | Requirement::WinRate { .. }
            | Requirement::EveryTrial
            | Requirement::NoNewFailures => {
                required.push((value, format!("required ≥ {shown}")));
            }
            Requirement::Limit { statistic, bound } => {
                let name = match statistic {
                    Statistic::P50 => "median",
                    Statistic::P95 => "p95",
                    Statistic::Mean => "mean",
                };
                if *statistic != Statistic::Mean {
                    let at = criterion.estimate;
                    lines.extend(at.map(|at| (name, "candidate", at, criterion.lower, criterion.upper)));
                }
                let relative =
                    if matches!(bound, Bound::MaxIncrease(_)) { " (relative to the baseline)" } else { "" };
                required.push((value, format!("{name} ≤ {shown}{relative}")));
            }
            _ => {}
        }
    }
    let max = match metric.kind {
        MetricKind::Check | MetricKind::Judge => 1.0,
        _ => f64::INFINITY,
    };
    let (id, title) = (format!("mean-{index}"), format!("{name}: value"));
    let limits = Some((0.0, max));
    Plot { id, title, kind: metric.kind, signed: false, lines, required, detectable: None, limits }.draw()
}

/// Plots candidate minus baseline with the required value and the smallest detectable drop.
fn difference_plot(
    metric: &Metric,
    criteria: &[(&Criterion, Requirement)],
    name: &str,
    index: usize,
) -> Option<Value> {
    let difference = metric.difference.as_ref()?;
    let lines = vec![("difference", "candidate", difference.mean, difference.lower, difference.upper)];
    let show = |value: f64| minus(number::signed(metric.kind, value));
    let required = criteria
        .iter()
        .filter(|(_, requirement)| matches!(requirement, Requirement::NotWorse { .. }))
        .filter_map(|(criterion, _)| {
            Some((criterion.required?, format!("required ≥ {}", show(criterion.required?))))
        })
        .collect();
    let drop = metric.smallest_detectable_drop.filter(|drop| *drop > 0.0);
    let detectable = drop.map(|drop| (-drop, format!("detects drops from {}", show(-drop))));
    let (id, title) = (format!("difference-{index}"), format!("{name}: candidate minus baseline"));
    Plot { id, title, kind: metric.kind, signed: true, lines, required, detectable, limits: None }.draw()
}

/// A plot before layout.
struct Plot {
    id: String,
    title: String,
    kind: MetricKind,
    /// Whether the values are differences, drawn with a zero line.
    signed: bool,
    lines: Vec<Estimate>,
    required: Vec<(f64, String)>,
    detectable: Option<(f64, String)>,
    limits: Option<(f64, f64)>,
}

impl Plot {
    fn draw(self) -> Option<Value> {
        if self.lines.is_empty() {
            return None;
        }
        let Self { id, title, kind, signed, lines, required, detectable, limits } = &self;
        let values = lines
            .iter()
            .flat_map(|(_, _, at, lower, upper)| [Some(*at), *lower, *upper])
            .flatten()
            .chain(required.iter().map(|(value, _)| *value))
            .chain(detectable.iter().map(|(value, _)| *value))
            .chain(signed.then_some(0.0));
        let scale = Scale::of(values, *limits, min_span(*kind))?;
        let mark = |value: f64, label: &str, row: usize| {
            let y = FIRST_LABEL + LABEL_HEIGHT * row as f64;
            let x = scale.position(value);
            let anchor = match x {
                x if x < LEFT + 80.0 => "start",
                x if x > RIGHT - 80.0 => "end",
                _ => "middle",
            };
            context! { x, y, label, anchor }
        };
        let labels = required.len() + usize::from(detectable.is_some());
        let above = TOP_MARGIN + LABEL_HEIGHT * labels as f64;
        let base = above + LINE_HEIGHT * lines.len() as f64;
        // An interval without a bound extends to the end of the axis; without both it is the estimate.
        let end = |bound: Option<f64>, other: Option<f64>, at: f64, end: f64| match (bound, other) {
            (Some(bound), _) => scale.position(bound),
            (None, Some(_)) => end,
            (None, None) => scale.position(at),
        };
        let line = |(index, &(label, class, at, lower, upper)): (usize, &Estimate)| {
            context! {
                label,
                class,
                y => above + LINE_HEIGHT * (index as f64 + 0.5),
                x => scale.position(at),
                from => end(lower, upper, at, LEFT),
                to => end(upper, lower, at, RIGHT),
            }
        };
        let (ticks, decimals) = scale.ticks();
        let tick = |value: f64| {
            let label = tick(*kind, *signed, value, decimals);
            context! { x => scale.position(value), label, anchor => "middle" }
        };
        Some(context! {
            description => self.description(),
            id,
            title,
            height => base + BOTTOM_MARGIN,
            top => above - 6.0,
            base,
            left => LEFT,
            right => RIGHT,
            lines => lines.iter().enumerate().map(line).collect::<Value>(),
            ticks => ticks.into_iter().map(tick).collect::<Value>(),
            zero => signed.then(|| scale.position(0.0)),
            required => required
                .iter()
                .enumerate()
                .map(|(row, (value, label))| mark(*value, label, row))
                .collect::<Value>(),
            // The range of drops too small to detect.
            undetectable => detectable.as_ref().map(|(value, label)| context! {
                x => scale.position(*value),
                width => round(scale.position(0.0) - scale.position(*value)),
                label => mark(*value, label, required.len()),
            }),
        })
    }

    /// A text alternative.
    fn description(&self) -> String {
        let show = |value: f64| {
            minus(if self.signed {
                number::signed(self.kind, value)
            } else {
                number::value(self.kind, value)
            })
        };
        let lines = self.lines.iter().map(|(label, _, at, lower, upper)| {
            let interval = number::bounds(*lower, *upper, show);
            let interval = if interval == number::NONE { String::new() } else { format!(" ({interval})") };
            format!("{label} {}{interval}", show(*at))
        });
        let marks = self.required.iter().chain(&self.detectable).map(|(_, label)| label.clone());
        lines.chain(marks).collect::<Vec<_>>().join("; ")
    }
}

/// The minimum span of an axis on each side of a single value, in the order of the last displayed digit.
fn min_span(kind: MetricKind) -> f64 {
    match kind {
        MetricKind::Check | MetricKind::Judge | MetricKind::Latency => 0.01,
        MetricKind::OutputTokens | MetricKind::Length => 1.0,
        MetricKind::Cost => 1e-5,
    }
}

/// The label of a tick.
fn tick(kind: MetricKind, signed: bool, value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let zero = !text.contains(|character: char| ('1'..='9').contains(&character));
    let sign = match (zero, value < 0.0) {
        (true, _) => "",
        (_, true) => "\u{2212}",
        _ if signed => "+",
        _ => "",
    };
    match kind {
        MetricKind::Latency => format!("{sign}{text} s"),
        MetricKind::Cost => format!("{sign}${text}"),
        _ => format!("{sign}{text}"),
    }
}
