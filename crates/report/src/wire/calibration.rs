//! The agreement of a judge with people: `promptgate.calibration/v1`.
//!
//! The file has counts and figures and no text of any answer, so that it can be committed with the configuration.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Document;
use promptgate_core::model::Diagnostic;
use promptgate_core::stats::LabeledMoments;

pub use promptgate_core::model::{Agreement, Corrections, CutOff, Humans, Repeatability, SliceAgreement};

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
    /// Moments of people's ratings and the judge's scores, by which `corrected: true` corrects a mean; absent in files of
    /// earlier versions, and with fewer than two answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moments: Option<LabeledMoments>,
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
    if let Some(moments) = &calibration.moments {
        let counts = (moments.answers != counts.answers).then_some("has another number of answers");
        if let Some(wrong) = counts.or_else(|| moments.contradiction()) {
            return Err(document.refuse(format!("the calibration contradicts itself: `moments` {wrong}")));
        }
    }
    Ok(calibration)
}
