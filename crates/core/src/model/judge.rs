//! The judge of a run: who judges, how it did on planted answers, and how it agrees with people.

use std::collections::BTreeMap;

use super::Judging;

/// The judge of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JudgeFacts {
    /// The models of its panel, at least one.
    pub panel: Vec<String>,
    /// Judgements of one answer by each of them.
    pub votes: u32,
    /// Digest of what is known before a call: rules, questions, and of each model its parameters and host.
    pub fingerprint: String,
    /// What the digest is made of, by name, so that a difference can be told.
    pub parts: BTreeMap<String, String>,
    /// The fingerprint of the judge of each metric alone: what a calibration of that metric goes by.
    pub by_metric: BTreeMap<String, String>,
    /// How it did on planted answers; `None` where it was not tried.
    pub self_test: Option<SelfTest>,
    /// How it agrees with people; `None` where no calibration is named.
    pub calibration: Option<CalibrationFacts>,
}

impl JudgeFacts {
    /// Its models in one line.
    pub fn model(&self) -> String {
        self.panel.join(" + ")
    }
}

/// What a judge said of planted answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SelfTest {
    /// One for each planted answer and each judge it was put to.
    pub rows: Vec<PlantedOutcome>,
}

impl SelfTest {
    /// Whether every planted answer came out as expected, and there was one.
    pub fn passed(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.passed)
    }

    /// How many came out as expected.
    pub fn as_expected(&self) -> usize {
        self.rows.iter().filter(|row| row.passed).count()
    }
}

/// What one judge said of one planted answer.
#[derive(Debug, Clone, PartialEq)]
pub struct PlantedOutcome {
    /// The planted answer's name.
    pub planted: String,
    /// What was asked: `faithfulness`, `rubric`, or a metric of one's own.
    pub metric: String,
    /// The model that judged.
    pub judge: String,
    /// Where the score belongs.
    pub expected: Expected,
    /// The score of each time it was asked, once or three times; `None` without one.
    pub scores: Vec<Option<f64>>,
    /// Whether it came out as expected, most of the times.
    pub passed: bool,
    /// What the judge said the last time.
    pub reason: String,
    /// What that took.
    pub judging: Judging,
}

/// Where the score of a planted answer belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// At most 0.3.
    Low,
    /// At least 0.7.
    High,
}

impl Expected {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::High => "high",
        }
    }

    /// Whether a score in 0..=1 is where it belongs.
    pub fn holds(self, score: f64) -> bool {
        match self {
            Self::Low => score <= 0.3,
            Self::High => score >= 0.7,
        }
    }
}

/// The calibration that a run goes by.
#[derive(Debug, Clone, PartialEq)]
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
    /// Cohen's kappa; `None` where it does not exist.
    pub kappa: Option<f64>,
    /// One-sided lower bound of kappa at 95 %.
    pub kappa_lower: Option<f64>,
    /// Balanced accuracy; `None` where people labelled one class only.
    pub balanced_accuracy: Option<f64>,
    /// The mean score of what people pass less that of what they fail: the share of a true drop that the mean score
    /// shows.
    pub slope: Option<f64>,
    /// Youden's J, sensitivity + specificity - 1: the share of a true drop that the judge shows.
    pub youden: Option<f64>,
}
