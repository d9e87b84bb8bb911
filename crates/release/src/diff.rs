//! The least level of a change, from the difference of two contents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Content, Level};

/// Rules that a configuration may extend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// The most places that a patch may change.
    pub patch_max_words: usize,
    /// Words that no patch may add, remove or change, beside the built-in ones.
    pub guarded: Vec<String>,
    /// Model names that belong to one family, by family.
    pub families: BTreeMap<String, Vec<String>>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { patch_max_words: 3, guarded: Vec::new(), families: BTreeMap::new() }
    }
}

/// The difference of two contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The least level; `None` if the contents are equal.
    pub level: Option<Level>,
    /// What differs, the highest level first.
    pub changes: Vec<Change>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The level that it requires.
    pub level: Level,
    /// A sentence for people, with the place.
    pub text: String,
}

/// Compares two contents.
pub fn compare(old: &Content, new: &Content, rules: &Rules) -> Comparison {
    let _ = rules;
    if old == new {
        return Comparison::default();
    }
    let change = Change { level: Level::Major, text: "the content differs".to_owned() };
    Comparison { level: Some(Level::Major), changes: vec![change] }
}
