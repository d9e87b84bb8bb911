//! Replies of judges: the form of a reply, its JSON Schema, writing and strict reading.
//!
//! A reply is one object with one list, `{LIST: [{id, quotes, reasoning, verdict}]}`. Property order is the order of
//! generation, so quotes and reasoning come before the verdict.

mod parse;
mod schema;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(super) use parse::{document, entries, whole};

/// The form of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Form {
    /// Name of the JSON Schema, and `task` of the payload.
    pub name: &'static str,
    /// Key of the list of entries, the only key of a reply.
    pub list: &'static str,
    /// The verdicts to choose from.
    pub verdicts: &'static [&'static str],
    /// Whether entries have quotes.
    pub quotes: bool,
}

/// One entry of a reply: a verdict with its evidence.
pub trait Entry: Serialize + DeserializeOwned + Send {
    /// The form of the reply.
    const FORM: Form;

    /// The id of the statement or item that the verdict is about.
    fn id(&self) -> u32;
}

/// A verdict that needs no quotes.
pub trait Verdict: Serialize + DeserializeOwned + Send {
    /// The form of a reply with such verdicts.
    const FORM: Form;
}

/// An entry without quotes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the prompts define the fields")]
pub struct Judged<V> {
    pub id: u32,
    pub reasoning: String,
    pub verdict: V,
}

impl<V: Verdict> Entry for Judged<V> {
    const FORM: Form = V::FORM;

    fn id(&self) -> u32 {
        self.id
    }
}

/// Writes a reply.
pub fn write<T: Entry>(entries: &[T]) -> String {
    serde_json::to_string(&BTreeMap::from([(T::FORM.list, entries)])).unwrap_or_default()
}

/// Reads a reply on the ids 1 to `asked`, which must be JSON and nothing else. The entries are sorted by id.
///
/// # Errors
/// Everything that is wrong, in words for the judge.
pub fn read<T: Entry>(text: &str, asked: usize) -> Result<Vec<T>, String> {
    entries(&whole(text)?, asked)
}
