//! How text checks compare texts, and what with.
//!
//! Canonically equivalent texts are the same text: both sides are brought to NFC (Unicode Standard Annex 15), so an
//! `é` of one code point equals one of two. Without case means folded by the simple rule upper, then lower, of each
//! character, which makes `ß` equal to `SS` and both lower-case sigmas equal.

use std::borrow::Cow;

use serde_json::Value;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::model::Case;
use crate::port::{Finding, Subject};

use super::reason::fail;

/// What is passed over when texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Comparison {
    /// Upper and lower case.
    pub(crate) ignore_case: bool,
    /// White space around the text.
    pub(crate) trim: bool,
}

impl Comparison {
    /// The form of a text in which equal texts are equal.
    pub(crate) fn normalise<'a>(self, text: &'a str) -> Cow<'a, str> {
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

/// A value as text: a text as it is, anything else as JSON.
pub(crate) fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// The text that a text check reads.
///
/// # Errors
/// The finding that there is none: a format violation.
pub(crate) fn text<'a>(subject: &Subject<'a>) -> Result<&'a str, Finding> {
    subject.answer.map_err(fail)
}

/// What a check compares with: its own value, else the case's `expected`.
///
/// # Errors
/// The finding that the case has none.
pub(crate) fn reference<'a>(own: Option<&'a Value>, case: &'a Case) -> Result<&'a Value, Finding> {
    own.or(case.expected.as_ref()).ok_or_else(|| fail("the case has no `expected` to compare with"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_form() {
        let exact = Comparison::default();
        assert_eq!(exact.normalise("e\u{301}"), exact.normalise("é"));
        assert_ne!(exact.normalise("É"), exact.normalise("é"));
        assert_ne!(exact.normalise(" a"), exact.normalise("a"));
        let loose = Comparison { ignore_case: true, trim: true };
        for (left, right) in
            [("Straße", "STRASSE"), (" ΟΔΟΣ\n", "οδος"), ("E\u{301}", "é"), ("\u{a0}a\u{3000}", "A")]
        {
            assert_eq!(loose.normalise(left), loose.normalise(right), "{left} {right}");
        }
    }
}
