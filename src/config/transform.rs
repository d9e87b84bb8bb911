//! `transform`: transformations of every answer before it is graded.

use schemars::JsonSchema;
use serde::Deserialize;

use promptgate_core::transform::{Extraction, JsonPath, Transform};

use super::load::Reader;

/// Transformations of every answer before it is graded, in the order of these keys.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Transform")]
pub(super) struct WrittenTransform {
    /// Whether reasoning in front of an answer is removed: <think>, <thinking>, the channels of gpt-oss. The report keeps
    /// it. By default true.
    strip_reasoning: Option<bool>,
    /// The part that is graded: fenced (the only fenced code block), json (the only JSON value, also within text) or
    /// fenced_or_bare (the only fenced code block, if there is one). The whole answer by default.
    extract: Option<Extraction>,
    /// The field of a JSON answer that is graded, such as $.answer.text. The whole answer by default.
    #[schemars(length(min = 1))]
    json_path: Option<String>,
    /// Whether white space around the answer is removed. By default false.
    trim: Option<bool>,
    /// Whether checks that search for texts (contains, not_contains, starts_with, ends_with, one_of) read typographic
    /// spaces, quotes and dashes as plain ones, unless they say otherwise. By default true.
    normalize_unicode: Option<bool>,
}

/// Transformations of every answer before it is graded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransformSettings {
    /// Those of the answer itself.
    pub answer: Transform,
    /// Whether checks that search for texts ignore typography by default.
    pub normalize_unicode: bool,
}

impl WrittenTransform {
    pub(super) fn resolve(self, reader: &mut Reader<'_>) -> TransformSettings {
        let json_path = self.json_path.filter(|path| !path.is_empty()).and_then(|path| {
            let parsed = JsonPath::parse(&path);
            let invalid = |error: String| {
                let help = "expected names and numbers of items, like `$.answer.items[0]`";
                reader.report("/transform/json_path", format!("`transform.json_path`: {error}"), help);
            };
            parsed.map_err(invalid).ok()
        });
        TransformSettings {
            answer: Transform {
                strip_reasoning: self.strip_reasoning.unwrap_or(true),
                extract: self.extract,
                json_path,
                trim: self.trim.unwrap_or(false),
            },
            normalize_unicode: self.normalize_unicode.unwrap_or(true),
        }
    }
}
