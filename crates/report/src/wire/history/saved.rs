//! The head of a saved report: a history needs no case and no answer, which may be gone.

use serde::Deserialize;

use super::super::document::Document;
use super::super::v1::{Dataset, Ended, Metric, Policy, SCHEMA, Usage, Variants, Verdict};
use promptgate_core::model::Diagnostic;

/// The head of a saved report.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "the fields of `Report`")]
pub struct SavedRun {
    pub name: String,
    pub verdict: Verdict,
    pub exit_code: u8,
    pub started_at: String,
    pub metrics: Vec<Metric>,
    pub policy: Policy,
    pub variants: Variants,
    pub usage: Usage,
    pub dataset: Dataset,
    pub repeats: u32,
    pub judge: Option<SavedJudge>,
    pub simulated: bool,
    pub ended: Ended,
}

/// The judge of a saved run, by its fingerprint.
#[derive(Debug, Clone, Deserialize)]
pub struct SavedJudge {
    pub fingerprint: String,
}

/// Reads the head of a report from the text of `file`.
///
/// # Errors
/// A [`Diagnostic`] where the text is cut off, or not a report of this version.
pub fn read(file: &str, text: &str) -> Result<SavedRun, Diagnostic> {
    let help = "name a report.json that `promptgate run` wrote, or its folder";
    let run: SavedRun = Document { noun: "report", schema: SCHEMA, file, help }.parse(text)?;
    let is_valid = run.policy.confidence > 0.5 && run.policy.confidence < 1.0;
    let refuse = |message: &str| Diagnostic::new(message).help(help);
    if run.started_at.parse::<jiff::Timestamp>().is_err() {
        return Err(refuse("`started_at` is not a time"));
    }
    if is_valid { Ok(run) } else { Err(refuse("`policy.confidence` must be above 0.5 and below 1")) }
}
