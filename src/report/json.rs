//! `report.json`: the report as it is, indented, one newline at the end.

use std::io::{self, Write};

use super::Report;

/// Writes the report as JSON, case by case: its trials may be many more than memory holds.
///
/// It may be printed in CI, where a runner reads a command in `##[name]` anywhere in a line. A bracket that comes
/// after two hashes in a string is escaped: the JSON means the same.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut safe = WithoutCommands { out: &mut *out, inside: false, escaped: false, hashes: 0 };
    serde_json::to_writer_pretty(&mut safe, report)?;
    out.write_all(b"\n")
}

/// Passes JSON on with `\u005b` for a bracket after two hashes in a string.
struct WithoutCommands<W> {
    out: W,
    inside: bool,
    escaped: bool,
    hashes: usize,
}

impl<W: Write> Write for WithoutCommands<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut passed = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                b'"' if !self.escaped => {
                    self.inside = !self.inside;
                    self.hashes = 0;
                }
                b'#' => self.hashes = self.hashes.saturating_add(1),
                b'[' if self.inside && self.hashes >= 2 => {
                    self.out.write_all(bytes.get(passed..at).unwrap_or_default())?;
                    self.out.write_all(b"\\u005b")?;
                    passed = at + 1;
                    continue;
                }
                _ => {}
            }
            self.escaped = byte == b'\\' && !self.escaped;
        }
        self.out.write_all(bytes.get(passed..).unwrap_or_default())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
