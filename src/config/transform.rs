//! `transform`: transformations of every answer before it is graded.

use schemars::JsonSchema;
use serde::Deserialize;

/// Transformations of every answer before it is graded.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Transform")]
pub(super) struct WrittenTransform {
    /// Whether reasoning in front of an answer is removed: <think>, <thinking>, the channels of gpt-oss. The report keeps
    /// it. By default true.
    strip_reasoning: Option<bool>,
}

/// Transformations of every answer before it is graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransformSettings {
    /// Whether reasoning in front of an answer is removed.
    pub strip_reasoning: bool,
}

impl WrittenTransform {
    pub(super) fn resolve(self) -> TransformSettings {
        TransformSettings { strip_reasoning: self.strip_reasoning.unwrap_or(true) }
    }
}
