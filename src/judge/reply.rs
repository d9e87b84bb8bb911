//! What a judge must reply. Property order is the order of generation: evidence before verdict.

use serde::{Deserialize, Serialize};

/// The verdict on a statement of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// The context backs it.
    Supported,
    /// The context says otherwise.
    Contradicted,
    /// The context says nothing of it.
    NotFound,
    /// It claims nothing: a greeting, a question, an offer, a statement of not knowing.
    NoClaim,
}

/// One judged statement of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgedStatement {
    /// The id asked for.
    pub id: u32,
    /// Words of the context, verbatim.
    pub quotes: Vec<String>,
    /// Why.
    pub reasoning: String,
    /// The verdict.
    pub verdict: Support,
}

/// Reply of the faithfulness judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaithfulnessReply {
    /// One for each id asked for.
    pub statements: Vec<JudgedStatement>,
}

/// The verdict on a checklist item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YesNo {
    /// The answer fulfils it.
    Yes,
    /// It does not.
    No,
}

/// One judged checklist item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgedItem {
    /// The id asked for.
    pub id: u32,
    /// Why.
    pub reasoning: String,
    /// The verdict.
    pub verdict: YesNo,
}

/// Reply of the relevance judge and of rubrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChecklistReply {
    /// One for each id asked for.
    pub items: Vec<JudgedItem>,
}

/// The verdict on a statement of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// The answer says it.
    Covered,
    /// The answer says otherwise.
    Contradicted,
    /// The answer says nothing of it.
    Absent,
}

/// One judged statement of the reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgedReference {
    /// The id asked for.
    pub id: u32,
    /// Why.
    pub reasoning: String,
    /// The verdict.
    pub verdict: Coverage,
}

/// Reply of the correctness judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectnessReply {
    /// One for each id asked for.
    pub statements: Vec<JudgedReference>,
}
