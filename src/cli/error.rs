//! Renders diagnostics for standard error.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Style};

use crate::app::Failure;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::neutral;

/// The text of a failure, with color escapes; the stream strips them where they do not belong.
pub(super) fn render_failure(failure: &Failure) -> String {
    match failure {
        Failure::Diagnostics(diagnostics) => render_all(&diagnostics.0),
        Failure::Incomplete(diagnostics) => diagnostics.0.iter().map(render).collect(),
        Failure::Unsettled(diagnostic) | Failure::Nothing(diagnostic) | Failure::Unwritten(diagnostic) => {
            render(diagnostic)
        }
        Failure::Internal(message) => render(&Diagnostic::new(message)),
    }
}

/// All diagnostics, and how many there are.
fn render_all(diagnostics: &[Diagnostic]) -> String {
    let mut text: String = diagnostics.iter().map(render).collect();
    if diagnostics.len() > 1 {
        text.push_str(&format!("{} errors; nothing was called\n", diagnostics.len()));
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
        _ => return without_excerpt(&message, place, help.as_deref()),
    };
    if let Some(help) = &help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let mut text = Renderer::styled().render(&[group]);
    text.push_str("\n\n");
    text
}

/// A message without a source line, in the same form.
fn without_excerpt(message: &str, place: Option<&Place>, help: Option<&str>) -> String {
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
