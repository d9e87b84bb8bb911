//! Cases with their trials and grades.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::{CaseStatus, FaultKind, Role, Trials};

/// What stands at the end of a question that is cut.
pub(super) const CUT: char = '…';

/// The longest question of a case whose trials are left out, in characters.
const MAX_QUERY: usize = 200;

/// A case with its trials.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct Case {
    /// Its id, unique in the report.
    pub id: String,
    /// The question; cut to 200 characters where the trials are in `trials_file` alone, which has it whole.
    pub query: String,
    /// The passages an answer may rely on; absent where the case has none, or its trials are in `trials_file` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>")]
    pub context: Option<Arc<[String]>>,
    /// The reference answer as text; absent where the case has none, or its trials are in `trials_file` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its cluster; cases of one group are not independent.
    pub group: Option<String>,
    /// Whether it is a criterion of its own.
    pub must_pass: bool,
    /// Whether both variants rendered the same request, which was then answered and judged once.
    pub shared: bool,
    /// Names of the scorers that grade this case.
    pub scorers: Vec<String>,
    /// What became of it. Descriptive only.
    pub status: CaseStatus,
    /// Trials of the candidate that passed; null where none could be told.
    pub candidate_passes: Option<Passes>,
    /// Trials of the baseline that passed; null where none could be told.
    pub baseline_passes: Option<Passes>,
    /// The gated metric that moved most; null where none can be compared.
    pub largest_difference: Option<LargestDifference>,
    /// Metrics on which a trial of the candidate does not pass.
    pub failing: Vec<String>,
    /// The trials: by repeat, candidate before baseline. Empty where they are in `trials_file` alone.
    pub trials: Trials,
}

/// A case as it is written.
#[derive(Serialize)]
struct Written<'a> {
    id: &'a str,
    query: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    tags: &'a [String],
    group: &'a Option<String>,
    must_pass: bool,
    shared: bool,
    scorers: &'a [String],
    status: CaseStatus,
    candidate_passes: Option<Passes>,
    baseline_passes: Option<Passes>,
    largest_difference: &'a Option<LargestDifference>,
    failing: &'a [String],
    trials: &'a Trials,
}

impl Case {
    /// Leaves its trials, and the end of a long question, out of report.json.
    pub(crate) fn leave_trials_out(&mut self) {
        self.trials.leave_out();
    }
}

impl Serialize for Case {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = !self.trials.is_left_out();
        let query = if whole { Cow::Borrowed(&*self.query) } else { cut(&self.query) };
        let context = self.context.as_deref().filter(|_| whole);
        let expected = self.expected.as_deref().filter(|_| whole);
        let Self { id, tags, group, scorers, largest_difference, failing, trials, .. } = self;
        let (must_pass, shared, status) = (self.must_pass, self.shared, self.status);
        let (candidate_passes, baseline_passes) = (self.candidate_passes, self.baseline_passes);
        Written {
            id,
            query,
            context,
            expected,
            tags,
            group,
            must_pass,
            shared,
            scorers,
            status,
            candidate_passes,
            baseline_passes,
            largest_difference,
            failing,
            trials,
        }
        .serialize(serializer)
    }
}

/// A question in short, cut between two words: half a key would not be known as one.
fn cut(query: &str) -> Cow<'_, str> {
    let Some((end, _)) = query.char_indices().nth(MAX_QUERY) else { return Cow::Borrowed(query) };
    let start = query.get(..end).unwrap_or_default();
    let words = start.rsplit_once(char::is_whitespace).map_or("", |(words, _)| words);
    Cow::Owned(format!("{words}{CUT}"))
}

/// How many trials passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Passes {
    /// Trials that passed.
    pub passed: usize,
    /// Trials of which it could be told.
    pub of: usize,
}

/// The metric of a case that moved most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LargestDifference {
    /// The metric.
    pub metric: String,
    /// Candidate minus baseline; below 0 is a loss.
    pub difference: f64,
}

/// One completion of a case by one variant, with its grades.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// The side.
    pub role: Role,
    /// The repeat, from 0.
    pub repeat: u32,
    /// The answer; null where none came.
    pub output: Option<String>,
    /// Whether the answer came in the `refusal` field.
    pub refusal: bool,
    /// Why the model stopped; null where no answer came.
    pub finish_reason: Option<String>,
    /// Tokens; null where the endpoint did not say.
    pub usage: Option<Tokens>,
    /// The attempt that succeeded, send to last byte, in milliseconds.
    pub latency_ms: Option<f64>,
    /// The model that answered, as it said.
    pub model: Option<String>,
    /// `system_fingerprint`, as the endpoint said it.
    pub system_fingerprint: Option<String>,
    /// Whether the answer came from a cache.
    pub cached: bool,
    /// When it was cached, RFC 3339; absent where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_at: Option<String>,
    /// The grades, in scorer order; a scorer that does not apply to the case has none.
    pub grades: Vec<Grade>,
    /// Why no answer came; absent where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
}

/// Tokens as the endpoint reported them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tokens {
    /// Tokens of the request.
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    pub completion_tokens: u64,
}

/// What a scorer says of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Grade {
    /// The metric that the grade counts for.
    pub scorer: String,
    /// The score in 0 to 1; null where the scorer could not grade. Never 0 for "missing".
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: Option<f64>,
    /// Why there is no score; absent where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ungraded: Option<Ungraded>,
    /// One line that explains the score, or why there is none.
    pub reason: String,
    /// Evidence: verdicts by statement, quotes, expected and found values; null where there is none.
    pub details: Value,
    /// Peculiarities: `no_claims`, `unquoted_support`, …
    pub flags: Vec<String>,
    /// What judging took; null for checks.
    pub judging: Option<Judging>,
    /// What each judge of a panel says; absent where one judgement is the grade.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opinions: Vec<Opinion>,
}

/// What one judge of a panel says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Opinion {
    /// The judge's model.
    pub judge: String,
    /// The mean of its votes, in 0 to 1; null where one is missing.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: Option<f64>,
    /// What they took.
    pub judging: Judging,
}

/// Why a scorer could not grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ungraded {
    /// The endpoint's fault; null where the judge answered, but not validly.
    pub fault: Option<Fault>,
}

/// What a judgement took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judging {
    /// Calls made, re-asks included.
    pub calls: u32,
    /// Tokens of all of them.
    pub usage: Tokens,
    /// Milliseconds of all of them.
    pub latency_ms: Option<f64>,
    /// Those of them that came from a cache: made, and paid for, in an earlier run; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<CachedCalls>,
    /// How structured output was asked for: `json_schema`, `json_object` or `fenced`.
    pub output_mode: Option<String>,
    /// The model that answered, as it said.
    pub model: Option<String>,
    /// `system_fingerprint`, as the endpoint said it.
    pub system_fingerprint: Option<String>,
}

/// Calls of a judgement that came from a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CachedCalls {
    /// How many.
    pub calls: u32,
    /// Their tokens.
    pub usage: Tokens,
}

/// A fault of the endpoint: no answer came, or none that is whole. Says nothing about quality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// What happened.
    pub message: String,
    /// The next step.
    pub help: Option<String>,
}
