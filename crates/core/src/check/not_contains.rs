//! `not_contains`: texts do not occur in the answer.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::port::{Check, Finding, Subject};

use super::comparison::{Comparison, text};
use super::diagnostic::EntryDiagnostic;
use super::reason::{fail, finding, pass};
use super::spec::{Built, Files, Spec};
use super::texts::{Text, Texts, duplicates, list};

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
}

impl Spec for NotContains {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let (any, all, comparison, pointer) = match self {
            Self::One(text) => (Some(vec![text]), None, Comparison::default(), ""),
            Self::Any(texts) => (Some(texts), None, Comparison::default(), ""),
            Self::Map(map) => {
                (map.any, map.all, Comparison { ignore_case: map.ignore_case, trim: false }, "/any")
            }
        };
        let mut diagnostics = duplicates(any.as_deref().unwrap_or_default(), pointer);
        diagnostics.extend(duplicates(all.as_deref().unwrap_or_default(), "/all"));
        if any.is_none() && all.is_none() {
            diagnostics.push(EntryDiagnostic::new("", "has no text").help("give `any` or `all`"));
        }
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        let prepare = |texts: Option<Vec<Text>>| {
            Texts::new(texts.unwrap_or_default().into_iter().map(|Text(text)| text), comparison)
        };
        Ok(Built::new(NotContainsCheck { any: prepare(any), all: prepare(all), comparison }))
    }
}

#[derive(Debug)]
struct NotContainsCheck {
    any: Texts,
    all: Texts,
    comparison: Comparison,
}

impl Check for NotContainsCheck {
    fn grade(&self, subject: &Subject<'_>) -> Finding {
        let answer = match text(subject) {
            Ok(answer) => self.comparison.normalize(answer),
            Err(finding) => return finding,
        };
        let occurring = self.any.filter(|text| answer.contains(text));
        if !occurring.is_empty() {
            let reason = format!("occurs: {}", list(occurring.iter().copied()));
            return finding(false, &reason, json!({ "occurring": occurring }));
        }
        if !self.all.is_empty() && self.all.filter(|text| !answer.contains(text)).is_empty() {
            return fail(format!("all of these occur: {}", self.all.listed()));
        }
        pass("no forbidden text occurs")
    }
}
