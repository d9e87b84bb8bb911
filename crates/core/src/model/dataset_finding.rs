//! Findings about a golden set.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::named;

named! {
    /// The subject of a finding about a dataset.
    pub enum DatasetCode {
        /// Rows that are equal apart from id, tags and group.
        EqualRows = "equal_rows",
        /// Questions that are equal or almost equal.
        SimilarQuestions = "similar_questions",
        /// Equal questions with different reference answers.
        ConflictingAnswers = "conflicting_answers",
        /// Reference answers that their question contains.
        AnswerInQuestion = "answer_in_question",
        /// Reference answers that the prompt contains.
        AnswerInPrompt = "answer_in_prompt",
        /// Questions that the prompt contains.
        CaseInPrompt = "case_in_prompt",
        /// Contexts that are the reference answer.
        AnswerIsContext = "answer_is_context",
        /// Reference answers that no passage supports.
        UnsupportedAnswers = "unsupported_answers",
        /// Too few reports to say which cases discriminate.
        TooFewReports = "too_few_reports",
        /// Cases that pass in every trial.
        AlwaysPasses = "always_passes",
        /// Cases that fail in every trial.
        AlwaysFails = "always_fails",
        /// Cases that pass and fail with both variants.
        AlwaysFlickers = "always_flickers",
        /// Tags of too few cases.
        SmallTags = "small_tags",
        /// Tags that every case has.
        TagOnEveryCase = "tag_on_every_case",
        /// Cases without a tag where most have one.
        UntaggedCases = "untagged_cases",
        /// Groups of one case.
        SingleCaseGroups = "single_case_groups",
        /// Too few cases for a bound on the mean.
        TooFewCases = "too_few_cases",
        /// Fewer cases than advised.
        FewCases = "few_cases",
        /// A large share of cases that are criteria of their own.
        ManyMustPass = "many_must_pass",
        /// Labels of too few cases.
        SmallLabels = "small_labels",
        /// The same reference answer for all cases.
        OneLabel = "one_label",
    }
}

named! {
    /// How much a finding about a dataset matters.
    pub enum FindingLevel {
        /// Something to change; `--strict` exits 10.
        Warning = "warning",
        /// Something to know.
        Info = "info",
    }
}

/// A finding about a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetFinding {
    /// Its code, which `promptgate explain` knows.
    pub code: DatasetCode,
    /// How much it matters.
    pub level: FindingLevel,
    /// The finding, in one sentence.
    pub message: String,
    /// The next step.
    pub help: String,
    /// The ids of its cases, in dataset order; empty where it is about all of them, or about none.
    pub cases: Vec<String>,
    /// The parts that its cases fall into; absent where they are one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<CaseSet>,
}

/// Cases that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseSet {
    /// The tag, group or label that they share; absent for duplicates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The ids of the cases, in dataset order; empty where all cases belong to it.
    pub cases: Vec<String>,
}

/// The results of a case in saved reports.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CaseHistory {
    /// The id of the case.
    pub id: String,
    /// Reports with a result of this case, as it is now.
    pub reports: usize,
    /// Trials that passed, of both variants.
    pub passed: usize,
    /// Trials with a result, of both variants.
    pub trials: usize,
    /// Reports in which trials of both variants passed and others failed.
    pub flickering: usize,
    /// Reports in which the case was another: another question, context or reference answer.
    pub changed: usize,
}
