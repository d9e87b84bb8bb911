//! Replies of judges: the form of a reply, its JSON Schema, writing and strict reading.
//!
//! A reply is one object with one list, `{LIST: [{id, quotes, reasoning, verdict}]}`. Property order is the order of
//! generation, so quotes and reasoning come before the verdict.

mod parse;
mod schema;

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use parse::{block, entries, whole};

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
