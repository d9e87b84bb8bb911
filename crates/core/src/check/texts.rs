//! Lists of texts to look for, shared by the checks that look for texts.

use schemars::JsonSchema;
use serde::Deserialize;

use super::comparison::Comparison;
use super::diagnostic::EntryDiagnostic;
use super::reason::quoted;

/// A text that is not empty: an empty one is found everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Text(#[schemars(length(min = 1))] pub(crate) String);

/// Texts as written and in the form they are compared in.
#[derive(Debug, Clone)]
pub(crate) struct Texts(Vec<(String, String)>);

impl Texts {
    /// Prepares texts for comparison.
    pub(crate) fn new<S: AsRef<str>>(texts: impl IntoIterator<Item = S>, comparison: Comparison) -> Self {
        let prepare = |text: S| {
            let text = text.as_ref();
            (text.to_owned(), comparison.normalise(text).into_owned())
        };
        Self(texts.into_iter().map(prepare).collect())
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The texts, as written, for which `found` holds of the compared form; in order.
    pub(crate) fn filter(&self, found: impl Fn(&str) -> bool) -> Vec<&str> {
        self.0.iter().filter(|(_, form)| found(form)).map(|(written, _)| written.as_str()).collect()
    }

    /// The texts, quoted, for messages.
    pub(crate) fn listed(&self) -> String {
        list(self.0.iter().map(|(written, _)| written.as_str()))
    }
}

/// What `starts_with` and `ends_with` are written as: a text, several of which one is enough, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum AnyOf {
    /// This text.
    One(Text),
    /// Any of these texts.
    Any(#[schemars(length(min = 1))] Vec<Text>),
    /// Further options.
    Map(AnyOfMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnyOfMap {
    /// The texts; any of them is enough.
    #[schemars(length(min = 1))]
    any: Vec<Text>,
    /// Whether upper and lower case are the same. Default: false.
    #[serde(default)]
    ignore_case: bool,
    /// Whether white space around the answer is passed over. Default: false.
    #[serde(default)]
    trim: bool,
}

impl AnyOf {
    /// The texts, and how the answer is compared with them.
    ///
    /// # Errors
    /// Texts that are listed twice.
    pub(crate) fn prepare(self) -> Result<(Texts, Comparison), Vec<EntryDiagnostic>> {
        let (any, comparison, pointer) = match self {
            Self::One(text) => (vec![text], Comparison::default(), ""),
            Self::Any(texts) => (texts, Comparison::default(), ""),
            Self::Map(map) => (map.any, Comparison { ignore_case: map.ignore_case, trim: map.trim }, "/any"),
        };
        let diagnostics = repeated(&any, pointer);
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        // The texts keep their white space: it was asked for.
        let written = Comparison { trim: false, ..comparison };
        Ok((Texts::new(any.into_iter().map(|Text(text)| text), written), comparison))
    }
}

/// Texts, quoted, for messages; the first three and the number of the others.
pub(crate) fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.into_iter().collect();
    let shown: Vec<String> = texts.iter().take(3).map(|text| quoted(text)).collect();
    let others = texts.len().saturating_sub(shown.len());
    let shown = shown.join(", ");
    if others == 0 { shown } else { format!("{shown} and {others} more") }
}

/// A text that occurs twice in a list is a slip of the pen.
pub(crate) fn repeated(texts: &[Text], pointer: &str) -> Vec<EntryDiagnostic> {
    texts
        .iter()
        .enumerate()
        .filter(|(index, text)| texts.iter().take(*index).any(|earlier| earlier == *text))
        .map(|(index, Text(text))| {
            EntryDiagnostic::new(format!("{pointer}/{index}"), format!("{} is listed twice", quoted(text)))
        })
        .collect()
}
