//! The verdict with its reasons.

use std::io;

use super::page::{BULLET, DIM, HELP, PLAIN, Page, YELLOW, short, verdict_color};
use crate::v1::Report;
use crate::view;
use promptgate_core::text::neutral;

/// Reasons that are listed.
const REASONS: usize = 8;

pub(super) fn headline(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let candidate = short(page.redactor, &view::variant_name(&report.variants.candidate), 40);
    let against = match &report.variants.baseline {
        Some(baseline) => format!("against {}", short(page.redactor, &view::variant_name(baseline), 40)),
        None => "without a baseline".to_owned(),
    };
    let first = format!(
        "{}  {}",
        view::headline(report).as_str().to_uppercase(),
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
    if view::is_non_blocking(report) {
        page.line("      (exit code 0 all the same: advisory, or allowed by the configuration)", DIM)?;
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
