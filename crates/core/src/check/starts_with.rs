//! `starts_with`: the answer starts with a text.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::port::{Check, Finding, Subject};

use super::comparison::{Comparison, text};
use super::diagnostic::EntryDiagnostic;
use super::reason::{fail, pass};
use super::spec::{Built, Files, Spec};
use super::texts::{AnyOf, Texts, list};

/// Texts that the answer may start with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct StartsWith(AnyOf);

impl Spec for StartsWith {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let (any, comparison) = self.0.prepare()?;
        Ok(Built::new(StartsWithCheck { any, comparison }))
    }
}

#[derive(Debug)]
struct StartsWithCheck {
    any: Texts,
    comparison: Comparison,
}

impl Check for StartsWithCheck {
    fn grade(&self, subject: &Subject<'_>) -> Finding {
        let answer = match text(subject) {
            Ok(answer) => self.comparison.normalize(answer),
            Err(finding) => return finding,
        };
        let matching = self.any.filter(|text| answer.starts_with(text));
        if matching.is_empty() {
            fail(format!("does not start with any of: {}", self.any.listed()))
        } else {
            pass(format!("starts with {}", list(matching)))
        }
    }
}
