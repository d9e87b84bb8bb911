//! Cases with their trials.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::{CaseStatus, Requests, Trials};

/// The end of a shortened question.
pub(in super::super) const CUT: char = '…';

/// Maximum length of the question of a case whose trials are left out, in characters.
const MAX_QUERY: usize = 200;

/// A case with its trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self")]
pub struct Case {
    /// Its id, unique in the report.
    pub id: String,
    /// The question; shortened to 200 characters where only `trials_file` has the trials, which has it in full.
    pub query: String,
    /// The passages an answer may rely on; absent where the case has none, or only `trials_file` has its trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub context: Option<Arc<[String]>>,
    /// The reference answer as text; absent where the case has none, or only `trials_file` has its trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its cluster; cases of one group are not independent.
    pub group: Option<String>,
    /// Whether it is a criterion of its own.
    pub must_pass: bool,
    /// Whether refusals of it are not counted; absent where they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_refuse: bool,
    /// Whether both variants rendered the same request, which was then answered and judged once.
    pub shared: bool,
    /// Whether the dataset of the base lacks it; absent if it does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub added: bool,
    /// Names of the scorers that grade this case.
    pub scorers: Vec<String>,
    /// Its status. Descriptive only.
    pub status: CaseStatus,
    /// Candidate trials that passed; null where none has a result.
    pub candidate_passes: Option<Passes>,
    /// Baseline trials that passed; null where none has a result.
    pub baseline_passes: Option<Passes>,
    /// The gated metric with the largest change; null where none can be compared.
    pub largest_difference: Option<LargestDifference>,
    /// Metrics on which a candidate trial does not pass.
    pub failing: Vec<String>,
    /// Peculiarities: `timed_out` where only the candidate did not answer in time, so that these trials count as 0; absent
    /// without any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// The messages that each variant sent for it; absent in reports of earlier versions, and where only `trials_file` has
    /// its trials.
    #[serde(default, skip_serializing_if = "Requests::is_unknown")]
    pub requests: Requests,
    /// The trials: by repeat, candidate before baseline. Empty where only `trials_file` has them.
    pub trials: Trials,
}

impl Serialize for Case {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.trials.is_left_out() {
            return Self::serialize(self, serializer);
        }
        let query = shortened(&self.query);
        let requests = Requests::default();
        Self::serialize(&Self { query, context: None, expected: None, requests, ..self.clone() }, serializer)
    }
}

impl<'de> Deserialize<'de> for Case {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

/// A question of limited length, cut between two words: the redactor would not recognize half a key.
fn shortened(query: &str) -> String {
    let Some((end, _)) = query.char_indices().nth(MAX_QUERY) else { return query.to_owned() };
    let start = query.get(..end).unwrap_or_default();
    let words = start.rsplit_once(char::is_whitespace).map_or("", |(words, _)| words);
    format!("{words}{CUT}")
}

/// Number of trials that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Passes {
    /// Trials that passed.
    pub passed: usize,
    /// Trials with a result.
    pub of: usize,
}

/// The metric of a case with the largest change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LargestDifference {
    /// The metric.
    pub metric: String,
    /// Candidate minus baseline; below 0 is a loss.
    pub difference: f64,
}
