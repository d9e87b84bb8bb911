//! Mistakes in an entry of the configuration.

/// A mistake in an entry: where in it, what, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDiagnostic {
    /// JSON pointer within the entry: `/contains/any/0`; empty for the entry as a whole.
    pub pointer: String,
    /// What is wrong, lower case, without a full stop.
    pub message: String,
    /// The next step.
    pub help: Option<String>,
}

impl EntryDiagnostic {
    /// A mistake without help.
    pub(crate) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into(), help: None }
    }

    /// The same mistake with the next step.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// An unknown key, with the known one that looks like it or all known ones.
    pub(crate) fn unknown_key(parent: &str, key: &str, known: &[&str]) -> Self {
        let diagnostic = Self::new(child(parent, key), format!("unknown key {}", super::reason::quoted(key)));
        match similar(key, known) {
            Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
            None => diagnostic.help(format!("known keys: {}", known.join(", "))),
        }
    }

    /// The same mistake, its pointer below `parent`.
    pub(crate) fn below(mut self, parent: &str) -> Self {
        self.pointer.insert_str(0, parent);
        self
    }
}

/// The pointer of `key` below `parent` (RFC 6901, section 3).
pub(crate) fn child(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The known word that a user most likely meant.
pub(crate) fn similar<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = word.to_lowercase().replace('-', "_");
    let tolerated = (lower.chars().count() / 3).max(1);
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, candidate), *candidate))
        .filter(|(distance, _)| *distance <= tolerated)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_near_words_only() {
        let known = ["contains", "not_contains", "min_chars"];
        assert_eq!(similar("contain", &known), Some("contains"));
        assert_eq!(similar("Not-Contains", &known), Some("not_contains"));
        assert_eq!(similar("min_chras", &known), Some("min_chars"));
        assert_eq!(similar("regex", &known), None);
    }

    #[test]
    fn escapes_pointers() {
        assert_eq!(child("/a", "b/c~d"), "/a/b~1c~0d");
    }
}
