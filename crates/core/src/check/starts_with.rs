//! `starts_with`: the answer starts with a text.

use schemars::JsonSchema;
use serde::Deserialize;

use super::diagnostic::EntryDiagnostic;
use super::spec::{Built, Files, Spec};
use super::texts::AnyOf;

/// Texts that the answer may start with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct StartsWith(AnyOf);

impl Spec for StartsWith {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        self.0.build("start", |answer, text| answer.starts_with(text))
    }
}
