//! `starts_with`: the answer begins with a text.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::port::{Check, Finding, Subject};

use super::comparison::{Comparison, text};
use super::mistake::EntryMistake;
use super::reason::{fail, pass};
use super::spec::{Built, Files, Spec};
use super::texts::{Text, Texts, list, repeated};

/// A text, several of which one is enough, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum StartsWith {
    /// This text.
    One(Text),
    /// Any of these texts.
    Any(#[schemars(length(min = 1))] Vec<Text>),
    /// Further options.
    Map(StartsWithMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartsWithMap {
    /// The answer begins with any of these texts.
    #[schemars(length(min = 1))]
    any: Vec<Text>,
    /// Whether upper and lower case are the same. Default: false.
    #[serde(default)]
    ignore_case: bool,
    /// Whether white space around the answer is passed over. Default: false.
    #[serde(default)]
    trim: bool,
}

impl Spec for StartsWith {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryMistake>> {
        let (any, comparison, pointer) = match self {
            Self::One(text) => (vec![text], Comparison::default(), ""),
            Self::Any(texts) => (texts, Comparison::default(), ""),
            Self::Map(map) => (map.any, Comparison { ignore_case: map.ignore_case, trim: map.trim }, "/any"),
        };
        let mistakes = repeated(&any, pointer);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        // The texts keep their white space: it was asked for.
        let written = Comparison { trim: false, ..comparison };
        let any = Texts::new(any.into_iter().map(|Text(text)| text), written);
        Ok(Built::new(StartsWithCheck { any, comparison }))
    }
}

#[derive(Debug)]
struct StartsWithCheck {
    any: Texts,
    comparison: Comparison,
}

impl Check for StartsWithCheck {
    fn grade(&self, subject: &Subject<'_>) -> Finding {
        let answer = match text(subject) {
            Ok(answer) => self.comparison.normalise(answer),
            Err(finding) => return finding,
        };
        let found = self.any.filter(|text| answer.starts_with(text));
        if found.is_empty() {
            fail(format!("begins with none of: {}", self.any.listed()))
        } else {
            pass(format!("begins with {}", list(found)))
        }
    }
}
