//! The verdict with its reasons.

use std::io;

use super::line_writer::{BULLET, DIM, HELP, LABEL, LineWriter, PLAIN, YELLOW, short, verdict_color};
use crate::v1::Report;
use crate::view;
use promptgate_core::text::neutral;

const MAX_REASONS: usize = 8;

pub(super) fn write_headline(report: &Report, writer: &mut LineWriter<'_>) -> io::Result<()> {
    for notice in &report.notices {
        let notice = neutral::terminal(&writer.redactor.redact(notice));
        writer.labelled(LABEL, "note", &notice, YELLOW)?;
    }
    let candidate = short(writer.redactor, &view::variant_name(&report.variants.candidate), 40);
    let against = match &report.variants.baseline {
        Some(baseline) => format!("against {}", short(writer.redactor, &view::variant_name(baseline), 40)),
        None => "without a baseline".to_owned(),
    };
    let first = format!(
        "{}  {}",
        view::headline(report).as_str().to_uppercase(),
        short(writer.redactor, &report.name, 40)
    );
    let second = format!("candidate {candidate} {against}");
    let ansi = verdict_color(report.verdict).bold();
    if first.chars().count() + second.chars().count() + 2 <= usize::from(writer.width) {
        writer.line(&format!("{first}  {second}"), ansi)?;
    } else {
        writer.line(&first, ansi)?;
        writer.labelled(BULLET, "", &second, PLAIN)?;
    }
    if let Some(release) = view::release_line(report) {
        let release = neutral::terminal(&writer.redactor.redact(&release));
        writer.labelled(BULLET, "", &format!("release {release}"), PLAIN)?;
    }
    if view::is_non_blocking(report) {
        writer.labelled(BULLET, "", "(exit code 0: advisory, or allowed by the configuration)", DIM)?;
    }
    if report.policy_source.as_ref().is_some_and(|source| source.new) {
        writer.line("      (policy: new: this change sets its own bar)", YELLOW.bold())?;
    }
    let reasons = view::reasons(report, writer.redactor);
    for reason in reasons.iter().take(MAX_REASONS) {
        writer.labelled(
            BULLET,
            "  -",
            &neutral::terminal(&writer.redactor.redact(reason)),
            verdict_color(report.verdict),
        )?;
    }
    if let Some(more) = reasons.len().checked_sub(MAX_REASONS).filter(|more| *more > 0) {
        writer.line(&format!("  - and {more} more in the report"), PLAIN)?;
    }
    if let Some(fault) = &report.ended.fault {
        if report.reasons.is_empty() {
            writer.labelled(
                BULLET,
                "  -",
                &neutral::terminal(&writer.redactor.redact(&fault.message)),
                YELLOW,
            )?;
        }
        if let Some(help) = &fault.help {
            writer.labelled(HELP, "  help:", &neutral::terminal(&writer.redactor.redact(help)), DIM)?;
        }
    }
    writer.blank()
}
