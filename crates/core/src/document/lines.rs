//! Conversion of byte offsets to lines, columns and excerpts.

use super::secret::looks_like_secret;

use crate::model::Place;
use crate::text::json::Span;

/// Maximum length of an excerpt in characters.
const EXCERPT: usize = 200;

/// Number of characters that are searched for secrets: more than an excerpt has, since it may cut a secret in half.
const SEARCHED: usize = 4 * EXCERPT;

/// Number of bytes of a line in which columns are counted by character. Without a limit, the locations in a dataset of one
/// long line would take quadratic time.
const COUNTED: usize = 16 * 1024;

/// A text, its name and the start of each line.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    file: String,
    first_line: usize,
    text: String,
    ascii: bool,
    starts: Vec<usize>,
}

impl Lines {
    /// Splits a text into lines, which end with LF, CR LF or a lone CR. Removes a byte order mark.
    pub(super) fn new(file: &str, first_line: usize, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (index, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' || (*byte == b'\r' && bytes.get(index + 1) != Some(&b'\n')) {
                starts.push(index + 1);
            }
        }
        Self { file: file.to_owned(), first_line, ascii: text.is_ascii(), text, starts }
    }

    /// Returns the text without byte order mark.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the number of the last line with text before an offset.
    pub(super) fn last_line(&self, end: usize) -> usize {
        let written = self.text.get(..self.floor(end)).unwrap_or_default().trim_end();
        self.first_line + self.starts.partition_point(|&line| line < written.len()).saturating_sub(1)
    }

    /// Returns the location of a span, limited to its first line.
    pub(super) fn place(&self, span: Span) -> Place {
        let start = self.floor(span.start as usize);
        let index = self.starts.partition_point(|&line| line <= start).saturating_sub(1);
        let begin = self.starts.get(index).copied().unwrap_or(0);
        let line = self.line(index);
        let into = (start - begin).min(line.len());
        let mut place = Place::line(self.file.clone(), self.first_line + index);
        if !self.ascii && into > COUNTED {
            return place;
        }
        let column = self.characters(line.get(..into).unwrap_or(line)) + 1;
        place.column = Some(column);
        let head = line.char_indices().nth(SEARCHED).map_or(line, |(end, _)| line.get(..end).unwrap_or(line));
        if column > EXCERPT || looks_like_secret(head) {
            return place;
        }
        let excerpt: String =
            line.chars().take(EXCERPT).map(|c| if c == '\t' { ' ' } else { printable(c) }).collect();
        let shown = excerpt.chars().count();
        let end = self.floor(span.end as usize).saturating_sub(begin).clamp(into, line.len());
        let marked = line.get(into..end).unwrap_or("").chars().take(EXCERPT).count();
        place.length = marked.min((shown + 1).saturating_sub(column));
        place.excerpt = Some(excerpt);
        place
    }

    /// Returns a line without its line break.
    fn line(&self, index: usize) -> &str {
        let begin = self.starts.get(index).copied().unwrap_or(0);
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        self.text.get(begin..end).unwrap_or("").trim_end_matches(['\n', '\r'])
    }

    fn characters(&self, text: &str) -> usize {
        if self.ascii { text.len() } else { text.chars().count() }
    }

    /// Returns the nearest character boundary at or before an offset.
    fn floor(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

/// Replaces control characters, which could move the cursor of a terminal.
fn printable(c: char) -> char {
    if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }
}
