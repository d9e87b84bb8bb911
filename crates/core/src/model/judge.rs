//! The judge of a run, its self-test and its calibration.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, Judging, PairCounts, named};

/// The judge of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JudgeFacts {
    /// The models of its panel, at least one.
    pub panel: Vec<String>,
    /// Judgements of one answer by each model.
    pub votes: u32,
    /// Digest of everything known before a call: rules, questions, and of each model its parameters and host.
    pub fingerprint: String,
    /// The inputs of the digest by name, to explain a difference.
    pub parts: BTreeMap<String, String>,
    /// The fingerprint of the judge of each metric, which a calibration of that metric refers to.
    pub by_metric: BTreeMap<String, String>,
    /// Whether every model of its panel is sent temperature 0.
    pub temperature_zero: bool,
    /// Its self-test; `None` where none was run.
    pub self_test: Option<SelfTest>,
    /// Its calibration; `None` where none is configured.
    pub calibration: Option<CalibrationFacts>,
}

impl JudgeFacts {
    /// The models of the panel in one line.
    pub fn model(&self) -> String {
        self.panel.join(" + ")
    }
}

/// Judgements of planted answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SelfTest {
    /// One for each planted answer and judge.
    pub rows: Vec<PlantedOutcome>,
}

impl SelfTest {
    /// Whether there is a planted answer and each was judged as expected.
    pub fn passed(&self) -> bool {
        !self.rows.is_empty() && self.passed_count() == self.rows.len()
    }

    /// Number of planted answers that were judged as expected.
    pub fn passed_count(&self) -> usize {
        self.rows.iter().filter(|row| row.passed).count()
    }
}

/// The judgement of one planted answer by one judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Planted")]
pub struct PlantedOutcome {
    /// The planted answer's name.
    pub planted: String,
    /// The kind of judge, for a built-in answer; else the metric.
    pub metric: String,
    /// The judge's model.
    pub judge: String,
    /// The expected score: at most 0.3, at least 0.7, or a tie.
    pub expected: Expected,
    /// The score of each attempt, one or three; null without a valid verdict.
    pub scores: Vec<Option<f64>>,
    /// Whether most attempts were as expected.
    pub passed: bool,
    /// The judge's reason in the last attempt.
    pub reason: String,
    /// Calls and tokens of all attempts.
    pub judging: Judging,
}

named! {
    /// The expected score of a planted answer.
    pub enum Expected {
        /// At most 0.3.
        Low = "low",
        /// At least 0.7.
        High = "high",
        /// A tie of two answers that are the same, in both orders.
        Even = "even",
    }
}

impl Expected {
    /// Whether a score in 0..=1 is as expected.
    pub fn holds(self, score: f64) -> bool {
        match self {
            Self::Low => score <= 0.3,
            Self::High => score >= 0.7,
            Self::Even => score > 0.3 && score < 0.7,
        }
    }
}

/// The calibration of a judge: its agreement with people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalibrationFacts {
    /// The file, as configured.
    pub file: String,
    /// The metric whose judge was calibrated.
    pub metric: String,
    /// Fingerprint of that judge.
    pub fingerprint: String,
    /// Number of answers that people labeled and the judge graded.
    pub answers: usize,
    /// Labeled good by people, passed by the judge.
    pub true_positives: usize,
    /// Labeled bad by people, passed by the judge.
    pub false_positives: usize,
    /// Labeled good by people, failed by the judge.
    pub false_negatives: usize,
    /// Labeled bad by people, failed by the judge.
    pub true_negatives: usize,
    /// Cohen's kappa; null where it does not exist.
    pub kappa: Option<f64>,
    /// One-sided lower bound of kappa at 95 %.
    pub kappa_lower: Option<f64>,
    /// Balanced accuracy; null where people labeled one class only.
    pub balanced_accuracy: Option<f64>,
    /// The mean score of answers that people pass minus that of answers that people fail: the share of a true drop that
    /// the mean score shows.
    pub slope: Option<f64>,
    /// Youden's J, sensitivity + specificity - 1: the share of a true drop that the judge's pass rate shows.
    pub youden: Option<f64>,
}

/// Agreement and calibration of the judges of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// Krippendorff's alpha between the judges of a panel; null without a panel, or where it does not exist.
    pub panel_alpha: Option<f64>,
    /// The share of the candidate's answers that people would pass, estimated from the share that the judge passes
    /// (Rogan and Gladen 1978, bounds of Lang and Reiczigel 2014); null without a calibration that allows it.
    pub corrected: Option<Interval>,
    /// The drop in the share of answers that people pass which corresponds to the smallest detectable drop: that drop
    /// over the calibration's slope; null without a calibration that allows it.
    pub smallest_true_drop: Option<f64>,
    /// The results of the pairs of answers; absent for a judge of single answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<PairCounts>,
}

/// The correction of a judge's mean by labels of people: `estimate` of the criterion is the corrected mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CorrectedMean {
    /// The judge's mean.
    pub judged: f64,
    /// The weight of the judge, from 0 to 1: 1 moves the mean by the judge's bias alone, 0 leaves that of the labels.
    pub lambda: f64,
    /// Number of labelled answers.
    pub labels: usize,
}
