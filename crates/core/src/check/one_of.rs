//! `one_of`: the answer is one of several texts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::port::{Check, Finding, Subject};

use super::comparison::{Comparison, reference, text, text_of};
use super::diagnostic::{EntryDiagnostic, no_errors};
use super::reason::{fail, pass, quoted, shown};
use super::spec::{Built, Files, Spec};
use super::texts::{duplicates, list};

/// A list, or a map; a map without values compares with the case's expected.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OneOf {
    /// These values.
    Values(#[schemars(length(min = 1))] Vec<Scalar>),
    /// With options.
    Map(OneOfMap),
}

/// A text, a number or a truth value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Scalar {
    /// A text.
    Text(String),
    /// A number, as written.
    Number(serde_json::Number),
    /// A truth value.
    Truth(bool),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneOfMap {
    /// Allowed answers. Default: the case's expected, a list or a single value.
    #[schemars(length(min = 1))]
    values: Option<Vec<Scalar>>,
    /// Whether to ignore case. Default: false.
    #[serde(default)]
    ignore_case: bool,
    /// Whether to ignore white space around the answer. Default: false.
    #[serde(default)]
    trim: bool,
    /// Whether typographic spaces, quotes and dashes count as plain ones, and zero-width characters are ignored. Default:
    /// true.
    normalize_unicode: Option<bool>,
}

impl Spec for OneOf {
    const READS_EXPECTED: bool = true;

    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let (values, comparison, pointer) = match self {
            Self::Values(values) => (Some(values), Comparison::of_texts(), ""),
            Self::Map(map) => {
                let typography = map.normalize_unicode.unwrap_or(true);
                let comparison = Comparison { ignore_case: map.ignore_case, trim: map.trim, typography };
                (map.values, comparison, "/values")
            }
        };
        let listed = values.as_deref().unwrap_or_default();
        no_errors(duplicates(listed, pointer, Scalar::eq, |value| shown(&json!(value))))?;
        let needs_expected = values.is_none();
        let check = OneOfCheck { values: values.map(|values| json!(values)), comparison };
        Ok(Built::new(check).needing_expected(needs_expected))
    }
}

#[derive(Debug)]
struct OneOfCheck {
    values: Option<Value>,
    comparison: Comparison,
}

impl Check for OneOfCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let answer = text(subject)?;
        let form = self.comparison.normalize(answer);
        let values = match reference(self.values.as_ref(), subject.case)? {
            Value::Array(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        let texts: Vec<_> = values.iter().map(text_of).collect();
        Ok(match texts.iter().find(|text| self.comparison.normalize(text) == form) {
            Some(text) => pass(format!("is {}", quoted(text))),
            None => fail(format!(
                "{} is not one of {}",
                quoted(answer),
                list(texts.iter().map(|text| text.as_ref()))
            )),
        })
    }
}
