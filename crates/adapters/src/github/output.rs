//! Outputs of a step, written to the file in `GITHUB_OUTPUT`.
//!
//! A line of that file is `name=value`, and the last line of a name takes precedence: a line break in a value would set
//! another output. So only values of plain characters are written.

/// Outputs of a step, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs {
    lines: Vec<(String, String)>,
    refused: Vec<String>,
}

impl Outputs {
    /// Adds an output: a word, a number or a path. A value with characters other than ASCII letters and digits, `.`, `_`,
    /// `-`, `/`, `:`, `\`, `+`, `~`, `@`, `#` and inner spaces is omitted, and its name listed in [`Outputs::refused`].
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        if is_plain(&value) {
            self.lines.push((name, value));
        } else {
            self.refused.push(name);
        }
    }

    /// Returns the names of omitted outputs.
    pub fn refused(&self) -> &[String] {
        &self.refused
    }

    /// Returns the lines for the file.
    pub fn text(&self) -> String {
        self.lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
    }
}

fn is_plain(value: &str) -> bool {
    let is_allowed = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '.' | '_' | '-' | '/' | ':' | '\\' | '+' | '~' | '@' | '#' | ' ')
    };
    value.chars().all(is_allowed) && value.trim() == value
}
