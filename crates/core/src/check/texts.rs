//! Lists of texts that checks search for.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::port::{Check, Finding, Subject};

use super::comparison::{Comparison, text};
use super::diagnostic::{EntryDiagnostic, no_errors};
use super::reason::{fail, pass, quoted};
use super::spec::Built;
use super::unicode;

/// A text that is not empty, since empty text occurs everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Text(#[schemars(length(min = 1))] pub(crate) String);

/// A text to search for.
#[derive(Debug, Clone)]
struct Searched {
    written: String,
    normalized: String,
    /// Whether it is compared with the answer's own typography.
    literal: bool,
}

/// Texts as written and in normalized form.
#[derive(Debug, Clone)]
pub(crate) struct Texts(Vec<Searched>);

/// An answer in the forms that texts are compared with.
#[derive(Debug)]
pub(crate) struct Normalized<'a> {
    plain: Cow<'a, str>,
    /// With its own typography.
    literal: Cow<'a, str>,
}

impl<'a> Normalized<'a> {
    pub(crate) fn new(answer: &'a str, comparison: Comparison) -> Self {
        let literal = Comparison { typography: false, ..comparison };
        Self { plain: comparison.normalize(answer), literal: literal.normalize(answer) }
    }
}

impl Texts {
    /// Normalizes texts for comparison.
    pub(crate) fn new<S: AsRef<str>>(texts: impl IntoIterator<Item = S>, comparison: Comparison) -> Self {
        let prepare = |text: S| {
            let written = text.as_ref().to_owned();
            let literal = comparison.typography && unicode::is_about_characters(&written);
            let comparison = Comparison { typography: comparison.typography && !literal, ..comparison };
            let normalized = comparison.normalize(&written).into_owned();
            Searched { written, normalized, literal }
        };
        Self(texts.into_iter().map(prepare).collect())
    }

    /// Whether the list is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the texts, as written, for which a condition on answer and text holds, both in normalized form.
    pub(crate) fn filter(&self, answer: &Normalized<'_>, holds: impl Fn(&str, &str) -> bool) -> Vec<&str> {
        let matching = self.0.iter().filter(|text| {
            holds(if text.literal { &answer.literal } else { &answer.plain }, &text.normalized)
        });
        matching.map(|text| text.written.as_str()).collect()
    }

    /// Returns the texts that occur in every answer with a space in it.
    pub(crate) fn blank(&self) -> impl Iterator<Item = (usize, &str)> {
        let blank = |text: &Searched| !text.literal && text.written.chars().all(|character| character == ' ');
        let texts = self.0.iter().enumerate().filter(move |(_, text)| blank(text));
        texts.map(|(index, text)| (index, text.written.as_str()))
    }

    /// Lists the quoted texts, for messages.
    pub(crate) fn listed(&self) -> String {
        list(self.0.iter().map(|text| text.written.as_str()))
    }
}

/// The value of `starts_with` and `ends_with`: a text, a list of alternatives, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum AnyOf {
    /// This text.
    One(Text),
    /// Any of these texts.
    Any(#[schemars(length(min = 1))] Vec<Text>),
    /// With options.
    Map(AnyOfMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnyOfMap {
    /// Alternative texts.
    #[schemars(length(min = 1))]
    any: Vec<Text>,
    /// Whether to ignore case. Default: false.
    #[serde(default)]
    ignore_case: bool,
    /// Whether to ignore white space around the answer. Default: false.
    #[serde(default)]
    trim: bool,
    /// Whether typographic spaces, quotes and dashes count as plain ones, and zero-width characters are ignored. Default:
    /// true.
    normalize_unicode: Option<bool>,
}

impl AnyOf {
    /// Builds the check that the answer starts or ends (`verb`) with one of the texts.
    ///
    /// # Errors
    /// Duplicate texts.
    pub(crate) fn build(
        self,
        verb: &'static str,
        matches: fn(&str, &str) -> bool,
    ) -> Result<Built, Vec<EntryDiagnostic>> {
        let (any, comparison, pointer) = match self {
            Self::One(text) => (vec![text], Comparison::of_texts(), ""),
            Self::Any(texts) => (texts, Comparison::of_texts(), ""),
            Self::Map(map) => {
                let typography = map.normalize_unicode.unwrap_or(true);
                (map.any, Comparison { ignore_case: map.ignore_case, trim: map.trim, typography }, "/any")
            }
        };
        // White space in the texts is significant.
        let [any] = prepare([(Some(any), pointer)], Comparison { trim: false, ..comparison })?;
        Ok(Built::new(AnyOfCheck { any, comparison, verb, matches }))
    }
}

#[derive(Debug)]
struct AnyOfCheck {
    any: Texts,
    comparison: Comparison,
    verb: &'static str,
    matches: fn(&str, &str) -> bool,
}

impl Check for AnyOfCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let answer = Normalized::new(text(subject)?, self.comparison);
        let matching = self.any.filter(&answer, self.matches);
        Ok(if matching.is_empty() {
            fail(format!("does not {} with any of: {}", self.verb, self.any.listed()))
        } else {
            pass(format!("{}s with {}", self.verb, list(matching)))
        })
    }
}

/// Lists the first three texts, quoted, and the number of the others.
pub(crate) fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.into_iter().collect();
    let shown: Vec<String> = texts.iter().take(3).map(|text| quoted(text)).collect();
    let others = texts.len().saturating_sub(shown.len());
    let shown = shown.join(", ");
    if others == 0 { shown } else { format!("{shown} and {others} more") }
}

/// Prepares lists of texts, each with the pointer of its list.
///
/// # Errors
/// Duplicate texts.
pub(crate) fn prepare<const LISTS: usize>(
    lists: [(Option<Vec<Text>>, &str); LISTS],
    comparison: Comparison,
) -> Result<[Texts; LISTS], Vec<EntryDiagnostic>> {
    let lists = lists.map(|(texts, pointer)| (texts.unwrap_or_default(), pointer));
    let show = |Text(text): &Text| quoted(text);
    let duplicates =
        lists.iter().flat_map(|(texts, pointer)| duplicates(texts, pointer, Text::eq, show)).collect();
    no_errors(duplicates)?;
    Ok(lists.map(|(texts, _)| Texts::new(texts.iter().map(|Text(text)| text), comparison)))
}

/// Reports the items of a list that occurred before.
pub(crate) fn duplicates<T>(
    items: &[T],
    pointer: &str,
    equal: impl Fn(&T, &T) -> bool,
    show: impl Fn(&T) -> String,
) -> Vec<EntryDiagnostic> {
    let is_repeated =
        |(index, item): &(usize, &T)| items.iter().take(*index).any(|earlier| equal(earlier, item));
    let repeated = items.iter().enumerate().filter(is_repeated);
    let diagnostic = |(index, item): (usize, &T)| {
        EntryDiagnostic::new(format!("{pointer}/{index}"), format!("duplicate item {}", show(item)))
    };
    repeated.map(diagnostic).collect()
}
