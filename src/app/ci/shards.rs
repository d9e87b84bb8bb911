//! `--merge`: joins the shards of other jobs.
//!
//! A shard for which nothing differs from the base, or that has no key, writes no shard file but a `ci.json`. Where all
//! shards agree on that, it is the outcome of the whole.

use std::collections::BTreeSet;
use std::path::Path;

use super::base::{self, Base, Variable};
use super::facts::{self, CiFacts, Verdict};
use super::{CiContext, CiOptions, Gate, NewSuite, OnMissingCredentials, OnNewSuite, Outcome, Uncalled};
use crate::app::cache::refuse_tracked;
use crate::app::sources;
use crate::app::{Failure, merge as merging, report_files, shard};
use promptgate_adapters::github::EventKind;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::shard::Shard;

/// Joins the shards in a folder.
pub(super) fn merge(
    folder: &Path,
    options: &CiOptions,
    context: &mut CiContext,
    variable: Variable<'_>,
) -> Result<Gate, Failure> {
    let run = &options.run;
    let skips = options.on_missing_credentials == OnMissingCredentials::Skip;
    if context.event.as_ref().is_some_and(|event| event.kind == EventKind::PullRequestTarget) {
        base::find(context.event.as_ref(), folder, variable, false)?;
    }
    // Only for the lines of annotations; it decides nothing, and the job may have no repository.
    if let Ok(configured) = sources::configured(run.suite.config.as_deref()) {
        context.set_files(&configured);
        context.base = base::find(context.event.as_ref(), &configured.location.folder, variable, false).ok();
    }
    if let Some(outcome) = common_outcome(folder, skips, context)? {
        return Ok(Gate::Ended(outcome));
    }
    let decided = merging::merge(&[folder.to_owned()], &run.out)?;
    report_files::prepare(&run.out)?;
    if context.base.is_none() {
        let run = &decided.evaluation.run;
        let baseline = run.baseline.as_ref().and_then(|variant| variant.prompt.commit.clone());
        let policy = run.policy_source.as_ref().and_then(|source| source.commit.clone());
        context.base = policy.or(baseline).map(|commit| base_of_shards(commit, None));
    }
    Ok(Gate::Merged(Box::new(decided)))
}

fn base_of_shards(commit: String, head: Option<String>) -> Base {
    Base::of(Some(commit), "as the shards found it", head)
}

/// The outcome that all shards have in common without a call; `None` where there are shards to join, or some are missing.
fn common_outcome(folder: &Path, skips: bool, context: &mut CiContext) -> Result<Option<Outcome>, Failure> {
    // The merge reports a folder that cannot be read.
    let below = |matches: &dyn Fn(&str) -> bool| shard::files_below(folder, matches).unwrap_or_default();
    if !below(&shard::is_shard).is_empty() {
        return Ok(None);
    }
    let mut all = Vec::new();
    for path in below(&|name| name == facts::NAME) {
        let refuse = |why: String| {
            Diagnostic::new(format!("cannot read the ci.json of a shard: {why}"))
                .at(Place::file(path.display().to_string()))
                .help("run that shard again")
        };
        refuse_tracked(&path, "this", "take it out with `git rm --cached`, and merge what jobs wrote")?;
        all.push(facts::read(&path).map_err(refuse)?);
    }
    let Some(first) = all.first() else { return Ok(None) };
    let every = |test: fn(&CiFacts) -> bool| all.iter().all(test);
    let head = context.event.as_ref().and_then(|event| event.head.as_ref());
    // Each shard once: the outcome of a missing one is unknown.
    let shards: BTreeSet<Shard> =
        all.iter().filter_map(|facts| facts.shard.as_deref()?.parse().ok()).collect();
    let complete = shards.first().is_some_and(|first| {
        shards.len() == all.len()
            && all.len() == first.of as usize
            && shards.iter().all(|it| it.of == first.of)
    });
    // A base that this job found must be the one that the shards found.
    let base = context.base.as_ref().map(|base| base.known.commit.as_ref());
    let alike = complete
        && base.is_none_or(|base| base == first.base.as_ref())
        && all.iter().all(|facts| facts.base == first.base && facts.head == first.head)
        && head.is_none_or(|head| first.head.as_ref() == Some(head));
    if alike && every(|facts| facts.verdict == Verdict::Unchanged) {
        let object =
            |name: &String| matches!(name.len(), 40 | 64) && name.bytes().all(|b| b.is_ascii_hexdigit());
        if let Some(base) = first.base.clone().filter(object) {
            context.base = Some(base_of_shards(base, first.head.clone().filter(object)));
        }
        return Ok(Some(Outcome::Unchanged(Uncalled::Shards)));
    }
    if alike && every(|facts| facts.reason.as_deref() == Some("missing_credentials")) {
        return Ok(Some(Outcome::NoKey { of: Uncalled::Shards, variables: Vec::new(), skipped: skips }));
    }
    if alike && every(|facts| facts.reason.as_deref() == Some("new_suite")) {
        let skipped = every(|facts| facts.verdict == Verdict::NotEvaluated);
        let result = if skipped { OnNewSuite::Skip } else { OnNewSuite::Fail };
        let new = NewSuite { result, vanished: Vec::new(), missing: None };
        return Ok(Some(Outcome::NewSuite { of: Uncalled::Shards, new }));
    }
    Ok(None)
}
