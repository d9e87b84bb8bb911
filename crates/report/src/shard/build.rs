//! From the run of a shard's cases to its file, and the report that a part is the bare bones of.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::policy_part;
use super::{Counts, Part, PartCase, PlanDigest, ReusedBaseline, SCHEMA, Shard, ShardFile};
use crate::spool::FileSpool;
use crate::v1;
use promptgate_core::model;

/// What a shard is a part of.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    /// Which shard.
    pub shard: Shard,
    /// The places of its cases in the dataset, from 0.
    pub places: Vec<usize>,
    /// What the plan is made of, but for `shards`, `repeats`, `dataset` and `policy`, which are added.
    pub parts: BTreeMap<String, String>,
    /// The policy that decides on the whole.
    pub policy: v1::Policy,
    /// Whether an inconclusive verdict passes.
    pub inconclusive_passes: bool,
}

impl ShardFile {
    /// The file of a shard whose cases `run` holds, in the order of `whole.places`; `run.dataset` is the whole one.
    pub fn new(run: &model::Run, whole: Whole, spool: Option<&Arc<FileSpool>>) -> Self {
        let Whole { shard, places, mut parts, policy, inconclusive_passes } = whole;
        let report = v1::Report::spilled(run, &nothing_analysed(run), &nothing_decided(), policy, 0, spool);
        parts.extend(
            [
                ("shards", shard.of.to_string()),
                ("repeats", report.repeats.to_string()),
                ("dataset", report.dataset.digest.clone()),
                ("policy", policy_part(&report.policy).unwrap_or_default()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        let cases = places.into_iter().zip(report.cases).map(|(index, case)| PartCase {
            index,
            id: case.id,
            query: case.query,
            context: case.context,
            expected: case.expected,
            tags: case.tags,
            group: case.group,
            must_pass: case.must_pass,
            shared: case.shared,
            scorers: case.scorers,
            trials: case.trials,
        });
        let part = Part {
            name: report.name,
            cases: cases.collect(),
            variants: report.variants,
            baseline_note: report.baseline_note,
            reused_baseline: run.reused_baseline.as_ref().map(|reused_baseline| ReusedBaseline {
                repeats: reused_baseline.per_case,
                graded: reused_baseline.per_scorer.clone(),
            }),
            judge: report.judge,
            policy_source: report.policy_source,
            dataset_changes: report.dataset_changes,
            scorers: report.scorers,
            repeats: report.repeats,
            usage: report.usage,
            prices: report.prices,
            simulated: report.simulated,
            ended: report.ended,
            warnings: report.warnings,
            started_at: report.started_at,
            duration_ms: report.duration_ms,
        };
        Self {
            schema: SCHEMA.to_owned(),
            tool_version: report.tool_version,
            shard,
            plan: PlanDigest::new(parts),
            dataset: report.dataset,
            policy: report.policy,
            inconclusive_passes,
            counts: part.counts(),
            part,
        }
    }

    /// Whether its work is done: the plan was carried out, or `--fail-fast` spared the rest of it.
    pub fn is_done(&self) -> bool {
        matches!(self.part.ended.kind, v1::EndedKind::Completed | v1::EndedKind::FailedFast)
    }

    /// A report of its part alone, in which nothing is decided: what report v1 knows of reading holds for it too.
    pub(super) fn bare_report(&self) -> v1::Report {
        let part = &self.part;
        v1::Report {
            schema: v1::SCHEMA.to_owned(),
            tool_version: self.tool_version.clone(),
            name: part.name.clone(),
            verdict: v1::Verdict::Incomplete,
            exit_code: 0,
            reasons: Vec::new(),
            criteria: Vec::new(),
            to_settle: None,
            looks: Vec::new(),
            metrics: Vec::new(),
            cases: part.cases.iter().map(PartCase::as_case).collect(),
            trials_file: None,
            variants: part.variants.clone(),
            baseline_note: part.baseline_note.clone(),
            baseline_reused: part.reused_baseline.is_some(),
            baseline_repeats: part.reused_baseline.as_ref().map(|reused_baseline| reused_baseline.repeats),
            judge: part.judge.clone(),
            dataset: v1::Dataset { cases: part.cases.len(), ..self.dataset.clone() },
            // Criteria speak of the whole.
            policy: v1::Policy { criteria: Vec::new(), ..self.policy.clone() },
            policy_source: part.policy_source.clone(),
            dataset_changes: part.dataset_changes.clone(),
            scorers: part.scorers.clone(),
            repeats: part.repeats,
            usage: part.usage.clone(),
            prices: part.prices.clone(),
            simulated: part.simulated,
            ended: part.ended.clone(),
            warnings: part.warnings.clone(),
            started_at: part.started_at.clone(),
            duration_ms: part.duration_ms,
        }
    }
}

impl Part {
    /// The sides that are answered in this run: not a reused_baseline baseline.
    pub(super) fn answered_here(&self) -> &'static [v1::Role] {
        match (&self.variants.baseline, &self.reused_baseline) {
            (Some(_), None) => &[v1::Role::Candidate, v1::Role::Baseline],
            _ => &[v1::Role::Candidate],
        }
    }

    /// What it was to bring, and what is missing.
    pub(super) fn counts(&self) -> Counts {
        let here = self.answered_here();
        let trials = self.cases.len().saturating_mul(self.repeats as usize).saturating_mul(here.len());
        let answered = self.cases.iter().flat_map(|case| case.trials.readable());
        let answered = answered.filter(|trial| trial.error.is_none() && here.contains(&trial.role)).count();
        Counts { cases: self.cases.len(), trials, missing: trials.saturating_sub(answered) }
    }
}

impl PartCase {
    fn as_case(&self) -> v1::Case {
        v1::Case {
            id: self.id.clone(),
            query: self.query.clone(),
            context: self.context.clone(),
            expected: self.expected.clone(),
            tags: self.tags.clone(),
            group: self.group.clone(),
            must_pass: self.must_pass,
            shared: self.shared,
            scorers: self.scorers.clone(),
            status: v1::CaseStatus::Missing,
            candidate_passes: None,
            baseline_passes: None,
            largest_difference: None,
            failing: Vec::new(),
            trials: self.trials.clone(),
        }
    }
}

fn nothing_analysed(run: &model::Run) -> model::Analysis {
    model::Analysis {
        cases: Vec::new().into(),
        repeats: run.repeats.per_case,
        metrics: Vec::new(),
        has_baseline: run.baseline.is_some(),
        baseline_reused: run.reused_baseline.is_some(),
        sessions_differ: run.reused_baseline.is_some(),
        repeats_cached: false,
    }
}

fn nothing_decided() -> model::Decision {
    model::Decision {
        verdict: model::Verdict::Incomplete,
        reasons: Vec::new(),
        criteria: Vec::new(),
        metrics: Vec::new(),
        cases: Vec::new(),
        looks: Vec::new(),
        next: None,
        repeats_to_hold: BTreeMap::new(),
        to_settle: None,
        warnings: Vec::new(),
    }
}
