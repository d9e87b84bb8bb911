//! Renderings of a report. A format is one module here and one row of `formats!`.

pub mod comment;
mod csv;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod markdown;
pub mod summary;
pub(crate) mod terminal;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use crate::v1::Report;
use promptgate_core::text::Redactor;

/// Defines [`Format`] from one row per format: variant, name, help text, file name in the output folder, writer.
macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident($name:literal, $help:literal, $file:expr, $write:path);)+) => {
        /// A report format.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub enum Format { $($(#[$doc])* $variant,)+ }

        impl Format {
            /// Every format, in the order of the help text.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            fn entry(self) -> Entry {
                match self {
                    $(Self::$variant => Entry { name: $name, help: $help, file: $file, write: $write },)+
                }
            }
        }
    };
}

formats! {
    /// Tables for a terminal or a log.
    #[default]
    Terminal("terminal", "A table for people", None, terminal::write);
    /// The version 1 wire format.
    Json("json", "report.json", Some("report.json"), json::write);
    /// Markdown, also the body of the pull request comment.
    Markdown("markdown", "report.md", Some("report.md"), markdown::write);
    /// A self-contained page.
    Html("html", "report.html", Some("report.html"), html::write);
    /// Test results.
    Junit("junit", "junit.xml", Some("junit.xml"), junit::write);
    /// A row per case.
    Csv("csv", "A row per case, for spreadsheets", None, csv::write);
}

/// A row of the format table.
struct Entry {
    name: &'static str,
    help: &'static str,
    file: Option<&'static str>,
    write: fn(&Report, &mut dyn Write, &Style) -> io::Result<()>,
}

impl Format {
    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        self.entry().name
    }

    /// The help text on the command line.
    pub fn help(self) -> &'static str {
        self.entry().help
    }

    /// The file name in the output folder; `None` for a format that is only printed.
    pub fn file_name(self) -> Option<&'static str> {
        self.entry().file
    }

    /// The formats that are written to the output folder, with their file names.
    pub fn files() -> impl DoubleEndedIterator<Item = (&'static str, Self)> {
        Self::ALL.into_iter().filter_map(|format| Some((format.file_name()?, format)))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An unknown format name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format, expected one of {}", Format::ALL.map(Format::as_str).join(", "))]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.as_str() == name).ok_or(UnknownFormat)
    }
}

/// Options of a rendering.
#[derive(Debug, Clone)]
pub struct Style {
    /// Terminal width in columns, at least 60.
    pub width: usize,
    /// Whether to colour a terminal with ANSI sequences.
    pub color: bool,
    /// Whether a terminal report shows the answers of the worst cases.
    pub answers: bool,
    /// Whether a terminal report leaves out warnings; the files have them.
    pub quiet: bool,
    /// Paths of the written report files, listed at the end of a terminal report.
    pub files: Vec<String>,
    /// Removes secrets. Formats that escape text redact it first, since an escaped secret would not match.
    pub redactor: Redactor,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            width: 100,
            color: false,
            answers: false,
            quiet: false,
            files: Vec::new(),
            redactor: Redactor::default(),
        }
    }
}

/// Writes a report.
///
/// # Errors
/// Those of the writer, and of the spool of the run.
pub fn write(report: &Report, format: Format, out: &mut impl Write, style: Style) -> io::Result<()> {
    (format.entry().write)(report, out, &style)
}
