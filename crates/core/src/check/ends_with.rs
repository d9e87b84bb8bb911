//! `ends_with`: the answer ends with a text.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::port::{Check, Finding, Subject};

use super::comparison::{Comparison, text};
use super::diagnostic::EntryDiagnostic;
use super::reason::{fail, pass};
use super::spec::{Built, Files, Spec};
use super::texts::{AnyOf, Texts, list};

/// Texts that the answer may end with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct EndsWith(AnyOf);

impl Spec for EndsWith {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let (any, comparison) = self.0.prepare()?;
        Ok(Built::new(EndsWithCheck { any, comparison }))
    }
}

#[derive(Debug)]
struct EndsWithCheck {
    any: Texts,
    comparison: Comparison,
}

impl Check for EndsWithCheck {
    fn grade(&self, subject: &Subject<'_>) -> Finding {
        let answer = match text(subject) {
            Ok(answer) => self.comparison.normalize(answer),
            Err(finding) => return finding,
        };
        let matching = self.any.filter(|text| answer.ends_with(text));
        if matching.is_empty() {
            fail(format!("does not end with any of: {}", self.any.listed()))
        } else {
            pass(format!("ends with {}", list(matching)))
        }
    }
}
