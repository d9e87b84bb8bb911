//! `ends_with`: the answer ends with a text.

use schemars::JsonSchema;
use serde::Deserialize;

use super::diagnostic::EntryDiagnostic;
use super::spec::{Built, Files, Spec};
use super::texts::AnyOf;

/// Texts that the answer may end with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct EndsWith(AnyOf);

impl Spec for EndsWith {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        self.0.build("end", |answer, text| answer.ends_with(text))
    }
}
