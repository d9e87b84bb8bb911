//! The table of the suites for a terminal or a log.

use std::io::{self, Write};

use anstyle::Style as Ansi;

use super::line_writer::{DIM, GREEN, LineWriter, PLAIN, RED, YELLOW, short};
use super::{MIN_WIDTH, Style};
use crate::suites::{SuiteVerdict, Suites};
use crate::view::suites::{MAX_NAME, MAX_WHY, sentence, spent, tally, words};

/// Columns of the verdict and the space behind it.
const VERDICT: usize = 15;
/// Columns of the longest name that is shown beside its sentence.
const NAME: usize = 24;

/// Writes the verdict of all suites, and a line or two for each.
///
/// # Errors
/// Those of `out`.
pub fn write_suites(suites: &Suites, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let width = u16::try_from(style.width.max(MIN_WIDTH)).unwrap_or(u16::MAX);
    let mut writer = LineWriter { out, width, color: style.color, redactor: &style.redactor };
    let verdict = words(suites.verdict).to_uppercase();
    writer.line(&format!("{verdict}  {}", tally(suites)), color(suites.verdict).bold())?;
    writer.line(&format!("{}  {}", " ".repeat(verdict.len()), spent(suites)), DIM)?;
    writer.blank()?;
    let names = suites.suites.iter().map(|suite| short(writer.redactor, &suite.name, MAX_NAME));
    let names: Vec<String> = names.collect();
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or_default().min(NAME);
    for (suite, name) in suites.suites.iter().zip(&names) {
        let label = format!(" {:<VERDICT$}{name:<widest$}", words(suite.verdict));
        let text = short(writer.redactor, sentence(suite), MAX_WHY);
        let columns = u16::try_from(VERDICT + widest + 2).unwrap_or(u16::MAX);
        if name.chars().count() > widest {
            writer.line(&label, color(suite.verdict))?;
            writer.labelled(columns, "", &text, PLAIN)?;
        } else {
            writer.labelled(columns, &label, &text, color(suite.verdict))?;
        }
    }
    if suites.suites.iter().any(|suite| suite.simulated) {
        writer.blank()?;
        writer.line(" simulated endpoint: these scores do not measure a model", YELLOW)?;
    }
    if !style.files.is_empty() {
        writer.blank()?;
        for file in &style.files {
            writer.line(&format!(" {file}"), DIM)?;
        }
    }
    Ok(())
}

fn color(verdict: SuiteVerdict) -> Ansi {
    match verdict {
        SuiteVerdict::Pass | SuiteVerdict::Unchanged => GREEN,
        SuiteVerdict::Fail | SuiteVerdict::Error => RED,
        SuiteVerdict::Inconclusive | SuiteVerdict::Incomplete | SuiteVerdict::NotEvaluated => YELLOW,
    }
}
