//! Standard output takes data, standard error everything else.

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use super::args::{Color, OutputFlags};
use super::error;
use super::exit::ExitStatus;
use crate::app::report_files::{Reported, style};
use crate::app::{Failure, Redacting, Watched};
use promptgate_core::text::{Redactor, neutral};
use promptgate_report::suites::Suites;
use promptgate_report::{Format, Report, Style};

/// Writes data to standard output.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    stream(|out| out.write_all(text.as_bytes()))
}

/// Writes lines for people to standard output. They repeat names, reasons and messages of other systems, so control
/// sequences and commands of a CI runner are taken out.
pub(super) fn print_lines(text: &str) -> Result<(), Failure> {
    print(&text.lines().map(|line| format!("{}\n", neutral::source_line(line))).collect::<String>())
}

/// Writes data to standard output in pieces. A reader that is gone, like `head`, has seen what it wanted.
pub(super) fn stream(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut watched = Watched::new(io::stdout().lock());
    let mut out = io::BufWriter::new(&mut watched);
    let written = write(&mut out).and_then(|()| out.flush());
    drop(out);
    match written.map_err(|error| watched.cause(error)) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::writing("standard output", &error))
        }
        _ => Ok(()),
    }
}

/// Writes a failure to standard error.
pub(super) fn report(failure: &Failure) {
    let text = error::render_failure(failure);
    // A closed standard error cannot be reported.
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// Writes warnings to standard error, each on a line.
pub(super) fn warn(messages: &[String]) {
    let mut err = io::stderr().lock();
    for message in messages {
        let _ = writeln!(err, "warning: {}", neutral::terminal(message));
    }
}

/// Writes a line to standard error.
pub(super) fn info(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", neutral::terminal(line));
}

/// Applies `--color`.
pub(super) fn choose_color(color: Color) {
    match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// Whether standard output shows colors.
fn colored() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// Columns of the terminal, from 60 to 100; 100 where there is none.
pub(super) fn width() -> usize {
    let columns = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    columns.unwrap_or(100).clamp(60, 100)
}

/// The style of a terminal rendering on standard output, without secrets to redact.
pub(super) fn terminal_style() -> Style {
    style(&Redactor::default(), width(), colored(), &[])
}

/// Prints an error of the argument parser, help or version.
///
/// Errors repeat the values of arguments: where one holds control characters, the text is escaped and not colored.
pub(super) fn explain(error: &clap::Error) -> io::Result<()> {
    let plain = error.render().to_string();
    let escaped: Vec<String> = plain.lines().map(neutral::guarded).collect();
    if plain.lines().eq(escaped.iter()) {
        return match error.print() {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        };
    }
    writeln!(io::stderr().lock(), "{}", escaped.join("\n"))
}

/// Content of a terminal report beside the tables.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Detail {
    /// The answers of the worst cases, also where no developer looks.
    pub(super) answers: bool,
    /// Neither answers nor warnings.
    pub(super) quiet: bool,
}

/// Variables that CI systems set.
const CI_VARIABLES: [&str; 5] = ["CI", "BUILD_NUMBER", "JENKINS_URL", "TEAMCITY_VERSION", "TF_BUILD"];

/// Whether a developer reads standard output: a terminal that is not the log of a CI system.
fn has_developer() -> bool {
    let is_set =
        |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "false");
    io::stdout().is_terminal() && !CI_VARIABLES.iter().any(is_set)
}

/// Prints a report, and then what could not be written of it; returns the exit code.
pub(super) fn print_reported(
    reported: &mut Reported,
    output: &OutputFlags,
    status: ExitStatus,
    detail: Detail,
) -> ExitStatus {
    let rules = output.exit_rules();
    reported.report.exit_code = status.unless_unwritten(&reported.unwritten, rules).code();
    let printed = print_report(&reported.report, output.format, &reported.redactor, &reported.files, detail);
    reported.unwritten.extend(printed.err());
    reported.unwritten.iter().for_each(report);
    status.unless_unwritten(&reported.unwritten, rules)
}

/// Prints the result of several suites as a table.
pub(super) fn print_suites(suites: &Suites, files: &[PathBuf]) -> Result<(), Failure> {
    let style = style(&Redactor::default(), width(), colored(), files);
    stream(|out| promptgate_report::write_suites(suites, out, &style))
}

/// Prints a report.
pub(super) fn print_report(
    report: &Report,
    format: Format,
    redactor: &Redactor,
    files: &[PathBuf],
    detail: Detail,
) -> Result<(), Failure> {
    let answers = detail.answers || (!detail.quiet && has_developer());
    let style = match format {
        Format::Terminal => {
            Style { answers, quiet: detail.quiet, ..style(redactor, width(), colored(), files) }
        }
        _ => Style { redactor: redactor.clone(), ..Style::default() },
    };
    stream(|out| {
        let mut out = Redacting::new(out, redactor);
        promptgate_report::write(report, format, &mut out, style)?;
        out.finish()
    })
}
