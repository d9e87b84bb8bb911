//! Detects that a change leaves everything that the verdict depends on as it is at the base.

use super::base::Base;
use crate::app::Environment;
use crate::app::evaluate::RunOptions;
use crate::app::suite::{self, Suite};
use promptgate_core::model::PolicySource;

/// The specification of the base.
const BASE: &str = "git:merge-base";

/// Whether requests, dataset, scorers and policy are all those of the base. Anything that cannot be compared counts as
/// changed, and so does a baseline or a policy that the command line takes from elsewhere.
pub(super) async fn is_unchanged(
    suite: &Suite,
    run: &RunOptions,
    base: &Base,
    environment: &Environment,
) -> bool {
    let Some(commit) = &base.known.commit else { return false };
    let elsewhere = |spec: &Option<String>| spec.as_ref().is_some_and(|spec| spec != BASE);
    if elsewhere(&run.suite.baseline) || elsewhere(&run.suite.policy_from) {
        return false;
    }
    if suite.policy_source.as_ref().is_some_and(|source| !is_same(source, commit)) {
        return false;
    }
    // A baseline that the configuration names is another prompt of that commit.
    let at_base = suite.settings.baseline.is_none() || run.suite.baseline.is_some();
    if let Some(unchanged) = compare_with(suite, commit).filter(|_| at_base) {
        return unchanged;
    }
    // With its own policy, or with another prompt as baseline, the suite is loaded again with both from the base. A
    // baseline that the policy names is compared as part of the policy.
    let mut by_base = run.suite.clone();
    by_base.baseline = Some(BASE.to_owned());
    by_base.policy_from = Some(BASE.to_owned());
    let Ok(suite) = suite::load(&by_base, Some(run.calls.offline), environment).await else { return false };
    compare_with(&suite, commit) == Some(true)
}

/// Compares a suite whose policy and baseline are those of the commit; `None` for any other suite.
fn compare_with(suite: &Suite, commit: &str) -> Option<bool> {
    let source = suite.policy_source.as_ref()?;
    let baseline = suite.plan.baseline()?.facts.prompt.commit.as_deref();
    if source.commit.as_deref() != Some(commit) || baseline != Some(commit) {
        return None;
    }
    let shared = suite.plan.shared();
    Some(is_same(source, commit) && !shared.is_empty() && shared.iter().all(|shared| *shared))
}

/// Whether policy and dataset are those of the commit.
fn is_same(source: &PolicySource, commit: &str) -> bool {
    let policy = source.changed.is_empty() && source.more == 0 && !source.new;
    let dataset = source.dataset.as_ref().is_some_and(|changes| changes.is_empty());
    policy && dataset && source.commit.as_deref() == Some(commit)
}
