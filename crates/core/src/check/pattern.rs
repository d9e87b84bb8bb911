//! Regular expressions of bounded size, for the checks that match.
//!
//! The engine takes time linear in the text, whatever the pattern; hence no look-around and no back-references.

use regex::{Regex, RegexBuilder};

/// Bytes of a pattern, at most.
const MAX_PATTERN: usize = 10_000;
/// Bytes of a compiled pattern, at most, and of its cache.
const MAX_COMPILED: usize = 2 << 20;

/// How a pattern is read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flags {
    /// Upper and lower case are the same.
    pub(crate) ignore_case: bool,
    /// `^` and `$` match at every line.
    pub(crate) multi_line: bool,
    /// `.` matches a line break.
    pub(crate) dot_matches_new_line: bool,
}

/// Compiles a pattern.
///
/// # Errors
/// What is wrong with it, on one line.
pub(crate) fn compile(pattern: &str, flags: Flags) -> Result<Regex, String> {
    if pattern.is_empty() {
        return Err("the pattern is empty, which matches everything".to_owned());
    }
    if pattern.len() > MAX_PATTERN {
        return Err(format!("the pattern is longer than {MAX_PATTERN} bytes"));
    }
    RegexBuilder::new(pattern)
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_matches_new_line)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large when compiled".to_owned(),
            // The last line of the crate's picture is the message itself.
            other => {
                let text = other.to_string();
                let last = text.lines().next_back().unwrap_or_default();
                format!("not a regular expression: {}", last.trim_start_matches("error: "))
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_bad_and_huge_patterns() {
        let error = |pattern: &str| compile(pattern, Flags::default()).unwrap_err();
        assert_eq!(error("a(b"), "not a regular expression: unclosed group");
        assert!(error("(?=a)").contains("look-around"));
        assert!(error("a{1000}{1000}{1000}").contains("too large"));
        assert!(error(&"a".repeat(20_000)).contains("longer than"));
        assert!(error("").contains("empty"));
        assert!(!error(&"(".repeat(5_000)).is_empty());
    }

    #[test]
    fn matches_hostile_text_in_linear_time() {
        let regex = compile("^(a+)+$", Flags::default()).unwrap();
        assert!(!regex.is_match(&format!("{}b", "a".repeat(1_000_000))));
    }
}
