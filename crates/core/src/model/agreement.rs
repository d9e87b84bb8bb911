//! The agreement of a judge with people, as measured and as written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Interval;

/// Agreement of judge and people. A judge passes an answer with a score of 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agreement {
    /// Answers.
    pub answers: usize,
    /// Passed by people and by the judge.
    pub true_positives: usize,
    /// Failed by people, passed by the judge.
    pub false_positives: usize,
    /// Passed by people, failed by the judge.
    pub false_negatives: usize,
    /// Failed by people and by the judge.
    pub true_negatives: usize,
    /// The share that people pass.
    pub prevalence: f64,
    /// The share that the judge passes.
    pub judge_passes: f64,
    /// Of the answers that people pass, the share that the judge passes (bounds: Clopper and Pearson 1934, each
    /// one-sided at 95 % as all bounds here).
    pub sensitivity: Option<Interval>,
    /// Of the answers that people fail, the share that the judge fails (bounds likewise).
    pub specificity: Option<Interval>,
    /// The mean of sensitivity and specificity; its bounds are the means of theirs, which is cautious.
    pub balanced_accuracy: Option<Interval>,
    /// The mean score of answers that people pass minus that of answers that people fail: the share of a true drop that
    /// the mean score shows.
    pub slope: Option<f64>,
    /// Sensitivity + specificity - 1 (Youden 1950): the share of a true drop that the judge's pass rate shows.
    pub youden: Option<f64>,
    /// The share of answers with the same verdict.
    pub accuracy: f64,
    /// Cohen's kappa (1960); its bounds are kappa at both bounds of sensitivity and specificity, which is cautious.
    pub kappa: Option<Interval>,
    /// Its standard error (Fleiss, Cohen and Everitt 1969).
    pub kappa_standard_error: Option<f64>,
    /// Gwet's AC1 (2008).
    pub ac1: Option<f64>,
    /// Spearman's rank correlation of score and rating.
    pub spearman: Option<f64>,
    /// Kendall's tau-b of score and rating.
    pub kendall: Option<f64>,
    /// Quadratically weighted kappa (Cohen 1968) of score and rating; null unless ratings are graded.
    pub weighted_kappa: Option<f64>,
    /// Mean of the judge minus mean of people: of verdicts, or with graded ratings of scores and ratings. Above 0 the judge
    /// is lenient (bounds: Student's t).
    pub bias: Option<Interval>,
    /// The score that best separates passed from failed answers, fitted to these labels.
    pub cut_off: Option<CutOff>,
}

/// A reading of scores as verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CutOff {
    /// From this score on, an answer passes.
    pub score: f64,
    /// Balanced accuracy with it.
    pub balanced_accuracy: f64,
    /// Cohen's kappa with it.
    pub kappa: f64,
}

/// Agreement on a part of the answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SliceAgreement {
    /// The tag, or the value of the column.
    pub slice: String,
    /// The figures.
    #[serde(flatten)]
    pub agreement: Agreement,
}

/// Agreement between people.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Humans {
    /// Answers with two ratings or more.
    pub answers: usize,
    /// Krippendorff's alpha between the ratings: nominal for verdicts, interval for grades.
    pub alpha: Option<f64>,
}

/// Agreement of the judge with itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Repeatability {
    /// Answers.
    pub answers: usize,
    /// Judgements of each answer.
    pub repeats: usize,
    /// Krippendorff's alpha between the scores, interval; null where all scores are the same.
    pub alpha: Option<f64>,
    /// The share of answers with the same verdict every time; a missing verdict differs.
    pub same_verdict: f64,
}

/// Estimates of people's verdicts on answers that only the judge graded: rows without a rating, or those of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Corrections {
    /// Answers without a rating.
    pub answers: usize,
    /// The share of them that the judge passes.
    pub judge_passes: f64,
    /// That share corrected for the judge's errors (Rogan and Gladen 1978; interval: Lang and Reiczigel 2014).
    pub share: Option<Interval>,
    /// The mean score by prediction-powered inference (Angelopoulos and others 2023).
    pub mean: Option<Interval>,
}
