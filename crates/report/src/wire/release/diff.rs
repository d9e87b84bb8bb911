//! The difference of two versions: `promptgate.diff/v1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ResolvedVersion;
pub use crate::wire::message_diff::{
    MessageChange, MessageDiff, Segment, SegmentOp, message_diffs, segments,
};

/// The value of `schema` in every difference of this version.
pub const SCHEMA: &str = "promptgate.diff/v1";

/// The difference of two versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate diff v1")]
pub struct Diff {
    /// Always `promptgate.diff/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The first version.
    pub old: ResolvedVersion,
    /// The second version.
    pub new: ResolvedVersion,
    /// Whether the contents are equal.
    pub equal: bool,
    /// The least level of the change: `patch`, `minor` or `major`; null if the contents are equal.
    pub least_level: Option<String>,
    /// Why that level, the highest first.
    pub reasons: Vec<LevelReason>,
    /// The form, if it differs.
    pub kind: Option<ChangedValue>,
    /// The model, if it differs.
    pub model: Option<ChangedValue>,
    /// Parameters that differ, sorted by name.
    pub parameters: Vec<ChangedParameter>,
    /// All messages, aligned.
    pub messages: Vec<MessageDiff>,
    /// The JSON Schema of answers, as lines of indented JSON; empty if it is the same.
    pub answer_schema: Vec<Segment>,
}

/// A reason of a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LevelReason {
    /// The level that the change requires.
    pub level: String,
    /// A sentence, with the place.
    pub text: String,
}

/// A value that differs; null where a version has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedValue {
    /// The value of the first version.
    pub old: Value,
    /// The value of the second version.
    pub new: Value,
}

/// A parameter that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedParameter {
    /// Its name.
    pub name: String,
    /// Its values.
    #[serde(flatten)]
    pub values: ChangedValue,
}

/// The JSON Schema of [`Diff`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Diff>("diff")
}
