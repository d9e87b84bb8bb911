//! The result of several suites: `suites.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::v1;

/// The value of `schema` in every document of this version.
pub const SCHEMA: &str = "promptgate.suites/v1";

/// Several suites and their common verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate suites v1")]
pub struct Suites {
    /// Always `promptgate.suites/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The version of promptgate.
    pub tool_version: String,
    /// The gravest verdict: fail, error, incomplete, inconclusive, not_evaluated, pass, unchanged.
    pub verdict: SuiteVerdict,
    /// The exit code of all together.
    pub exit_code: u8,
    /// Calls that were made, answers and judgements.
    pub calls: u64,
    /// US dollars; null without the price of a model.
    pub cost_usd: Option<f64>,
    /// Duration in milliseconds.
    pub duration_ms: u64,
    /// Every suite, in the order of the run.
    pub suites: Vec<SuiteResult>,
}

/// The result of one suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteResult {
    /// Its name.
    pub name: String,
    /// The path of its configuration.
    pub config: String,
    /// Its verdict.
    pub verdict: SuiteVerdict,
    /// The exit code that it would have alone.
    pub exit_code: u8,
    /// Why, in a sentence.
    pub why: String,
    /// The folder of its report beside this file; null where it has none.
    pub folder: Option<String>,
    /// Number of cases; null without a report.
    pub cases: Option<usize>,
    /// Cases that broke or got worse; null without a report.
    pub worse: Option<usize>,
    /// Calls that were made, answers and judgements.
    pub calls: u64,
    /// US dollars; null without a report or a price.
    pub cost_usd: Option<f64>,
    /// Whether the endpoint was the simulated one.
    pub simulated: bool,
}

/// The verdict of a suite among several, where it may have been evaluated or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuiteVerdict {
    /// Every criterion passed.
    Pass,
    /// A criterion failed.
    Fail,
    /// Too little evidence.
    Inconclusive,
    /// The evaluation could not be completed.
    Incomplete,
    /// Nothing differs from the base.
    Unchanged,
    /// Nothing was called, and that passes: a key is missing, or no case was selected.
    NotEvaluated,
    /// There is no verdict.
    Error,
}

impl SuiteVerdict {
    /// All, the gravest first.
    pub const BY_GRAVITY: [Self; 7] = [
        Self::Fail,
        Self::Error,
        Self::Incomplete,
        Self::Inconclusive,
        Self::NotEvaluated,
        Self::Pass,
        Self::Unchanged,
    ];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Incomplete => "incomplete",
            Self::Unchanged => "unchanged",
            Self::NotEvaluated => "not_evaluated",
            Self::Error => "error",
        }
    }

    /// The gravest of several; `NotEvaluated` of none.
    pub fn gravest(verdicts: impl IntoIterator<Item = Self>) -> Self {
        let rank = |verdict: &Self| Self::BY_GRAVITY.iter().position(|other| other == verdict);
        verdicts.into_iter().min_by_key(rank).unwrap_or(Self::NotEvaluated)
    }
}

impl From<v1::Verdict> for SuiteVerdict {
    fn from(verdict: v1::Verdict) -> Self {
        match verdict {
            v1::Verdict::Pass => Self::Pass,
            v1::Verdict::Fail => Self::Fail,
            v1::Verdict::Inconclusive => Self::Inconclusive,
            v1::Verdict::Incomplete => Self::Incomplete,
            v1::Verdict::Unchanged => Self::Unchanged,
        }
    }
}

/// The JSON Schema of the document.
pub fn schema() -> Value {
    super::schema_of::<Suites>("suites")
}

#[cfg(test)]
mod tests {
    use super::SuiteVerdict::{Error, Fail, Incomplete, Inconclusive, NotEvaluated, Pass, Unchanged};
    use super::*;

    #[test]
    fn gravest_verdict_is_that_of_all() {
        for (verdicts, gravest) in [
            (vec![Pass, Unchanged], Pass),
            (vec![Unchanged, Unchanged], Unchanged),
            (vec![Pass, NotEvaluated], NotEvaluated),
            (vec![Inconclusive, Incomplete, Pass], Incomplete),
            (vec![Error, Fail, Incomplete], Fail),
            (vec![Error, Incomplete], Error),
            (vec![], NotEvaluated),
        ] {
            assert_eq!(SuiteVerdict::gravest(verdicts.clone()), gravest, "{verdicts:?}");
        }
        assert_eq!(SuiteVerdict::BY_GRAVITY.map(SuiteVerdict::as_str).len(), 7);
    }
}
