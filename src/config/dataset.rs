//! `dataset`: the cases.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use promptgate_adapters::files::{MustPassDefault, TurnGrading, check_default, check_file_field};
use promptgate_core::document::pointer;
use promptgate_core::model::DatasetFormat;

use super::load::Reader;
use super::scalar::Ordered;

/// A dataset: its path, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Dataset")]
pub(super) enum WrittenDataset {
    /// A path or a glob.
    Path(#[schemars(length(min = 1))] String),
    /// A path with its format and field names.
    Map(DatasetMap),
}

/// A dataset with its format and the names of its fields.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["path"]))]
pub(super) struct DatasetMap {
    /// A path or a glob, relative to this file.
    #[schemars(length(min = 1))]
    path: String,
    /// Format of the files; detected from name and content by default.
    format: Option<DatasetFormat>,
    /// Names of dataset fields, by the name they have in promptgate: {query: question}. A name with dots is a path into a
    /// column: {query: inputs.question}.
    fields: Ordered<String>,
    /// Path of the list of rows in a JSON or YAML file, with dots: data, or result.items.
    #[schemars(length(min = 1))]
    rows: Option<String>,
    /// Whether a case that does not say so itself must pass: true, false or strict. By default only a case with criteria,
    /// unless `metrics` has `criteria`.
    must_pass: Option<WrittenMustPass>,
    /// Values of fields and variables that a row lacks: {tier: pro}
    defaults: Map<String, Value>,
    /// Fields and variables whose values are paths of text files, relative to this file: [context, document]
    files: Vec<String>,
    /// Which answers of a case with turns are graded: last (the default), or each, which makes each turn a case of its own.
    grade_turns: TurnGrading,
}

/// Whether a case is a criterion of its own.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "MustPass")]
pub(super) enum WrittenMustPass {
    /// Whether it is. A case that flickers in both variants alike passes with a warning.
    Flag(bool),
    /// strict: it fails even where it flickers in both variants alike.
    Strict(Strict),
}

/// The word strict.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Strict {
    Strict,
}

/// The dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetSettings {
    /// Path or glob, relative to the configuration.
    pub path: String,
    /// Format; `None` to detect it.
    pub format: Option<DatasetFormat>,
    /// Names of dataset fields, by the name they have in promptgate.
    pub fields: BTreeMap<String, String>,
    /// The path of the list of rows in a JSON or YAML file.
    pub rows: Option<String>,
    /// Whether a case that does not say so must pass.
    pub must_pass: MustPassDefault,
    /// Values of fields and variables that a row lacks.
    pub defaults: Map<String, Value>,
    /// Names of fields and variables whose values are paths of files.
    pub files: Vec<String>,
    /// Which answers of a case with turns are graded.
    pub grade_turns: TurnGrading,
}

impl Default for WrittenDataset {
    fn default() -> Self {
        Self::Path(String::new())
    }
}

impl WrittenDataset {
    /// `with_criteria` says whether the cases with criteria decide for themselves, because no metric does.
    pub(super) fn resolve(self, reader: &mut Reader<'_>, with_criteria: bool) -> DatasetSettings {
        let map = match self {
            Self::Path(path) => DatasetMap { path, ..DatasetMap::default() },
            Self::Map(map) => map,
        };
        // Invalid entries are left out, so that they are reported here alone.
        let mut defaults = Map::new();
        for (name, value) in map.defaults {
            match check_default(&name, &value, &map.files) {
                Ok(()) => {
                    defaults.insert(name, value);
                }
                Err(diagnostic) => {
                    let place = reader.document.place(&pointer("/dataset/defaults", &name));
                    reader.push(diagnostic.at(place));
                }
            }
        }
        let mut files = Vec::new();
        for (index, name) in map.files.into_iter().enumerate() {
            match check_file_field(&name) {
                Ok(()) => files.push(name),
                Err(diagnostic) => {
                    let place = reader.document.place(&format!("/dataset/files/{index}"));
                    reader.push(diagnostic.at(place));
                }
            }
        }
        let must_pass = match map.must_pass {
            Some(WrittenMustPass::Strict(Strict::Strict)) => MustPassDefault::Strict,
            Some(WrittenMustPass::Flag(true)) => MustPassDefault::Yes,
            Some(WrittenMustPass::Flag(false)) => MustPassDefault::No,
            None if with_criteria => MustPassDefault::WithCriteria,
            None => MustPassDefault::No,
        };
        DatasetSettings {
            path: map.path,
            format: map.format,
            fields: map.fields.0.into_iter().collect(),
            rows: map.rows,
            must_pass,
            defaults,
            files,
            grade_turns: map.grade_turns,
        }
    }
}
