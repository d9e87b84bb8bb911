//! Checks of configuration, suite and baseline.

use std::path::{Path, PathBuf};

use super::{DoctorOptions, Findings, Severity};
use crate::app::sources::{self, Examined};
use crate::app::suite::{self, Suite};
use crate::app::{Environment, Failure};
use promptgate_core::text::counted;
use promptgate_report::doctor::{Check, CheckStatus};

/// A configuration whose endpoints can be checked.
pub(super) struct Configured {
    pub(super) shown: String,
    pub(super) folder: PathBuf,
    pub(super) settings: crate::config::Settings,
    /// Whether it has no errors.
    pub(super) is_valid: bool,
}

/// Finds the configuration and reads its valid parts; `None` where there is none, or nothing of it can be read.
pub(super) fn configuration(named: Option<&Path>, findings: &mut Findings) -> Option<Configured> {
    match sources::examine(named) {
        Ok(Examined { shown, folder, settings, errors }) => {
            if errors.0.is_empty() {
                findings.ok("configuration", format!("{shown} is valid"));
            }
            Some(Configured { shown, folder, settings, is_valid: errors.0.is_empty() })
        }
        Err(failure) => {
            for diagnostic in failure.diagnostics() {
                findings.diagnostic(Severity::Usage, "configuration", &diagnostic);
            }
            None
        }
    }
}

/// Loads the suite as a run would; `None` where it has errors.
pub(super) async fn check(
    options: &DoctorOptions,
    is_valid: bool,
    environment: &Environment,
    findings: &mut Findings,
) -> Option<Suite> {
    match suite::load(&options.suite, None, environment).await {
        Ok(suite) => {
            let cases = counted(suite.plan.dataset().facts.cases as u64, "case");
            let metrics = suite.scorers.metrics().join(", ");
            findings.ok("suite", format!("{}, {cases}, scored by {metrics}", suite.settings.name));
            for warning in &suite.warnings {
                findings.add(Check::new("suite", CheckStatus::Warning, warning.clone()));
            }
            baseline(&suite, findings);
            Some(suite)
        }
        Err(failure) => {
            let (severity, name) = match failure {
                Failure::Nothing(_) => (Severity::Nothing, "suite"),
                Failure::Incomplete(_) | Failure::Unwritten(_) | Failure::Internal(_) => {
                    (Severity::Incomplete, "suite")
                }
                _ if is_valid => (Severity::Usage, "suite"),
                _ => (Severity::Usage, "configuration"),
            };
            for diagnostic in failure.diagnostics() {
                findings.diagnostic(severity, name, &diagnostic);
            }
            findings.skip("baseline", "the suite has errors");
            None
        }
    }
}

fn baseline(suite: &Suite, findings: &mut Findings) {
    if let Some(variant) = suite.plan.baseline() {
        let prompt = &variant.facts.prompt;
        findings.ok("baseline", format!("{} {} ({})", prompt.name, prompt.version, prompt.source));
    } else if let Some(earlier) = &suite.earlier {
        findings.ok("baseline", format!("the candidate of {}", earlier.file));
    } else if suite.settings.baseline.as_ref().is_some_and(|baseline| baseline.value == "none") {
        findings.ok("baseline", "none, by the configuration");
    } else {
        let note = suite.baseline_note.as_deref().unwrap_or("no baseline");
        let check = Check::new("baseline", CheckStatus::Warning, note.trim_start_matches("no baseline: "));
        let help = "without one only minimums and checks decide; name one with `baseline:`, or fetch the history of the \
                    branch that is merged into";
        findings.add(check.help(help));
    }
}
