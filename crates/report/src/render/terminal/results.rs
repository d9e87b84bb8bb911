//! Tables of criteria, metrics and worst cases.

use std::io;

use super::line_writer::{DIM, LineWriter, natural_width, short, table, verdict_text};
use crate::v1::Report;
use crate::view::{self, number};
use promptgate_core::text::{Redactor, neutral};

/// Minimum width to name the metric that changed most.
const METRIC_NAME_WIDTH: u16 = 84;
/// Minimum width for the column of failing metrics.
const FAILING_WIDTH: u16 = 72;
const MAX_CASES: usize = 5;
/// Characters of the id of a case.
const MAX_ID: usize = 60;
/// Characters of an id that are kept whatever the width.
const MIN_ID: usize = 20;
/// Columns that a wrapped cell with failing metrics gets.
const MIN_FAILING: usize = 14;

pub(super) fn write_criteria(report: &Report, writer: &mut LineWriter<'_>) -> io::Result<()> {
    if report.criteria.is_empty() {
        return Ok(());
    }
    let view::Criteria { listed, folded } = view::criteria(report);
    let cells = |id: &str, row: &view::CriterionRow<'_>| {
        let verdict = verdict_text(row.verdict).to_owned();
        vec![
            short(writer.redactor, id, 60),
            row.estimate.clone(),
            row.interval.clone(),
            row.required.clone(),
            verdict,
        ]
    };
    let listed = listed.iter().map(|row| cells(row.id, row));
    let folded = folded.iter().filter_map(|of| of.rows.first().map(|row| cells(&of.label, row)));
    let mut rows: Vec<Vec<String>> = listed.chain(folded).collect();
    let mut header = vec!["criterion", "estimate", "interval", "required", "verdict"];
    drop_unless_it_fits(2, &mut header, &mut rows, writer.width);
    let right: Vec<usize> = (1..header.len() - 1).collect();
    writer.table(&table(&header, &right, 0, rows, writer.width))?;
    writer.blank()
}

/// Drops a column where the table would be wider than the line.
fn drop_unless_it_fits(column: usize, header: &mut Vec<&str>, rows: &mut [Vec<String>], width: u16) {
    if natural_width(header, rows) > usize::from(width) && column < header.len() {
        header.remove(column);
        for row in rows {
            row.remove(column);
        }
    }
}

pub(super) fn write_metrics(report: &Report, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let rows = view::informative_metrics(report);
    if rows.is_empty() {
        return Ok(());
    }
    let compared = report.variants.baseline.is_some();
    let missing = rows.iter().any(|row| row.missing > 0);
    let mut header = vec!["metric", "candidate"];
    if compared {
        header.extend(["baseline", "difference"]);
    }
    let interval = header.len();
    header.push("interval");
    if missing {
        header.push("missing");
    }
    let mut cells: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let mut cells = vec![short(writer.redactor, row.name, 60), row.candidate];
            if compared {
                cells.extend([row.baseline, row.difference]);
            }
            cells.push(row.interval);
            if missing {
                cells.push(row.missing.to_string());
            }
            cells
        })
        .collect();
    drop_unless_it_fits(interval, &mut header, &mut cells, writer.width);
    let right: Vec<usize> = (1..header.len()).collect();
    writer.table(&table(&header, &right, 0, cells, writer.width))?;
    writer.blank()
}

pub(super) fn write_cases(report: &Report, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let rows = view::worst(report);
    if rows.is_empty() {
        return Ok(());
    }
    let shown = rows.len().min(MAX_CASES);
    let more = rows.len() - shown;
    let compared = report.variants.baseline.is_some();
    let names_metric = writer.width >= METRIC_NAME_WIDTH;
    let lists_failing = writer.width >= FAILING_WIDTH || !compared;
    let mut header = vec![if compared { "worst cases" } else { "failing cases" }, "status"];
    header.extend(if compared { vec!["before", "now", "difference"] } else { vec!["passed"] });
    header.extend(lists_failing.then_some("failing"));
    let mut cells: Vec<Vec<String>> = rows
        .into_iter()
        .take(MAX_CASES)
        .map(|row| {
            let id = short(writer.redactor, &row.case.id, MAX_ID);
            let mut cells = vec![id, row.label.to_owned()];
            if compared {
                // The column of failing metrics usually names it.
                let is_failing = |metric: &str| row.case.failing.iter().any(|failing| failing == metric);
                let difference =
                    row.difference.map(|(metric, difference)| match names_metric && !is_failing(metric) {
                        true => format!("{difference} {}", short(writer.redactor, metric, 20)),
                        false => difference,
                    });
                cells.push(row.baseline);
                cells.push(row.candidate);
                cells.push(difference.unwrap_or_else(|| number::NONE.to_owned()));
            } else {
                cells.push(row.candidate);
            }
            cells.extend(lists_failing.then(|| failing(writer.redactor, &row.case.failing)));
            cells
        })
        .collect();
    cut_ids(&header, &mut cells, lists_failing, writer.width);
    let right: &[usize] = if compared { &[2, 3] } else { &[2] };
    let wrapping = if lists_failing { header.len() - 1 } else { 0 };
    writer.table(&table(&header, right, wrapping, cells, writer.width))?;
    if more > 0 {
        writer.line(&format!(" and {more} more in the report"), DIM)?;
    }
    writer.blank()
}

/// Cuts ids where the table would be wider than the line, but not below the minimum. `wraps` says whether the last column
/// does.
fn cut_ids(header: &[&str], rows: &mut [Vec<String>], wraps: bool, width: u16) {
    let columns = |row: &Vec<String>, index: usize| row.get(index).map_or(0, |cell| cell.chars().count());
    let last = header.len() - 1;
    let longest = |index: usize| rows.iter().map(|row| columns(row, index)).max().unwrap_or_default();
    let wrapped = if wraps { longest(last).saturating_sub(MIN_FAILING) } else { 0 };
    let excess = (natural_width(header, rows) - wrapped).saturating_sub(usize::from(width));
    let limit = longest(0).saturating_sub(excess).max(MIN_ID);
    for id in rows.iter_mut().filter_map(|row| row.first_mut()) {
        *id = neutral::clip(id, limit);
    }
}

/// The first failing metrics, and the number of others.
fn failing(redactor: &Redactor, metrics: &[String]) -> String {
    let mut names: Vec<String> = metrics.iter().take(2).map(|name| short(redactor, name, 28)).collect();
    if metrics.len() > 2 {
        names.push(format!("+{}", metrics.len() - 2));
    }
    if names.is_empty() { number::NONE.to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use crate::{Format, Style, fixtures, write};

    #[test]
    fn ids_are_cut_only_where_the_table_does_not_fit() {
        let mut report = fixtures::fail();
        let worst = report.cases.iter_mut().find(|case| case.id == "refund-002").unwrap();
        "unanswerable-insurance-of-bicycles".clone_into(&mut worst.id);
        let shown = |width| {
            let mut out = Vec::new();
            write(&report, Format::Terminal, &mut out, Style { width, ..Style::default() }).unwrap();
            String::from_utf8(out).unwrap()
        };
        for width in [100, 120] {
            assert!(shown(width).contains(" unanswerable-insurance-of-bicycles "), "{}", shown(width));
        }
        let narrow = shown(60);
        assert!(narrow.contains(" unanswerable-insura") && narrow.contains("… "), "{narrow}");
        assert!(!narrow.contains(" unanswerable-insurance-of-bicycles "), "{narrow}");
        assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    }
}
