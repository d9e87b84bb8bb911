//! The release that a candidate would become, and the part of the gate that its level requires.

use super::variants::Variants;
use super::{Findings, SuiteOptions};
use crate::app::release::claims::Claims;
use crate::app::release::review::{self, Candidate};
use crate::app::sources::{ReleaseMode, ReleaseSources};
use crate::config::{Inconclusive, Settings};
use promptgate_core::gate::{Policy, Requirement};
use promptgate_core::model::{Dataset, ReleaseFacts, ReleaseGate};

/// A reviewed release.
pub(super) struct Released {
    /// For reports.
    pub(super) facts: ReleaseFacts,
    /// Whether the run examines the deterministic checks alone, because the level requires no more.
    checks_alone: bool,
}

/// Reviews the release of the candidate; claims that do not hold are errors where they are verified, else warnings. Where
/// the level requires checks alone, and the run examines no more than that, the baseline is left out.
pub(super) fn review(
    settings: &Settings,
    ledger: &ReleaseSources,
    variants: &mut Variants,
    dataset: &Dataset,
    options: &SuiteOptions,
    findings: &mut Findings,
) -> Option<Released> {
    let release = settings.release.as_ref()?;
    let has_checks = !settings.checks.is_empty()
        || !settings.scorers.is_empty()
        || dataset.cases.iter().any(|case| !case.checks.is_empty());
    let file = &variants.candidate.facts.prompt.source;
    let claims = variants.origin.front_matter.as_ref().map(|front_matter| Claims::of(front_matter, file));
    let candidate = Candidate { content: &variants.origin.content, claims, has_checks };
    let reviewed = review::review(release, ledger, candidate);
    findings.warnings.extend(reviewed.warnings);
    // A change that leaves the prompt as it is did not bring its claims; and a candidate that a flag names is no change.
    let is_verified =
        options.release != ReleaseMode::Inform && !variants.same_prompt && options.candidate.is_none();
    if is_verified {
        findings.diagnostics.0.extend(reviewed.errors);
    } else {
        let warnings = reviewed.errors.iter().map(|error| format!("not ready to publish: {error}"));
        findings.warnings.extend(warnings);
    }
    let mut facts = reviewed.facts;
    facts.inconclusive_passes = settings.gate.inconclusive == Inconclusive::Pass;
    let by_level = options.release == ReleaseMode::ByLevel && options.baseline.is_none();
    let requires_checks = facts.requires.is_some_and(|requires| requires.gate == ReleaseGate::Checks);
    let is_narrowed = options.filter.is_some()
        || options.chosen.is_some()
        || !options.tags.is_empty()
        || !options.minimums.is_empty();
    let checks_alone = by_level && requires_checks;
    let examined = if checks_alone {
        variants.baseline = None;
        variants.earlier = None;
        variants.is_baseline_invalid = false;
        variants.if_needed = None;
        variants.equal = false;
        variants.note =
            Some("none: the level of the change requires the deterministic checks alone".to_owned());
        ReleaseGate::Checks
    } else if options.no_judge && !settings.metrics.is_empty() {
        ReleaseGate::Checks
    } else {
        ReleaseGate::Full
    };
    facts.examined = (!is_narrowed).then_some(examined);
    Some(Released { facts, checks_alone })
}

/// The options of a run that examines no more than the level requires: no judge is called for checks alone.
pub(super) fn narrowed(options: &SuiteOptions, released: Option<&Released>) -> SuiteOptions {
    let checks_alone = released.is_some_and(|released| released.checks_alone);
    SuiteOptions { no_judge: options.no_judge || checks_alone, ..options.clone() }
}

/// The policy without criteria that are decided by measurement, where the checks alone are examined.
pub(super) fn deterministic(mut policy: Policy, released: Option<&Released>) -> Policy {
    if released.is_some_and(|released| released.checks_alone) {
        policy.criteria.retain(|criterion| !matches!(criterion.requirement, Requirement::Limit { .. }));
    }
    policy
}
