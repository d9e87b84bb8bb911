//! `report.json`: the wire format, indented, with a final newline.

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::Style;
use crate::v1::Report;

/// Writes the report as JSON, streaming the trials of one case at a time.
///
/// CI runners execute commands in the form `##[name]` anywhere in a line, so a bracket after two hashes is escaped.
pub(super) fn write(report: &Report, out: &mut dyn Write, _: &Style) -> io::Result<()> {
    let safe = WithoutCommands::new(&mut *out);
    match report.trials_file {
        None => serde_json::to_writer_pretty(safe, report)?,
        // Full indentation would multiply the size of a large report.
        Some(_) => report.serialize(&mut Serializer::with_formatter(safe, LineFormatter::new()))?,
    }
    out.write_all(b"\n")
}

/// Indents the report, with one line for each case, criterion, metric and look.
struct LineFormatter {
    outer: PrettyFormatter<'static>,
    depth: usize,
}

/// Depth without indentation: the report is 1, a list in it 2, a list item 3.
const COMPACT_DEPTH: usize = 3;

impl LineFormatter {
    fn new() -> Self {
        Self { outer: PrettyFormatter::new(), depth: 0 }
    }

    fn is_compact(&self) -> bool {
        self.depth >= COMPACT_DEPTH
    }
}

/// Delegates methods to the formatter for the current depth.
macro_rules! by_depth {
    ($($name:ident($($argument:ident: $kind:ty),*);)+) => {
        $(fn $name<W: ?Sized + Write>(&mut self, out: &mut W $(, $argument: $kind)*) -> io::Result<()> {
            if self.is_compact() { CompactFormatter.$name(out $(, $argument)*) } else { self.outer.$name(out $(, $argument)*) }
        })+
    };
}

impl Formatter for LineFormatter {
    by_depth! {
        begin_array_value(first: bool);
        end_array_value();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.is_compact() { CompactFormatter.begin_array(out) } else { self.outer.begin_array(out) }
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let compact = self.is_compact();
        self.depth -= 1;
        if compact { CompactFormatter.end_array(out) } else { self.outer.end_array(out) }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.is_compact() { CompactFormatter.begin_object(out) } else { self.outer.begin_object(out) }
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let compact = self.is_compact();
        self.depth -= 1;
        if compact { CompactFormatter.end_object(out) } else { self.outer.end_object(out) }
    }
}

/// Writes JSON with `\u005b` for a bracket after two hashes, which can only occur in a string.
pub(crate) struct WithoutCommands<W> {
    out: W,
    /// Hashes at the end of the written bytes, at most two.
    hashes: usize,
}

impl<W: Write> WithoutCommands<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, hashes: 0 }
    }
}

impl<W: Write> Write for WithoutCommands<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        for at in memchr::memchr_iter(b'[', bytes) {
            let before = bytes.get(..at).unwrap_or_default();
            let hashes = trailing_hashes(before);
            // The hashes may be part of an earlier write.
            if hashes >= 2 || (hashes == before.len() && hashes + self.hashes >= 2) {
                self.out.write_all(before.get(written..).unwrap_or_default())?;
                self.out.write_all(b"\\u005b")?;
                written = at + 1;
            }
        }
        self.out.write_all(bytes.get(written..).unwrap_or_default())?;
        let hashes = trailing_hashes(bytes);
        self.hashes = if hashes == bytes.len() { (self.hashes + hashes).min(2) } else { hashes };
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Counts the hashes at the end, at most two.
fn trailing_hashes(bytes: &[u8]) -> usize {
    bytes.iter().rev().take(2).take_while(|byte| **byte == b'#').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn runner_commands_are_escaped_across_writes(text in "[#\\[a\\\\\"]{0,12}", cuts in proptest::collection::vec(0_usize..12, 0..4)) {
            let text = serde_json::to_string(&text).unwrap();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let mut writer = WithoutCommands::new(Vec::new());
            for part in cuts.windows(2) {
                writer.write_all(&text.as_bytes()[part[0]..part[1]]).unwrap();
            }
            let written = String::from_utf8(writer.out).unwrap();
            proptest::prop_assert!(!written.contains("##["));
            let same: String = serde_json::from_str(&written).unwrap();
            proptest::prop_assert_eq!(serde_json::to_string(&same).unwrap(), text);
        }
    }
}
