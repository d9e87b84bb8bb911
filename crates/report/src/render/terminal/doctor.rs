//! The checks of `promptgate doctor`, a line for each, with the next step below.

use std::io::{self, Write};

use super::line_writer::{DIM, GREEN, LineWriter, RED, YELLOW};
use super::{MIN_WIDTH, Style};
use crate::doctor::{Check, CheckStatus, Diagnosis};
use promptgate_core::text::{counted, neutral};

/// Columns of the status.
const STATUS: u16 = 10;

/// Writes a diagnosis.
///
/// # Errors
/// Those of `out`.
pub fn write_doctor(diagnosis: &Diagnosis, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let width = u16::try_from(style.width.max(MIN_WIDTH)).unwrap_or(u16::MAX);
    let mut writer = LineWriter { out, width, color: style.color, redactor: &style.redactor };
    write_checks(&diagnosis.checks, &mut writer)?;
    writer.blank()?;
    let count = |number: usize, word: &str| counted(number as u64, word);
    let found = match (diagnosis.problems, diagnosis.warnings) {
        (0, 0) => "no problems".to_owned(),
        (problems, warnings) => format!("{}, {}", count(problems, "problem"), count(warnings, "warning")),
    };
    writer.line(&format!("{found}; {}", cost(diagnosis)), DIM)
}

/// Writes checks as lines.
pub(crate) fn write_checks(checks: &[Check], writer: &mut LineWriter<'_>) -> io::Result<()> {
    for check in checks {
        let (label, ansi) = match check.status {
            CheckStatus::Ok => ("ok", GREEN),
            CheckStatus::Warning => ("warning", YELLOW),
            CheckStatus::Problem => ("problem", RED),
            CheckStatus::Skipped => ("skipped", DIM),
        };
        let name = check.name.replace('_', " ");
        let subject = check.subject.as_ref().map_or_else(String::new, |subject| format!(" of {subject}"));
        let text = format!("{name}{subject}: {}", check.message);
        writer.labelled(STATUS, label, &neutral::terminal(&text), ansi)?;
        if let Some(help) = &check.help {
            writer.labelled(STATUS, "", &neutral::terminal(&format!("next: {help}")), DIM)?;
        }
        if let Some(code) = &check.code {
            writer.labelled(
                STATUS,
                "",
                &format!("more: promptgate explain {}", neutral::terminal(code)),
                DIM,
            )?;
        }
    }
    Ok(())
}

/// `3 calls, $0.0002`.
fn cost(diagnosis: &Diagnosis) -> String {
    if diagnosis.calls == 0 {
        return "no call was made".to_owned();
    }
    let money = match diagnosis.cost_usd {
        Some(usd) if usd > 0.0 && usd < 0.0001 => "less than $0.0001".to_owned(),
        Some(usd) => format!("${usd:.4}"),
        None => return format!("{}, price not known", counted(diagnosis.calls, "call")),
    };
    let as_of = diagnosis.prices_as_of.map_or_else(String::new, |day| format!(" at prices as of {day}"));
    format!("{}, {money}{as_of}", counted(diagnosis.calls, "call"))
}
