//! From a run, its analysis and the decision to a report.

use std::sync::Arc;

use crate::spool::FileSpool;
use promptgate_core::model;

use super::{
    CachedCalls, Case, CaseStatus, Criterion, Dataset, DatasetChanges, Ended, EndedKind, Fault, Grade,
    Interval, Judge, Judged, Judging, LargestDifference, LengthCorrelation, Look, LookCriterion, Metric,
    Need, Opinion, Passes, Policy, PolicySource, Price, Prompt, Reason, Report, Role, SCHEMA, Slice,
    ToSettle, Tokens, Trial, Trials, Ungraded, Usage, UsageShare, Variant, VariantSummary, Variants,
    timestamp,
};

/// JSON knows no NaN and no infinity: what is not finite is null.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

impl Report {
    /// The report of a decided run.
    ///
    /// `exit_code` is the one the process leaves with. A case that the decision says nothing of counts as missing.
    pub fn new(
        run: &model::Run,
        analysis: &model::Analysis,
        decision: &model::Decision,
        policy: Policy,
        exit_code: u8,
    ) -> Self {
        Self::spilled(run, analysis, decision, policy, exit_code, None)
    }

    /// The same of a run whose words may be in a spool: they are read when the report is written.
    pub fn spilled(
        run: &model::Run,
        analysis: &model::Analysis,
        decision: &model::Decision,
        policy: Policy,
        exit_code: u8,
        spool: Option<&Arc<FileSpool>>,
    ) -> Self {
        let mut trials: Vec<Trials> = run.cases.iter().map(|_| Trials::default()).collect();
        for trial in &run.trials {
            if let Some(of_case) = trials.get_mut(trial.case) {
                of_case.push(trial, spool);
            }
        }
        let cases = run
            .cases
            .iter()
            .zip(trials)
            .enumerate()
            .map(|(index, (facts, trials))| {
                let applies = |scorer: usize| {
                    run.applies.get(scorer).and_then(|row| row.get(index)).copied().unwrap_or_default()
                };
                let scorers = run.scorers.iter().enumerate().filter(|(scorer, _)| applies(*scorer));
                let scorers = scorers.map(|(_, name)| name.clone()).collect();
                case(facts, scorers, decision.cases.get(index), trials)
            })
            .collect();
        Self {
            schema: SCHEMA.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            name: run.name.clone(),
            verdict: decision.verdict.into(),
            exit_code,
            reasons: decision.reasons.iter().map(Reason::from).collect(),
            criteria: decision.criteria.iter().map(Criterion::from).collect(),
            to_settle: decision.to_settle.map(|it| ToSettle {
                repeats: it.repeats,
                cases: it.cases,
                calls: it.calls,
                cost_usd: it.cost_usd.and_then(finite),
            }),
            looks: decision.looks.iter().map(Look::from).collect(),
            metrics: decision.metrics.iter().map(|summary| metric(summary, analysis)).collect(),
            cases,
            trials_file: None,
            variants: Variants {
                candidate: Variant::from(&run.candidate),
                baseline: run.baseline.as_ref().map(Variant::from),
            },
            baseline_note: run.baseline_note.clone(),
            baseline_reused: run.reused_baseline.is_some(),
            baseline_repeats: run.reused_baseline.as_ref().map(|reused_baseline| reused_baseline.per_case),
            judge: Judge::of(run),
            dataset: Dataset {
                path: run.dataset.path.clone(),
                format: run.dataset.format.clone(),
                digest: run.dataset.digest.clone(),
                cases: run.dataset.cases,
            },
            policy,
            policy_source: run.policy_source.as_ref().map(PolicySource::from),
            dataset_changes: run
                .policy_source
                .as_ref()
                .and_then(|source| source.dataset.as_ref())
                .map(DatasetChanges::from),
            scorers: run.scorers.clone(),
            repeats: run.repeats.per_case,
            usage: Usage::from(&run.totals),
            prices: run
                .prices
                .iter()
                .filter(|(_, input, output)| input.is_finite() && output.is_finite())
                .map(|(model, input, output)| Price {
                    model: model.clone(),
                    input_per_million: *input,
                    output_per_million: *output,
                })
                .collect(),
            simulated: run.simulated,
            ended: Ended::from(&run.ended),
            warnings: warnings(run, decision),
            started_at: run.started_at.clone(),
            duration_ms: run.duration_ms,
        }
    }
}

/// The run's warnings, then the decision's, each once.
fn warnings(run: &model::Run, decision: &model::Decision) -> Vec<String> {
    let mut all: Vec<String> = Vec::with_capacity(run.warnings.len() + decision.warnings.len());
    for warning in run.warnings.iter().chain(&decision.warnings) {
        if !all.contains(warning) {
            all.push(warning.clone());
        }
    }
    all
}

fn case(
    facts: &model::CaseFacts,
    scorers: Vec<String>,
    status: Option<&model::CaseSummary>,
    trials: Trials,
) -> Case {
    let passes = |counts: Option<(usize, usize)>| counts.map(|(passed, of)| Passes { passed, of });
    Case {
        id: facts.id.clone(),
        query: facts.query.clone(),
        context: facts.context.clone(),
        expected: facts.expected.clone(),
        tags: facts.tags.clone(),
        group: facts.group.clone(),
        must_pass: facts.must_pass,
        shared: facts.shared,
        scorers,
        status: status.map_or(CaseStatus::Missing, |status| status.status.into()),
        candidate_passes: status.and_then(|status| passes(status.candidate_passes)),
        baseline_passes: status.and_then(|status| passes(status.baseline_passes)),
        largest_difference: status.and_then(|status| {
            let (metric, difference) = status.largest_difference.as_ref()?;
            Some(LargestDifference { metric: metric.clone(), difference: finite(*difference)? })
        }),
        failing: status.map(|status| status.failing.clone()).unwrap_or_default(),
        trials,
    }
}

fn metric(summary: &model::MetricSummary, analysis: &model::Analysis) -> Metric {
    let variant = |interval: Option<model::Interval>, n, missing, repeats| VariantSummary {
        mean: interval.and_then(|interval| finite(interval.mean)),
        lower: interval.and_then(|interval| interval.lower).and_then(finite),
        upper: interval.and_then(|interval| interval.upper).and_then(finite),
        n,
        repeats,
        missing,
    };
    // A baseline that was asked but gave nothing is shown with its count of missing grades, not as absent.
    let scores = analysis.metric(&summary.name);
    let asked = scores.is_some_and(|scores| scores.scores.baseline.is_some());
    let (repeats, baseline_repeats) =
        scores.map_or((0, 0), |scores| (scores.repeats, scores.baseline_repeats));
    Metric {
        name: summary.name.clone(),
        kind: summary.kind.into(),
        candidate: variant(summary.candidate, summary.candidate_cases, summary.candidate_missing, repeats),
        baseline: (asked || summary.baseline.is_some()).then(|| {
            variant(summary.baseline, summary.baseline_cases, summary.baseline_missing, baseline_repeats)
        }),
        difference: summary.difference.and_then(interval),
        other_scope_difference: summary.other_difference.and_then(interval),
        scope: summary.scope.into(),
        repeats,
        noise: summary.within_case_sd.and_then(finite),
        smallest_detectable_drop: summary.smallest_detectable_drop.and_then(finite),
        slices: summary.slices.iter().filter_map(slice).collect(),
        length_correlation: summary.length_correlation.map(|found| LengthCorrelation {
            candidate: found.candidate.and_then(finite),
            differences: found.differences.and_then(finite),
        }),
        judged: (summary.kind == model::MetricKind::Judge).then(|| Judged {
            panel_alpha: summary.judged.panel_alpha.and_then(finite),
            corrected: summary.judged.corrected.and_then(interval),
            smallest_true_drop: summary.judged.smallest_true_drop.and_then(finite),
        }),
    }
}

fn slice(slice: &model::Slice) -> Option<Slice> {
    Some(Slice {
        tag: slice.tag.clone(),
        n: slice.cases,
        candidate: interval(slice.candidate)?,
        baseline: slice.baseline.and_then(finite),
        difference: slice.difference.and_then(interval),
    })
}

fn interval(interval: model::Interval) -> Option<Interval> {
    Some(Interval {
        mean: finite(interval.mean)?,
        lower: interval.lower.and_then(finite),
        upper: interval.upper.and_then(finite),
    })
}

impl From<&model::Reason> for Reason {
    fn from(reason: &model::Reason) -> Self {
        Self {
            code: reason.code.into(),
            message: reason.message.clone(),
            criterion: reason.criterion.clone(),
        }
    }
}

impl From<&model::CriterionOutcome> for Criterion {
    fn from(outcome: &model::CriterionOutcome) -> Self {
        Self {
            id: outcome.id.clone(),
            metric: outcome.metric.clone(),
            kind: outcome.kind.clone(),
            required: finite(outcome.required),
            estimate: outcome.estimate.and_then(finite),
            lower: outcome.lower.and_then(finite),
            upper: outcome.upper.and_then(finite),
            p: outcome.p.and_then(finite),
            verdict: outcome.verdict.into(),
            method: outcome.method.clone(),
            explanation: outcome.explanation.clone(),
            repeats: outcome.repeats,
            alpha: outcome.alpha,
            need: outcome.need.map(Need::from),
        }
    }
}

impl From<model::Need> for Need {
    fn from(need: model::Need) -> Self {
        match need {
            model::Need::Repeats(count) => Self::Repeats(count),
            model::Need::Cases(count) => Self::Cases(count),
        }
    }
}

impl From<&model::LookOutcome> for Look {
    fn from(look: &model::LookOutcome) -> Self {
        let criterion = |criterion: &model::LookCriterion| LookCriterion {
            id: criterion.id.clone(),
            estimate: criterion.estimate.and_then(finite),
            lower: criterion.lower.and_then(finite),
            upper: criterion.upper.and_then(finite),
            p: criterion.p.and_then(finite),
            verdict: criterion.verdict.into(),
        };
        Self {
            repeats: look.repeats,
            alpha: look.alpha,
            verdict: look.verdict.into(),
            criteria: look.criteria.iter().map(criterion).collect(),
        }
    }
}

impl From<&model::VariantFacts> for Variant {
    fn from(facts: &model::VariantFacts) -> Self {
        Self {
            prompt: Prompt {
                name: facts.prompt.name.clone(),
                version: facts.prompt.version.clone(),
                digest: facts.prompt.digest.clone(),
                source: facts.prompt.source.clone(),
                commit: facts.prompt.commit.clone(),
            },
            model: facts.model.clone(),
            parameters: facts.parameters.clone(),
        }
    }
}

impl From<&model::CallTotals> for Usage {
    fn from(totals: &model::CallTotals) -> Self {
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

impl From<&model::Ended> for Ended {
    fn from(ended: &model::Ended) -> Self {
        match ended {
            model::Ended::Completed => Self { kind: EndedKind::Completed, fault: None },
            model::Ended::Stopped(fault) => {
                Self { kind: EndedKind::Stopped, fault: Some(Fault::from(fault)) }
            }
            model::Ended::FailedFast => Self { kind: EndedKind::FailedFast, fault: None },
            model::Ended::Interrupted => Self { kind: EndedKind::Interrupted, fault: None },
        }
    }
}

impl From<&model::Fault> for Fault {
    fn from(fault: &model::Fault) -> Self {
        Self { kind: fault.kind.into(), message: fault.message.clone(), help: fault.help.clone() }
    }
}

impl From<model::Usage> for Tokens {
    fn from(usage: model::Usage) -> Self {
        Self { prompt_tokens: usage.prompt_tokens, completion_tokens: usage.completion_tokens }
    }
}

impl Trial {
    /// A trial that was answered.
    pub(crate) fn of(spoken: &model::TrialText, role: Role, repeat: u32) -> Self {
        let model::TrialText { completion, grades } = spoken;
        Self {
            role,
            repeat,
            output: Some(completion.text.clone()),
            refusal: completion.refusal,
            finish_reason: Some(completion.finish_reason.as_str().to_owned()),
            usage: completion.usage.map(Tokens::from),
            latency_ms: finite(completion.latency_ms),
            model: completion.model.clone(),
            system_fingerprint: completion.system_fingerprint.clone(),
            cached: completion.cached_at.is_some(),
            cached_at: completion.cached_at.and_then(timestamp),
            grades: grades.iter().map(Grade::from).collect(),
            error: None,
        }
    }

    /// A trial without an answer.
    pub(super) fn missing(fault: &model::Fault, role: Role, repeat: u32) -> Self {
        Self {
            role,
            repeat,
            output: None,
            refusal: false,
            finish_reason: None,
            usage: None,
            latency_ms: None,
            model: None,
            system_fingerprint: None,
            cached: false,
            cached_at: None,
            grades: Vec::new(),
            error: Some(Fault::from(fault)),
        }
    }
}

impl From<&model::Grade> for Grade {
    fn from(grade: &model::Grade) -> Self {
        let ungraded = match &grade.outcome {
            model::Outcome::Score(_) => None,
            model::Outcome::Ungraded(fault) => Some(Ungraded { fault: fault.as_ref().map(Fault::from) }),
        };
        Self {
            scorer: grade.scorer.clone(),
            score: grade.score(),
            ungraded,
            reason: grade.reason.clone(),
            details: grade.details.clone(),
            flags: grade.flags.clone(),
            judging: grade.judging.as_ref().map(Judging::from),
            opinions: grade.opinions.iter().map(Opinion::from).collect(),
        }
    }
}

impl From<&model::Opinion> for Opinion {
    fn from(opinion: &model::Opinion) -> Self {
        Self { judge: opinion.judge.clone(), score: opinion.score, judging: Judging::from(&opinion.judging) }
    }
}

impl From<&model::Judging> for Judging {
    fn from(judging: &model::Judging) -> Self {
        Self {
            calls: judging.calls,
            usage: judging.usage.into(),
            latency_ms: finite(judging.latency_ms),
            cached: (judging.cached_calls > 0)
                .then(|| CachedCalls { calls: judging.cached_calls, usage: judging.cached_usage.into() }),
            output_mode: judging.output_mode.clone(),
            model: judging.model.clone(),
            system_fingerprint: judging.system_fingerprint.clone(),
        }
    }
}
