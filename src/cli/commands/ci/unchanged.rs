//! Whether a change leaves everything that the verdict hangs on as it is at the base.

use super::base::Base;
use crate::cli::args::RunArguments;
use crate::cli::suite::{self, Suite};
use promptgate_core::model::PolicySource;

/// The base, as a specification.
const BASE: &str = "git:merge-base";

/// Whether all requests, the dataset, what scores and the policy are those of the base. What cannot be compared counts
/// as changed, and so does a baseline or a policy that the command line takes from elsewhere.
pub(super) fn is_unchanged(suite: &Suite, run: &RunArguments, base: &Base) -> bool {
    let Some(commit) = &base.known.commit else { return false };
    let elsewhere = |spec: &Option<String>| spec.as_ref().is_some_and(|spec| spec != BASE);
    if elsewhere(&run.suite.baseline) || elsewhere(&run.suite.policy_from) {
        return false;
    }
    if suite.policy_source.as_ref().is_some_and(|source| !is_same(source, commit)) {
        return false;
    }
    // What a configuration names as its baseline is another prompt of that commit.
    let at_base = suite.settings.baseline.is_none() || run.suite.baseline.is_some();
    if let Some(unchanged) = seen_from(suite, commit).filter(|_| at_base) {
        return unchanged;
    }
    // The suite is judged by its own policy, or against another prompt that its configuration names: seen anew, from
    // the base alone. A baseline that the policy names is compared with the policy.
    let mut by_base = run.suite.clone();
    by_base.baseline = Some(BASE.to_owned());
    by_base.policy_from = Some(BASE.to_owned());
    let Ok(suite) = suite::load(&by_base, Some(run.offline)) else { return false };
    seen_from(&suite, commit) == Some(true)
}

/// What a suite tells that takes policy and baseline from the commit; `None` of another.
fn seen_from(suite: &Suite, commit: &str) -> Option<bool> {
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
