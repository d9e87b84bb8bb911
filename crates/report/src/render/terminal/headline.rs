//! The verdict with its reasons.

use std::io;

use super::line_writer::{BULLET, DIM, HELP, LABEL, LineWriter, PLAIN, YELLOW, short, verdict_color};
use crate::v1::{ReasonCode, Report, Verdict};
use crate::view;
use promptgate_core::text::neutral;

const MAX_REASONS: usize = 8;
/// Characters of the name of a variant.
const MAX_VARIANT: usize = 50;

pub(super) fn write_headline(report: &Report, writer: &mut LineWriter<'_>) -> io::Result<()> {
    for notice in &report.notices {
        let notice = neutral::terminal(&writer.redactor.redact(notice));
        writer.labelled(LABEL, "note", &notice, YELLOW)?;
    }
    let (candidate, baseline) = view::variant_names(&report.variants);
    let candidate = short(writer.redactor, &candidate, MAX_VARIANT);
    let against = match baseline {
        Some(baseline) => format!("against {}", short(writer.redactor, &baseline, MAX_VARIANT)),
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
    write_reasons(report, writer)?;
    writer.blank()
}

/// The code behind the verdict whose name does not say it all: of the fault that ended the run, or of the first reason.
fn explained(report: &Report) -> Option<&'static str> {
    if let Some(fault) = report.ended.fault.as_ref().filter(|_| report.verdict == Verdict::Incomplete) {
        return Some(fault.kind.as_str());
    }
    let code = report.reasons.first()?.code;
    let needs_words = matches!(
        code,
        ReasonCode::FaultsDiffer
            | ReasonCode::BaselineReused
            | ReasonCode::Refusals
            | ReasonCode::MissingGrades
            | ReasonCode::TooLittleEvidence
            | ReasonCode::DatasetChanged
            | ReasonCode::TargetChanged
            | ReasonCode::UnfitJudge
            | ReasonCode::PartialRun
    );
    needs_words.then(|| code.as_str())
}

/// Writes the reasons; the next step follows the fault that ended the run, before the reasons that follow from it.
fn write_reasons(report: &Report, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let why = view::why(report, writer.redactor);
    if let Some(why) = &why {
        writer.labelled(
            BULLET,
            "",
            &neutral::terminal(&writer.redactor.redact(&why.plain())),
            PLAIN.bold(),
        )?;
    }
    let mut reasons = view::further_reasons(report, why.as_ref(), writer.redactor);
    let fault = report.ended.fault.as_ref();
    if report.reasons.is_empty() {
        reasons.extend(fault.map(|fault| fault.message.clone()));
    }
    let (shown, more) = reasons.split_at(reasons.len().min(MAX_REASONS));
    let (first, derived) = shown.split_at(view::reasons_before_help(report, reasons.len()).min(shown.len()));
    let write = |writer: &mut LineWriter<'_>, reason: &String| {
        let reason = neutral::terminal(&writer.redactor.redact(reason));
        // A hyphen before a number would read as a minus sign.
        writer.labelled(BULLET, "  •", &reason, verdict_color(report.verdict))
    };
    first.iter().try_for_each(|reason| write(writer, reason))?;
    if let Some(help) = fault.and_then(|fault| fault.help.as_deref()) {
        writer.labelled(HELP, "  help:", &neutral::terminal(&writer.redactor.redact(help)), DIM)?;
    }
    derived.iter().try_for_each(|reason| write(writer, reason))?;
    if !more.is_empty() {
        writer.line(&format!("  •  and {} more in the report", more.len()), PLAIN)?;
    }
    match explained(report) {
        Some(code) => writer.labelled(HELP, "  more:", &format!("promptgate explain {code}"), DIM),
        None => Ok(()),
    }
}
