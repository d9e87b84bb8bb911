//! Files of a pattern, line by line.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use promptgate_core::model::Diagnostic;
use promptgate_release::PortError;

use super::message::Line;
use crate::git::{GLOB_OPTIONS, invalid_pattern};

const BUFFER: usize = 1 << 18;
/// Maximum bytes of a line: an exporter's batch of thousands of spans has a few megabytes.
const MAX_LINE: u64 = 64 << 20;

/// Files below a folder.
#[derive(Debug, Clone)]
pub(super) struct Files {
    folder: PathBuf,
    pattern: String,
}

impl Files {
    /// # Errors
    /// An invalid pattern.
    pub(super) fn new(folder: PathBuf, pattern: String) -> Result<Self, Diagnostic> {
        match glob::Pattern::new(&pattern) {
            Ok(_) => Ok(Self { folder, pattern }),
            Err(error) => Err(invalid_pattern(&pattern, &error)),
        }
    }

    /// The pattern, for messages.
    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The regular files, sorted by their path.
    ///
    /// # Errors
    /// [`PortError::Unavailable`] if there are none, or a folder cannot be read.
    pub(super) fn list(&self) -> Result<Vec<PathBuf>, PortError> {
        let folder = self.folder.to_str().ok_or_else(|| {
            PortError::Unavailable("the path of the configuration's folder is not UTF-8".to_owned())
        })?;
        let pattern = match folder.trim_end_matches('/') {
            _ if Path::new(&self.pattern).is_absolute() => self.pattern.clone(),
            "" if folder.is_empty() => self.pattern.clone(),
            folder => format!("{}/{}", glob::Pattern::escape(folder), self.pattern),
        };
        let invalid =
            |error: glob::PatternError| PortError::Invalid(invalid_pattern(&pattern, &error).message);
        let mut files = Vec::new();
        for entry in glob::glob_with(&pattern, GLOB_OPTIONS).map_err(invalid)? {
            let path = entry.map_err(|error| {
                let path = self.shown(error.path());
                PortError::Unavailable(format!("{path}: cannot be read: {}", error.error()))
            })?;
            if path.is_file() {
                files.push(path);
            }
        }
        if files.is_empty() {
            let folder = if folder.is_empty() { "." } else { folder };
            return Err(PortError::Unavailable(format!(
                "no file in {folder} matches `{}`; does the exporter write there?",
                self.pattern
            )));
        }
        files.sort_unstable();
        Ok(files)
    }

    /// A path relative to the folder, for messages.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder).unwrap_or(path).display().to_string()
    }

    /// Reads the lines of a file, and returns whether its last line is still being written.
    ///
    /// # Errors
    /// [`PortError::Unavailable`] if the file cannot be read, [`PortError::Damaged`] with the number of a line that is not
    /// OTLP in JSON.
    pub(super) fn read(
        &self,
        path: &Path,
        lines: &mut u64,
        mut visit: impl FnMut(&Line<'_>),
    ) -> Result<bool, PortError> {
        let unreadable =
            |error: std::io::Error| PortError::Unavailable(format!("{}: {error}", self.shown(path)));
        let mut reader = BufReader::with_capacity(BUFFER, File::open(path).map_err(unreadable)?);
        let mut buffer = Vec::new();
        for number in 1_u64.. {
            buffer.clear();
            reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut buffer).map_err(unreadable)?;
            let is_ended = buffer.ends_with(b"\n");
            let damaged =
                |problem: &str| Err(PortError::Damaged(format!("{}:{number}: {problem}", self.shown(path))));
            if buffer.len() as u64 == MAX_LINE && !is_ended {
                return damaged("the line is longer than 64 MiB");
            }
            if buffer.is_empty() {
                break;
            }
            if buffer.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            *lines += 1;
            match serde_json::from_slice::<Line<'_>>(buffer.trim_ascii_end()) {
                Ok(line) if line.is_otlp() => visit(&line),
                Ok(_) => {
                    return damaged(
                        "expected an object with resourceSpans or resourceLogs, as OTLP exporters write",
                    );
                }
                // An exporter writes a line in pieces and ends it with a line break.
                Err(error) if error.is_eof() && !is_ended => return Ok(true),
                // The text of the parser may quote the line.
                Err(error) => {
                    let problem = match error.classify() {
                        serde_json::error::Category::Eof => "the line is cut off within its JSON",
                        serde_json::error::Category::Data => "not a message of OTLP in JSON",
                        _ => "invalid JSON",
                    };
                    return damaged(&format!("{problem} (column {})", error.column()));
                }
            }
        }
        Ok(false)
    }
}
