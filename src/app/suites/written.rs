//! The files of several suites beside the folders of their reports.

use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use super::super::Failure;
use super::super::files::write_whole;
use super::super::report_files;
use promptgate_core::text::Redactor;
use promptgate_report::comment::COMMENT_BYTES;
use promptgate_report::suites::{SCHEMA, Suites};
use promptgate_report::{Format, Report, Style};

/// The file with the result of all.
pub(crate) const NAME: &str = "suites.json";

/// Removes the result of an earlier run of several suites, so that it is not taken for that of this run.
pub(in crate::app) fn discard(folder: &Path) {
    let path = folder.join(NAME);
    let start = std::fs::File::open(&path).and_then(|file| {
        let mut start = String::new();
        io::Read::take(file, 200).read_to_string(&mut start).map(|_| start)
    });
    if start.is_ok_and(|start| start.contains(SCHEMA)) {
        // A file that cannot be removed cannot be replaced either, which is reported.
        let _ = std::fs::remove_file(path);
    }
}

/// Writes suites.json and the other formats, and returns their paths.
///
/// # Errors
/// A file that cannot be written; then none of this run is left.
pub(crate) fn write(
    suites: &Suites,
    reports: &[Option<(&Report, &Redactor)>],
    folder: &Path,
) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = Vec::new();
    let result = (|| {
        for (name, format) in files() {
            let path = folder.join(name);
            write_whole(&path, |out| write_format(suites, reports, format, out))?;
            paths.push(path);
        }
        Ok(())
    })();
    if result.is_err() {
        for (name, _) in files() {
            let _ = std::fs::remove_file(folder.join(name));
        }
    }
    result.map(|()| paths)
}

/// The files with their formats; suites.json comes first, and report.json is each suite's own.
fn files() -> impl Iterator<Item = (&'static str, Format)> {
    Format::files().map(|(name, format)| if format == Format::Json { (NAME, format) } else { (name, format) })
}

/// Writes the result of all suites in a format.
///
/// # Errors
/// Those of `out`, and a format that several suites do not have.
fn write_format(
    suites: &Suites,
    reports: &[Option<(&Report, &Redactor)>],
    format: Format,
    out: &mut dyn Write,
) -> io::Result<()> {
    let present = || reports.iter().enumerate().filter_map(|(at, report)| report.map(|of| (at, of)));
    match format {
        Format::Json => promptgate_report::write_json(suites, out),
        Format::Markdown => {
            let section = |at: usize, _limit: usize| {
                let (report, redactor) = reports.get(at).copied().flatten()?;
                let mut text = Vec::new();
                let style = Style { redactor: redactor.clone(), ..Style::default() };
                promptgate_report::write(report, Format::Markdown, &mut text, style).ok()?;
                Some(redactor.redact(&String::from_utf8_lossy(&text)).into_owned())
            };
            let limit = COMMENT_BYTES.saturating_mul(suites.suites.len() + 1);
            let text = promptgate_report::suites_markdown(suites, &Redactor::default(), limit, section);
            out.write_all(text.as_bytes())
        }
        Format::Html => {
            let page = Format::Html.file_name().unwrap_or_default();
            promptgate_report::write_suites_page(suites, page, out, &Style::default())
        }
        Format::Junit => {
            let reports: Vec<_> = present().collect();
            promptgate_report::write_suites_junit(suites, &reports, out)
        }
        Format::Terminal | Format::Csv => {
            Err(io::Error::other(format!("several suites are not written as {format}")))
        }
    }
}

/// The result of all suites in a format.
///
/// # Errors
/// A format that several suites do not have.
pub(crate) fn render(
    suites: &Suites,
    reports: &[Option<(&Report, &Redactor)>],
    format: Format,
) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    write_format(suites, reports, format, &mut text)
        .map_err(|error| Failure::Internal(format!("could not write the result of all suites: {error}")))?;
    Ok(text)
}

/// Prepares the folder of all, and removes the report of an earlier run of one suite there.
///
/// # Errors
/// As for the folder of a report.
pub(crate) fn prepare(folder: &Path) -> Result<(), Failure> {
    report_files::prepare(folder)?;
    report_files::remove_all(folder);
    Ok(())
}
