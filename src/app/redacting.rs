//! Redacts secrets in written text, line by line: no secret contains a line break.

use std::io::{self, Write};

use promptgate_core::text::Redactor;

/// A writer that redacts. Text after the last line break is written by [`Redacting::finish`].
pub(crate) struct Redacting<'a, W: Write> {
    out: W,
    redactor: &'a Redactor,
    line: Vec<u8>,
}

impl<'a, W: Write> Redacting<'a, W> {
    /// Writes to `out`.
    pub(crate) fn new(out: W, redactor: &'a Redactor) -> Self {
        Self { out, redactor, line: Vec::new() }
    }

    /// Writes the rest.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.write_line()?;
        self.out.flush()
    }

    fn write_line(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8(line).map_err(io::Error::other)?;
        self.out.write_all(self.redactor.redact(&text).as_bytes())?;
        // Reuses the allocation.
        self.line = text.into_bytes();
        self.line.clear();
        Ok(())
    }
}

impl<W: Write> Write for Redacting<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, more) = rest.split_at(end + 1);
            self.line.extend_from_slice(line);
            self.write_line()?;
            rest = more;
        }
        self.line.extend_from_slice(rest);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
