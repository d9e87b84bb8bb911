//! From a report back to its run, for `baseline: report:PATH`, `compare` and `merge`.

use std::sync::Arc;

use super::super::trials::seconds;
use super::{Case, Ended, EndedKind, Judge, Metric, PolicySource, Report, Trial, UsageShare};
use promptgate_core::model::{
    self, CallTotals, CaseFacts, Diagnostic, Diagnostics, Fault, Interner, RepeatCounts, RequestLocation,
    Run, TextLocation, TrialResult, TrialSummary,
};
use promptgate_core::text::neutral;

impl Report {
    /// The run of this report: the same trials, grades and provenance.
    ///
    /// The run's warnings include those of the decision; its trials are ordered by case.
    ///
    /// # Errors
    /// [`Diagnostics`] where a trial has neither an answer nor an error, a grade has no valid score, or a run was
    /// stopped without a fault: the report was edited.
    pub fn to_run(&self) -> Result<Run, Diagnostics> {
        self.restore(false).map_err(edited)
    }

    /// The run of this report, the texts of whose trials stay in the spool of the report.
    ///
    /// # Errors
    /// As of [`Self::to_run`].
    pub(in super::super) fn to_spilled_run(&self) -> Result<Run, Diagnostics> {
        self.restore(true).map_err(edited)
    }

    fn restore(&self, stays_spilled: bool) -> Result<Run, String> {
        let mut interner = Interner::default();
        let mut trials = Vec::with_capacity(self.trials());
        for (index, case) in self.cases.iter().enumerate() {
            for (trial, place) in case.trials.iter().zip(case.trials.places()) {
                let trial = trial.map_err(|error| error.to_string())?;
                let mut restored = restore_trial(&trial, index, case, &mut interner)?;
                if let (TrialResult::Completed(summary), Some(place)) = (&mut restored.result, place)
                    && stays_spilled
                {
                    summary.text = TextLocation::Spilled(place);
                }
                trials.push(restored);
            }
        }
        Ok(Run {
            name: self.name.clone(),
            started_at: self.started_at.clone(),
            duration_ms: self.duration_ms,
            dataset: self.dataset.clone(),
            cases: self.cases.iter().map(facts).collect::<Result<_, _>>()?,
            messages: Arc::clone(self.messages.shared()),
            candidate: self.variants.candidate.clone(),
            baseline: self.variants.baseline.clone(),
            notices: self.notices.clone(),
            baseline_note: self.baseline_note.clone(),
            judge: self.judge.as_ref().map(Judge::restore),
            scorers: self.scorers.clone(),
            applies: self
                .scorers
                .iter()
                .map(|scorer| self.cases.iter().map(|case| case.scorers.contains(scorer)).collect())
                .collect(),
            repeats: self.repeat_counts(self.repeats, |metric| Some(metric.repeats)),
            reused_baseline: self.baseline_reused.then(|| {
                let repeats = self.baseline_repeats.unwrap_or(self.repeats);
                self.repeat_counts(repeats, |metric| Some(metric.baseline.as_ref()?.repeats))
            }),
            trials,
            totals: self.totals(),
            prices: self.prices.iter().map(|price| (price.model.clone(), price.per_token())).collect(),
            simulated: self.simulated,
            ended: restore_ended(&self.ended)?,
            policy_source: self
                .policy_source
                .clone()
                .map(|source| PolicySource { dataset: self.dataset_changes.clone(), ..source }),
            release: self.release.clone(),
            warnings: self.warnings.clone(),
        })
    }

    /// The repeats of a variant; of a scorer without a metric, all of them.
    fn repeat_counts(&self, repeats: u32, graded: impl Fn(&Metric) -> Option<u32>) -> RepeatCounts {
        let of = |scorer: &String| {
            let metric = self.metrics.iter().find(|metric| metric.name == *scorer);
            metric.and_then(&graded).unwrap_or(repeats)
        };
        RepeatCounts { per_case: repeats, per_scorer: self.scorers.iter().map(of).collect() }
    }

    fn totals(&self) -> CallTotals {
        let usage = &self.usage;
        let tokens = |share: &UsageShare| model::Usage::new(share.prompt_tokens, share.completion_tokens);
        CallTotals {
            calls: usage.calls,
            cached: usage.cached,
            cached_judgements: usage.cached_judgements,
            cached_since: usage.cached_since.as_deref().and_then(seconds),
            completions: tokens(&usage.completions),
            judgements: tokens(&usage.judgements),
            completion_cost_usd: usage.completions.cost_usd,
            judgement_cost_usd: usage.judgements.cost_usd,
        }
    }
}

fn facts(case: &Case) -> Result<CaseFacts, String> {
    let requests = case.requests.read().map_err(|error| error.to_string())?;
    Ok(CaseFacts {
        id: case.id.clone(),
        query: case.query.clone(),
        context: case.context.clone(),
        expected: case.expected.clone(),
        tags: case.tags.clone(),
        group: case.group.clone(),
        must_pass: case.must_pass,
        must_pass_strict: false,
        may_refuse: case.may_refuse,
        shared: case.shared,
        added: case.added,
        requests: requests.map_or(RequestLocation::Unknown, RequestLocation::InMemory),
    })
}

fn edited(message: String) -> Diagnostics {
    let help = "the report was edited or written by another program: run again";
    Diagnostic::new(message).help(help).into()
}

fn restore_ended(ended: &Ended) -> Result<model::Ended, String> {
    Ok(match (ended.kind, &ended.fault) {
        (EndedKind::Completed, _) => model::Ended::Completed,
        (EndedKind::Stopped, Some(fault)) => model::Ended::Stopped(fault.clone()),
        (EndedKind::Stopped, None) => return Err("`ended` is `stopped` without a `fault`".to_owned()),
        (EndedKind::FailedFast, _) => model::Ended::FailedFast,
        (EndedKind::Interrupted, _) => model::Ended::Interrupted,
    })
}

fn restore_trial(
    trial: &Trial,
    index: usize,
    case: &Case,
    interner: &mut Interner,
) -> Result<model::Trial, String> {
    let result = match &trial.error {
        Some(fault) => TrialResult::Missing(Fault { attempts: trial.attempts.clone(), ..fault.clone() }),
        None => {
            let text = trial.text().map_err(|message| {
                let (id, role) = (neutral::terminal(&case.id), trial.role.as_str());
                format!("case `{id}`, {role} repeat {}: {message}", trial.repeat)
            })?;
            TrialResult::Completed(TrialSummary::new(text.completion, text.grades, interner))
        }
    };
    Ok(model::Trial { case: index, role: trial.role, repeat: trial.repeat, result })
}
