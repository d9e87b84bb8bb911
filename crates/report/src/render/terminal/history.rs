//! The runs of a suite over time, and what drifted.

use std::io::{self, Write};

use super::line_writer::{DIM, GREEN, LABEL, LineWriter, PLAIN, RED, YELLOW, natural_width, short, table};
use super::wrapped::{Span, write_block};
use super::{MIN_WIDTH, Style};
use crate::history::{History, HistoryRun, Trend, TrendStatus};
use crate::v1::MetricKind;
use crate::view::{minute, number};
use promptgate_core::text::neutral;

/// Runs that the table lists, the newest ones.
const MAX_RUNS: usize = 40;
/// Runs of a sparkline, the newest ones.
const MAX_POINTS: usize = 24;
/// Characters of the name of a metric.
const MAX_NAME: usize = 24;
/// Bars of a sparkline, the lowest first.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Writes a history.
///
/// # Errors
/// Those of `out`.
pub fn write_history(history: &History, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let width = u16::try_from(style.width.max(MIN_WIDTH)).unwrap_or(u16::MAX);
    let mut writer = LineWriter { out, width, color: style.color, redactor: &style.redactor };
    let suite = short(writer.redactor, &history.suite, 40);
    let days = match (history.runs.first(), history.runs.last()) {
        (Some(first), Some(last)) => format!(", {} to {}", day(first), day(last)),
        _ => String::new(),
    };
    let runs = number::counted(history.runs.len() as u64, "run");
    writer.line(&format!("{suite} · {runs}{days}"), PLAIN.bold())?;
    writer.blank()?;
    write_runs(history, &mut writer)?;
    let names: Vec<String> =
        history.trends.iter().map(|trend| short(writer.redactor, &trend.metric, MAX_NAME)).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    for (trend, name) in history.trends.iter().zip(&names) {
        write_trend(history, trend, &format!("{name:<longest$} "), &mut writer)?;
    }
    writer.blank()?;
    writer.labelled(LABEL, "tested", &history.tested, DIM)
}

fn day(run: &HistoryRun) -> String {
    neutral::terminal(run.started_at.get(..10).unwrap_or(&run.started_at))
}

fn write_runs(history: &History, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let first = history.runs.len().saturating_sub(MAX_RUNS);
    let runs = history.runs.get(first..).unwrap_or_default();
    let redactor = writer.redactor;
    let mut header = vec!["run", "commit", "version", "verdict"];
    let names: Vec<String> =
        history.trends.iter().map(|trend| short(redactor, &trend.metric, MAX_NAME)).collect();
    header.extend(names.iter().map(String::as_str));
    header.push("cost");
    let mut rows: Vec<Vec<String>> = Vec::new();
    for run in runs {
        let mark = match (run.comparable, run.simulated) {
            (true, false) => "",
            (false, false) => " *",
            (true, true) => " ~",
            (false, true) => " *~",
        };
        let commit = run.commit.as_deref().map_or(number::NONE, |commit| commit.get(..7).unwrap_or(commit));
        let mut row = vec![
            format!("{}{mark}", short(redactor, &minute(&run.started_at), 20)),
            short(redactor, commit, 7),
            short(redactor, &run.version, 12),
            run.verdict.as_str().to_owned(),
        ];
        row.extend(history.trends.iter().map(|trend| mean(run, trend)));
        row.push(run.spent_usd().map_or_else(|| number::NONE.to_owned(), number::dollars));
        rows.push(row);
    }
    // The trends below have the metrics that do not fit.
    while header.len() > 5 && natural_width(&header, &rows) > usize::from(writer.width) {
        let last = header.len() - 2;
        header.remove(last);
        for row in &mut rows {
            row.remove(last);
        }
    }
    let right: Vec<usize> = (4..header.len()).collect();
    writer.table(&table(&header, &right, 2, rows, writer.width))?;
    if first > 0 {
        writer.line(&format!(" and {}", number::counted(first as u64, "earlier run")), DIM)?;
    }
    if runs.iter().any(|run| !run.comparable) {
        writer.line(" * not comparable with the newest run", DIM)?;
    }
    if runs.iter().any(|run| run.simulated) {
        writer.line(" ~ simulated endpoint: these scores do not measure a model", YELLOW)?;
    }
    writer.blank()
}

fn value(run: &HistoryRun, trend: &Trend) -> Option<f64> {
    run.metrics.iter().find(|metric| metric.metric == trend.metric)?.mean
}

fn mean(run: &HistoryRun, trend: &Trend) -> String {
    value(run, trend).map_or_else(|| number::NONE.to_owned(), |mean| number::value(trend.kind, mean))
}

fn write_trend(history: &History, trend: &Trend, label: &str, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let from = history.runs.len().saturating_sub(MAX_POINTS);
    let values: Vec<Option<f64>> =
        history.runs.iter().skip(from).map(|run| value(run, trend).filter(|_| run.comparable)).collect();
    let known = || values.iter().flatten().copied();
    let shown = |value: Option<f64>| {
        value.map_or_else(|| number::NONE.to_owned(), |it| number::value(trend.kind, it))
    };
    let range = format!("{} → {}", shown(known().next()), shown(known().last()));
    // A higher score is better, a higher latency or cost is not.
    let is_score = matches!(trend.kind, MetricKind::Check | MetricKind::Judge);
    let ansi = match trend.status {
        TrendStatus::WithinNoise | TrendStatus::NotTested => PLAIN,
        TrendStatus::Lower if is_score => RED,
        TrendStatus::Higher if is_score => GREEN,
        TrendStatus::Lower | TrendStatus::Higher => YELLOW,
    };
    let spans: [Span; 2] =
        [(PLAIN, format!("{}  {range}  ", sparkline(&values))), (ansi, trend.finding.clone())];
    write_block((PLAIN, label), &spans, usize::MAX, writer)
}

/// A bar for each value, from the lowest to the highest one; `·` for none. Values that hardly differ are level.
fn sparkline(values: &[Option<f64>]) -> String {
    let known = || values.iter().flatten();
    let low = known().copied().fold(f64::INFINITY, f64::min);
    let high = known().copied().fold(f64::NEG_INFINITY, f64::max);
    let is_level = high - low <= high.abs().max(low.abs()) * 0.01;
    let bar = |value: &f64| {
        let share = if is_level { 0.5 } else { (value - low) / (high - low) };
        let last = BARS.len() - 1;
        let index = (share * last as f64).round() as usize;
        BARS.get(index.min(last)).copied().unwrap_or('·')
    };
    values.iter().map(|value| value.as_ref().map_or('·', bar)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fixtures;

    fn shown(width: usize, means: &[f64]) -> String {
        let history = fixtures::history(means);
        let mut out = Vec::new();
        write_history(&history, &mut out, &Style { width, ..Style::default() }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn history_shows_runs_trends_and_what_was_tested() {
        let text = shown(80, &[0.90, 0.90, 0.89, 0.88, 0.87, 0.85, 0.84, 0.83]);
        insta::assert_snapshot!("terminal_history", text);
    }

    #[test]
    fn simulated_runs_are_marked_and_cost_nothing() {
        let mut history = fixtures::history(&[0.9, 0.8]);
        let long = || "a_metric_with_a_long_name".to_owned();
        let old = std::mem::replace(&mut history.trends[0].metric, long());
        for metric in history.runs.iter_mut().flat_map(|run| &mut run.metrics) {
            if metric.metric == old {
                metric.metric = long();
            }
        }
        let show = |history: &History| {
            let mut out = Vec::new();
            write_history(history, &mut out, &Style { width: 100, ..Style::default() }).unwrap();
            String::from_utf8(out).unwrap()
        };
        history.runs.iter_mut().for_each(|run| run.simulated = false);
        let paid = show(&history);
        assert!(!paid.contains("simulated") && paid.contains('$'), "{paid}");
        history.runs[1].simulated = true;
        let text = show(&history);
        assert!(text.contains(" ~ simulated endpoint: these scores do not measure a model"), "{text}");
        let row = |day: &str| text.lines().find(|line| line.trim_start().starts_with(day)).unwrap();
        assert!(row("2026-11-02").contains("~ ") && !row("2026-11-02").contains('$'), "{text}");
        assert!(!row("2026-11-01").contains('~') && row("2026-11-01").contains('$'), "{text}");
        // Sparklines start in one column.
        let starts: BTreeSet<usize> = text
            .lines()
            .filter_map(|line| line.chars().position(|character| BARS.contains(&character)))
            .collect();
        assert_eq!(starts.len(), 1, "{text}");
    }

    #[test]
    fn history_fits_every_width() {
        for width in [60, 80, 100] {
            for means in [&[0.9][..], &[0.9, 0.8, 0.9, 0.8, 0.7, 0.7, 0.7]] {
                let text = shown(width, means);
                assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
            }
        }
    }

    #[test]
    fn sparkline_spans_the_values() {
        assert_eq!(sparkline(&[Some(0.0), None, Some(0.5), Some(1.0)]), "▁·▅█");
        assert_eq!(sparkline(&[Some(0.9), Some(0.9001)]), "▅▅");
        assert_eq!(sparkline(&[None]), "·");
        assert_eq!(sparkline(&[Some(0.0), Some(0.0)]), "▅▅");
    }

    #[test]
    fn names_of_reports_are_neutralized() {
        let mut history = fixtures::history(&[0.9, 0.8]);
        let hostile = "\u{1b}[2J::error::x\n##[group]\u{202e}";
        history.suite = hostile.to_owned();
        for run in &mut history.runs {
            run.started_at = hostile.to_owned();
            run.version = hostile.to_owned();
            run.commit = Some(hostile.to_owned());
        }
        let mut out = Vec::new();
        write_history(&history, &mut out, &Style::default()).unwrap();
        let text = String::from_utf8(out).unwrap();
        for part in ["\u{1b}", "\n::error", "##[", "\u{202e}"] {
            assert!(!text.contains(part), "{part:?} in {text}");
        }
    }
}
