//! From a run, its analysis and its decision to a report.

use std::sync::Arc;

use super::super::trials::{FileSpool, timestamp};
use super::{
    Case, CaseStatus, Changes, Criterion, Ended, FirstAttempts, Interval, Judge, Judged, LargestDifference,
    LengthCorrelation, Look, LookCriterion, Messages, Metric, Override, Passes, Policy, PolicySource, Price,
    Report, Requests, SCHEMA, Slice, ToSettle, Trials, Usage, UsageShare, VariantSummary, Variants, Verdict,
};
use promptgate_core::model::{self, CallTotals, Decision, Run};

/// JSON has neither NaN nor infinity: what is not finite is null.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// The flag of a case that only the candidate does not answer in time.
const TIMED_OUT: &str = "timed_out";

/// The exit code of a run without a decision.
const INCOMPLETE: u8 = 12;

impl Report {
    /// The report of a run that is not decided yet: incomplete, without criteria and metrics. Trials whose text is in
    /// `spool` are read when they are needed.
    pub fn undecided(run: &Run, mut policy: Policy, spool: Option<&Arc<FileSpool>>) -> Self {
        (policy.repeats, policy.max_repeats) = (policy.schedule().first(), policy.schedule().last());
        let mut report = Self {
            schema: SCHEMA.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            name: run.name.clone(),
            verdict: Verdict::Incomplete,
            exit_code: INCOMPLETE,
            overridden: None,
            reasons: Vec::new(),
            criteria: Vec::new(),
            to_settle: None,
            looks: Vec::new(),
            refusals: None,
            metrics: Vec::new(),
            cases: cases(run, spool),
            trials_file: None,
            messages: Messages::default(),
            changes: run.baseline.as_ref().map(|baseline| Changes::of(baseline, &run.candidate)),
            variants: Variants { candidate: run.candidate.clone(), baseline: run.baseline.clone() },
            notices: run.notices.clone(),
            baseline_note: run.baseline_note.clone(),
            baseline_reused: run.reused_baseline.is_some(),
            baseline_repeats: run.reused_baseline.as_ref().map(|repeats| repeats.per_case),
            judge: Judge::of(run),
            dataset: run.dataset.clone(),
            policy,
            policy_source: run.policy_source.clone().map(|source| PolicySource { dataset: None, ..source }),
            dataset_changes: run.policy_source.as_ref().and_then(|source| source.dataset.clone()),
            release: run.release.clone(),
            scorers: run.scorers.clone(),
            repeats: run.repeats.per_case,
            usage: Usage::from(&run.totals),
            contested: None,
            prices: run
                .prices
                .0
                .iter()
                .filter(|(_, price)| {
                    price.input_per_million.is_finite() && price.output_per_million.is_finite()
                })
                .map(|(model, price)| Price {
                    model: model.clone(),
                    input_per_million: price.input_per_million,
                    output_per_million: price.output_per_million,
                    cached_input_per_million: price.cached_input_per_million,
                    from_change: price.from_change,
                    as_of: price.as_of,
                })
                .collect(),
            simulated: run.simulated,
            ended: Ended { kind: run.ended.kind(), fault: run.ended.fault().cloned() },
            warnings: run.warnings.clone(),
            started_at: run.started_at.clone(),
            duration_ms: run.duration_ms,
        };
        let requests = report.cases.iter().map(|case| case.requests.clone());
        report.messages = Messages::new(Arc::clone(&run.messages), requests);
        report
    }

    /// Adds the override of the verdict, and says it first.
    #[must_use]
    pub fn overridden(mut self, overridden: Override) -> Self {
        self.notices.insert(0, overridden.notice());
        self.overridden = Some(overridden);
        self
    }

    /// Adds the decision and the exit code of the process. A case without a status counts as missing.
    #[must_use]
    pub fn decided(mut self, decision: &Decision, exit_code: u8) -> Self {
        self.verdict = decision.verdict;
        self.exit_code = exit_code;
        self.reasons.clone_from(&decision.reasons);
        self.criteria = decision.criteria.iter().map(criterion).collect();
        self.to_settle = decision
            .to_settle
            .map(|settle| ToSettle { cost_usd: settle.cost_usd.and_then(finite), ..settle });
        self.looks = decision.looks.iter().map(look).collect();
        self.contested = decision.contested;
        self.metrics = decision.metrics.iter().map(metric).collect();
        self.refusals = Some(decision.refusals);
        for (case, summary) in self.cases.iter_mut().zip(&decision.cases) {
            let passes = |counts: Option<(usize, usize)>| counts.map(|(passed, of)| Passes { passed, of });
            case.status = summary.status;
            case.candidate_passes = passes(summary.candidate_passes);
            case.baseline_passes = passes(summary.baseline_passes);
            case.largest_difference = summary.largest_difference.as_ref().and_then(|(metric, difference)| {
                Some(LargestDifference { metric: metric.clone(), difference: finite(*difference)? })
            });
            case.failing.clone_from(&summary.failing);
            case.flags = if summary.timed_out { vec![TIMED_OUT.to_owned()] } else { Vec::new() };
        }
        for warning in &decision.warnings {
            if !self.warnings.contains(warning) {
                self.warnings.push(warning.clone());
            }
        }
        self
    }
}

fn cases(run: &Run, spool: Option<&Arc<FileSpool>>) -> Vec<Case> {
    let mut trials: Vec<Trials> = run.cases.iter().map(|_| Trials::default()).collect();
    for trial in &run.trials {
        if let Some(of_case) = trials.get_mut(trial.case) {
            of_case.push(trial, spool);
        }
    }
    let cases = run.cases.iter().zip(trials).enumerate();
    let case = |(index, (facts, trials)): (usize, (&model::CaseFacts, Trials))| {
        let applies = |applies: &Vec<bool>| applies.get(index).copied().unwrap_or_default();
        let scorers = run.scorers.iter().zip(&run.applies).filter(|(_, row)| applies(row));
        Case {
            id: facts.id.clone(),
            query: facts.query.clone(),
            context: facts.context.clone(),
            expected: facts.expected.clone(),
            tags: facts.tags.clone(),
            group: facts.group.clone(),
            must_pass: facts.must_pass,
            may_refuse: facts.may_refuse,
            shared: facts.shared,
            added: facts.added,
            scorers: scorers.map(|(name, _)| name.clone()).collect(),
            status: CaseStatus::Missing,
            candidate_passes: None,
            baseline_passes: None,
            largest_difference: None,
            failing: Vec::new(),
            flags: Vec::new(),
            requests: Requests::of(&facts.requests, spool, &run.messages),
            trials,
        }
    };
    cases.map(case).collect()
}

fn metric(summary: &Metric) -> Metric {
    let variant = |variant: &VariantSummary| VariantSummary {
        mean: variant.mean.and_then(finite),
        lower: variant.lower.and_then(finite),
        upper: variant.upper.and_then(finite),
        ..*variant
    };
    Metric {
        candidate: variant(&summary.candidate),
        baseline: summary.baseline.as_ref().map(variant),
        difference: summary.difference.and_then(interval),
        other_scope_difference: summary.other_scope_difference.and_then(interval),
        noise: summary.noise.and_then(finite),
        smallest_detectable_drop: summary.smallest_detectable_drop.and_then(finite),
        slices: summary.slices.iter().filter_map(slice).collect(),
        length_correlation: summary.length_correlation.map(|correlation| LengthCorrelation {
            candidate: correlation.candidate.and_then(finite),
            differences: correlation.differences.and_then(finite),
        }),
        judged: summary.judged.map(|judged| Judged {
            panel_alpha: judged.panel_alpha.and_then(finite),
            corrected: judged.corrected.and_then(interval),
            smallest_true_drop: judged.smallest_true_drop.and_then(finite),
            pairs: judged.pairs,
        }),
        ..summary.clone()
    }
}

fn slice(slice: &Slice) -> Option<Slice> {
    Some(Slice {
        tag: slice.tag.clone(),
        cases: slice.cases,
        candidate: interval(slice.candidate)?,
        baseline: slice.baseline.and_then(finite),
        difference: slice.difference.and_then(interval),
    })
}

fn interval(interval: Interval) -> Option<Interval> {
    Some(Interval {
        mean: finite(interval.mean)?,
        lower: interval.lower.and_then(finite),
        upper: interval.upper.and_then(finite),
    })
}

fn look(look: &Look) -> Look {
    let criterion = |criterion: &LookCriterion| LookCriterion {
        estimate: criterion.estimate.and_then(finite),
        lower: criterion.lower.and_then(finite),
        upper: criterion.upper.and_then(finite),
        p: criterion.p.and_then(finite),
        ..criterion.clone()
    };
    Look { criteria: look.criteria.iter().map(criterion).collect(), ..*look }
}

fn criterion(outcome: &Criterion) -> Criterion {
    Criterion {
        required: outcome.required.and_then(finite),
        estimate: outcome.estimate.and_then(finite),
        lower: outcome.lower.and_then(finite),
        upper: outcome.upper.and_then(finite),
        p: outcome.p.and_then(finite),
        first_attempts: outcome.first_attempts.as_ref().map(|first| FirstAttempts {
            estimate: first.estimate.and_then(finite),
            lower: first.lower.and_then(finite),
            upper: first.upper.and_then(finite),
            p: first.p.and_then(finite),
            ..first.clone()
        }),
        ..outcome.clone()
    }
}

impl From<&CallTotals> for Usage {
    fn from(totals: &CallTotals) -> Self {
        let share = |usage: model::Usage, cost: Option<f64>| UsageShare {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            cost_usd: cost.and_then(finite),
        };
        let completions = share(totals.completions, totals.completion_cost_usd);
        let judgements = share(totals.judgements, totals.judgement_cost_usd);
        Self {
            calls: totals.calls,
            cached: totals.cached,
            cached_judgements: totals.cached_judgements,
            cached_since: totals.cached_since.and_then(timestamp),
            prompt_tokens: completions.prompt_tokens.saturating_add(judgements.prompt_tokens),
            completion_tokens: completions.completion_tokens.saturating_add(judgements.completion_tokens),
            // No tokens may mean that none were reported: a cost that is not known stays so.
            cost_usd: completions
                .cost_usd
                .zip(judgements.cost_usd)
                .and_then(|(one, other)| finite(one + other)),
            completions,
            judgements,
        }
    }
}
