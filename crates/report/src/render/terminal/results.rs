//! Tables of criteria, metrics and worst cases.

use std::io;

use super::page::{DIM, Page, short, table, verdict_text};
use crate::v1::Report;
use crate::view::{self, number};
use promptgate_core::text::Redactor;

/// From here on there is room for which metric of a case moved most.
const ROOMY: u16 = 84;
/// From here on there is room for what fails in a case.
const MIDDLE: u16 = 72;
/// Cases that are listed.
const WORST: usize = 5;

pub(super) fn criteria(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    if report.criteria.is_empty() {
        return Ok(());
    }
    let view::Criteria { listed, folded } = view::criteria(report);
    let cells = |id: &str, row: &view::CriterionRow<'_>| {
        let verdict = verdict_text(row.verdict).to_owned();
        vec![
            short(page.redactor, id, 60),
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
    drop_unless_it_fits(2, &mut header, &mut rows, page.width);
    let right: Vec<usize> = (1..header.len() - 1).collect();
    page.table(&table(&header, &right, 0, rows, page.width))?;
    page.blank()
}

/// Leaves a column out where the table would be wider than the page with it.
fn drop_unless_it_fits(column: usize, header: &mut Vec<&str>, rows: &mut [Vec<String>], width: u16) {
    let widest = |index: usize, title: &str| {
        rows.iter()
            .filter_map(|row| row.get(index))
            .map(|cell| cell.chars().count())
            .fold(title.len(), usize::max)
    };
    // A blank on both sides of each cell, and one between two cells.
    let natural: usize = header.iter().enumerate().map(|(index, title)| widest(index, title) + 3).sum();
    if natural > usize::from(width) + 1 && column < header.len() {
        header.remove(column);
        for row in rows {
            row.remove(column);
        }
    }
}

pub(super) fn metrics(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
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
            let mut cells = vec![short(page.redactor, row.name, 60), row.candidate];
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
    drop_unless_it_fits(interval, &mut header, &mut cells, page.width);
    let right: Vec<usize> = (1..header.len()).collect();
    page.table(&table(&header, &right, 0, cells, page.width))?;
    page.blank()
}

pub(super) fn cases(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let rows = view::worst(report);
    if rows.is_empty() {
        return Ok(());
    }
    let shown = rows.len().min(WORST);
    let more = rows.len() - shown;
    let compared = report.variants.baseline.is_some();
    let roomy = page.width >= ROOMY;
    let middle = page.width >= MIDDLE || !compared;
    let mut header = vec!["worst cases", "status"];
    header.extend(if compared { vec!["before", "now", "difference"] } else { vec!["passed"] });
    header.extend(middle.then_some("what fails"));
    let cells = rows
        .into_iter()
        .take(WORST)
        .map(|row| {
            let id = short(page.redactor, &row.case.id, if roomy { 32 } else { 20 });
            let mut cells = vec![id, row.label.to_owned()];
            if compared {
                // What fails names the metric already, for most cases.
                let fails = |metric: &str| row.case.failing.iter().any(|failing| failing == metric);
                let difference = row.difference.map(|(metric, difference)| match roomy && !fails(metric) {
                    true => format!("{difference} {}", short(page.redactor, metric, 20)),
                    false => difference,
                });
                cells.push(row.baseline);
                cells.push(row.candidate);
                cells.push(difference.unwrap_or_else(|| number::NONE.to_owned()));
            } else {
                cells.push(row.candidate);
            }
            cells.extend(middle.then(|| failing(page.redactor, &row.case.failing)));
            cells
        })
        .collect();
    let right: &[usize] = if compared { &[2, 3] } else { &[2] };
    let wrapping = if middle { header.len() - 1 } else { 0 };
    page.table(&table(&header, right, wrapping, cells, page.width))?;
    if more > 0 {
        page.line(&format!(" and {more} more in the report"), DIM)?;
    }
    page.blank()
}

/// The first metrics that fail, and how many more there are.
fn failing(redactor: &Redactor, metrics: &[String]) -> String {
    let mut names: Vec<String> = metrics.iter().take(2).map(|name| short(redactor, name, 28)).collect();
    if metrics.len() > 2 {
        names.push(format!("+{}", metrics.len() - 2));
    }
    if names.is_empty() { number::NONE.to_owned() } else { names.join(", ") }
}
