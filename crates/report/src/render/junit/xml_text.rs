//! What others wrote, on its way into the file: without secrets, in one line, within bounds.

use promptgate_core::text::{Redactor, neutral};

/// Characters of a name: an id of a case or a criterion, the suite.
const NAME: usize = 200;
/// What stands where a name holds nothing that can be shown.
const UNNAMED: &str = "(unnamed)";

/// Texts of a report, made fit for XML and for the logs of those who read it.
pub(super) struct Words<'a> {
    redactor: &'a Redactor,
}

impl<'a> Words<'a> {
    /// Without these secrets.
    pub(super) fn new(redactor: &'a Redactor) -> Self {
        Self { redactor }
    }

    /// One line of at most 300 characters, without control characters and without commands to a CI runner.
    pub(super) fn text(&self, text: &str) -> String {
        // A secret goes before the cut, which would leave a part of it.
        let line = neutral::terminal(&self.redactor.redact(text));
        // Of all that is left, XML has no way to write these two.
        line.replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}")
    }

    /// The same for a name, which is never empty: readers drop or choke on test cases without one.
    pub(super) fn name(&self, name: &str) -> String {
        let name = neutral::clip(&self.text(name), NAME);
        if name.trim().is_empty() { UNNAMED.to_owned() } else { name }
    }
}
