//! Whether a change leaves everything that the verdict hangs on as it is at the base.

use super::base::Base;
use crate::cli::args::RunArguments;
use crate::cli::suite::{self, Suite};

/// The base, as a specification.
const BASE: &str = "git:merge-base";

/// Whether all requests, the dataset, what scores and the policy are those of the base. What cannot be compared counts
/// as changed, and so does a baseline or a policy that the command line takes from elsewhere.
pub(super) fn is_unchanged(suite: &Suite, run: &RunArguments, base: &Base) -> bool {
    let Some(commit) = &base.known.commit else { return false };
    if is_that_of(suite, commit) {
        return true;
    }
    let elsewhere = |spec: &Option<String>| spec.as_ref().is_some_and(|spec| spec != BASE);
    if elsewhere(&run.suite.baseline) || elsewhere(&run.suite.policy_from) {
        return false;
    }
    let compared = suite.plan.baseline().and_then(|variant| variant.facts.prompt.commit.as_ref());
    if suite.policy_source.is_some() && compared == Some(commit) {
        return false;
    }
    // Judged by its own policy, or against a baseline that the configuration names: both have to be those of the base,
    // and so has the candidate.
    let mut by_base = run.suite.clone();
    by_base.baseline = Some(BASE.to_owned());
    by_base.policy_from = Some(BASE.to_owned());
    suite::load(&by_base, Some(run.offline)).is_ok_and(|suite| is_that_of(&suite, commit))
}

fn is_that_of(suite: &Suite, commit: &str) -> bool {
    let Some(source) = &suite.policy_source else { return false };
    let policy = source.commit.as_deref() == Some(commit)
        && !source.new
        && source.changed.is_empty()
        && source.more == 0;
    let dataset = source.dataset.as_ref().is_some_and(|changes| changes.is_empty());
    let baseline = suite.plan.baseline().and_then(|variant| variant.facts.prompt.commit.as_deref());
    let shared = suite.plan.shared();
    policy && dataset && baseline == Some(commit) && !shared.is_empty() && shared.iter().all(|shared| *shared)
}
