//! Untrusted text in XML: redacted, on one line, of bounded length.

use promptgate_core::text::{Redactor, neutral};

/// Characters of a name of a suite, case or criterion.
const MAX_NAME: usize = 200;
/// Placeholder for a name without printable characters.
const UNNAMED: &str = "(unnamed)";

/// Sanitizes text for XML and for logs of its readers.
pub(super) struct XmlText<'a> {
    redactor: &'a Redactor,
}

impl<'a> XmlText<'a> {
    pub(super) fn new(redactor: &'a Redactor) -> Self {
        Self { redactor }
    }

    /// One line of at most 300 characters, without control characters and CI runner commands.
    pub(super) fn line(&self, text: &str) -> String {
        // Redaction comes first, since a cut could leave a part of a secret.
        let line = neutral::terminal(&self.redactor.redact(text));
        // XML cannot represent these two.
        line.replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}")
    }

    /// A shorter line that is never empty, since readers reject test cases without a name.
    pub(super) fn name(&self, name: &str) -> String {
        let name = neutral::clip(&self.line(name), MAX_NAME);
        if name.trim().is_empty() { UNNAMED.to_owned() } else { name }
    }
}
