//! Which version a unit is assigned.

use super::resolve::resolve;
use crate::app::Failure;
use promptgate_release::ports::LedgerStore;
use promptgate_release::{Label, Name, PromptReference, Selector};
use promptgate_report::release::assignment::{Assignment, SCHEMA};

/// Assigns a unit. Without a rollout every unit is in control, which is the version of production.
///
/// # Errors
/// An unknown name, a prompt without a version in production, a ledger that is not available.
pub(crate) async fn assign(ledger: &dyn LedgerStore, name: &Name, unit: &str) -> Result<Assignment, Failure> {
    let reference = PromptReference { name: name.clone(), selector: Selector::Label(Label::Production) };
    let resolved = resolve(ledger, &reference).await?;
    let (code, reason) = if unit.is_empty() {
        ("empty_unit", "an empty unit is always in control")
    } else {
        ("no_rollout", "no rollout is running, so every unit is in control")
    };
    Ok(Assignment {
        schema: SCHEMA.to_owned(),
        name: name.to_string(),
        unit: unit.to_owned(),
        version: resolved.version.to_string(),
        digest: resolved.digest.to_string(),
        variant: "control".to_owned(),
        code: code.to_owned(),
        reason: reason.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{error, ledger, name, without_labels};
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
        }
    }

    #[tokio::test]
    async fn prompt_without_production_has_no_assignment() {
        let result = assign(&without_labels().await, &name("support/reply"), "user-1").await;
        assert_eq!(error(result).message, "no version of support/reply has the label production");
    }
}
