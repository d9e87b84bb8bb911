//! `contains`: texts occur in the answer.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::port::{Check, Finding, Subject};

use super::comparison::{Comparison, reference, text, text_of};
use super::diagnostic::EntryDiagnostic;
use super::reason::{fail, finding, pass};
use super::spec::{Built, Files, Spec};
use super::texts::{Text, Texts, list, prepare};

/// A text, a list of texts that all occur, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Contains {
    /// This text.
    One(Text),
    /// All of these texts.
    All(#[schemars(length(min = 1))] Vec<Text>),
    /// With options.
    Map(ContainsMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContainsMap {
    /// At least one of these texts occurs.
    #[schemars(length(min = 1))]
    any: Option<Vec<Text>>,
    /// All of these texts occur. Without any and all: the case's expected (every item of a list) occurs.
    #[schemars(length(min = 1))]
    all: Option<Vec<Text>>,
    /// Whether to ignore case. Default: false.
    #[serde(default)]
    ignore_case: bool,
}

impl Spec for Contains {
    const READS_EXPECTED: bool = true;

    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let (any, all, ignore_case, pointer) = match self {
            Self::One(text) => (None, Some(vec![text]), false, ""),
            Self::All(texts) => (None, Some(texts), false, ""),
            Self::Map(map) => (map.any, map.all, map.ignore_case, "/all"),
        };
        let comparison = Comparison { ignore_case, trim: false };
        let needs_expected = any.is_none() && all.is_none();
        let [any, all] = prepare([(any, "/any"), (all, pointer)], comparison)?;
        let check = ContainsCheck { any, all, needs_expected, comparison };
        Ok(Built::new(check).needing_expected(needs_expected))
    }
}

#[derive(Debug)]
struct ContainsCheck {
    any: Texts,
    all: Texts,
    needs_expected: bool,
    comparison: Comparison,
}

impl Check for ContainsCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let answer = self.comparison.normalize(text(subject)?);
        let of_case;
        let all = if self.needs_expected {
            let expected = match reference(None, subject.case)? {
                Value::Array(items) => items.iter().map(text_of).collect(),
                single => vec![text_of(single)],
            };
            if expected.iter().all(|text| text.is_empty()) {
                return Err(fail("the case's `expected` is empty, so it occurs in every answer"));
            }
            of_case = Texts::new(expected, self.comparison);
            &of_case
        } else {
            &self.all
        };
        if !self.any.is_empty() && self.any.filter(|text| answer.contains(text)).is_empty() {
            return Err(fail(format!("none of these occur: {}", self.any.listed())));
        }
        let missing = all.filter(|text| !answer.contains(text));
        if missing.is_empty() {
            return Ok(pass("all texts occur"));
        }
        let reason = format!("missing: {}", list(missing.iter().copied()));
        Ok(finding(false, &reason, json!({ "missing": missing })))
    }
}
