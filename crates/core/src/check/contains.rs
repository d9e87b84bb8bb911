//! `contains`: texts occur in the answer.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::port::{Check, Finding, Subject};

use super::comparison::{Comparison, reference, text, text_of};
use super::diagnostic::EntryDiagnostic;
use super::reason::{fail, finding, pass, quoted};
use super::spec::{Built, Files, Spec};
use super::texts::{Normalized, Text, Texts, list, prepare};

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
    /// Whether typographic spaces, quotes and dashes count as plain ones, and zero-width characters are ignored. Default:
    /// true.
    normalize_unicode: Option<bool>,
}

impl Spec for Contains {
    const READS_EXPECTED: bool = true;

    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let short = Comparison::of_texts();
        let (any, all, comparison, pointer) = match self {
            Self::One(text) => (None, Some(vec![text]), short, ""),
            Self::All(texts) => (None, Some(texts), short, ""),
            Self::Map(map) => {
                let typography = map.normalize_unicode.unwrap_or(true);
                let comparison = Comparison { ignore_case: map.ignore_case, typography, ..short };
                (map.any, map.all, comparison, "/all")
            }
        };
        let needs_expected = any.is_none() && all.is_none();
        let [any, all] = prepare([(any, "/any"), (all, pointer)], comparison)?;
        let blank = |texts: &Texts, at: &str| -> Vec<EntryDiagnostic> {
            let warning = |index: usize, text: &str| {
                let at = if at.is_empty() { String::new() } else { format!("{at}/{index}") };
                let message = format!("{} occurs in every answer of more than one word", quoted(text));
                EntryDiagnostic::new(at, message)
            };
            texts.blank().map(|(index, text)| warning(index, text)).collect()
        };
        let warnings = [blank(&any, "/any"), blank(&all, pointer)].concat();
        let check = ContainsCheck { any, all, needs_expected, comparison };
        Ok(Built::new(check).needing_expected(needs_expected).warning(warnings))
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
        let answer = Normalized::new(text(subject)?, self.comparison);
        let of_case;
        let all = if self.needs_expected {
            let expected = match reference(None, subject.case)? {
                Value::Array(items) => items.iter().map(text_of).collect(),
                single => vec![text_of(single)],
            };
            if expected.iter().all(|text| text.trim().is_empty()) {
                return Err(fail("the case's `expected` is empty, so it occurs in every answer"));
            }
            of_case = Texts::new(expected, self.comparison);
            &of_case
        } else {
            &self.all
        };
        if !self.any.is_empty() && self.any.filter(&answer, |answer, text| answer.contains(text)).is_empty() {
            return Ok(fail(format!("none of these occur: {}", self.any.listed())));
        }
        let missing = all.filter(&answer, |answer, text| !answer.contains(text));
        if missing.is_empty() {
            return Ok(pass("all texts occur"));
        }
        let reason = format!("missing: {}", list(missing.iter().copied()));
        Ok(finding(false, &reason, json!({ "missing": missing })))
    }
}
