//! From settings to the gate's policy: every criterion with its id, in the order of the configuration.

use std::collections::BTreeSet;

use super::resolve::unknown_metric;
use super::settings::Settings;
use promptgate_core::gate::{Bound, Criterion, Policy, Requirement};
use promptgate_core::model::{CaseFacts, Diagnostic, Diagnostics, Place};

/// Requirements on a compiled check.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckPolicy {
    /// Its name, without `check.`.
    pub name: String,
    /// Minimum share of trials that pass, in 0..=1; at 1.0 every trial must pass.
    pub min: f64,
    /// Whether the candidate must not be worse than the baseline.
    pub baseline: bool,
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
        let known: Vec<String> = self
            .metrics
            .iter()
            .map(|metric| metric.name.clone())
            .chain(checks.iter().map(|check| format!("check.{}", check.name)))
            .collect();
        let mut diagnostics = Vec::new();
        for (metric, _) in minimums {
            if !known.contains(metric) {
                let diagnostic = unknown_metric(metric, known.iter().map(String::as_str));
                diagnostics.push(diagnostic.at(Place::file("--min")));
            }
        }
        for slice in &self.slices {
            if !known.contains(&slice.metric) {
                let diagnostic = unknown_metric(&slice.metric, known.iter().map(String::as_str));
                diagnostics.push(diagnostic.at(slice.place.clone()));
            }
        }
        let criteria = self.criteria(checks, cases, has_baseline, minimums);
        let mut ids = BTreeSet::new();
        for criterion in &criteria {
            if !ids.insert(criterion.id.as_str()) {
                let diagnostic =
                    Diagnostic::new(format!("two criteria would have the id `{}`", criterion.id));
                diagnostics.push(
                    diagnostic
                        .at(Place::file(self.file.clone()))
                        .help("rename the check, the tag or the case"),
                );
            }
        }
        if !diagnostics.is_empty() {
            return Err(Diagnostics(diagnostics));
        }
        Ok(Policy {
            criteria,
            repeats: self.gate.repeats,
            max_repeats: self.gate.max_repeats,
            rule: self.gate.rule,
            scope: self.gate.scope,
            confidence: self.gate.confidence,
            resolution: self.gate.resolution,
            max_missing: self.gate.max_missing,
            seed: self.gate.seed,
        })
    }

    fn criteria(
        &self,
        checks: &[CheckPolicy],
        cases: &[CaseFacts],
        has_baseline: bool,
        minimums: &[(String, f64)],
    ) -> Vec<Criterion> {
        // The last of repeated flags counts.
        let minimum = |metric: &str, configured: Option<f64>| {
            minimums.iter().rev().find(|(name, _)| name == metric).map(|(_, min)| *min).or(configured)
        };
        let not_worse = Requirement::NotWorse { tolerance: self.gate.baseline_tolerance };
        let mut criteria = Vec::new();
        let mut add = |id: String, metric: &str, tag: Option<&str>, requirement: Requirement| {
            criteria.push(Criterion {
                id,
                metric: metric.to_owned(),
                tag: tag.map(str::to_owned),
                requirement,
            });
        };
        for check in checks {
            let metric = format!("check.{}", check.name);
            if let Some(min) = minimum(&metric, Some(check.min)) {
                add(metric.clone(), &metric, None, of_check(min));
            }
            if check.baseline && has_baseline {
                add(format!("{metric}.baseline"), &metric, None, not_worse);
            }
        }
        for metric in &self.metrics {
            let name = &metric.name;
            if let Some(min) = minimum(name, metric.min) {
                add(format!("{name}.min"), name, None, Requirement::Minimum { value: min });
            }
            if metric.baseline && has_baseline {
                add(format!("{name}.baseline"), name, None, not_worse);
            }
        }
        for limit in &self.limits {
            let relative =
                matches!(limit.requirement, Requirement::Limit { bound: Bound::MaxIncrease(_), .. });
            if has_baseline || !relative {
                add(limit.id.clone(), &limit.metric, None, limit.requirement);
            }
        }
        for slice in &self.slices {
            let requirement = match slice.metric.strip_prefix("check.") {
                Some(_) => of_check(slice.min),
                None => Requirement::Minimum { value: slice.min },
            };
            let id = format!("slice.{}.{}.min", slice.tag, slice.metric);
            add(id, &slice.metric, Some(&slice.tag), requirement);
        }
        for (index, case) in cases.iter().enumerate().filter(|(_, case)| case.must_pass) {
            add(format!("case.{}", case.id), "", None, Requirement::MustPass { case: index });
        }
        if let Some(max) = self.gate.max_broken_cases.filter(|_| has_baseline) {
            add("broken_cases".to_owned(), "", None, Requirement::BrokenCases { max });
        }
        criteria
    }
}

/// At 1.0 every trial must pass, as in a unit test; below that the minimum is a threshold.
fn of_check(min: f64) -> Requirement {
    if min >= 1.0 { Requirement::EveryTrial } else { Requirement::Minimum { value: min } }
}
