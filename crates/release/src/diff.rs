//! The least level of a change, from the structural difference of two contents.
//!
//! Every doubt is MINOR: PATCH needs proof that only wording changed, MAJOR that the contract with applications did.

mod align;
mod guarded;
mod model;
mod parameters;
mod place;
mod roles;
mod schema;
mod tokens;
mod variables;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Content, Level, canonical};

/// The most changes that a comparison lists; the last one counts the rest.
const MAX_CHANGES: usize = 40;

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
    /// The differences, the highest level first.
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

impl Change {
    fn new(level: Level, text: impl Into<String>) -> Self {
        Self { level, text: text.into() }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.level, self.text)
    }
}

impl Comparison {
    /// The changes as sentences, each with its level, as a record keeps them.
    pub fn reasons(&self) -> Vec<String> {
        self.changes.iter().map(Change::to_string).collect()
    }
}

/// Compares two contents.
///
/// Contents with one digest are equal: the order of keys does not count, and 1.0 is 1.
pub fn compare(old: &Content, new: &Content, rules: &Rules) -> Comparison {
    if canonical::same(old, new) {
        return Comparison::default();
    }
    let mut changes = Vec::new();
    if old.kind != new.kind {
        let (old, new) = (old.kind.as_str(), new.kind.as_str());
        changes.push(Change::new(Level::Major, format!("the {old} prompt became a {new} prompt")));
    }
    changes.extend(model::compare(&old.model, &new.model, rules));
    changes.extend(parameters::compare(&old.parameters, &new.parameters));
    changes.extend(schema::compare_roots(
        old.answer_schema.as_ref(),
        new.answer_schema.as_ref(),
        "answer schema",
        "",
    ));
    changes.extend(variables::compare(&old.messages, &new.messages));
    let (pairing, role_changes) = roles::pair(&old.messages, &new.messages);
    changes.extend(role_changes);
    changes.extend(words::compare(&old.messages, &new.messages, &pairing, rules));
    if changes.is_empty() {
        changes.push(Change::new(Level::Minor, "the content differs"));
    }
    changes.sort_by_key(|change| std::cmp::Reverse(change.level)); // stable: the order of places is kept
    shorten(&mut changes);
    Comparison { level: changes.iter().map(|change| change.level).max(), changes }
}

fn shorten(changes: &mut Vec<Change>) {
    if changes.len() > MAX_CHANGES {
        let rest = changes.split_off(MAX_CHANGES - 1);
        let level = rest.iter().map(|change| change.level).max().unwrap_or(Level::Minor);
        changes.push(Change::new(level, format!("{} more changes", rest.len())));
    }
}
