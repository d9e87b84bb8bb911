//! `ends_with`: the answer ends with a text.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::port::{Check, Finding, Subject};

use super::comparison::{Comparison, text};
use super::diagnostic::EntryDiagnostic;
use super::reason::{fail, pass};
use super::spec::{Built, Files, Spec};
use super::texts::{AnyOf, Texts, list};

/// The texts that the answer may end with.
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
            Ok(answer) => self.comparison.normalise(answer),
            Err(finding) => return finding,
        };
        let found = self.any.filter(|text| answer.ends_with(text));
        if found.is_empty() {
            fail(format!("ends with none of: {}", self.any.listed()))
        } else {
            pass(format!("ends with {}", list(found)))
        }
    }
}
