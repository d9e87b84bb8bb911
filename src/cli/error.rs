//! What can go wrong before a verdict, and how it is shown.

use std::io;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Style};

use super::exit::ExitStatus;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_core::text::neutral;

/// A command that came to no verdict.
#[derive(Debug)]
pub(super) enum Failure {
    /// The user's mistakes: exit 2.
    Diagnostics(Diagnostics),
    /// Shards that do not make a run: exit 12.
    Incomplete(Diagnostics),
    /// Nothing to evaluate: exit 3.
    Nothing(Diagnostic),
    /// The machine's fault (disk full, no permission): exit 1.
    Internal(String),
    /// The reader of standard output went away: not an error of ours, but not a pass either.
    BrokenPipe,
}

impl Failure {
    /// The exit status.
    pub(super) fn status(&self) -> ExitStatus {
        match self {
            Self::Diagnostics(_) => ExitStatus::Usage,
            Self::Incomplete(_) => ExitStatus::Incomplete,
            Self::Nothing(_) => ExitStatus::NothingToEvaluate,
            Self::Internal(_) | Self::BrokenPipe => ExitStatus::Internal,
        }
    }

    /// An error of writing to `what`.
    pub(super) fn writing(what: &str, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::BrokenPipe
        } else {
            Self::Internal(format!("could not write {what}: {error}"))
        }
    }

    /// The text for standard error, with colour escapes (the stream strips them where they do not belong).
    pub(super) fn render(&self) -> String {
        match self {
            Self::Diagnostics(diagnostics) => render_all(&diagnostics.0),
            Self::Incomplete(diagnostics) => diagnostics.0.iter().map(render).collect(),
            Self::Nothing(diagnostic) => render(diagnostic),
            Self::Internal(message) => render(&Diagnostic::new(message)),
            Self::BrokenPipe => String::new(),
        }
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Diagnostics(diagnostics)
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Diagnostics(diagnostic.into())
    }
}

/// All mistakes, each with its picture, and how many there are.
pub(super) fn render_all(diagnostics: &[Diagnostic]) -> String {
    let mut text: String = diagnostics.iter().map(render).collect();
    if diagnostics.len() > 1 {
        text.push_str(&format!("{} mistakes; nothing was called\n", diagnostics.len()));
    }
    text
}

fn render(diagnostic: &Diagnostic) -> String {
    let message = neutral::terminal(&diagnostic.message);
    let help = diagnostic.help.as_deref().map(neutral::terminal);
    let place = diagnostic.place.as_ref();
    let excerpt = place.and_then(|place| place.excerpt.as_deref()).map(neutral::source_line);
    let file = place.map(|place| neutral::terminal(&place.file));
    let title = Level::ERROR.primary_title(message.as_str());
    let mut group = match (place, &file, &excerpt) {
        (Some(place), Some(file), Some(excerpt)) => {
            let span = characters(excerpt, place.column.unwrap_or(1), place.length);
            title.element(
                Snippet::source(excerpt.as_str())
                    .line_start(place.line.unwrap_or(1))
                    .path(file.as_str())
                    .annotation(AnnotationKind::Primary.span(span)),
            )
        }
        _ => return without_picture(&message, place, help.as_deref()),
    };
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let mut text = Renderer::styled().render(&[group]);
    text.push_str("\n\n");
    text
}

/// A message where there is no line to show: in the same form, and as well aligned.
fn without_picture(message: &str, place: Option<&Place>, help: Option<&str>) -> String {
    const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
    const BOLD: Style = Style::new().bold();
    const EDGE: Style = AnsiColor::BrightBlue.on_default().bold();
    let mut text = format!("{ERROR}error{ERROR:#}{BOLD}: {message}{BOLD:#}\n");
    if let Some(place) = place {
        let flag = if place.file.starts_with("--") { "flag " } else { "" };
        text.push_str(&format!("  {EDGE}-->{EDGE:#} {flag}{}\n", neutral::terminal(&place.to_string())));
    }
    if let Some(help) = help {
        text.push_str(&format!("   {EDGE}={EDGE:#} {BOLD}help{BOLD:#}: {help}\n"));
    }
    text.push('\n');
    text
}

/// The bytes of `length` characters of a line from a column on, kept inside the line.
fn characters(line: &str, column: usize, length: usize) -> std::ops::Range<usize> {
    let offset =
        |characters: usize| line.char_indices().nth(characters).map_or(line.len(), |(offset, _)| offset);
    let start = column.saturating_sub(1);
    offset(start)..offset(start.saturating_add(length.max(1)))
}
