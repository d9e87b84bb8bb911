//! The analysis of a run: a case x repeat matrix of every metric, including missing values.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Matrix, PREFERENCE, RequestLocation, Role, named};

/// A case without its variables and checks, for the decision and the report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaseFacts {
    /// Its id.
    pub id: String,
    /// The question.
    pub query: String,
    /// The passages an answer may rely on; `None` where the row has none.
    pub context: Option<Arc<[String]>>,
    /// The reference answer as text; `None` where the row has none.
    pub expected: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its cluster.
    pub group: Option<String>,
    /// Whether it is a criterion of its own.
    pub must_pass: bool,
    /// Whether it has to pass even where it flickers with the baseline too. Only the policy needs it.
    pub must_pass_strict: bool,
    /// Whether refusals of it are not counted.
    pub may_refuse: bool,
    /// Whether both variants rendered the same request, which was then answered and judged once.
    pub shared: bool,
    /// Whether the dataset of the base lacks it. The base's cases alone must pass as well.
    pub added: bool,
    /// The messages that were sent for it.
    pub requests: RequestLocation,
}

named! {
    /// The kind of a metric, and so its unit.
    pub enum MetricKind {
        /// 0 or 1 by a deterministic check.
        Check = "check",
        /// 0 to 1 by a judge.
        Judge = "judge",
        /// Seconds of one attempt, or to the first token of its stream.
        Latency = "latency",
        /// Tokens of an answer, as reported by the endpoint.
        OutputTokens = "output_tokens",
        /// US dollars of an answer.
        Cost = "cost",
        /// Characters of an answer.
        Length = "length",
    }
}

/// The value of one trial in a matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// A value: a score in 0..=1, or seconds, tokens, dollars.
    Value(f64),
    /// No grade, because of a fault of the endpoint or the judge.
    Missing,
    /// Not requested: `--no-judge`, `--fail-fast`, or a metric that had already passed.
    NotAsked,
}

impl Cell {
    /// The value, if there is one.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::NotAsked => None,
        }
    }
}

/// Values of one metric by variant.
#[derive(Debug, Clone, PartialEq)]
pub struct VariantScores {
    /// Values of the candidate.
    pub candidate: Matrix,
    /// Values of the baseline; `None` where it is absent or lacks this metric.
    pub baseline: Option<Matrix>,
}

/// A metric over the whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricScores {
    /// Its name: `faithfulness`, `check.NAME`, `latency`, `ttft`, `output_tokens`, `cost_usd`, `length`.
    pub name: String,
    /// Its kind.
    pub kind: MetricKind,
    /// Planned grades of every case for the candidate.
    pub repeats: u32,
    /// Planned grades of every case for the baseline; 0 without one.
    pub baseline_repeats: u32,
    /// How many first repeats are certain to be the same again: temperature 0 is explicit for every variant and judge, or the
    /// application is declared deterministic, and answers and grades are byte for byte the same over them in every case. 0 where one of these does not hold.
    pub deterministic_repeats: u32,
    /// Whether every variant is an application that is declared deterministic, so that one repeat shows its scores.
    pub declared_deterministic: bool,
    /// The values.
    pub scores: VariantScores,
}

impl MetricScores {
    /// Whether a score is the result of a pair of answers, so that the baseline has no scores of its own. Its matrix then
    /// has the score of a tie.
    pub fn is_pairwise(&self) -> bool {
        self.name == PREFERENCE
    }

    /// Whether all its repeats are certain to be the same again, so that no noise is seen because there is none.
    pub fn is_deterministic(&self) -> bool {
        let repeats = self.repeats.max(self.baseline_repeats);
        repeats > 0 && self.deterministic_repeats >= repeats
    }
}

/// The place of a trial in the matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TrialPlace {
    pub role: Role,
    pub case: usize,
    pub repeat: u32,
}

/// A trial with a contested attempt before its answer, or without an answer after one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContestedTrial {
    /// Its place.
    pub at: TrialPlace,
    /// Whether its first attempt that reached the model timed out.
    pub timed_out: bool,
}

/// The results that a retry may have selected. Both variants of a shared answer are listed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Contested {
    /// Trials, ordered by place.
    pub trials: Vec<ContestedTrial>,
    /// By metric, the trials whose judgement was contested, ordered by place.
    pub judgements: BTreeMap<String, Vec<TrialPlace>>,
}

impl Contested {
    /// Whether nothing is contested.
    pub fn is_empty(&self) -> bool {
        self.trials.is_empty() && self.judgements.is_empty()
    }

    /// Whether a trial or a judgement of a case is contested.
    pub fn any_of_case(&self, case: usize) -> bool {
        let mut trials = self.trials.iter().map(|trial| trial.at);
        let mut judgements = self.judgements.values().flatten();
        trials.any(|at| at.case == case) || judgements.any(|at| at.case == case)
    }

    /// Those of the first `repeats` repeats.
    fn after(&self, repeats: u32) -> Self {
        let trials = self.trials.iter().copied().filter(|trial| trial.at.repeat < repeats).collect();
        let judgements = self.judgements.iter().map(|(metric, places)| {
            (metric.clone(), places.iter().copied().filter(|place| place.repeat < repeats).collect())
        });
        Self { trials, judgements: judgements.collect() }
    }
}

/// A baseline whose answers are of an earlier session than the candidate's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredBaseline {
    /// Day of its oldest answer, like `2026-11-20`.
    pub date: String,
    /// Whether it decides although it is stored: two saved reports are compared, and neither can be asked again.
    pub decides: bool,
    /// The difference between the models that its answers and the new ones named; `None` without one.
    pub model_change: Option<String>,
}

/// The input of the gate.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// The cases in dataset order, which are the rows of every matrix.
    pub cases: Arc<[CaseFacts]>,
    /// Planned repeats of every case, which is the length of every row.
    pub repeats: u32,
    /// The metrics: checks, judges, then latency, time to the first token, tokens, cost,
    /// length.
    pub metrics: Vec<MetricScores>,
    /// The candidate's latencies and times to the first token of this run: [`Cell::NotAsked`] where the answer is from the
    /// cache. Empty where none is.
    pub fresh_times: Vec<MetricScores>,
    /// A model whose answers are priced by the change that is judged alone, so that no criterion on cost may pass.
    pub unreviewed_price: Option<String>,
    /// Whether there is a baseline.
    pub has_baseline: bool,
    /// Whether the baseline was run in an earlier session.
    pub baseline_reused: bool,
    /// Whether the variants were run in different sessions, so that their latencies do not compare.
    pub sessions_differ: bool,
    /// 1 for every answer that is a refusal, 0 for every other one; `None` where none is.
    pub refusals: Option<VariantScores>,
    /// The baseline's answers of an earlier session; `None` where both variants were answered in one session.
    pub stored_baseline: Option<StoredBaseline>,
    /// Whether all repeats of every case of a variant have the same text although they were sampled: a cache of the
    /// provider returned them, so repeats are not independent evidence.
    pub repeats_cached: bool,
    /// The results that a retry may have selected.
    pub contested: Contested,
}

impl Analysis {
    /// Returns the analysis of the first `repeats` repeats.
    pub fn after(&self, repeats: u32) -> Self {
        let cut = |matrix: &Matrix| -> Matrix {
            let cut = |row: &[Cell]| row.iter().copied().take(repeats as usize).collect::<Vec<_>>();
            matrix.rows().map(|row| row.map(cut)).collect()
        };
        let metric = |metric: &MetricScores| MetricScores {
            name: metric.name.clone(),
            kind: metric.kind,
            repeats: metric.repeats.min(repeats),
            baseline_repeats: metric.baseline_repeats.min(repeats),
            deterministic_repeats: metric.deterministic_repeats.min(repeats),
            declared_deterministic: metric.declared_deterministic,
            scores: VariantScores {
                candidate: cut(&metric.scores.candidate),
                baseline: metric.scores.baseline.as_ref().map(cut),
            },
        };
        Self {
            cases: self.cases.clone(),
            repeats: self.repeats.min(repeats),
            metrics: self.metrics.iter().map(metric).collect(),
            contested: self.contested.after(repeats),
            stored_baseline: self.stored_baseline.clone(),
            unreviewed_price: self.unreviewed_price.clone(),
            refusals: self.refusals.as_ref().map(|refusals| VariantScores {
                candidate: cut(&refusals.candidate),
                baseline: refusals.baseline.as_ref().map(cut),
            }),
            fresh_times: self.fresh_times.iter().map(metric).collect(),
            ..*self
        }
    }

    /// Returns the metric with this name.
    pub fn metric(&self, name: &str) -> Option<&MetricScores> {
        self.metrics.iter().find(|metric| metric.name == name)
    }
}
