//! Redaction and clipping of untrusted text: output of models and servers, dataset text, names.

use promptgate_core::text::{Redactor, neutral};

/// Redacts and clips untrusted text. Escaping is left to the format.
pub(crate) struct Sanitizer<'a> {
    redactor: &'a Redactor,
}

impl<'a> Sanitizer<'a> {
    pub(crate) fn new(redactor: &'a Redactor) -> Self {
        Self { redactor }
    }

    pub(crate) fn redactor(&self) -> &'a Redactor {
        self.redactor
    }

    /// Redacts a text and then cuts it to `limit` characters; a cut before redaction could leave a part of a secret.
    pub(crate) fn clip(&self, text: &str, limit: usize) -> String {
        let text = self.redactor.redact(text);
        // No text has more characters than bytes.
        if text.len() <= limit { text.into_owned() } else { neutral::clip(&text, limit) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use promptgate_core::text::Secret;

    #[test]
    fn clip_redacts_before_cutting() {
        let redactor = Redactor::new(&[Secret::new("sk-0123456789&<\"/+")]);
        let sanitizer = Sanitizer::new(&redactor);
        assert_eq!(sanitizer.clip("key sk-0123456789&<\"/+ here", 400), "key [redacted] here");
        assert!(!sanitizer.clip("key sk-0123456789&<\"/+ here", 12).contains("sk-"));
        assert_eq!(sanitizer.clip("abcdef", 4), "abc…");
    }
}
