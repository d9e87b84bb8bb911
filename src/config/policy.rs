//! From settings to the gate's policy: every criterion with its id, in the order of the configuration.

use std::collections::BTreeSet;

use promptgate_core::document::suggest;
use promptgate_core::gate::{Bound, Criterion, Policy, Requirement};
use promptgate_core::model::{CaseFacts, Diagnostic, Diagnostics, EVEN, Place};

use super::Settings;

/// Requirements on a compiled check.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckPolicy {
    /// Its name, without `check.`.
    pub name: String,
    /// Minimum share of trials that pass, in 0..=1; at 1.0 every trial must pass.
    pub min: f64,
    /// Whether the candidate must not be worse than the baseline.
    pub baseline: bool,
    /// Whether only cases that passed before have to pass.
    pub no_new_failures: bool,
}

/// Parses `METRIC=X` of `--min`.
///
/// # Errors
/// No `=`, or X is not a number in 0..=1.
pub fn parse_minimum(text: &str) -> Result<(String, f64), Diagnostics> {
    let wrong = |message: String| {
        Diagnostics::from(
            Diagnostic::new(message).at(Place::file("--min")).help("write it like `faithfulness=0.75`"),
        )
    };
    let Some((metric, number)) = text.split_once('=') else {
        return Err(wrong(format!("expected METRIC=X, found {text:?}")));
    };
    match number.trim().parse::<f64>() {
        Ok(min) if (0.0..=1.0).contains(&min) => Ok((metric.trim().to_owned(), min)),
        _ => Err(wrong(format!("the minimum of `{metric}` must be a number in 0..=1, found {number:?}"))),
    }
}

impl Settings {
    /// The policy: checks, metrics, limits, slices, `must_pass` cases, broken cases. Criteria against a baseline
    /// are left out without one. `minimums` are those of `--min`; they replace the configured ones.
    ///
    /// # Errors
    /// Every minimum and slice on an unknown metric, and criteria with the same id.
    pub fn policy(
        &self,
        checks: &[CheckPolicy],
        cases: &[CaseFacts],
        has_baseline: bool,
        minimums: &[(String, f64)],
    ) -> Result<Policy, Diagnostics> {
        let metrics = self.metrics.iter().map(|metric| metric.name.clone());
        let known: Vec<String> =
            metrics.chain(checks.iter().map(|check| format!("check.{}", check.name))).collect();
        let named = minimums.iter().map(|(metric, _)| (metric, Place::file("--min")));
        let named = named.chain(self.slices.iter().map(|slice| (&slice.value.metric, slice.place.clone())));
        let unknown = named.filter(|(metric, _)| !known.contains(metric));
        let mut diagnostics: Vec<Diagnostic> =
            unknown.map(|(metric, place)| unknown_metric(metric, &known).at(place)).collect();
        let criteria = self.criteria(checks, cases, has_baseline, minimums);
        let mut ids = BTreeSet::new();
        for repeated in criteria.iter().filter(|criterion| !ids.insert(&criterion.id)) {
            let diagnostic = Diagnostic::new(format!("two criteria would have the id `{}`", repeated.id));
            let diagnostic = diagnostic.at(Place::file(self.file.clone()));
            diagnostics.push(diagnostic.help("rename the check, the tag or the case"));
        }
        if !diagnostics.is_empty() {
            return Err(Diagnostics(diagnostics));
        }
        Ok(Policy { criteria, ..self.gate.policy.clone() })
    }

    fn criteria(
        &self,
        checks: &[CheckPolicy],
        cases: &[CaseFacts],
        has_baseline: bool,
        minimums: &[(String, f64)],
    ) -> Vec<Criterion> {
        // The last of repeated flags counts.
        let override_of = |metric: &str| minimums.iter().rev().find(|(name, _)| name == metric);
        let criterion = |id: String, metric: &str, requirement: Requirement| Criterion {
            id,
            metric: metric.to_owned(),
            tag: None,
            requirement,
            labels: None,
        };
        let tolerance = self.gate.baseline_tolerance;
        let not_worse = |is_compared: bool| is_compared.then_some(Requirement::NotWorse { tolerance });
        let checks = checks.iter().map(|check| {
            let metric = format!("check.{}", check.name);
            let no_new_failures = check.no_new_failures && has_baseline;
            (metric.clone(), metric, Some(check.min), not_worse(check.baseline), no_new_failures)
        });
        let metrics = self.metrics.iter().map(|metric| {
            let baseline = match metric.kind.is_pairwise() {
                true => metric.baseline.then(|| Requirement::WinRate {
                    tolerance: metric.tolerance.unwrap_or(tolerance).min(EVEN),
                }),
                false => not_worse(metric.baseline),
            };
            (metric.name.clone(), format!("{}.min", metric.name), metric.min, baseline, false)
        });
        let mut criteria = Vec::new();
        for (metric, id, configured, baseline, no_new_failures) in checks.chain(metrics) {
            if no_new_failures && override_of(&metric).is_none() {
                criteria.push(criterion(id, &metric, Requirement::NoNewFailures));
            } else if let Some(value) = override_of(&metric).map(|(_, value)| *value).or(configured) {
                criteria.push(criterion(id, &metric, minimum(&metric, value)));
            }
            if let Some(requirement) = baseline.filter(|_| has_baseline) {
                criteria.push(criterion(format!("{metric}.baseline"), &metric, requirement));
            }
        }
        let relative = |limit: &Criterion| {
            matches!(limit.requirement, Requirement::Limit { bound: Bound::MaxIncrease(_), .. })
        };
        criteria.extend(self.limits.iter().filter(|limit| has_baseline || !relative(limit)).cloned());
        criteria.extend(self.slices.iter().map(|slice| slice.value.clone()));
        let must_pass = cases.iter().enumerate().filter(|(_, case)| case.must_pass);
        criteria.extend(must_pass.map(|(index, case)| {
            criterion(
                format!("case.{}", case.id),
                "",
                Requirement::MustPass { case: index, strict: case.must_pass_strict },
            )
        }));
        if let Some(max) = self.gate.max_broken_cases.filter(|_| has_baseline) {
            criteria.push(criterion("broken_cases".to_owned(), "", Requirement::BrokenCases { max }));
        }
        criteria
    }
}

/// The requirement of a minimum. For a check at 1.0 every trial must pass, as in a unit test.
pub(super) fn minimum(metric: &str, value: f64) -> Requirement {
    let every_trial = value >= 1.0 && metric.starts_with("check.");
    if every_trial { Requirement::EveryTrial } else { Requirement::Minimum { value } }
}

/// The diagnostic of a criterion on an unknown metric.
pub(super) fn unknown_metric(metric: &str, known: &[String]) -> Diagnostic {
    let help = match suggest(metric, known.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "add it under `metrics`".to_owned(),
        None => format!("the metrics here are `{}`", known.join("`, `")),
    };
    Diagnostic::new(format!("unknown metric `{metric}`")).help(help)
}
