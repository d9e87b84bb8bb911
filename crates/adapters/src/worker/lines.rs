//! Lines of a stream, up to a size limit.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Bytes that are reserved for one read.
const CHUNK: usize = 64 << 10;

/// A failure to read a line.
#[derive(Debug)]
pub(super) enum LineError {
    /// The line exceeds the limit; its start.
    TooLong(Vec<u8>),
    Io(io::Error),
}

/// Splits a stream into lines. Reading can be cancelled at any time without loss.
pub(super) struct LineReader<R> {
    stream: R,
    buffer: Vec<u8>,
    /// Start of the bytes that were not returned yet.
    start: usize,
    /// End of the bytes that were searched for a line break.
    searched: usize,
    max_bytes: usize,
    ended: bool,
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    pub(super) fn new(stream: R, max_bytes: usize) -> Self {
        Self { stream, buffer: Vec::new(), start: 0, searched: 0, max_bytes, ended: false }
    }

    /// Returns the next line that is not blank, without its line break; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        loop {
            if let Some(line) = self.buffered()? {
                if !line.trim_ascii().is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            if self.ended {
                return Ok(None);
            }
            self.fill().await.map_err(LineError::Io)?;
        }
    }

    /// Whether the stream has ended; lines may be left.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Returns the start of a line that has not ended; `None` where there is none, or blanks alone.
    pub(super) fn partial(&self) -> Option<Vec<u8>> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        (!rest.trim_ascii().is_empty()).then(|| rest.to_vec())
    }

    /// Returns a complete line of the buffer, or the rest of the stream at its end.
    fn buffered(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        let unseen = self.buffer.get(self.searched..).unwrap_or_default();
        let line_break = unseen.iter().position(|byte| *byte == b'\n').map(|at| self.searched + at);
        let end = line_break.unwrap_or(self.buffer.len());
        self.searched = end;
        if end - self.start > self.max_bytes {
            let start = self.buffer.get(self.start..end).unwrap_or_default();
            return Err(LineError::TooLong(start.iter().copied().take(CHUNK).collect()));
        }
        if line_break.is_none() && !(self.ended && end > self.start) {
            return Ok(None);
        }
        let line = self.buffer.get(self.start..end).unwrap_or_default().to_vec();
        self.start = (end + 1).min(self.buffer.len());
        self.searched = self.start;
        Ok(Some(line))
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        if self.buffer.is_empty() {
            self.buffer.shrink_to(CHUNK);
        }
        self.buffer.reserve(CHUNK);
        self.ended = self.stream.read_buf(&mut self.buffer).await? == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(bytes: &[u8], max: usize) -> Vec<String> {
        let mut reader = LineReader::new(bytes, max);
        let mut lines = Vec::new();
        loop {
            match reader.next().await {
                Ok(Some(line)) => lines.push(String::from_utf8(line).unwrap()),
                Ok(None) => return lines,
                Err(LineError::TooLong(start)) => {
                    lines.push(format!("too long: {}", String::from_utf8(start).unwrap()));
                    return lines;
                }
                Err(LineError::Io(error)) => panic!("{error}"),
            }
        }
    }

    #[tokio::test]
    async fn lines_are_split_and_blank_ones_skipped() {
        assert_eq!(lines(b"a\nbc\r\n\n  \nd", 10).await, ["a", "bc\r", "d"]);
        assert_eq!(lines(b"", 10).await, [""; 0]);
        let long = "x".repeat(3 * CHUNK);
        assert_eq!(lines(format!("{long}\ny\n").as_bytes(), 4 * CHUNK).await, [long.as_str(), "y"]);
    }

    #[tokio::test]
    async fn line_above_the_limit_is_an_error() {
        assert_eq!(lines(b"ab\nabcd\n", 3).await, ["ab", "too long: abcd"]);
        // The limit holds before the line has ended.
        assert_eq!(lines(b"abcd", 3).await, ["too long: abcd"]);
        assert_eq!(lines(b"abc", 3).await, ["abc"]);
    }
}
