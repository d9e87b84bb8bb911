//! `dataset`: the cases.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use promptgate_core::model::DatasetFormat;

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
    /// Names of dataset fields, by the name they have in promptgate: {query: question}.
    fields: Ordered<String>,
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
}

impl Default for WrittenDataset {
    fn default() -> Self {
        Self::Path(String::new())
    }
}

impl From<WrittenDataset> for DatasetSettings {
    fn from(written: WrittenDataset) -> Self {
        let map = match written {
            WrittenDataset::Path(path) => DatasetMap { path, ..DatasetMap::default() },
            WrittenDataset::Map(map) => map,
        };
        Self { path: map.path, format: map.format, fields: map.fields.0.into_iter().collect() }
    }
}
