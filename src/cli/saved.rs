//! Reports on disk: written, read back, printed.

use std::path::{Path, PathBuf};

use super::args::OutputFormat;
use super::error::Failure;
use super::files::write_whole;
use super::output;
use super::redacting::Redacting;
use crate::model::{Mistake, Place};
use crate::report::{self, Format, Report, Style};
use crate::text::Redactor;

/// The largest report.json that is read back, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// What a run leaves in its folder.
const FILES: [(&str, Format); 2] = [("report.json", Format::Json), ("report.md", Format::Markdown)];

/// Makes the folder of the reports and tries to write there, before anything is spent on a run.
pub(super) fn prepare(folder: &Path) -> Result<(), Failure> {
    let probe = std::fs::create_dir_all(folder)
        .and_then(|()| tempfile::Builder::new().prefix(".promptgate-").tempfile_in(folder));
    let blocked = FILES.iter().map(|(name, _)| folder.join(name)).find(|path| path.is_dir());
    let message = match (probe, blocked) {
        (Err(error), _) => format!("no report can be written here: {error}"),
        (Ok(_), Some(path)) => format!("no report can be written here: {} is a folder", path.display()),
        (Ok(_), None) => return Ok(()),
    };
    let place = Place::file(folder.display().to_string());
    Err(Mistake::new(message).at(place).help("name a folder that can be written to with `--out`").into())
}

/// Writes report.json and report.md into a folder; returns their paths.
pub(super) fn write(report: &Report, folder: &Path, redactor: &Redactor) -> Result<Vec<PathBuf>, Failure> {
    FILES
        .into_iter()
        .map(|(name, format)| {
            let path = folder.join(name);
            write_whole(&path, |file| {
                let mut file = Redacting::new(file, redactor);
                report::write(report, format, &mut file, Style::default())?;
                file.finish()
            })?;
            Ok(path)
        })
        .collect()
}

/// Prints a report on standard output.
pub(super) fn print(
    report: &Report,
    format: OutputFormat,
    redactor: &Redactor,
    files: &[PathBuf],
) -> Result<(), Failure> {
    let (format, style) = match format {
        OutputFormat::Json => (Format::Json, Style::default()),
        OutputFormat::Markdown => (Format::Markdown, Style::default()),
        OutputFormat::Terminal => (
            Format::Terminal,
            Style {
                width: output::width(),
                color: output::colored(),
                files: files.iter().map(|path| path.display().to_string()).collect(),
            },
        ),
    };
    output::stream(|out| {
        let mut out = Redacting::new(out, redactor);
        report::write(report, format, &mut out, style)?;
        out.finish()
    })
}

/// Reads a report.json.
pub(super) fn read(path: &Path) -> Result<Report, Failure> {
    let file = path.display().to_string();
    let refuse = |message: String| {
        Failure::from(
            Mistake::new(message)
                .at(Place::file(file.clone()))
                .help("name a report.json that `promptgate run` wrote"),
        )
    };
    let facts =
        std::fs::metadata(path).map_err(|error| refuse(format!("cannot read this report: {error}")))?;
    if !facts.is_file() {
        return Err(refuse("this is not a file".to_owned()));
    }
    if facts.len() > MAX_BYTES {
        return Err(refuse("this report is larger than 1 GiB".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(|error| refuse(format!("cannot read this report: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| refuse("this report is not UTF-8 text".to_owned()))?;
    Ok(report::read(&file, &text)?)
}
