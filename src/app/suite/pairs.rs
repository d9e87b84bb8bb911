//! Judges that compare answers, in a suite without a baseline.

use super::Findings;
use crate::config::Settings;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_engine::execute::Scorers;

/// Leaves out the judges of pairs, which have nothing to compare with. Where nothing else scores, that is an error.
pub(super) fn leave_out(settings: &Settings, scorers: &mut Scorers, findings: &mut Findings) {
    let names: Vec<String> = scorers
        .judges
        .iter()
        .filter(|judge| judge.is_pairwise())
        .map(|judge| judge.name().to_owned())
        .collect();
    let Some(name) = names.first() else { return };
    scorers.judges.retain(|judge| !judge.is_pairwise());
    if scorers.metrics().is_empty() {
        let message = format!("`{name}` compares the answers with those of a baseline, and there is none");
        let help = "name one with `--baseline` or `baseline:`, or add a check or a metric that needs none";
        findings.diagnostics.0.push(Diagnostic::new(message).at(Place::file(&settings.file)).help(help));
    } else {
        findings.warnings.push(format!("`{name}` is not judged: there is no baseline to compare with"));
    }
}
