//! The review of a golden set: a line for each finding, with its cases and the next step below.

use std::io::{self, Write};

use super::line_writer::{DIM, GREEN, LineWriter, PLAIN, YELLOW};
use super::{MIN_WIDTH, Style};
use crate::dataset_check::{DatasetCheck, Evidence};
use promptgate_core::model::{CaseHistory, CaseSet, DatasetCode, DatasetFinding, FindingLevel};
use promptgate_core::text::{count, counted, neutral};

/// Columns of the level.
const LEVEL: u16 = 10;
/// Sets and cases of a finding that are listed.
const MAX_SETS: usize = 5;
const MAX_CASES: usize = 8;
/// Characters of an id, tag or label.
const MAX_NAME: usize = 40;

/// Writes the review of a dataset.
///
/// # Errors
/// Those of `out`.
pub fn write_dataset_check(check: &DatasetCheck, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let width = u16::try_from(style.width.max(MIN_WIDTH)).unwrap_or(u16::MAX);
    let mut writer = LineWriter { out, width, color: style.color, redactor: &style.redactor };
    writer.line(&format!("DATASET  {}", name(&check.name)), PLAIN)?;
    let must_pass = match check.must_pass {
        0 => String::new(),
        must_pass => format!(", {} must pass", count(must_pass as u64)),
    };
    let path = neutral::terminal(&check.dataset.path);
    writer.line(&format!("{path}: {}{must_pass}", counted(check.dataset.cases as u64, "case")), DIM)?;
    if let Some(evidence) = &check.evidence {
        writer.line(&of_reports(evidence), DIM)?;
    }
    for drop in &check.drops {
        let metric = name(&drop.name);
        let text = match drop.noise > 0.0 {
            true => format!("smallest drop of {metric} that is detected: {:.1} points", drop.suite * 100.0),
            false => format!("any drop of {metric} on these cases is detected: no noise was measured"),
        };
        writer.line(&text, DIM)?;
    }
    writer.blank()?;
    for finding in &check.findings {
        write_finding(finding, check.evidence.as_ref(), &mut writer)?;
    }
    let infos = check.findings.len() - check.warnings;
    if check.findings.is_empty() {
        return writer.line("nothing found", GREEN);
    }
    let text = format!("{}, {}", counted(check.warnings as u64, "warning"), counted(infos as u64, "note"));
    writer.line(&text, DIM)
}

fn of_reports(evidence: &Evidence) -> String {
    let skipped = match evidence.skipped.len() {
        0 => String::new(),
        skipped => format!(", {} skipped", count(skipped as u64)),
    };
    let simulated = if evidence.simulated { "; simulated, so they measure nothing" } else { "" };
    format!(
        "{} with {}{skipped}{simulated}",
        counted(evidence.reports.len() as u64, "report"),
        counted(evidence.variants as u64, "variant")
    )
}

fn write_finding(
    finding: &DatasetFinding,
    evidence: Option<&Evidence>,
    writer: &mut LineWriter<'_>,
) -> io::Result<()> {
    let (label, ansi) = match finding.level {
        FindingLevel::Warning => ("warning", YELLOW),
        FindingLevel::Info => ("note", DIM),
    };
    let text = format!("{}: {}", finding.code.as_str(), neutral::terminal(&finding.message));
    writer.labelled(LEVEL, label, &text, ansi)?;
    for set in finding.sets.iter().take(MAX_SETS) {
        writer.labelled(LEVEL, "", &listed_set(set), DIM)?;
    }
    if finding.sets.len() > MAX_SETS {
        let more = format!("and {} more", count((finding.sets.len() - MAX_SETS) as u64));
        writer.labelled(LEVEL, "", &more, DIM)?;
    }
    if finding.sets.is_empty() && !finding.cases.is_empty() {
        let counts = evidence.filter(|_| is_of_reports(finding.code));
        writer.labelled(LEVEL, "", &listed(&finding.cases, counts), DIM)?;
    }
    writer.labelled(LEVEL, "", &neutral::terminal(&format!("next: {}", finding.help)), DIM)?;
    writer.blank()
}

/// Whether the numbers of trials belong to the ids.
fn is_of_reports(code: DatasetCode) -> bool {
    matches!(code, DatasetCode::AlwaysPasses | DatasetCode::AlwaysFails | DatasetCode::AlwaysFlickers)
}

fn listed_set(set: &CaseSet) -> String {
    match &set.name {
        Some(label) if set.cases.is_empty() => name(label),
        Some(label) => format!("{}: {}", name(label), listed(&set.cases, None)),
        None => listed(&set.cases, None),
    }
}

/// `a (15 of 15), b (14 of 15) and 3 more`.
fn listed(ids: &[String], evidence: Option<&Evidence>) -> String {
    let counts = |id: &String| -> Option<&CaseHistory> { evidence?.cases.iter().find(|case| case.id == *id) };
    let shown = |id: &String| match counts(id) {
        Some(case) => format!("{} ({} of {})", name(id), case.passed, case.trials),
        None => name(id),
    };
    let listed: Vec<String> = ids.iter().take(MAX_CASES).map(shown).collect();
    let more = match ids.len().saturating_sub(MAX_CASES) {
        0 => String::new(),
        more => format!(" and {} more", count(more as u64)),
    };
    format!("{}{more}", listed.join(", "))
}

fn name(text: &str) -> String {
    neutral::clip(&neutral::terminal(text), MAX_NAME)
}
