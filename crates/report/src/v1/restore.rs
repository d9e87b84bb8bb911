//! From a report back to the run it was made of: for `baseline: report:PATH` and `compare`.

use promptgate_core::model::{self, Diagnostic, Diagnostics, Score};

use super::{
    Case, Ended, EndedKind, Fault, Grade, Judge, Judging, Metric, Opinion, Report, Tokens, Trial, Variant,
    origin, seconds,
};

impl Report {
    /// The run this report was made of: the same trials, grades and provenance.
    ///
    /// Warnings of the decision come back as warnings of the run; the order of trials is by case.
    ///
    /// # Errors
    /// [`Diagnostics`] where a trial has neither an answer nor an error, a grade has no valid score, or a run was
    /// stopped without a fault: the report was edited.
    pub fn to_run(&self) -> Result<model::Run, Diagnostics> {
        self.restore().map_err(|message| {
            let help = "the report was edited or written by something else: make it again";
            Diagnostic::new(message).help(help).into()
        })
    }

    /// The same; an error says which place contradicts itself.
    pub(super) fn restore(&self) -> Result<model::Run, String> {
        let mut names = model::Interner::default();
        let mut trials = Vec::with_capacity(self.cases.iter().map(|case| case.trials.len()).sum());
        for (index, case) in self.cases.iter().enumerate() {
            for trial in case.trials.iter() {
                let trial = trial.map_err(|error| error.to_string())?;
                trials.push(restore_trial(&trial, index, case, &mut names)?);
            }
        }
        Ok(model::Run {
            name: self.name.clone(),
            started_at: self.started_at.clone(),
            duration_ms: self.duration_ms,
            dataset: model::DatasetFacts {
                path: self.dataset.path.clone(),
                format: self.dataset.format.clone(),
                digest: self.dataset.digest.clone(),
                cases: self.dataset.cases,
            },
            cases: self.cases.iter().map(facts).collect(),
            candidate: model::VariantFacts::from(&self.variants.candidate),
            baseline: self.variants.baseline.as_ref().map(model::VariantFacts::from),
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
            totals: model::CallTotals {
                calls: self.usage.calls,
                cached: self.usage.cached,
                cached_judgements: self.usage.cached_judgements,
                cached_since: self.usage.cached_since.as_deref().and_then(seconds),
                completions: model::Usage {
                    prompt_tokens: self.usage.completions.prompt_tokens,
                    completion_tokens: self.usage.completions.completion_tokens,
                },
                judgements: model::Usage {
                    prompt_tokens: self.usage.judgements.prompt_tokens,
                    completion_tokens: self.usage.judgements.completion_tokens,
                },
                completion_cost_usd: self.usage.completions.cost_usd,
                judgement_cost_usd: self.usage.judgements.cost_usd,
            },
            prices: self
                .prices
                .iter()
                .map(|price| (price.model.clone(), price.input_per_million, price.output_per_million))
                .collect(),
            simulated: self.simulated,
            ended: restore_ended(&self.ended)?,
            policy_source: origin::policy_source(self),
            warnings: self.warnings.clone(),
        })
    }
}

impl Report {
    /// Repeats of a variant; a scorer without a metric counts as having graded all of them.
    fn repeat_counts(&self, repeats: u32, graded: impl Fn(&Metric) -> Option<u32>) -> model::RepeatCounts {
        let of = |scorer: &String| {
            let metric = self.metrics.iter().find(|metric| metric.name == *scorer);
            metric.and_then(&graded).unwrap_or(repeats)
        };
        model::RepeatCounts { per_case: repeats, per_scorer: self.scorers.iter().map(of).collect() }
    }
}

fn facts(case: &Case) -> model::CaseFacts {
    model::CaseFacts {
        id: case.id.clone(),
        query: case.query.clone(),
        context: case.context.clone(),
        expected: case.expected.clone(),
        tags: case.tags.clone(),
        group: case.group.clone(),
        must_pass: case.must_pass,
        shared: case.shared,
    }
}

fn restore_ended(ended: &Ended) -> Result<model::Ended, String> {
    match (ended.kind, &ended.fault) {
        (EndedKind::Completed, _) => Ok(model::Ended::Completed),
        (EndedKind::Stopped, Some(fault)) => Ok(model::Ended::Stopped(fault.into())),
        (EndedKind::Stopped, None) => Err("`ended` is `stopped` without a `fault`".to_owned()),
        (EndedKind::FailedFast, _) => Ok(model::Ended::FailedFast),
        (EndedKind::Interrupted, _) => Ok(model::Ended::Interrupted),
    }
}

fn restore_trial(
    trial: &Trial,
    index: usize,
    case: &Case,
    names: &mut model::Interner,
) -> Result<model::Trial, String> {
    let place = || {
        let id = promptgate_core::text::neutral::terminal(&case.id);
        format!("case `{id}`, {} repeat {}", trial.role.as_str(), trial.repeat)
    };
    let result = match &trial.error {
        Some(fault) => model::TrialResult::Missing(fault.into()),
        None => {
            let model::TrialText { completion, grades } =
                trial.spoken().map_err(|what| format!("{}: {what}", place()))?;
            model::TrialResult::Completed(model::TrialSummary::new(completion, grades, names))
        }
    };
    Ok(model::Trial { case: index, role: trial.role.into(), repeat: trial.repeat, result })
}

impl Trial {
    /// What was said in a trial that was answered.
    ///
    /// # Errors
    /// What it lacks.
    pub(crate) fn spoken(&self) -> Result<model::TrialText, String> {
        let (Some(text), Some(latency_ms), Some(finish_reason)) =
            (&self.output, self.latency_ms, &self.finish_reason)
        else {
            return Err("needs `output`, `latency_ms` and `finish_reason`, or an `error`".to_owned());
        };
        let completion = model::Completion {
            text: text.clone(),
            refusal: self.refusal,
            finish_reason: restore_finish_reason(finish_reason),
            usage: self.usage.map(model::Usage::from),
            latency_ms,
            model: self.model.clone(),
            system_fingerprint: self.system_fingerprint.clone(),
            // A report from before the time was told.
            cached_at: self.cached.then(|| self.cached_at.as_deref().and_then(seconds).unwrap_or(0)),
        };
        let grade = |grade: &Grade| {
            restore_grade(grade).ok_or_else(|| {
                let scorer = promptgate_core::text::neutral::terminal(&grade.scorer);
                format!("the grade of `{scorer}` has no valid score")
            })
        };
        let grades = self.grades.iter().map(grade).collect::<Result<_, _>>()?;
        Ok(model::TrialText { completion, grades })
    }
}

fn restore_finish_reason(name: &str) -> model::FinishReason {
    match name {
        "stop" => model::FinishReason::Stop,
        "length" => model::FinishReason::Length,
        "content_filter" => model::FinishReason::ContentFilter,
        "tool_calls" => model::FinishReason::ToolCalls,
        other => model::FinishReason::Other(other.to_owned()),
    }
}

fn restore_grade(grade: &Grade) -> Option<model::Grade> {
    let outcome = match (grade.score, &grade.ungraded) {
        (Some(score), None) => model::Outcome::Score(Score::new(score)?),
        (None, Some(ungraded)) => model::Outcome::Ungraded(ungraded.fault.as_ref().map(model::Fault::from)),
        (Some(_), Some(_)) | (None, None) => return None,
    };
    Some(model::Grade {
        scorer: grade.scorer.clone(),
        outcome,
        reason: grade.reason.clone(),
        details: grade.details.clone(),
        flags: grade.flags.clone(),
        judging: grade.judging.as_ref().map(model::Judging::from),
        opinions: grade.opinions.iter().map(model::Opinion::from).collect(),
    })
}

impl From<&Variant> for model::VariantFacts {
    fn from(variant: &Variant) -> Self {
        Self {
            prompt: model::PromptFacts {
                name: variant.prompt.name.clone(),
                version: variant.prompt.version.clone(),
                digest: variant.prompt.digest.clone(),
                source: variant.prompt.source.clone(),
                commit: variant.prompt.commit.clone(),
            },
            model: variant.model.clone(),
            parameters: variant.parameters.clone(),
        }
    }
}

impl From<&Fault> for model::Fault {
    fn from(fault: &Fault) -> Self {
        Self {
            kind: fault.kind.into(),
            message: fault.message.clone(),
            help: fault.help.clone(),
            retry_after: None,
        }
    }
}

impl From<Tokens> for model::Usage {
    fn from(tokens: Tokens) -> Self {
        Self { prompt_tokens: tokens.prompt_tokens, completion_tokens: tokens.completion_tokens }
    }
}

impl From<&Opinion> for model::Opinion {
    fn from(opinion: &Opinion) -> Self {
        Self {
            judge: opinion.judge.clone(),
            score: opinion.score,
            judging: model::Judging::from(&opinion.judging),
        }
    }
}

impl From<&Judging> for model::Judging {
    fn from(judging: &Judging) -> Self {
        Self {
            calls: judging.calls,
            usage: judging.usage.into(),
            latency_ms: judging.latency_ms.unwrap_or_default(),
            cached_calls: judging.cached.map_or(0, |cached| cached.calls),
            cached_usage: judging.cached.map(|cached| cached.usage.into()).unwrap_or_default(),
            output_mode: judging.output_mode.clone(),
            model: judging.model.clone(),
            system_fingerprint: judging.system_fingerprint.clone(),
        }
    }
}
