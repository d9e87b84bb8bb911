//! `--merge`: the shards of other jobs, joined.
//!
//! Shards that had nothing to do leave no shard file but say so in their `ci.json`: that nothing differs from the base,
//! or that they had no key. What all of them say alike is said of the whole.

use std::collections::BTreeSet;
use std::path::Path;

use super::base::{self, Base, Variable};
use super::{Known, Of, Outcome, status_without_key};
use crate::cli::args::{CiArguments, KnownBase, MergeArguments, RunArguments};
use crate::cli::commands::merge;
use crate::cli::error::Failure;
use crate::cli::facts::{self, Facts, Verdict};
use crate::cli::{answers, shard, suite};
use promptgate_adapters::github::EventKind;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::shard::Shard;

/// Joins the shards in a folder.
pub(super) fn merged(
    folder: &Path,
    run: &RunArguments,
    arguments: &CiArguments,
    known: &mut Known,
    variable: Variable<'_>,
) -> Result<Outcome, Failure> {
    if known.event.as_ref().is_some_and(|event| event.kind == EventKind::PullRequestTarget) {
        base::find(known.event.as_ref(), folder, variable)?;
    }
    // Where the job has the repository, annotations find their lines; it decides nothing.
    if let Ok(configured) = suite::configured(run.suite.config.as_deref()) {
        known.look_at(&configured);
        known.base = base::find(known.event.as_ref(), &configured.folder, variable).ok();
    }
    if let Some(outcome) = nothing_to_join(folder, run, arguments, known)? {
        return Ok(outcome);
    }
    let merge = MergeArguments {
        folders: vec![folder.to_owned()],
        out: run.out.clone(),
        format: run.format,
        inconclusive: arguments.run.inconclusive,
        advisory: run.advisory,
    };
    let finished = merge::carry_out(&merge)?;
    if known.base.is_none()
        && let Some(report) = &finished.report
    {
        let baseline = report.variants.baseline.as_ref().and_then(|variant| variant.prompt.commit.clone());
        let policy = report.policy_source.as_ref().and_then(|source| source.commit.clone());
        known.base = policy.or(baseline).map(|commit| found_by_shards(commit, None));
    }
    Ok(Outcome::Finished(Box::new(finished)))
}

fn found_by_shards(commit: String, head: Option<String>) -> Base {
    Base {
        known: KnownBase { commit: Some(commit), how: "as the shards found it".to_owned(), evaluated: None },
        head,
        settles: false,
    }
}

/// What is to be said where no shard had anything to do; `None` where shards are to be joined, or to be missed.
fn nothing_to_join(
    folder: &Path,
    run: &RunArguments,
    arguments: &CiArguments,
    known: &mut Known,
) -> Result<Option<Outcome>, Failure> {
    // A folder that cannot be read is told of by those who join.
    let below = |wanted: &dyn Fn(&str) -> bool| shard::files_below(folder, wanted).unwrap_or_default();
    if !below(&shard::is_shard).is_empty() {
        return Ok(None);
    }
    let mut all = Vec::new();
    for path in below(&|name| name == facts::NAME) {
        let refuse = |why: String| {
            Diagnostic::new(format!("what a shard says of itself cannot be read: {why}"))
                .at(Place::file(path.display().to_string()))
                .help("run that shard again")
        };
        answers::refuse_tracked(
            &path,
            "this",
            "take it out with `git rm --cached`, and merge what jobs wrote",
        )?;
        all.push(facts::read(&path).map_err(refuse)?);
    }
    let Some(first) = all.first() else { return Ok(None) };
    let every = |test: fn(&Facts) -> bool| all.iter().all(test);
    let head = known.event.as_ref().and_then(|event| event.head.as_ref());
    // Each of them once: what a shard that is missing would have said is not known.
    let shards: BTreeSet<Shard> = all.iter().filter_map(|said| said.shard.as_deref()?.parse().ok()).collect();
    let complete = shards.first().is_some_and(|first| {
        shards.len() == all.len()
            && all.len() == first.of as usize
            && shards.iter().all(|it| it.of == first.of)
    });
    // Where this job has found the base by itself, the shards have to have found the same.
    let base = known.base.as_ref().map(|base| base.known.commit.as_ref());
    let alike = complete
        && base.is_none_or(|base| base == first.base.as_ref())
        && all.iter().all(|said| said.base == first.base && said.head == first.head)
        && head.is_none_or(|head| first.head.as_ref() == Some(head));
    if alike && every(|said| said.verdict == Verdict::Unchanged) {
        let object =
            |name: &String| matches!(name.len(), 40 | 64) && name.bytes().all(|b| b.is_ascii_hexdigit());
        if let Some(base) = first.base.clone().filter(object) {
            known.base = Some(found_by_shards(base, first.head.clone().filter(object)));
        }
        return Ok(Some(Outcome::Unchanged(Of::Shards)));
    }
    if alike && every(|said| said.reason.as_deref() == Some("missing_credentials")) {
        let status = status_without_key(run, arguments);
        return Ok(Some(Outcome::NoKey { of: Of::Shards, variables: Vec::new(), status }));
    }
    Ok(None)
}
