//! Which version a unit is assigned.

use super::resolve::{resolve_in, unknown_name};
use super::wire;
use crate::app::Failure;
use promptgate_core::model::Diagnostic;
use promptgate_release::ports::LedgerStore;
use promptgate_release::rollout::Rollout;
use promptgate_release::{AssignmentReason, Label, Name, PromptReference, Selector, Variant};
use promptgate_report::release::assignment::{Assignment, SCHEMA};

/// Assigns a unit. Without a rollout every unit is in control, which is the version of production.
///
/// # Errors
/// An unknown name, a prompt without a version in production, a ledger that is not available.
pub(crate) async fn assign(ledger: &dyn LedgerStore, name: &Name, unit: &str) -> Result<Assignment, Failure> {
    let Some(state) = ledger.state(name).await? else {
        return Err(unknown_name(ledger, name).await?.into());
    };
    let reference = |selector| PromptReference { name: name.clone(), selector };
    let production = resolve_in(&state, &reference(Selector::Label(Label::Production)))?;
    let assigned = promptgate_release::assign(&state, unit);
    let assigned =
        assigned.ok_or_else(|| Diagnostic::new(format!("production serves no version of {name}")))?;
    let resolved = match assigned.version == production.version {
        true => production,
        false => resolve_in(&state, &reference(Selector::Version(assigned.version)))?,
    };
    let rollout = state.rollout.as_deref();
    let bucket = match assigned.reason {
        AssignmentReason::Split { bucket } => Some(bucket),
        AssignmentReason::NoRollout | AssignmentReason::EmptyUnit => None,
    };
    Ok(Assignment {
        schema: SCHEMA.to_owned(),
        name: name.to_string(),
        unit: unit.to_owned(),
        version: resolved.version.to_string(),
        digest: resolved.digest.to_string(),
        variant: assigned.variant.as_str().to_owned(),
        code: assigned.reason.code().to_owned(),
        reason: reason(assigned.reason, assigned.variant, rollout),
        bucket,
        basis_points: rollout.map(|rollout| rollout.basis_points),
        rollout: rollout.map(|rollout| rollout.start.number),
        step: rollout.map(|rollout| rollout.step as u64 + 1),
    })
}

fn reason(reason: AssignmentReason, variant: Variant, rollout: Option<&Rollout>) -> String {
    match (reason, rollout) {
        (AssignmentReason::Split { bucket }, Some(rollout)) => {
            let relation = if variant == Variant::Treatment { "below" } else { "not below" };
            let points = rollout.basis_points;
            let paused = if rollout.paused.is_some() { ", paused" } else { "" };
            format!(
                "bucket {bucket} is {relation} {points}: step {} of rollout {} treats {} % of the units{paused}",
                rollout.step + 1,
                rollout.start.number,
                wire::percent(points)
            )
        }
        (AssignmentReason::EmptyUnit, _) => "an empty unit is always in control".to_owned(),
        _ => "no rollout is running, so every unit is in control".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{begin_rollout, error, ledger, name, without_labels};
    use super::*;

    #[tokio::test]
    async fn every_unit_is_in_control_without_a_rollout() {
        let ledger = ledger().await;
        for (unit, code) in [("user-1", "no_rollout"), ("", "empty_unit")] {
            let assignment = assign(&ledger, &name("support/reply"), unit).await.unwrap();
            assert_eq!(
                (assignment.version.as_str(), assignment.variant.as_str(), assignment.code.as_str()),
                ("1.0.0", "control", code)
            );
            assert_eq!((assignment.bucket, assignment.rollout, assignment.step), (None, None, None));
        }
    }

    #[tokio::test]
    async fn unit_of_a_rollout_has_its_bucket_as_the_reason() {
        let ledger = ledger().await;
        // The bucket of alice@example.com is 638 with this salt.
        begin_rollout(&ledger, "support/reply:r-20261120-1", &[500, 2_500]).await;
        let alice = |step: u64| (Some(638), Some(if step == 1 { 500 } else { 2_500 }), Some(1), Some(step));
        let of = async |unit| assign(&ledger, &name("support/reply"), unit).await.unwrap();
        let found = of("alice@example.com").await;
        assert_eq!((found.bucket, found.basis_points, found.rollout, found.step), alice(1));
        assert_eq!(
            (found.version.as_str(), found.variant.as_str(), found.code.as_str()),
            ("1.0.0", "control", "split")
        );
        assert_eq!(found.reason, "bucket 638 is not below 500: step 1 of rollout 1 treats 5 % of the units");
        super::super::testing::step_rollout(&ledger, 2_500).await;
        let found = of("alice@example.com").await;
        assert_eq!((found.bucket, found.basis_points, found.rollout, found.step), alice(2));
        assert_eq!((found.version.as_str(), found.variant.as_str()), ("1.1.0", "treatment"));
        let state = ledger.state(&name("support/reply")).await.unwrap().unwrap();
        let digest = &state.versions[&"1.1.0".parse().unwrap()].digest;
        assert_eq!(found.digest, digest.to_string());
        assert_eq!(found.reason, "bucket 638 is below 2500: step 2 of rollout 1 treats 25 % of the units");
        assert_eq!(of("").await.code, "empty_unit");
        assert_eq!(of("").await.version, "1.0.0");
        super::super::testing::pause_rollout(&ledger).await;
        assert!(of("user-1").await.reason.ends_with("25 % of the units, paused"));
    }

    #[tokio::test]
    async fn prompt_without_production_has_no_assignment() {
        let result = assign(&without_labels().await, &name("support/reply"), "user-1").await;
        assert_eq!(error(result).message, "no version of support/reply has the label production");
        let result = assign(&ledger().await, &name("absent"), "user-1").await;
        assert_eq!(error(result).message, "memory has no prompt absent");
    }
}
