//! Regular expressions of limited size.
//!
//! Matching takes linear time for every pattern, since look-around and back-references are not supported.

use regex::{Regex, RegexBuilder};

/// Maximum size of a pattern in bytes.
const MAX_PATTERN: usize = 10_000;
/// Maximum size of a compiled pattern in bytes, and of its cache.
const MAX_COMPILED: usize = 2 << 20;

/// Options of a pattern.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flags {
    /// Ignore case.
    pub(crate) ignore_case: bool,
    /// `^` and `$` match at the start and end of each line.
    pub(crate) multi_line: bool,
    /// `.` matches a line break.
    pub(crate) dot_matches_new_line: bool,
}

/// Compiles a pattern.
///
/// # Errors
/// The syntax error, in one line.
pub(crate) fn compile(pattern: &str, flags: Flags) -> Result<Regex, String> {
    if pattern.is_empty() {
        return Err("the pattern is empty and would match everything".to_owned());
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
            // The last line of the error is the message, after a copy of the pattern.
            other => {
                let text = other.to_string();
                let last = text.lines().next_back().unwrap_or_default();
                format!("not a regular expression: {}", last.trim_start_matches("error: "))
            }
        })
}

/// Returns a warning if a pattern matches every text, or every text that is not empty.
pub(crate) fn matches_everything(regex: &Regex) -> Option<String> {
    const PROBES: [&str; 6] = ["a", "0", "%", "ß", "\u{2013}", "Zz 9."];
    if !PROBES.iter().all(|probe| regex.is_match(probe)) {
        return None;
    }
    let pattern = super::reason::quoted(regex.as_str());
    if !regex.is_match("") {
        return Some(format!("{pattern} matches every text that is not empty"));
    }
    let empty_branch = ["|", "|)", "(|", "||"].iter().any(|part| match *part {
        "|" => regex.as_str().ends_with('|') || regex.as_str().starts_with('|'),
        part => regex.as_str().contains(part),
    });
    let hint = if empty_branch { ", since one of its alternatives is empty" } else { "" };
    Some(format!("{pattern} matches every text{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_and_huge_patterns_are_rejected() {
        let error = |pattern: &str| compile(pattern, Flags::default()).unwrap_err();
        assert_eq!(error("a(b"), "not a regular expression: unclosed group");
        assert!(error("(?=a)").contains("look-around"));
        assert!(error("a{1000}{1000}{1000}").contains("too large"));
        assert!(error(&"a".repeat(20_000)).contains("longer than"));
        assert!(error("").contains("empty"));
        assert!(!error(&"(".repeat(5_000)).is_empty());
    }

    #[test]
    fn patterns_that_match_everything_are_recognized() {
        let warning = |pattern: &str| matches_everything(&compile(pattern, Flags::default()).unwrap());
        for pattern in [".*", "refund|", "|refund", "(refund|)", "^", "$", "(refund)?", "[\\s\\S]*", "x*"] {
            assert!(warning(pattern).unwrap().contains("every text"), "{pattern}");
        }
        assert!(warning("refund|").unwrap().ends_with("alternatives is empty"));
        assert!(warning(".+").unwrap().ends_with("not empty"));
        for pattern in ["refund", "^$", "\\w+", "[a-z]|[0-9]", "(?s)^.{2,}$", "refund\\|", "\\d"] {
            assert_eq!(warning(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn matching_takes_linear_time() {
        let regex = compile("^(a+)+$", Flags::default()).unwrap();
        assert!(!regex.is_match(&format!("{}b", "a".repeat(1_000_000))));
    }
}
