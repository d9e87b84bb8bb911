//! Reports: a view of a run and its decision in types of their own, and the ways to show it.
//!
//! [`v1`] is the frozen format that scripts read (`report.json`); [`write()`] shows a report on a terminal, as JSON,
//! as Markdown, as a page or as test results. Everything here is pure but for the writer handed in: opening, renaming and sending files is
//! left to the callers, redaction of secrets to the text room, and every decision to the gate.

pub mod calibration;
pub mod comment;
mod concern;
mod disclose;
mod effect;
#[cfg(test)]
mod fixtures;
mod html;
mod json;
mod judge;
mod junit;
mod large;
mod lengths;
mod looks;
mod markdown;
mod number;
mod origin;
pub mod plan;
pub mod shard;
mod slices;
pub mod spool;
mod tables;
mod terminal;
#[cfg(test)]
mod tests;
pub mod v1;
mod view;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

pub use concern::{Concern, concerns};
pub use disclose::Disclose;
pub use large::{KEPT, LARGE, TRIALS_FILE};
use promptgate_core::text::Redactor;
pub use v1::{Digesting, Report, TrialsFile, is_line, read, schema};

/// What would settle an inconclusive run, what it takes, and how to ask for it; `None` for any other.
pub fn settle_words(report: &Report) -> Option<String> {
    looks::settle(report)
}

/// A way to show a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Tables for a person at a terminal or reading a log.
    Terminal,
    /// `report.json`, version 1.
    Json,
    /// `report.md`, also the body of the comment on a pull request.
    Markdown,
    /// `report.html`, a page that needs nothing beside itself.
    Html,
    /// `junit.xml`, for systems that show test results.
    Junit,
}

impl Format {
    /// Every format, in the order of the help text.
    pub const ALL: [Self; 5] = [Self::Terminal, Self::Json, Self::Markdown, Self::Html, Self::Junit];

    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Junit => "junit",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format, expected one of terminal, json, markdown, html, junit")]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.as_str() == name).ok_or(UnknownFormat)
    }
}

/// How a report looks.
#[derive(Debug, Clone)]
pub struct Style {
    /// Columns of a terminal to keep to, at least 60.
    pub width: usize,
    /// Whether to colour a terminal with ANSI sequences.
    pub color: bool,
    /// Where the report files are, for the last line; empty where none were written.
    pub files: Vec<String>,
    /// What must not be in it: formats that escape text take secrets out of it before they do.
    pub redactor: Redactor,
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 100, color: false, files: Vec::new(), redactor: Redactor::default() }
    }
}

/// Writes a report.
///
/// # Errors
/// Those of the writer; a report itself can always be shown.
pub fn write(report: &Report, format: Format, out: &mut impl Write, style: Style) -> io::Result<()> {
    match format {
        Format::Terminal => terminal::write(report, out, &style),
        Format::Json => json::write(report, out),
        Format::Markdown => markdown::write(report, out, &style.redactor),
        Format::Html => html::write(report, out, &style.redactor),
        Format::Junit => junit::write(report, out, &style.redactor),
    }
}

/// Writes all trials of a report, one to a line, as they stand in the file that [`TrialsFile`] speaks of; returns how
/// many lines they are.
///
/// # Errors
/// Those of the writer, and of the file that the trials are read from.
pub fn write_trials(report: &Report, out: &mut impl Write) -> io::Result<usize> {
    v1::write_lines(report, &mut json::WithoutCommands::new(out))
}
