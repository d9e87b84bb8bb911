//! Output of a step: annotations, which are workflow commands, and log text, which must never contain one.

use promptgate_core::text::neutral;

/// Maximum characters of a message; GitHub cuts at 4,096.
const MAX_MESSAGE: usize = 1_000;
/// Maximum characters of a title.
const MAX_TITLE: usize = 120;
/// Maximum bytes of a path.
const MAX_PATH: usize = 1_000;

/// The severity of an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Shown in red.
    Error,
    /// Shown in yellow.
    Warning,
}

impl Level {
    fn command(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A message at a line of a file. Its text is untrusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The severity.
    pub level: Level,
    /// The title.
    pub title: String,
    /// The message; line breaks are kept.
    pub message: String,
    /// Path of the file relative to the workspace, with `/`.
    pub file: Option<String>,
    /// First and last line, from 1; ignored without a file.
    pub lines: Option<(usize, usize)>,
}

impl Annotation {
    /// Returns the workflow command: one line without a line break.
    pub fn command(&self) -> String {
        let mut properties = Vec::new();
        if let Some(file) = self.file.as_deref().filter(|file| is_safe_path(file)) {
            properties.push(format!("file={}", escape_property(file)));
            if let Some((first, last)) = self.lines {
                properties.push(format!("line={first}"));
                properties.push(format!("endLine={last}"));
            }
        }
        let title = neutral::clip(&neutral::terminal(&self.title), MAX_TITLE);
        if !title.is_empty() {
            properties.push(format!("title={}", escape_property(&title)));
        }
        let lines: Vec<String> = self.message.lines().map(neutral::terminal).collect();
        let message = neutral::clip(&lines.join("\n"), MAX_MESSAGE);
        format!("::{} {}::{}", self.level.command(), properties.join(","), escape_message(&message))
    }
}

/// Whether neutralizing leaves the path unchanged; other paths are omitted.
fn is_safe_path(path: &str) -> bool {
    !path.is_empty() && path.len() <= MAX_PATH && neutral::source_line(path) == path
}

/// Escapes the message of a command.
fn escape_message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command.
fn escape_property(text: &str) -> String {
    escape_message(text).replace(':', "%3A").replace(',', "%2C")
}

/// Returns log text without workflow commands: each line passes [`neutral::guarded`], and only `\n` breaks lines.
pub fn log(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    for line in text.replace("\r\n", "\n").split_terminator('\n') {
        let line = line.replace(char::is_control, "\u{FFFD}");
        out.push_str(&neutral::guarded(&line));
        out.push('\n');
    }
    out
}
