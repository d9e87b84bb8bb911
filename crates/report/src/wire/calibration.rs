//! The agreement of a judge with people: `promptgate.calibration/v1`.
//!
//! The file has counts and figures and no text of any answer, so that it can be committed with the configuration.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Document;
use super::v1::Interval;
use promptgate_core::model::Diagnostic;

/// Maximum number of labelled answers.
const MAX_ANSWERS: usize = 10_000_000;
/// The value of `schema` in every calibration of this version.
pub const SCHEMA: &str = "promptgate.calibration/v1";

/// A judge measured against people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate calibration v1")]
pub struct Calibration {
    /// Always `promptgate.calibration/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Version of promptgate that wrote it.
    pub tool_version: String,
    /// Time of writing: RFC 3339, UTC.
    pub created_at: String,
    /// The metric whose judge was measured.
    pub metric: String,
    /// The judge.
    pub judge: CalibratedJudge,
    /// The labels.
    pub labels: LabelFacts,
    /// Agreement on all answers that people rated and the judge graded.
    pub overall: Agreement,
    /// Agreement by slice, ordered by name.
    pub slices: Vec<SliceAgreement>,
    /// Agreement between people; null where no answer has two ratings.
    pub humans: Option<Humans>,
    /// Agreement of the judge with itself; null where each answer was judged once.
    pub repeatability: Option<Repeatability>,
    /// Estimates of people's verdicts on answers that only the judge graded; null without such answers.
    pub corrections: Option<Corrections>,
    /// Notes for readers.
    pub notes: Vec<String>,
}

/// A calibrated judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CalibratedJudge {
    /// The models of its panel.
    pub panel: Vec<String>,
    /// Judgements of one answer by each model.
    pub votes: u32,
    /// Digest of the judge of this metric.
    pub fingerprint: String,
    /// The inputs of the digest by name.
    pub parts: BTreeMap<String, String>,
    /// Whether it was the simulated judge.
    pub simulated: bool,
    /// Number of calls.
    pub calls: u64,
}

/// The labels that a judge was measured against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabelFacts {
    /// The name of the file.
    pub file: String,
    /// `sha256:…` over its rows.
    pub digest: String,
    /// Number of answers.
    pub answers: usize,
    /// Answers that people rated.
    pub rated: usize,
    /// Answers that the judge could not grade.
    pub missing: usize,
    /// Whether some rating is neither 0 nor 1.
    pub graded: bool,
    /// The rating from which on people count as having passed an answer.
    pub pass_at: f64,
}

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

/// The JSON Schema of [`Calibration`], draft 2020-12.
pub fn schema() -> Value {
    super::schema_of::<Calibration>("calibration")
}

/// Reads a calibration.
///
/// # Errors
/// The text is not a calibration of this version, or contradicts itself.
pub fn read(file: &str, text: &str) -> Result<Calibration, Diagnostic> {
    let help = "name the file that `promptgate calibrate` wrote, or calibrate again";
    let document = Document { noun: "calibration", schema: SCHEMA, file, help };
    let calibration: Calibration = document.parse(text)?;
    let counts = &calibration.overall;
    let sum = [counts.true_positives, counts.false_positives, counts.false_negatives, counts.true_negatives]
        .into_iter()
        .try_fold(0_usize, usize::checked_add);
    if sum != Some(counts.answers) || counts.answers > MAX_ANSWERS {
        let message = "the calibration contradicts itself: its counts do not add up to its answers";
        return Err(document.refuse(message.to_owned()));
    }
    Ok(calibration)
}
