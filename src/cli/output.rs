//! Standard output is data, standard error is talk.

use std::io::Write;

use super::args::Color;
use super::error::Failure;
use promptgate_core::text::neutral;

/// Writes data to standard output.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    stream(|out| out.write_all(text.as_bytes()))
}

/// Writes data to standard output, piece by piece.
pub(super) fn stream(write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), Failure> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    write(&mut out).and_then(|()| out.flush()).map_err(|error| Failure::writing("standard output", &error))
}

/// Writes a failure to standard error.
pub(super) fn report(failure: &Failure) {
    let text = failure.render();
    // There is nobody left to tell where standard error is closed.
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// Writes warnings to standard error, each on a line.
pub(super) fn warn(messages: &[String]) {
    let mut err = std::io::stderr().lock();
    for message in messages {
        let _ = writeln!(err, "warning: {}", neutral::terminal(message));
    }
}

/// Writes a line of talk to standard error.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", neutral::terminal(line));
}

/// Carries the choice of `--color` to everything that prints.
pub(super) fn choose_color(color: Color) {
    match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// Whether standard output shows colours.
pub(super) fn colored() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

/// Columns of the terminal, from 60 to 100; 100 where there is none.
pub(super) fn width() -> usize {
    let columns = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    columns.unwrap_or(100).clamp(60, 100)
}

/// Prints what the parser of the arguments has to say.
///
/// It repeats values as they were given: one that would act in a log is shown without colours, and harmless.
pub(super) fn explain(error: &clap::Error) -> std::io::Result<()> {
    let plain = error.render().to_string();
    let harmless: Vec<String> = plain.lines().map(neutral::guarded).collect();
    if plain.lines().eq(harmless.iter()) {
        return error.print();
    }
    writeln!(std::io::stderr().lock(), "{}", harmless.join("\n"))
}
