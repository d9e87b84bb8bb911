//! The history of a suite as a self-contained page: a plot for each gated metric, and a table of the runs.

use std::io::{self, Write};

use minijinja::{Value, context};
use promptgate_core::text::{Redactor, neutral};
use serde::Serialize;

use super::super::Style;
use super::scale::{LEFT, RIGHT, Scale, round};
use super::{csp_digest, environment};
use crate::history::{History, HistoryRun, MetricMean, Trend, TrendStatus};
use crate::v1::{MetricKind, Verdict};
use crate::view::{minute, number};

const TEMPLATE: &str = concat!(include_str!("assets/head.html"), include_str!("assets/history.html"));
const STYLE: &str = concat!(include_str!("assets/page.css"), include_str!("assets/history.css"));

/// Size of a plot in drawing units, with the room for labels on the left and below.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 190.0;
const MARGIN: (f64, f64) = (64.0, 24.0);
/// Runs that the page shows, the newest ones.
const MAX_RUNS: usize = 500;
/// Characters of a name.
const MAX_NAME: usize = 120;

/// Writes a history as a page without scripts and without network requests.
///
/// # Errors
/// Those of `out`.
pub fn write_history_page(history: &History, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let page = page(history, &style.redactor);
    let environment = environment(style.redactor.clone()).map_err(io::Error::other)?;
    let text = environment.render_named_str("history.html", TEMPLATE, page).map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

fn page(history: &History, redactor: &Redactor) -> Value {
    let text = |text: &str, limit: usize| neutral::clip(&redactor.redact(text), limit);
    let first = history.runs.len().saturating_sub(MAX_RUNS);
    let runs = history.runs.get(first..).unwrap_or_default();
    let policy =
        format!("default-src 'none'; style-src '{}'; base-uri 'none'; form-action 'none'", csp_digest(STYLE));
    let row = |run: &HistoryRun| {
        let mean = |trend: &Trend| match value(run, trend).and_then(|metric| metric.mean) {
            Some(mean) => number::minus(number::value(trend.kind, mean)),
            None => number::NONE.to_owned(),
        };
        context! {
            started => text(&minute(&run.started_at), 40),
            commit => run.commit.as_deref().map(|commit| text(commit.get(..7).unwrap_or(commit), 7)),
            version => text(&run.version, MAX_NAME),
            verdict => run.verdict.as_str(),
            comparable => run.comparable,
            report => text(&run.report, 400),
            means => history.trends.iter().map(mean).collect::<Vec<String>>(),
            cost => run.spent_usd().map_or_else(|| number::NONE.to_owned(), number::dollars),
            simulated => run.simulated,
        }
    };
    context! {
        content_security_policy => policy,
        style => STYLE,
        title => format!("{}: history", text(&history.suite, 80)),
        suite => text(&history.suite, 80),
        count => number::counted(history.runs.len() as u64, "run"),
        left_out => (first > 0).then(|| number::counted(first as u64, "earlier run")),
        simulated => runs.iter().any(|run| run.simulated),
        first => runs.first().map(|run| text(&minute(&run.started_at), 40)),
        last => runs.last().map(|run| text(&minute(&run.started_at), 40)),
        tested => history.tested.clone(),
        metrics => history.trends.iter().map(|trend| text(&trend.metric, MAX_NAME)).collect::<Vec<String>>(),
        plots => minijinja::value::Serde(
            history.trends.iter().filter_map(|trend| plot(runs, trend, redactor)).collect::<Vec<Plot>>()
        ),
        runs => runs.iter().rev().map(row).collect::<Vec<Value>>(),
        all_compare => runs.iter().all(|run| run.comparable),
        skipped => history
            .skipped
            .iter()
            .map(|skipped| context! { report => text(&skipped.report, 400), reason => text(&skipped.reason, 400) })
            .collect::<Vec<Value>>(),
    }
}

/// The plot of a metric.
#[derive(Serialize)]
struct Plot {
    metric: String,
    finding: String,
    /// `good`, `bad` or `doubt` beyond noise; empty within.
    tone: &'static str,
    width: f64,
    height: f64,
    left: f64,
    bottom: f64,
    ticks: Vec<Tick>,
    points: Vec<Point>,
    /// The line through comparable runs.
    line: String,
}

#[derive(Serialize)]
struct Tick {
    y: f64,
    label: String,
}

#[derive(Serialize)]
struct Point {
    x: f64,
    y: f64,
    /// Ends of the interval; `None` without one.
    interval: Option<(f64, f64)>,
    passed: bool,
    comparable: bool,
    label: String,
}

/// A higher score is better; a higher latency or cost may not be.
fn tone(trend: &Trend) -> &'static str {
    let is_score = matches!(trend.kind, MetricKind::Check | MetricKind::Judge);
    match trend.status {
        TrendStatus::WithinNoise | TrendStatus::NotTested => "",
        TrendStatus::Lower if is_score => "bad",
        TrendStatus::Higher if is_score => "good",
        TrendStatus::Lower | TrendStatus::Higher => "doubt",
    }
}

fn value<'r>(run: &'r HistoryRun, trend: &Trend) -> Option<&'r MetricMean> {
    run.metrics.iter().find(|metric| metric.metric == trend.metric)
}

fn plot(runs: &[HistoryRun], trend: &Trend, redactor: &Redactor) -> Option<Plot> {
    let is_score = matches!(trend.kind, MetricKind::Check | MetricKind::Judge);
    let metrics = || runs.iter().filter_map(|run| value(run, trend));
    let values = metrics().flat_map(|metric| [metric.mean, metric.lower, metric.upper]).flatten();
    let scale = Scale::of(values, is_score.then_some((0.0, 1.0)), if is_score { 0.02 } else { 1e-6 })?;
    let (left, bottom) = (MARGIN.0, HEIGHT - MARGIN.1);
    let top = 10.0;
    // The scale is that of a horizontal axis.
    let y = |value: f64| round(bottom - (scale.position(value) - LEFT) / (RIGHT - LEFT) * (bottom - top));
    let step = (WIDTH - left - 20.0) / (runs.len().max(2) - 1) as f64;
    let x = |index: usize| round(left + 10.0 + step * index as f64);
    let point = |(index, run): (usize, &HistoryRun)| {
        let metric = value(run, trend)?;
        let mean = metric.mean?;
        let bounds = metric.lower.zip(metric.upper).filter(|(lower, upper)| lower != upper);
        Some(Point {
            x: x(index),
            y: y(mean),
            interval: bounds.map(|(lower, upper)| (y(upper), y(lower))),
            passed: matches!(run.verdict, Verdict::Pass | Verdict::Unchanged),
            comparable: run.comparable,
            label: neutral::clip(
                &redactor.redact(&format!(
                    "{}, {}: {}, {}",
                    minute(&run.started_at),
                    run.version,
                    number::minus(number::value(trend.kind, mean)),
                    run.verdict.as_str()
                )),
                300,
            ),
        })
    };
    let points: Vec<Point> = runs.iter().enumerate().filter_map(point).collect();
    let line: Vec<String> = points
        .iter()
        .filter(|point| point.comparable)
        .map(|point| format!("{},{}", point.x, point.y))
        .collect();
    let (ticks, decimals) = scale.ticks();
    let label = |tick: f64| match trend.kind {
        MetricKind::Check | MetricKind::Judge => number::unsigned_zero(format!("{tick:.decimals$}")),
        kind => number::value(kind, tick),
    };
    let ticks = ticks.into_iter().map(|tick| Tick { y: y(tick), label: number::minus(label(tick)) });
    Some(Plot {
        metric: neutral::clip(&redactor.redact(&trend.metric), MAX_NAME),
        finding: trend.finding.clone(),
        tone: tone(trend),
        width: WIDTH,
        height: HEIGHT,
        left,
        bottom,
        ticks: ticks.collect(),
        line: line.join(" "),
        points,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn shown(history: &History) -> String {
        let mut out = Vec::new();
        write_history_page(history, &mut out, &Style::default()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn page_has_a_plot_per_metric_and_a_row_per_run() {
        let history = fixtures::history(&[0.90, 0.90, 0.89, 0.88, 0.87, 0.85, 0.84, 0.83]);
        let page = shown(&history);
        assert_eq!(page.matches("<svg").count(), history.trends.len());
        assert_eq!(page.matches("<tr").count(), history.runs.len() + 1, "a header, and a row per run");
        assert!(page.contains("beyond noise") && page.contains("Averages of the last 3 runs"), "{page}");
        // Nothing is fetched, and nothing runs.
        for part in ["<script", "http:", "https:", "url(", "@import", "style=\""] {
            assert!(!page.contains(part), "{part}");
        }
        let policy = page.replace("&#x27;", "'").replace("&#x2f;", "/");
        assert!(policy.contains(&format!("style-src '{}'", csp_digest(STYLE))), "{policy}");
    }

    #[test]
    fn names_of_reports_are_escaped() {
        let mut history = fixtures::history(&[0.9, 0.8]);
        let hostile = "</title><script>alert(1)</script>\u{202e}";
        history.suite = hostile.to_owned();
        for run in &mut history.runs {
            run.version = hostile.to_owned();
            run.report = hostile.to_owned();
            run.commit = Some(hostile.to_owned());
            run.started_at = hostile.to_owned();
        }
        for trend in &mut history.trends {
            trend.metric = hostile.to_owned();
            for run in &mut history.runs {
                run.metrics.iter_mut().for_each(|metric| metric.metric = hostile.to_owned());
            }
        }
        let page = shown(&history);
        assert!(!page.contains("<script") && !page.contains('\u{202e}'), "{page}");
    }

    #[test]
    fn simulated_runs_are_marked_and_cost_nothing() {
        let mut history = fixtures::history(&[0.9, 0.8]);
        history.runs.iter_mut().for_each(|run| run.simulated = false);
        let paid = shown(&history);
        assert!(!paid.contains("Simulated:") && paid.contains('$'), "{paid}");
        history.runs.iter_mut().for_each(|run| run.simulated = true);
        let page = shown(&history);
        assert!(page.contains("<strong>Simulated:</strong>") && page.contains("</bdi> ~</td>"), "{page}");
        assert!(!page.contains('$'), "{page}");
    }

    #[test]
    fn single_run_has_a_page() {
        assert!(shown(&fixtures::history(&[0.9])).contains("Nothing was tested"));
    }
}
