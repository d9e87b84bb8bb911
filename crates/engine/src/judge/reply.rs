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

/// A rating on an anchored scale: a name, not a free number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rating {
    /// The meaning of the anchor 0.
    #[serde(rename = "0")]
    Zero,
    /// One step above.
    #[serde(rename = "1")]
    One,
    /// Two steps above.
    #[serde(rename = "2")]
    Two,
    /// Three steps above.
    #[serde(rename = "3")]
    Three,
    /// Four steps above.
    #[serde(rename = "4")]
    Four,
    /// The meaning of the anchor 5.
    #[serde(rename = "5")]
    Five,
}

impl Rating {
    /// Every rating, from 0 to 5.
    pub const ALL: [Self; 6] = [Self::Zero, Self::One, Self::Two, Self::Three, Self::Four, Self::Five];

    /// The rating as a number, in 0..=5.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// The rating of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgedRating {
    /// Always 1.
    pub id: u32,
    /// Why.
    pub reasoning: String,
    /// The rating.
    pub verdict: Rating,
}

/// Reply of a judge with a scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleReply {
    /// One rating.
    pub ratings: Vec<JudgedRating>,
}
