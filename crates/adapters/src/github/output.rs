//! The file that `GITHUB_OUTPUT` names.
//!
//! A line is `name=value` there, and of two lines with one name the last one wins: a line break in a value would be
//! another output. So only what has a plain form is written.

/// Outputs of a step, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs {
    lines: Vec<(&'static str, String)>,
    refused: Vec<&'static str>,
}

impl Outputs {
    /// Adds an output: a word, a number or a path. One with any other character than letters and digits of ASCII, `.`,
    /// `_`, `-`, `/`, `:`, `\`, `+`, `~`, `@`, `#` and blanks inside is left out, and named by [`Outputs::refused`].
    pub fn add(&mut self, name: &'static str, value: impl Into<String>) {
        let value = value.into();
        if is_plain(&value) {
            self.lines.push((name, value));
        } else {
            self.refused.push(name);
        }
    }

    /// The names of what was left out.
    pub fn refused(&self) -> &[&'static str] {
        &self.refused
    }

    /// The lines for the file.
    pub fn text(&self) -> String {
        self.lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
    }
}

fn is_plain(value: &str) -> bool {
    let plain = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '.' | '_' | '-' | '/' | ':' | '\\' | '+' | '~' | '@' | '#' | ' ')
    };
    value.chars().all(plain) && value.trim() == value
}
