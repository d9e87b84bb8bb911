//! Takes secrets out of what is written, line by line: none of them holds a line break.

use std::io::{self, Write};

use promptgate_core::text::Redactor;

/// A writer behind which there is no secret. What follows the last line break goes out with [`Redacting::finish`].
pub(super) struct Redacting<'a, W: Write> {
    out: W,
    redactor: &'a Redactor,
    line: Vec<u8>,
}

impl<'a, W: Write> Redacting<'a, W> {
    /// Writes to `out`.
    pub(super) fn new(out: W, redactor: &'a Redactor) -> Self {
        Self { out, redactor, line: Vec::new() }
    }

    /// Writes the rest.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.pass()?;
        self.out.flush()
    }

    fn pass(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8(line).map_err(io::Error::other)?;
        self.out.write_all(self.redactor.redact(&text).as_bytes())?;
        // The room for a line is used again.
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
            self.pass()?;
            rest = more;
        }
        self.line.extend_from_slice(rest);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
