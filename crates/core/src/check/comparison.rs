//! Comparison of texts.
//!
//! Both texts are normalized to NFC (Unicode Standard Annex 15), so an `é` of one code point equals one of two. To ignore
//! case, each character is converted to upper and then to lower case, which makes `ß` equal to `SS` and both lower-case
//! sigmas equal. Checks that search for texts also ignore the typography of spaces, quotes and dashes.

use std::borrow::Cow;

use serde_json::Value;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::model::Case;
use crate::port::{Finding, Subject};

use super::reason::fail;
use super::unicode;

/// Differences to ignore when texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Comparison {
    /// Upper and lower case.
    pub(crate) ignore_case: bool,
    /// White space around the text.
    pub(crate) trim: bool,
    /// Typographic variants of spaces, quotes and dashes, and zero-width characters.
    pub(crate) typography: bool,
}

impl Comparison {
    /// The default of checks that search for texts.
    pub(crate) fn of_texts() -> Self {
        Self { typography: true, ..Self::default() }
    }

    /// Returns the normalized form, which is the same for equal texts.
    pub(crate) fn normalize<'a>(self, text: &'a str) -> Cow<'a, str> {
        if self.typography
            && let Cow::Owned(plain) = unicode::plain(text)
        {
            return Cow::Owned(Self { typography: false, ..self }.normalize(&plain).into_owned());
        }
        let text = if self.trim { text.trim() } else { text };
        if self.ignore_case {
            let folded: String =
                text.nfc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect();
            Cow::Owned(folded)
        } else if is_nfc(text) {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(text.nfc().collect())
        }
    }
}

/// Returns a value as text: text as it is, any other value as JSON.
pub(crate) fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// Returns the input of a text check.
///
/// # Errors
/// A failed finding for an answer with a format violation.
pub(crate) fn text<'a>(subject: &Subject<'a>) -> Result<&'a str, Finding> {
    subject.answer.map_err(fail)
}

/// Returns the value to compare with: the check's own value, or the case's `expected`.
///
/// # Errors
/// A failed finding for a case without `expected`.
pub(crate) fn reference<'a>(own: Option<&'a Value>, case: &'a Case) -> Result<&'a Value, Finding> {
    own.or(case.expected.as_ref()).ok_or_else(|| fail("the case has no `expected` to compare with"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_the_same_normalized_form() {
        let exact = Comparison::default();
        assert_eq!(exact.normalize("e\u{301}"), exact.normalize("é"));
        assert_ne!(exact.normalize("É"), exact.normalize("é"));
        assert_ne!(exact.normalize(" a"), exact.normalize("a"));
        let loose = Comparison { ignore_case: true, trim: true, typography: false };
        for (left, right) in
            [("Straße", "STRASSE"), (" ΟΔΟΣ\n", "οδος"), ("E\u{301}", "é"), ("\u{a0}a\u{3000}", "A")]
        {
            assert_eq!(loose.normalize(left), loose.normalize(right), "{left} {right}");
        }
    }
}
