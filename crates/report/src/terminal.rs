//! The report for a person at a terminal or reading a log: verdict and reasons first, then the numbers.
//!
//! No text of a model is printed, only ids, names and numbers, and each line passes the guard of
//! [`neutral::guarded`] after it is laid out. Colours repeat what a word says; they never stand alone.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};

use super::v1::{CriterionVerdict, Report, Verdict};
use super::{Style, judge, looks, number, origin, view};
use promptgate_core::text::{Redactor, neutral};

/// The narrowest width that is laid out for.
const NARROWEST: usize = 60;
/// From here on there is room for which metric of a case moved most.
const ROOMY: u16 = 84;
/// From here on there is room for what fails in a case.
const MIDDLE: u16 = 72;
/// So many sentences of an unfit judge are shown.
const SAID: usize = 3;
/// Cases that are listed.
const WORST: usize = 5;
/// Reasons that are listed.
const REASONS: usize = 8;

const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

const PLAIN: Ansi = Ansi::new();
const DIM: Ansi = Ansi::new().dimmed();
const GREEN: Ansi = AnsiColor::Green.on_default();
const RED: Ansi = AnsiColor::Red.on_default();
const YELLOW: Ansi = AnsiColor::Yellow.on_default();

/// Writes the report for a terminal.
pub(super) fn write(report: &Report, out: &mut impl Write, style: &Style) -> io::Result<()> {
    let width = u16::try_from(style.width.max(NARROWEST)).unwrap_or(u16::MAX);
    let mut page = Page { out, width, color: style.color, redactor: &style.redactor };
    headline(report, &mut page)?;
    if !view::nothing_measured(report) {
        criteria(report, &mut page)?;
        metrics(report, &mut page)?;
        cases(report, &mut page)?;
    }
    self_test(report, &mut page)?;
    notes(report, style, &mut page)
}

/// What an unfit judge said of planted answers, and why of the first few that came out wrong.
fn self_test<W: Write>(report: &Report, page: &mut Page<'_, W>) -> io::Result<()> {
    let rows = judge::failed_self_test(report, page.redactor);
    if rows.is_empty() {
        return Ok(());
    }
    let mut said: Vec<String> = Vec::new();
    for row in rows.iter().filter(|row| !row.passed) {
        if said.len() < SAID && !said.contains(&row.said) {
            said.push(row.said.clone());
        }
    }
    let header = ["planted answer", "asked", "belongs", "scores"];
    let cells = rows
        .into_iter()
        .map(|row| {
            let mark = if row.passed { "✓" } else { "✗" };
            let planted = format!("{mark} {}", short(page.redactor, &row.planted, 36));
            vec![planted, short(page.redactor, &row.metric, 30), row.expected.to_owned(), row.scores]
        })
        .collect();
    page.table(&table(&header, &[2, 3], 0, cells, page.width))?;
    page.blank()?;
    for text in said {
        page.labelled(LABEL, "it said", &neutral::clip(&text, 300), PLAIN)?;
    }
    page.blank()
}

/// Lines of bounded width on their way out.
struct Page<'a, W> {
    out: &'a mut W,
    width: u16,
    color: bool,
    /// Takes secrets out of what is about to be cut or wrapped: a part of one would not be known.
    redactor: &'a Redactor,
}

impl<W: Write> Page<'_, W> {
    /// One line, guarded, in one colour.
    fn line(&mut self, text: &str, ansi: Ansi) -> io::Result<()> {
        let line = neutral::guarded(text.trim_end());
        if self.color && !line.is_empty() && ansi != PLAIN {
            writeln!(self.out, "{ansi}{line}{ansi:#}")
        } else {
            writeln!(self.out, "{line}")
        }
    }

    fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// A table with a rule below its header; a line that ends with the word of a verdict has that in colour.
    fn table(&mut self, table: &Table) -> io::Result<()> {
        for (index, line) in table.lines().enumerate() {
            let line = neutral::guarded(line.trim_end());
            let verdict = VERDICTS.iter().find(|(_, word, _)| line.ends_with(word));
            match verdict {
                Some((_, word, ansi)) if self.color => {
                    let start = line.strip_suffix(word).unwrap_or_default();
                    writeln!(self.out, "{start}{ansi}{word}{ansi:#}")?;
                }
                _ => self.line(&line, if index < 2 { DIM } else { PLAIN })?,
            }
        }
        Ok(())
    }

    /// A label of some columns and a text that wraps beside it.
    fn labelled(&mut self, width: u16, label: &str, text: &str, ansi: Ansi) -> io::Result<()> {
        let text = &*self.redactor.redact(text);
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(self.width);
        table.add_row([label, text]);
        if let Some(column) = table.column_mut(0) {
            column.set_padding((0, 1));
            column.set_constraint(ColumnConstraint::Absolute(comfy_table::Width::Fixed(width)));
        }
        for line in table.lines() {
            let line = neutral::guarded(line.trim_end());
            match line.strip_prefix(label) {
                Some(rest) if self.color && !label.is_empty() => {
                    writeln!(self.out, "{ansi}{label}{ansi:#}{rest}")?;
                }
                _ => writeln!(self.out, "{line}")?,
            }
        }
        Ok(())
    }
}

/// Width of the labels before the notes.
const LABEL: u16 = 11;
/// Width of the mark before a reason.
const BULLET: u16 = 4;

/// Width of the label before the next step.
const HELP: u16 = 8;

/// What a verdict on a criterion looks like.
const VERDICTS: [(CriterionVerdict, &str, Ansi); 4] = [
    (CriterionVerdict::Pass, "✓ pass", GREEN),
    (CriterionVerdict::Fail, "✗ FAIL", RED),
    (CriterionVerdict::Inconclusive, "? inconclusive", YELLOW),
    (CriterionVerdict::Incomplete, "! incomplete", YELLOW),
];

fn verdict_text(verdict: CriterionVerdict) -> &'static str {
    VERDICTS.iter().find(|(of, _, _)| *of == verdict).map_or("", |(_, word, _)| word)
}

fn verdict_color(verdict: Verdict) -> Ansi {
    match verdict {
        Verdict::Pass | Verdict::Unchanged => GREEN,
        Verdict::Fail => RED,
        Verdict::Inconclusive | Verdict::Incomplete => YELLOW,
    }
}

/// Untrusted text of bounded length for one line.
fn short(redactor: &Redactor, text: &str, limit: usize) -> String {
    neutral::clip(&neutral::terminal(&redactor.redact(text)), limit)
}

fn headline<W: Write>(report: &Report, page: &mut Page<'_, W>) -> io::Result<()> {
    let candidate = short(page.redactor, &view::variant_name(&report.variants.candidate), 40);
    let against = match &report.variants.baseline {
        Some(baseline) => format!("against {}", short(page.redactor, &view::variant_name(baseline), 40)),
        None => "without a baseline".to_owned(),
    };
    let first = format!(
        "{}  {}",
        view::standing(report).word().to_uppercase(),
        short(page.redactor, &report.name, 40)
    );
    let second = format!("candidate {candidate} {against}");
    let ansi = verdict_color(report.verdict).bold();
    if first.chars().count() + second.chars().count() + 2 <= usize::from(page.width) {
        page.line(&format!("{first}  {second}"), ansi)?;
    } else {
        page.line(&first, ansi)?;
        page.labelled(BULLET, "", &second, PLAIN)?;
    }
    if view::is_let_through(report) {
        page.labelled(
            BULLET,
            "",
            "(exit code 0 all the same: advisory, or allowed by the configuration)",
            DIM,
        )?;
    }
    if report.policy_source.as_ref().is_some_and(|source| source.new) {
        page.line("      (policy: new: this change set its own bar)", YELLOW.bold())?;
    }
    let reasons = view::reasons(report, page.redactor);
    for reason in reasons.iter().take(REASONS) {
        page.labelled(
            BULLET,
            "  -",
            &neutral::terminal(&page.redactor.redact(reason)),
            verdict_color(report.verdict),
        )?;
    }
    if let Some(more) = reasons.len().checked_sub(REASONS).filter(|more| *more > 0) {
        page.line(&format!("  - and {more} more in the report"), PLAIN)?;
    }
    if let Some(fault) = &report.ended.fault {
        if report.reasons.is_empty() {
            page.labelled(BULLET, "  -", &neutral::terminal(&page.redactor.redact(&fault.message)), YELLOW)?;
        }
        if let Some(help) = &fault.help {
            page.labelled(HELP, "  help:", &neutral::terminal(&page.redactor.redact(help)), DIM)?;
        }
    }
    page.blank()
}

/// A table whose columns are right-aligned where `right` says so; all but the `wrapping` one keep to one line.
pub(super) fn table(
    header: &[&str],
    right: &[usize],
    wrapping: usize,
    rows: Vec<Vec<String>>,
    width: u16,
) -> Table {
    let mut table = Table::new();
    table.load_style(RULED);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(header.iter().map(|title| (*title).to_owned()).collect::<Vec<_>>());
    table.add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if index != wrapping {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
}

fn criteria<W: Write>(report: &Report, page: &mut Page<'_, W>) -> io::Result<()> {
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

fn metrics<W: Write>(report: &Report, page: &mut Page<'_, W>) -> io::Result<()> {
    let rows = view::telling_metrics(report);
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

fn cases<W: Write>(report: &Report, page: &mut Page<'_, W>) -> io::Result<()> {
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
            let mut cells = vec![id, row.words.to_owned()];
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

fn notes<W: Write>(report: &Report, style: &Style, page: &mut Page<'_, W>) -> io::Result<()> {
    if report.simulated {
        let text = "the endpoint was the simulated one: these scores are no measure of a model";
        page.labelled(LABEL, "simulated", text, YELLOW)?;
    }
    for warning in &report.warnings {
        page.labelled(LABEL, "warning", &neutral::terminal(&page.redactor.redact(warning)), YELLOW)?;
    }
    if let Some(note) = report.baseline_note.as_deref() {
        let none = if note.starts_with(view::NO_BASELINE) { "none: " } else { "" };
        let words = format!("{none}{}", view::baseline_words(note));
        page.labelled(LABEL, "baseline", &neutral::terminal(&page.redactor.redact(&words)), YELLOW)?;
    }
    let cases = number::counted(report.cases.len() as u64, "case");
    let repeats = number::counted(u64::from(report.repeats), "repeat");
    let tally = view::tally(report);
    let separator = if tally.is_empty() { "" } else { ": " };
    page.labelled(LABEL, "cases", &format!("{cases}, {repeats} each{separator}{tally}"), DIM)?;
    if let Some(looks) = looks::line(report, page.redactor) {
        page.labelled(LABEL, "looks", &looks, DIM)?;
    }
    if let Some(settle) = looks::settle(report) {
        page.labelled(LABEL, "to settle", &settle, YELLOW)?;
    }
    if let Some(place) = origin::place(report) {
        let (words, ansi) = match origin::notice(report, 0) {
            Some(notice) => (notice.words, YELLOW),
            None => (format!("that of {place}, as here"), DIM),
        };
        page.labelled(LABEL, "policy", &neutral::terminal(&page.redactor.redact(&words)), ansi)?;
    }
    let model = short(page.redactor, &report.variants.candidate.model, 40);
    let baseline_model = match &report.variants.baseline {
        Some(baseline) if baseline.model != report.variants.candidate.model => {
            format!(" (baseline {})", short(page.redactor, &baseline.model, 40))
        }
        _ => String::new(),
    };
    page.labelled(LABEL, "model", &format!("{model}{baseline_model}"), DIM)?;
    if let Some(judge) = &report.judge {
        let words = judge::words(report, page.redactor).join("; ");
        page.labelled(LABEL, "judge", &format!("{}; {words}", short(page.redactor, &judge.model, 40)), DIM)?;
    }
    page.labelled(LABEL, "cost", &view::cost(report), DIM)?;
    if !style.files.is_empty() {
        let files: Vec<String> = style.files.iter().map(|file| neutral::terminal(file)).collect();
        page.labelled(LABEL, "reports", &files.join(", "), DIM)?;
        let detailed = files.iter().find(|file| file.ends_with(".md"));
        if let Some(file) = detailed.filter(|_| report.verdict == Verdict::Fail) {
            page.labelled(LABEL, "next", &format!("{file} says why each case fails"), PLAIN)?;
        }
    }
    Ok(())
}
