//! The `criteria` of single cases, which a judge decides without being configured as a metric.

use super::Findings;
use crate::config::{MetricSettings, Settings};
use promptgate_core::model::{CRITERIA, Case, Diagnostic, Place};
use promptgate_engine::judge::registry;

/// Adds the metric of the criteria where cases have some. Without a configured metric the cases decide for themselves; where
/// none of them must pass, their mean is compared with the baseline.
pub(super) fn add_metric(
    settings: &mut Settings,
    cases: &[Case],
    is_policy_elsewhere: bool,
    no_judge: bool,
    findings: &mut Findings,
) {
    let is_configured = settings.metrics.iter().any(|metric| metric.name == CRITERIA);
    let Some(first) = cases.iter().find(|case| !case.criteria.is_empty()) else {
        if is_configured {
            let diagnostic =
                Diagnostic::new("the metric `criteria` has nothing to grade: no case has `criteria`");
            let diagnostic = diagnostic.at(Place::file(&settings.file));
            findings.diagnostics.0.push(diagnostic.help("give cases `criteria`, or remove the metric"));
        }
        return;
    };
    if settings.judge.is_none() && is_policy_elsewhere {
        // A change may bring criteria and their judge together; the judge decides from the next change on.
        let message = "the policy has no judge, so the `criteria` of cases are not decided";
        findings.warnings.push(message.to_owned());
        return;
    }
    if settings.judge.is_none() && !no_judge {
        let diagnostic = Diagnostic::new(format!("case {} has `criteria`, but there is no judge", first.id));
        let diagnostic = diagnostic.at(first.place.clone());
        findings.diagnostics.0.push(diagnostic.help("add `judge: {model: …}` to the configuration"));
    }
    if let Some(kind) = registry::built_in(CRITERIA).filter(|_| !is_configured) {
        let decides = cases.iter().any(|case| case.must_pass && !case.criteria.is_empty());
        settings.metrics.push(MetricSettings { baseline: !decides, ..MetricSettings::of_criteria(kind) });
    }
}
