//! Verifies a ledger.

use super::resolve::{fold, names};
use crate::app::Failure;
use promptgate_release::ports::{LedgerStore, Verification as Verified};
use promptgate_release::{Name, PortError};
use promptgate_report::release::verification::{SCHEMA, Verification, VerifiedCommits, VerifiedPrompt};

/// Verifies chain, state and records of prompts, all of the ledger if `wanted` is empty.
///
/// # Errors
/// An unknown name, a ledger that is not available. Damage is part of the result.
pub(crate) async fn verify(ledger: &dyn LedgerStore, wanted: &[Name]) -> Result<Verification, Failure> {
    let mut prompts = Vec::new();
    for name in names(ledger, wanted).await? {
        prompts.push(match of_prompt(ledger, &name).await {
            Ok(verified) => verified,
            Err(PortError::Damaged(problem) | PortError::Mutated(problem)) => VerifiedPrompt {
                name: name.to_string(),
                events: None,
                versions: None,
                position: None,
                commits: None,
                problem: Some(problem),
            },
            Err(error) => return Err(error.into()),
        });
    }
    Ok(Verification { schema: SCHEMA.to_owned(), ledger: ledger.location(), prompts })
}

async fn of_prompt(ledger: &dyn LedgerStore, name: &Name) -> Result<VerifiedPrompt, PortError> {
    let Verified { history, commits } = ledger.verify(name).await?;
    let state = fold(ledger, name, &history.events)?;
    Ok(VerifiedPrompt {
        name: name.to_string(),
        events: Some(history.events.len()),
        versions: Some(state.versions.len()),
        position: history.tip.map(|tip| tip.to_string()),
        commits: commits.map(|commits| VerifiedCommits { count: commits.count, complete: commits.complete }),
        problem: None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ledger, name};
    use super::*;

    #[tokio::test]
    async fn intact_ledgers_are_verified() {
        let verification = verify(&ledger().await, &[]).await.unwrap();
        assert!(verification.is_intact());
        let [prompt] = verification.prompts.as_slice() else { panic!("{verification:?}") };
        assert_eq!((prompt.events, prompt.versions), (Some(7), Some(2)));
        assert!(prompt.position.as_ref().unwrap().starts_with("sha256:"));
    }

    #[tokio::test]
    async fn damage_is_part_of_the_result() {
        let ledger = ledger().await;
        ledger.corrupt_state(&name("support/reply"));
        let verification = verify(&ledger, &[]).await.unwrap();
        assert!(!verification.is_intact());
        assert!(verification.prompts[0].problem.as_ref().unwrap().contains("state"), "{verification:?}");
    }
}
