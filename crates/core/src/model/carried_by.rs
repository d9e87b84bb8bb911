//! The tags that carry a drop.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tags whose cases dropped more than the others and than their own noise, by more than chance, and together carry most of
/// the drop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CarriedBy {
    /// The tags, the clearest first.
    pub tags: Vec<TagDrop>,
    /// Their share of the drop, at least 0.5; above 1 where the other cases rose.
    pub share: f64,
}

/// The drop on the cases of a tag that have none of the tags before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagDrop {
    /// The tag.
    pub tag: String,
    /// Number of these cases, as far as they were compared.
    pub cases: usize,
    /// Candidate minus baseline, mean over these cases.
    pub difference: f64,
}
