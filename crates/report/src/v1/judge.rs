//! The judge of a run: who judges, how it answered, its self-test and its calibration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Expected, Judging};
use promptgate_core::model::{self, TrialResult};

/// The judge of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judge {
    /// Its model; of a panel, the models joined by ` + `.
    pub model: String,
    /// The models of its panel.
    #[serde(default)]
    pub panel: Vec<String>,
    /// Judgements of one answer by each of them.
    #[serde(default = "one")]
    pub votes: u32,
    /// Digest of what is known before a call: rules, questions, models, parameters, endpoint hosts, votes.
    pub fingerprint: String,
    /// What the fingerprint is made of, by name.
    #[serde(default)]
    pub parts: BTreeMap<String, String>,
    /// The fingerprint of the judge of each metric alone: what a calibration of that metric goes by.
    #[serde(default)]
    pub by_metric: BTreeMap<String, String>,
    /// How it answered, over all judgements.
    #[serde(default)]
    pub answered: TrialSummary,
    /// What the self-test found; null where it was not run.
    pub self_test: Option<SelfTest>,
    /// The calibration in force; null where there is none.
    pub calibration: Option<CalibrationFacts>,
}

/// How a judge answered over a run: several of a kind mean that it was not the same instrument throughout.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TrialSummary {
    /// The models that answered, as they said.
    pub models: BTreeSet<String>,
    /// `system_fingerprint`, as the endpoints said it.
    pub system_fingerprints: BTreeSet<String>,
    /// How structured output was asked for: `json_schema`, `json_object` or `fenced`.
    pub output_modes: BTreeSet<String>,
    /// Parameters that an endpoint refused, and that were left out from then on.
    pub refused_parameters: BTreeSet<String>,
}

/// What a judge said of planted answers before the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SelfTest {
    /// Whether every planted answer came out as expected.
    pub passed: bool,
    /// One for each planted answer and each judge it was put to.
    pub planted: Vec<Planted>,
}

/// What one judge said of one planted answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Planted {
    /// The planted answer's name.
    pub planted: String,
    /// What was asked: `faithfulness`, `relevance`, `correctness`, `rubric`, `scale`, or a metric's name.
    pub metric: String,
    /// The model that judged.
    pub judge: String,
    /// Where the score belongs: at most 0.3, or at least 0.7.
    pub expected: Expected,
    /// The score of each time it was asked: once, or three times after a surprise; null without a valid verdict.
    pub scores: Vec<Option<f64>>,
    /// Whether it came out as expected, most of the times.
    pub passed: bool,
    /// What the judge said the last time.
    pub reason: String,
    /// What that took.
    pub judging: Judging,
}

/// The calibration that a run goes by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalibrationFacts {
    /// The file, as configured.
    pub file: String,
    /// The metric whose judge was calibrated.
    pub metric: String,
    /// Fingerprint of that judge.
    pub fingerprint: String,
    /// Answers that people labelled and the judge graded.
    pub answers: usize,
    /// Labelled good by people, passed by the judge.
    pub true_positives: usize,
    /// Labelled bad by people, passed by the judge.
    pub false_positives: usize,
    /// Labelled good by people, failed by the judge.
    pub false_negatives: usize,
    /// Labelled bad by people, failed by the judge.
    pub true_negatives: usize,
    /// Cohen's kappa; null where it does not exist.
    pub kappa: Option<f64>,
    /// One-sided lower bound of kappa at 95 %.
    pub kappa_lower: Option<f64>,
    /// Balanced accuracy; null where people labelled one class only.
    pub balanced_accuracy: Option<f64>,
    /// The mean score of what people pass less that of what they fail: the share of a true drop that the mean score
    /// shows.
    pub slope: Option<f64>,
    /// Youden's J, sensitivity + specificity - 1: the share of a true drop that the judge's pass rate shows.
    pub youden: Option<f64>,
}

impl Judge {
    /// The judge of a run, with how it answered in its trials.
    pub(super) fn of(run: &model::Run) -> Option<Self> {
        let facts = run.judge.as_ref()?;
        Some(Self {
            model: facts.model(),
            panel: facts.panel.clone(),
            votes: facts.votes,
            fingerprint: facts.fingerprint.clone(),
            parts: facts.parts.clone(),
            by_metric: facts.by_metric.clone(),
            answered: TrialSummary::of(run),
            self_test: facts.self_test.as_ref().map(SelfTest::from),
            calibration: facts.calibration.as_ref().map(CalibrationFacts::from),
        })
    }

    /// Back to the program's own data.
    pub(super) fn restore(&self) -> model::JudgeFacts {
        model::JudgeFacts {
            // Reports from before there were panels have the one model.
            panel: if self.panel.is_empty() { vec![self.model.clone()] } else { self.panel.clone() },
            votes: self.votes,
            fingerprint: self.fingerprint.clone(),
            parts: self.parts.clone(),
            by_metric: self.by_metric.clone(),
            self_test: self.self_test.as_ref().map(model::SelfTest::from),
            calibration: self.calibration.as_ref().map(model::CalibrationFacts::from),
        }
    }
}

/// Votes in reports from before there were any.
fn one() -> u32 {
    1
}

impl TrialSummary {
    fn of(run: &model::Run) -> Self {
        let mut answered = Self::default();
        for trial in &run.trials {
            let TrialResult::Completed(answer) = &trial.result else { continue };
            let name = |name: &Option<Arc<str>>| name.as_ref().map(|name| name.to_string());
            for grade in &answer.grades {
                for judgement in &grade.judgements {
                    answered.models.extend(name(&judgement.by.model));
                    answered.system_fingerprints.extend(name(&judgement.by.system_fingerprint));
                    answered.output_modes.extend(name(&judgement.by.output_mode));
                }
                let refused = grade.flags.iter().filter_map(|flag| flag.strip_prefix("parameter_refused:"));
                answered.refused_parameters.extend(refused.map(str::to_owned));
            }
        }
        answered
    }
}

impl From<&model::SelfTest> for SelfTest {
    fn from(test: &model::SelfTest) -> Self {
        let planted = |row: &model::PlantedOutcome| Planted {
            planted: row.planted.clone(),
            metric: row.metric.clone(),
            judge: row.judge.clone(),
            expected: row.expected.into(),
            scores: row.scores.clone(),
            passed: row.passed,
            reason: row.reason.clone(),
            judging: Judging::from(&row.judging),
        };
        Self { passed: test.passed(), planted: test.rows.iter().map(planted).collect() }
    }
}

impl From<&SelfTest> for model::SelfTest {
    fn from(test: &SelfTest) -> Self {
        let row = |planted: &Planted| model::PlantedOutcome {
            planted: planted.planted.clone(),
            metric: planted.metric.clone(),
            judge: planted.judge.clone(),
            expected: planted.expected.into(),
            scores: planted.scores.clone(),
            passed: planted.passed,
            reason: planted.reason.clone(),
            judging: model::Judging::from(&planted.judging),
        };
        Self { rows: test.planted.iter().map(row).collect() }
    }
}

/// The same fields on both sides; both ways.
macro_rules! same_fields {
    ($from:ty, $to:ty) => {
        impl From<&$from> for $to {
            fn from(facts: &$from) -> Self {
                Self {
                    file: facts.file.clone(),
                    metric: facts.metric.clone(),
                    fingerprint: facts.fingerprint.clone(),
                    answers: facts.answers,
                    true_positives: facts.true_positives,
                    false_positives: facts.false_positives,
                    false_negatives: facts.false_negatives,
                    true_negatives: facts.true_negatives,
                    kappa: facts.kappa,
                    kappa_lower: facts.kappa_lower,
                    balanced_accuracy: facts.balanced_accuracy,
                    slope: facts.slope,
                    youden: facts.youden,
                }
            }
        }
    };
}

same_fields!(model::CalibrationFacts, CalibrationFacts);
same_fields!(CalibrationFacts, model::CalibrationFacts);
