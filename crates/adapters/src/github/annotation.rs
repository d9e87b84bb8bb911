//! What a step prints: annotations, which are commands on purpose, and everything else, which must never be one.

use promptgate_core::text::neutral;

/// Annotations of a step. GitHub shows ten of a kind and drops the rest without a word.
pub const MAX_ANNOTATIONS: usize = 10;

/// Characters of a message; GitHub cuts at 4,096.
const MESSAGE: usize = 1_000;
/// Characters of a title.
const TITLE: usize = 120;
/// Bytes of a path.
const PATH: usize = 1_000;

/// How much an annotation matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Red.
    Error,
    /// Yellow.
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

/// A message beside a line of a file. The words may be anybody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How much it matters.
    pub level: Level,
    /// Its title.
    pub title: String,
    /// What it says; line breaks stay.
    pub message: String,
    /// The file, relative to the workspace, with `/`.
    pub file: Option<String>,
    /// First and last line, from 1; of no use without a file.
    pub lines: Option<(usize, usize)>,
}

impl Annotation {
    /// The command for the runner: one line, without its line break.
    pub fn command(&self) -> String {
        let mut properties = Vec::new();
        if let Some(file) = self.file.as_deref().filter(|file| is_path(file)) {
            properties.push(format!("file={}", property(file)));
            if let Some((first, last)) = self.lines {
                properties.push(format!("line={first}"));
                properties.push(format!("endLine={last}"));
            }
        }
        let title = neutral::clip(&neutral::terminal(&self.title), TITLE);
        if !title.is_empty() {
            properties.push(format!("title={}", property(&title)));
        }
        let lines: Vec<String> = self.message.lines().map(neutral::terminal).collect();
        let message = neutral::clip(&lines.join("\n"), MESSAGE);
        format!("::{} {}::{}", self.level.command(), properties.join(","), data(&message))
    }
}

/// A path that says what it says: others are left out rather than changed.
fn is_path(path: &str) -> bool {
    !path.is_empty() && path.len() <= PATH && neutral::source_line(path) == path
}

/// The value of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text for the log that holds no command: each line passes [`neutral::guarded`], and nothing but `\n` breaks a line.
pub fn log(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    for line in text.replace("\r\n", "\n").split_terminator('\n') {
        let line = line.replace(char::is_control, "\u{FFFD}");
        out.push_str(&neutral::guarded(&line));
        out.push('\n');
    }
    out
}
