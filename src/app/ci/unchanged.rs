//! Compares a change with its base before anything is called: it may leave everything that the verdict depends on as it is,
//! or be its own baseline.

use super::base::Base;
use super::messages::NOTHING;
use crate::app::cache::CacheMode;
use crate::app::evaluate::RunOptions;
use crate::app::sources::{KnownBase, ReleaseMode};
use crate::app::suite::{self, Suite};
use crate::app::{Environment, Failure};
use promptgate_core::model::{Diagnostic, PolicySource};

/// The specification of the base.
pub(super) const BASE: &str = "git:merge-base";

/// How a change differs from its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// In nothing that the verdict depends on.
    Unchanged,
    /// In nothing, and it must be evaluated: the candidate would be compared with itself.
    WithItself,
    /// In something.
    Differs,
}

/// Compares a suite with its base.
pub(super) async fn compare(
    suite: &Suite,
    run: &RunOptions,
    base: &Base,
    environment: &Environment,
) -> Comparison {
    let may_settle = base.settles && run.calls.cache != CacheMode::Refresh;
    if may_settle && is_unchanged(suite, run, base, environment).await {
        return Comparison::Unchanged;
    }
    if suite.equal && has_no_change(suite, run, base, environment).await {
        return Comparison::WithItself;
    }
    Comparison::Differs
}

/// The error of a candidate that is its own baseline.
pub(super) fn nothing_to_compare(base: &Base) -> Failure {
    let commit = base.known.commit.as_deref();
    let at =
        commit.and_then(|commit| commit.get(..12)).map(|commit| format!("{commit} ({})", base.known.how));
    if let Some(at) = at.as_ref().filter(|_| commit == base.head.as_deref()) {
        let message = format!("{NOTHING}: HEAD is the base itself, {at}, so nothing is compared");
        let help = "push a branch and run this there; or name a baseline: `--baseline git:REF`, or `--baseline none` for \
                    thresholds alone";
        return Failure::Nothing(Diagnostic::new(message).help(help));
    }
    let at = at.map_or_else(String::new, |at| format!(" at {at}"));
    Failure::Nothing(
        Diagnostic::new(format!(
            "the candidate equals its baseline{at}, and dataset and policy are the same too: nothing is compared"
        ))
        .help("name another baseline, `--baseline git:REF`; or apply thresholds alone, `--baseline none`"),
    )
}

/// Whether requests, dataset, scorers and policy are all those of the base. Anything that cannot be compared counts as
/// changed, and so does a baseline or a policy that the command line takes from elsewhere.
async fn is_unchanged(suite: &Suite, run: &RunOptions, base: &Base, environment: &Environment) -> bool {
    let Some(commit) = &base.known.commit else { return false };
    let elsewhere = |spec: &Option<String>| spec.as_ref().is_some_and(|spec| spec != BASE);
    let by_event = base.policy.as_ref().map(|policy| format!("git:{policy}"));
    let of_target = is_policy_of_target(suite, run, base);
    if elsewhere(&run.suite.baseline)
        || (elsewhere(&run.suite.policy_from) && run.suite.policy_from != by_event && !of_target)
    {
        return false;
    }
    if by_event.is_none() && !of_target {
        if suite.policy_source.as_ref().is_some_and(|source| !is_same(source, commit)) {
            return false;
        }
        // A baseline that the configuration names is another prompt of that commit.
        let at_base = suite.settings.baseline.is_none() || run.suite.baseline.is_some();
        if let Some(unchanged) = compare_with(suite, commit).filter(|_| at_base) {
            return unchanged;
        }
    }
    equals_base(run, commit, environment).await
}

/// Whether the command line takes the policy from the newest commit of the branch that the change is merged into, as the event
/// of a pull request does.
fn is_policy_of_target(suite: &Suite, run: &RunOptions, base: &Base) -> bool {
    let whole = run.suite.policy_from.as_deref().and_then(|spec| spec.strip_prefix("git:"));
    let commit =
        suite.policy_source.as_ref().filter(|source| !source.new).and_then(|source| source.commit.as_ref());
    whole.is_some_and(|reference| !reference.contains(':'))
        && commit.is_some_and(|commit| base.tips.contains(commit))
}

/// Whether requests, dataset, scorers and policy of a suite are all those of the commit behind `git:merge-base`.
async fn equals_base(run: &RunOptions, commit: &str, environment: &Environment) -> bool {
    let Some(by_base) = load_by_base(run, environment).await else { return false };
    compare_with(&by_base, commit) == Some(true)
}

/// Whether a suite in the work tree is that of a commit, wherever the command line takes baseline and policy of its run from. A
/// candidate from elsewhere counts as changed, and so does a suite that cannot be loaded.
pub(in crate::app) async fn is_suite_of(
    run: &RunOptions,
    commit: &KnownBase,
    environment: &Environment,
) -> bool {
    let Some(name) = commit.commit.as_ref().filter(|_| run.suite.candidate.is_none()) else { return false };
    let mut run = run.clone();
    run.suite.merge_base = Some(commit.clone());
    // Which cases are selected says nothing about the suite.
    (run.suite.filter, run.suite.tags) = (None, Vec::new());
    equals_base(&run, name, environment).await
}

/// Whether prompt, dataset and policy are all those of the base; false where that is not known.
async fn has_no_change(suite: &Suite, run: &RunOptions, base: &Base, environment: &Environment) -> bool {
    if let Some(source) = &suite.policy_source {
        return suite.same_prompt && has_same_policy(source);
    }
    if base.known.commit.is_none() {
        return suite.plan.baseline().is_some_and(|baseline| baseline.facts.prompt.commit.is_some());
    }
    let Some(by_base) = load_by_base(run, environment).await else { return false };
    by_base.same_prompt && by_base.policy_source.as_ref().is_some_and(has_same_policy)
}

/// The suite with baseline and policy of the base. A baseline that the policy names is compared as part of the policy.
async fn load_by_base(run: &RunOptions, environment: &Environment) -> Option<Suite> {
    let mut by_base = run.suite.clone();
    by_base.baseline = Some(BASE.to_owned());
    by_base.policy_from = Some(BASE.to_owned());
    by_base.release = ReleaseMode::Inform;
    suite::load(&by_base, Some(run.calls.offline), environment).await.ok()
}

/// Compares a suite whose policy and baseline are those of the commit; `None` for any other suite.
fn compare_with(suite: &Suite, commit: &str) -> Option<bool> {
    let source = suite.policy_source.as_ref()?;
    let baseline = &suite.plan.baseline()?.facts;
    // A published version names the commit that it is from, and is no prompt of the base.
    let baseline = baseline.prompt.commit.as_deref().filter(|_| baseline.published.is_none());
    if source.commit.as_deref() != Some(commit) || baseline != Some(commit) {
        return None;
    }
    let shared = suite.plan.shared();
    Some(is_same(source, commit) && !shared.is_empty() && shared.iter().all(|shared| *shared))
}

/// Whether policy and dataset are those of the commit.
fn is_same(source: &PolicySource, commit: &str) -> bool {
    has_same_policy(source) && source.commit.as_deref() == Some(commit)
}

fn has_same_policy(source: &PolicySource) -> bool {
    let policy = source.changed.is_empty() && source.more == 0 && !source.new;
    policy && source.dataset.as_ref().is_some_and(|changes| changes.is_empty())
}
