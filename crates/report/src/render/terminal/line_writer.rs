//! Lines, labels and tables of bounded width.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};

use crate::v1::{CriterionVerdict, Verdict};
use promptgate_core::text::{Redactor, neutral};

const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

pub(super) const PLAIN: Ansi = Ansi::new();
pub(super) const DIM: Ansi = Ansi::new().dimmed();
pub(super) const GREEN: Ansi = AnsiColor::Green.on_default();
pub(super) const RED: Ansi = AnsiColor::Red.on_default();
pub(super) const YELLOW: Ansi = AnsiColor::Yellow.on_default();

/// Writes lines of bounded width.
pub(super) struct LineWriter<'a> {
    pub(super) out: &'a mut dyn Write,
    pub(super) width: u16,
    pub(super) color: bool,
    /// Applied before text is cut or wrapped, since a part of a secret would not be recognized.
    pub(super) redactor: &'a Redactor,
}

impl LineWriter<'_> {
    /// Writes a guarded line in one style.
    pub(super) fn line(&mut self, text: &str, ansi: Ansi) -> io::Result<()> {
        let line = neutral::guarded(text.trim_end());
        if self.color && !line.is_empty() && ansi != PLAIN {
            writeln!(self.out, "{ansi}{line}{ansi:#}")
        } else {
            writeln!(self.out, "{line}")
        }
    }

    pub(super) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// Writes a table with a dimmed header; a verdict at the end of a line is colored.
    pub(super) fn table(&mut self, table: &Table) -> io::Result<()> {
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

    /// Writes a label of `width` columns with the text wrapped beside it.
    pub(super) fn labelled(&mut self, width: u16, label: &str, text: &str, ansi: Ansi) -> io::Result<()> {
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

/// Width of the labels of notes.
pub(super) const LABEL: u16 = 11;
/// Width of the bullet of a reason.
pub(super) const BULLET: u16 = 4;

/// Width of the `help:` label.
pub(super) const HELP: u16 = 8;

/// Text and style of criterion verdicts.
const VERDICTS: [(CriterionVerdict, &str, Ansi); 4] = [
    (CriterionVerdict::Pass, "✓ pass", GREEN),
    (CriterionVerdict::Fail, "✗ FAIL", RED),
    (CriterionVerdict::Inconclusive, "? inconclusive", YELLOW),
    (CriterionVerdict::Incomplete, "! incomplete", YELLOW),
];

pub(super) fn verdict_text(verdict: CriterionVerdict) -> &'static str {
    VERDICTS.iter().find(|(of, _, _)| *of == verdict).map_or("", |(_, word, _)| word)
}

pub(super) fn verdict_color(verdict: Verdict) -> Ansi {
    match verdict {
        Verdict::Pass | Verdict::Unchanged => GREEN,
        Verdict::Fail => RED,
        Verdict::Inconclusive | Verdict::Incomplete => YELLOW,
    }
}

/// Redacts and clips untrusted text to a part of a line.
pub(super) fn short(redactor: &Redactor, text: &str, limit: usize) -> String {
    neutral::clip(&neutral::terminal(&redactor.redact(text)), limit)
}

/// Columns of a table: a space on both sides of each cell, and one between cells.
pub(super) fn natural_width(header: &[&str], rows: &[Vec<String>]) -> usize {
    let widest = |(index, title): (usize, &&str)| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
        cells.fold(title.chars().count(), usize::max) + 3
    };
    header.iter().enumerate().map(widest).sum::<usize>().saturating_sub(1)
}

/// Builds a table with the columns in `right` aligned to the right; only the column `wrapping` wraps.
pub(crate) fn table(
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
