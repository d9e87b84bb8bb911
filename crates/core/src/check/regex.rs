//! `regex`: a regular expression matches a part of the answer.

use ::regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::port::{Check, Finding, Subject};

use super::comparison::text;
use super::diagnostic::EntryDiagnostic;
use super::pattern::{self, Flags};
use super::reason::{fail, pass, quoted};
use super::spec::{Built, Files, Spec};

/// A pattern, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum RegexSpec {
    /// This pattern.
    Pattern(String),
    /// With options.
    Map(RegexMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegexMap {
    /// The pattern. It may match any part; anchor it with ^ and $ to match the whole answer.
    pattern: String,
    /// Whether to ignore case. Default: false.
    #[serde(default)]
    ignore_case: bool,
    /// Whether ^ and $ match at the start and end of each line. Default: false.
    #[serde(default)]
    multi_line: bool,
    /// Whether a dot matches a line break. Default: false.
    #[serde(default)]
    dot_matches_new_line: bool,
}

impl Spec for RegexSpec {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let (text, flags, pointer) = match self {
            Self::Pattern(pattern) => (pattern, Flags::default(), ""),
            Self::Map(RegexMap { pattern, ignore_case, multi_line, dot_matches_new_line }) => {
                (pattern, Flags { ignore_case, multi_line, dot_matches_new_line }, "/pattern")
            }
        };
        let regex =
            pattern::compile(&text, flags).map_err(|error| vec![EntryDiagnostic::new(pointer, error)])?;
        let warning = pattern::matches_everything(&regex);
        let warning = warning.map(|message| EntryDiagnostic::new(pointer, message));
        Ok(Built::new(RegexCheck { regex }).warning(warning))
    }
}

#[derive(Debug)]
struct RegexCheck {
    regex: Regex,
}

impl Check for RegexCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let answer = text(subject)?;
        Ok(match self.regex.find(answer) {
            Some(found) => pass(format!("matches {}", quoted(found.as_str()))),
            None => fail(format!("{} does not match", quoted(self.regex.as_str()))),
        })
    }
}
