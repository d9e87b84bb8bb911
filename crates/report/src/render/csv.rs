//! `--format csv`: one row per case, for spreadsheets. Every trial is in report.json.
//!
//! Texts of models and datasets cannot become formulas, commands of a CI runner or control sequences.

use std::io::{self, Write};

use super::Style;
use crate::v1::{Case, Report, Role, Trial};
use crate::view::{self, Sanitizer, concern, failure_reasons};
use promptgate_core::text::neutral;

/// Characters of a cell; spreadsheets allow 32,767.
const MAX_CELL: usize = 32_000;

/// Columns before those of the metrics.
const FIRST: [&str; 8] = [
    "id",
    "status",
    "must_pass",
    "tags",
    "baseline_passed",
    "baseline_trials",
    "candidate_passed",
    "candidate_trials",
];
/// Columns after those of the metrics.
const LAST: [&str; 9] = [
    "changed_metric",
    "difference",
    "failing",
    "question",
    "expected",
    "repeat",
    "baseline_answer",
    "candidate_answer",
    "reasons",
];

/// Writes a row per case, in dataset order.
pub(super) fn write(report: &Report, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let cell = Cell { sanitizer: Sanitizer::new(&style.redactor) };
    // A program with another separator then still finds the ends of the cells.
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(out);
    let metrics = report
        .scorers
        .iter()
        .flat_map(|name| ["baseline", "candidate"].map(|side| cell.text(&format!("{name} ({side})"))));
    let header = FIRST.map(str::to_owned).into_iter().chain(metrics).chain(LAST.map(str::to_owned));
    writer.write_record(header)?;
    for case in &report.cases {
        writer.write_record(row(report, case, &cell)?)?;
    }
    writer.flush()
}

fn row(report: &Report, case: &Case, cell: &Cell<'_>) -> io::Result<Vec<String>> {
    let trials = case.trials.iter().collect::<io::Result<Vec<_>>>()?;
    let count = |count: Option<usize>| count.map_or_else(String::new, |count| count.to_string());
    let (before, now) = (case.baseline_passes, case.candidate_passes);
    let mut row = vec![
        cell.text(&case.id),
        concern::status(report, case).to_owned(),
        case.must_pass.to_string(),
        cell.list(&case.tags),
        count(before.map(|passes| passes.passed)),
        count(before.map(|passes| passes.of)),
        count(now.map(|passes| passes.passed)),
        count(now.map(|passes| passes.of)),
    ];
    for scorer in &report.scorers {
        for role in [Role::Baseline, Role::Candidate] {
            let of_role = trials.iter().filter(|trial| trial.role == role);
            row.push(mean(of_role.filter_map(|trial| score(trial, scorer))));
        }
    }
    let largest = case.largest_difference.as_ref();
    let repeat = view::shown_repeat(case);
    let answer = |role: Role| {
        let trial = trials.iter().find(|trial| trial.role == role && Some(trial.repeat) == repeat);
        trial.map_or_else(String::new, |trial| match (&trial.output, &trial.error) {
            (Some(text), _) => cell.text(&view::with_calls(text, trial)),
            (None, Some(fault)) => cell.text(&format!("no answer: {}", fault.message)),
            (None, None) => String::new(),
        })
    };
    let reasons = failure_reasons(case, &cell.sanitizer);
    let reasons: Vec<String> =
        reasons.into_iter().map(|(scorer, reason)| format!("{scorer}: {reason}")).collect();
    row.extend([
        largest.map_or_else(String::new, |largest| cell.text(&largest.metric)),
        largest.map_or_else(String::new, |largest| number(largest.difference)),
        cell.list(&case.failing),
        cell.text(&case.query),
        case.expected.as_deref().map_or_else(String::new, |text| cell.text(text)),
        count(repeat.map(|repeat| repeat as usize + 1)),
        answer(Role::Baseline),
        answer(Role::Candidate),
        cell.text(&reasons.join("\n")),
    ]);
    Ok(row)
}

fn score(trial: &Trial, scorer: &str) -> Option<f64> {
    trial.grades.iter().find(|grade| grade.scorer == scorer)?.score
}

/// The mean of scores; empty without any, since a missing score is not 0.
fn mean(scores: impl Iterator<Item = f64>) -> String {
    let (sum, count) = scores.fold((0.0, 0_u32), |(sum, count), score| (sum + score, count + 1));
    if count == 0 { String::new() } else { number(sum / f64::from(count)) }
}

/// A number without the noise of a sum of fractions.
fn number(value: f64) -> String {
    // Without the sign of a zero.
    (((value * 1e6).round() / 1e6) + 0.0).to_string()
}

/// Characters that start a formula.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Makes text safe for a cell.
struct Cell<'a> {
    sanitizer: Sanitizer<'a>,
}

impl Cell<'_> {
    /// Redacts and cuts a text, takes control sequences and commands out of its lines, and puts an apostrophe before what a
    /// spreadsheet would take for a formula: also within the text, since a spreadsheet may split it at semicolons, tabs or
    /// line breaks.
    fn text(&self, text: &str) -> String {
        let text = self.sanitizer.clip(text, MAX_CELL);
        let starts_blank = text.starts_with(['\t', '\r']);
        let lines: Vec<String> = text.lines().map(neutral::source_line).collect();
        let mut out = String::with_capacity(text.len() + 2);
        out.push_str(if starts_blank { "'" } else { "" });
        let mut starts_cell = true;
        for character in lines.join("\n").chars() {
            if starts_cell && FORMULA.contains(&character) {
                out.push('\'');
            }
            out.push(character);
            starts_cell = match character {
                ';' | '\n' | '\t' => true,
                // A quote may be taken for that of a cell, and blanks before a formula are skipped.
                '"' | '\'' => starts_cell,
                other => starts_cell && other.is_whitespace(),
            };
        }
        out
    }

    fn list(&self, texts: &[String]) -> String {
        self.text(&texts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, fixtures};
    use promptgate_core::text::{Redactor, Secret};

    fn table(report: &Report, secrets: &[Secret]) -> Vec<Vec<String>> {
        let mut out = Vec::new();
        let style = Style { redactor: Redactor::new(secrets), ..Style::default() };
        crate::write(report, Format::Csv, &mut out, style).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(out.as_slice());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    fn column<'a>(table: &'a [Vec<String>], name: &str, row: usize) -> &'a str {
        let at = table[0].iter().position(|head| head == name).unwrap_or_else(|| panic!("{name}"));
        &table[row][at]
    }

    #[test]
    fn every_case_has_a_row_with_both_answers() {
        for (name, report) in fixtures::all() {
            let table = table(&report, &[]);
            assert_eq!(table.len(), report.cases.len() + 1, "{name}");
        }
        let table = table(&fixtures::fail(), &[]);
        let value = |name: &str| column(&table, name, 2);
        assert_eq!((value("id"), value("status")), ("refund-002", "broken"));
        assert_eq!(
            (value("baseline_passed"), value("candidate_passed"), value("candidate_trials")),
            ("3", "0", "3")
        );
        assert_eq!((value("faithfulness (baseline)"), value("faithfulness (candidate)")), ("1", "0"));
        assert_eq!(value("difference"), "-1");
        assert!(
            value("candidate_answer").contains("a refund takes 10 days"),
            "{}",
            value("candidate_answer")
        );
        assert!(value("baseline_answer").contains("4 working days"), "{}", value("baseline_answer"));
        assert!(value("reasons").contains("faithfulness: "), "{}", value("reasons"));
    }

    #[test]
    fn text_is_no_formula_command_or_secret() {
        let mut report = fixtures::fail();
        let texts =
            ["=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1", "a \"b\", c\n::error::x\u{1b}[31m"];
        for (case, text) in report.cases.iter_mut().zip(texts) {
            case.query = format!("{text} sk-secret-1");
        }
        let table = table(&report, &[Secret::new("sk-secret-1".to_owned())]);
        let question = |row: usize| column(&table, "question", row);
        assert_eq!(question(1), "'=HYPERLINK(\"http://x\") [redacted]");
        for row in 2..=5 {
            assert!(question(row).starts_with('\''), "{}", question(row));
        }
        let last = question(6);
        assert!(last.starts_with("a \"b\", c\n") && last.ends_with("[redacted]"), "{last}");
        assert!(!last.contains("\n::") && !last.contains('\u{1b}'), "{last:?}");
        // A number is a number, whatever its sign.
        assert_eq!(column(&table, "difference", 2), "-1");
    }

    #[test]
    fn no_part_of_a_cell_is_a_formula() {
        let redactor = Redactor::new(&[]);
        let cell = Cell { sanitizer: Sanitizer::new(&redactor) };
        for (text, safe) in [
            ("x;=WEBSERVICE(A1);y", "x;'=WEBSERVICE(A1);y"),
            ("x; \"@SUM(A1)", "x; \"'@SUM(A1)"),
            ("a\n-1\n＝1", "a\n'-1\n'＝1"),
            ("a\r\n+1", "a\n'+1"),
            ("a = b - c; d", "a = b - c; d"),
            ("\u{1b};=1", "\u{fffd};'=1"),
        ] {
            assert_eq!(cell.text(text), safe);
        }
        let mut report = fixtures::fail();
        report.cases[0].query = "x;=1\",=2".to_owned();
        let mut out = Vec::new();
        crate::write(&report, Format::Csv, &mut out, Style::default()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(",\"x;'=1\"\",=2\","), "{text}");
        assert!(text.starts_with("\"id\",\"status\","), "{text}");
    }

    #[test]
    fn missing_scores_are_empty() {
        let table = table(&fixtures::without_key(), &[]);
        assert_eq!(column(&table, "faithfulness (candidate)", 1), "");
        assert_eq!(column(&table, "candidate_passed", 1), "");
    }
}
