//! Lists of texts that checks search for.

use schemars::JsonSchema;
use serde::Deserialize;

use super::comparison::Comparison;
use super::diagnostic::EntryDiagnostic;
use super::reason::quoted;

/// A text that is not empty, since empty text occurs everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Text(#[schemars(length(min = 1))] pub(crate) String);

/// Texts as written and in normalized form.
#[derive(Debug, Clone)]
pub(crate) struct Texts(Vec<(String, String)>);

impl Texts {
    /// Normalizes texts for comparison.
    pub(crate) fn new<S: AsRef<str>>(texts: impl IntoIterator<Item = S>, comparison: Comparison) -> Self {
        let prepare = |text: S| {
            let text = text.as_ref();
            (text.to_owned(), comparison.normalize(text).into_owned())
        };
        Self(texts.into_iter().map(prepare).collect())
    }

    /// Whether the list is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the texts, as written, whose normalized form meets a condition.
    pub(crate) fn filter(&self, condition: impl Fn(&str) -> bool) -> Vec<&str> {
        self.0.iter().filter(|(_, form)| condition(form)).map(|(written, _)| written.as_str()).collect()
    }

    /// Lists the quoted texts, for messages.
    pub(crate) fn listed(&self) -> String {
        list(self.0.iter().map(|(written, _)| written.as_str()))
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
}

impl AnyOf {
    /// Returns the texts and the comparison of the answer with them.
    ///
    /// # Errors
    /// Duplicate texts.
    pub(crate) fn prepare(self) -> Result<(Texts, Comparison), Vec<EntryDiagnostic>> {
        let (any, comparison, pointer) = match self {
            Self::One(text) => (vec![text], Comparison::default(), ""),
            Self::Any(texts) => (texts, Comparison::default(), ""),
            Self::Map(map) => (map.any, Comparison { ignore_case: map.ignore_case, trim: map.trim }, "/any"),
        };
        let diagnostics = duplicates(&any, pointer);
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        // White space in the texts is significant.
        let written = Comparison { trim: false, ..comparison };
        Ok((Texts::new(any.into_iter().map(|Text(text)| text), written), comparison))
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

/// Reports duplicate texts.
pub(crate) fn duplicates(texts: &[Text], pointer: &str) -> Vec<EntryDiagnostic> {
    texts
        .iter()
        .enumerate()
        .filter(|(index, text)| texts.iter().take(*index).any(|earlier| earlier == *text))
        .map(|(index, Text(text))| {
            EntryDiagnostic::new(format!("{pointer}/{index}"), format!("duplicate item {}", quoted(text)))
        })
        .collect()
}
