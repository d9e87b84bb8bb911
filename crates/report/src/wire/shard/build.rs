//! From the run of a shard's cases to its file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::policy_part;
use super::{Counts, PlanDigest, SCHEMA, Shard, ShardFile};
use crate::wire::FileSpool;
use crate::wire::v1::{EndedKind, Policy, Report, Role};
use promptgate_core::model::Run;

/// The run that a shard is part of.
#[derive(Debug, Clone, PartialEq)]
pub struct ShardContext {
    /// The shard.
    pub shard: Shard,
    /// The places of its cases in the dataset, from 0.
    pub places: Vec<usize>,
    /// The parts of the plan, without `shards`, `repeats`, `dataset` and `policy`.
    pub parts: BTreeMap<String, String>,
    /// The policy that decides on the whole run.
    pub policy: Policy,
    /// Whether an inconclusive verdict passes.
    pub inconclusive_passes: bool,
    /// Who may override the verdict.
    pub override_by: Vec<String>,
}

impl ShardFile {
    /// The file of a shard whose cases `run` holds, in the order of `context.places`; `run.dataset` is that of the whole
    /// run.
    pub fn new(run: &Run, context: ShardContext, spool: Option<&Arc<FileSpool>>) -> Self {
        let ShardContext { shard, places, mut parts, policy, inconclusive_passes, override_by } = context;
        let report = Report::undecided(run, policy, spool);
        parts.extend(own_parts(shard, &report).map(|(name, value)| (name.to_owned(), value)));
        let reused_baseline = run.reused_baseline.clone();
        Self {
            schema: SCHEMA.to_owned(),
            shard,
            plan: PlanDigest::new(parts),
            inconclusive_passes,
            override_by,
            counts: counts(&report),
            places,
            reused_baseline,
            report,
        }
    }

    /// Whether its work is done: the plan was carried out, or `--fail-fast` made the rest unnecessary.
    pub fn is_done(&self) -> bool {
        matches!(self.report.ended.kind, EndedKind::Completed | EndedKind::FailedFast)
    }
}

/// The parts of the plan that the shard itself contains.
pub(super) fn own_parts(shard: Shard, report: &Report) -> [(&'static str, String); 4] {
    [
        ("shards", shard.of.to_string()),
        ("repeats", report.repeats.to_string()),
        ("dataset", report.dataset.digest.clone()),
        ("policy", policy_part(&report.policy).unwrap_or_default()),
    ]
}

/// The variants that are part of this run, which a reused baseline is not.
pub(super) fn own_roles(report: &Report) -> &'static [Role] {
    match report.variants.baseline {
        Some(_) if !report.baseline_reused => &[Role::Candidate, Role::Baseline],
        _ => &[Role::Candidate],
    }
}

/// Planned and missing trials.
pub(super) fn counts(report: &Report) -> Counts {
    let roles = own_roles(report);
    let trials = report.cases.len().saturating_mul(report.repeats as usize).saturating_mul(roles.len());
    let completed = report.cases.iter().flat_map(|case| case.trials.readable());
    let completed = completed.filter(|trial| trial.error.is_none() && roles.contains(&trial.role)).count();
    Counts { cases: report.cases.len(), trials, missing: trials.saturating_sub(completed) }
}
