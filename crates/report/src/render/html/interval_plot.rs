//! Interval plots: estimate, interval, required value and resolution of a metric, as geometry for the template.

use std::collections::HashSet;

use serde::Serialize;

use super::scale::{LEFT, RIGHT, Scale, round};
use super::untrusted_text::Sanitizer;
use crate::v1::{Bound, Criterion, Metric, MetricKind, Report, Requirement, Statistic, VariantSummary};
use crate::view::number::minus;
use crate::view::{self, number};

/// Metrics that are drawn; the table has all of them.
const MAX: usize = 40;
/// Height of a line of a plot, and of what stands above and below the lines.
const LINE: f64 = 20.0;
const ABOVE: f64 = 34.0;
const BARE: f64 = 8.0;
const BELOW: f64 = 24.0;

/// A metric with its plots.
#[derive(Serialize)]
pub(super) struct Panel {
    pub(super) metric: String,
    pub(super) verdicts: Vec<Judgement>,
    pub(super) note: String,
    pub(super) gated: bool,
    pub(super) strips: Vec<Strip>,
}

/// What was decided on a metric by one criterion.
#[derive(Serialize)]
pub(super) struct Judgement {
    pub(super) id: String,
    pub(super) verdict: &'static str,
}

/// One plot.
#[derive(Serialize)]
pub(super) struct Strip {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) described: String,
    pub(super) height: f64,
    pub(super) top: f64,
    pub(super) base: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) lines: Vec<Line>,
    pub(super) ticks: Vec<Mark>,
    pub(super) zero: Option<f64>,
    pub(super) required: Vec<Mark>,
    pub(super) resolution: Option<Band>,
}

/// An estimate with its interval.
#[derive(Serialize)]
pub(super) struct Line {
    pub(super) label: &'static str,
    pub(super) class: &'static str,
    pub(super) y: f64,
    pub(super) x: f64,
    pub(super) from: f64,
    pub(super) to: f64,
}

/// A place on the line with its words.
#[derive(Serialize)]
pub(super) struct Mark {
    pub(super) x: f64,
    pub(super) label: String,
    pub(super) anchor: &'static str,
}

/// Drops too small to be seen.
#[derive(Serialize)]
pub(super) struct Band {
    pub(super) x: f64,
    pub(super) width: f64,
    pub(super) label: Mark,
}

/// A line before it has a place: label, class, estimate, bounds.
type Value = (&'static str, &'static str, f64, Option<f64>, Option<f64>);

/// The plots of every metric that says something, and how many are left out.
pub(super) fn panels(report: &Report, sanitizer: &Sanitizer<'_>) -> (Vec<Panel>, usize) {
    let telling: HashSet<&str> = view::informative_metrics(report).iter().map(|row| row.name).collect();
    let metrics: Vec<&Metric> =
        report.metrics.iter().filter(|metric| telling.contains(metric.name.as_str())).collect();
    let drawn = metrics.iter().take(MAX).enumerate();
    let panels = drawn.map(|(index, metric)| panel(report, metric, index, sanitizer)).collect();
    (panels, metrics.len().saturating_sub(MAX))
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
    let judgement = |(criterion, _): &(&Criterion, Requirement)| Judgement {
        id: sanitizer.clip(&criterion.id, 120),
        verdict: criterion.verdict.as_str(),
    };
    let name = sanitizer.clip(&metric.name, 120);
    let level = level(metric, &criteria, &name, index);
    let difference = difference(metric, &criteria, &name, index);
    Panel {
        verdicts: criteria.iter().map(judgement).collect(),
        note: note(metric),
        gated: !criteria.is_empty() || metric.kind == MetricKind::Judge,
        strips: [level, difference].into_iter().flatten().collect(),
        metric: name,
    }
}

/// Cases, repeats, noise and what is missing, in a line.
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

/// Both means, what limits look at, and what is required of them.
fn level(metric: &Metric, criteria: &[(&Criterion, Requirement)], name: &str, index: usize) -> Option<Strip> {
    let of = |summary: &VariantSummary, label, class| -> Option<Value> {
        Some((label, class, summary.mean?, summary.lower, summary.upper))
    };
    let mut lines: Vec<Value> = of(&metric.candidate, "candidate", "candidate").into_iter().collect();
    lines.extend(metric.baseline.as_ref().and_then(|summary| of(summary, "baseline", "baseline")));
    let mut required = Vec::new();
    for (criterion, requirement) in criteria {
        let Some(value) = criterion.required else { continue };
        let shown = minus(number::value(metric.kind, value));
        match requirement {
            Requirement::Minimum { .. } | Requirement::EveryTrial => {
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
                let relative = if matches!(bound, Bound::MaxIncrease(_)) { " (by the baseline)" } else { "" };
                required.push((value, format!("{name} ≤ {shown}{relative}")));
            }
            _ => {}
        }
    }
    let most = match metric.kind {
        MetricKind::Check | MetricKind::Judge => 1.0,
        _ => f64::INFINITY,
    };
    let (id, title) = (format!("level-{index}"), format!("{name}: value"));
    let limits = Some((0.0, most));
    Plot { id, title, kind: metric.kind, signed: false, lines, required, resolution: None, limits }.draw()
}

/// Candidate minus baseline, and what is required of it and can be seen.
fn difference(
    metric: &Metric,
    criteria: &[(&Criterion, Requirement)],
    name: &str,
    index: usize,
) -> Option<Strip> {
    let found = metric.difference.as_ref()?;
    let lines = vec![("difference", "candidate", found.mean, found.lower, found.upper)];
    let show = |value: f64| minus(number::signed(metric.kind, value));
    let required = criteria
        .iter()
        .filter(|(_, requirement)| matches!(requirement, Requirement::NotWorse { .. }))
        .filter_map(|(criterion, _)| {
            Some((criterion.required?, format!("required ≥ {}", show(criterion.required?))))
        })
        .collect();
    let drop = metric.smallest_detectable_drop.filter(|drop| *drop > 0.0);
    let resolution = drop.map(|drop| (-drop, format!("detects drops from {}", show(-drop))));
    let (id, title) = (format!("difference-{index}"), format!("{name}: candidate minus baseline"));
    Plot { id, title, kind: metric.kind, signed: true, lines, required, resolution, limits: None }.draw()
}

/// What is to be drawn.
struct Plot {
    id: String,
    title: String,
    kind: MetricKind,
    /// Whether the values are differences, so that there is a zero to be drawn.
    signed: bool,
    lines: Vec<Value>,
    required: Vec<(f64, String)>,
    resolution: Option<(f64, String)>,
    limits: Option<(f64, f64)>,
}

impl Plot {
    fn draw(self) -> Option<Strip> {
        if self.lines.is_empty() {
            return None;
        }
        let Self { id, title, kind, signed, lines, required, resolution, limits } = &self;
        let values = lines
            .iter()
            .flat_map(|(_, _, at, lower, upper)| [Some(*at), *lower, *upper])
            .flatten()
            .chain(required.iter().map(|(value, _)| *value))
            .chain(resolution.iter().map(|(value, _)| *value))
            .chain(signed.then_some(0.0));
        let scale = Scale::of(values, *limits, least_span(*kind))?;
        let mark = |value: f64, label: &str| {
            let x = scale.place(value);
            let anchor = if x < LEFT + 80.0 {
                "start"
            } else if x > RIGHT - 80.0 {
                "end"
            } else {
                "middle"
            };
            Mark { x, label: label.to_owned(), anchor }
        };
        // Marks stand above the lines.
        let above = if required.is_empty() && resolution.is_none() { BARE } else { ABOVE };
        let base = above + LINE * lines.len() as f64;
        let line = |(index, (label, class, at, lower, upper)): (usize, &Value)| Line {
            label,
            class,
            y: above + LINE * (index as f64 + 0.5),
            x: scale.place(*at),
            // Without a bound the interval is open: it goes on to the end.
            from: lower.map_or_else(|| open(*at, *upper, LEFT, &scale), |lower| scale.place(lower)),
            to: upper.map_or_else(|| open(*at, *lower, RIGHT, &scale), |upper| scale.place(upper)),
        };
        let (ticks, decimals) = scale.ticks();
        let tick =
            |value: f64| Mark { anchor: "middle", ..mark(value, &tick(*kind, *signed, value, decimals)) };
        Some(Strip {
            described: self.described(),
            id: id.clone(),
            title: title.clone(),
            height: base + BELOW,
            top: above - 6.0,
            base,
            left: LEFT,
            right: RIGHT,
            lines: lines.iter().enumerate().map(line).collect(),
            ticks: ticks.into_iter().map(tick).collect(),
            zero: signed.then(|| scale.place(0.0)),
            required: required.iter().map(|(value, label)| mark(*value, label)).collect(),
            resolution: resolution.as_ref().map(|(value, label)| Band {
                x: scale.place(*value),
                width: round(scale.place(0.0) - scale.place(*value)),
                label: mark(*value, label),
            }),
        })
    }

    /// The plot in words.
    fn described(&self) -> String {
        let show = |value: f64| {
            minus(if self.signed {
                number::signed(self.kind, value)
            } else {
                number::value(self.kind, value)
            })
        };
        let told = self.lines.iter().map(|(label, _, at, lower, upper)| {
            let interval = number::bounds(*lower, *upper, show);
            let interval = if interval == number::NONE { String::new() } else { format!(" ({interval})") };
            format!("{label} {}{interval}", show(*at))
        });
        let marks = self.required.iter().chain(&self.resolution).map(|(_, label)| label.clone());
        told.chain(marks).collect::<Vec<_>>().join("; ")
    }
}

/// The least that an axis spans on each side of a single value: some steps of the last digit that is told.
fn least_span(kind: MetricKind) -> f64 {
    match kind {
        MetricKind::Check | MetricKind::Judge | MetricKind::Latency => 0.01,
        MetricKind::OutputTokens | MetricKind::Length => 1.0,
        MetricKind::Cost => 1e-5,
    }
}

/// The end of an interval without this bound: the estimate where there is none at all.
fn open(at: f64, other: Option<f64>, end: f64, scale: &Scale) -> f64 {
    if other.is_some() { end } else { scale.place(at) }
}

/// A value at an axis, with as many decimals as tell it from its neighbours.
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
