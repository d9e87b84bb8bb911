//! `not_contains`: texts do not occur in the answer.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::port::{Check, Finding, Subject};

use super::comparison::{Comparison, text};
use super::diagnostic::EntryDiagnostic;
use super::reason::{fail, finding, pass};
use super::spec::{Built, Files, Spec};
use super::texts::{Normalized, Text, Texts, list, prepare};

/// A text, a list of texts of which none occurs, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum NotContains {
    /// This text.
    One(Text),
    /// None of these texts.
    Any(#[schemars(length(min = 1))] Vec<Text>),
    /// With options.
    Map(NotContainsMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(crate) struct NotContainsMap {
    /// None of these texts occurs.
    #[schemars(length(min = 1))]
    any: Option<Vec<Text>>,
    /// Not all of these texts occur together.
    #[schemars(length(min = 1))]
    all: Option<Vec<Text>>,
    /// Whether to ignore case. Default: false.
    #[serde(default)]
    ignore_case: bool,
    /// Whether typographic spaces, quotes and dashes count as plain ones, and zero-width characters are ignored. Default:
    /// true.
    normalize_unicode: Option<bool>,
}

impl Spec for NotContains {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let short = Comparison::of_texts();
        let (any, all, comparison, pointer) = match self {
            Self::One(text) => (Some(vec![text]), None, short, ""),
            Self::Any(texts) => (Some(texts), None, short, ""),
            Self::Map(map) => {
                let typography = map.normalize_unicode.unwrap_or(true);
                let comparison = Comparison { ignore_case: map.ignore_case, typography, ..short };
                (map.any, map.all, comparison, "/any")
            }
        };
        if any.is_none() && all.is_none() {
            return Err(vec![EntryDiagnostic::new("", "has no text").help("give `any` or `all`")]);
        }
        let [any, all] = prepare([(any, pointer), (all, "/all")], comparison)?;
        Ok(Built::new(NotContainsCheck { any, all, comparison }))
    }
}

#[derive(Debug)]
struct NotContainsCheck {
    any: Texts,
    all: Texts,
    comparison: Comparison,
}

impl Check for NotContainsCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let answer = Normalized::new(text(subject)?, self.comparison);
        let occurring = self.any.filter(&answer, |answer, text| answer.contains(text));
        if !occurring.is_empty() {
            let reason = format!("occurs: {}", list(occurring.iter().copied()));
            return Ok(finding(false, &reason, json!({ "occurring": occurring })));
        }
        if !self.all.is_empty() && self.all.filter(&answer, |answer, text| !answer.contains(text)).is_empty()
        {
            return Ok(fail(format!("all of these occur: {}", self.all.listed())));
        }
        Ok(pass("no forbidden text occurs"))
    }
}
