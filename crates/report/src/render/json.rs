//! `report.json`: the report as it is, indented, one newline at the end.

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::Style;
use crate::v1::Report;

/// Writes the report as JSON, case by case: its trials may be many more than memory holds.
///
/// It may be printed in CI, where a runner reads a command in `##[name]` anywhere in a line. A bracket that comes
/// after two hashes in a string is escaped: the JSON means the same.
pub(super) fn write(report: &Report, out: &mut dyn Write, _: &Style) -> io::Result<()> {
    let safe = WithoutCommands::new(&mut *out);
    match report.trials_file {
        None => serde_json::to_writer_pretty(safe, report)?,
        // Indented, a hundred thousand cases would be mostly spaces.
        Some(_) => report.serialize(&mut Serializer::with_formatter(safe, Flat::new()))?,
    }
    out.write_all(b"\n")
}

/// Indents the report, but writes each case, criterion, metric and look on a line of its own.
struct Flat {
    outer: PrettyFormatter<'static>,
    depth: usize,
}

/// From this depth on nothing is indented: the report is 1, a list in it 2, what is listed 3.
const INNER: usize = 3;

impl Flat {
    fn new() -> Self {
        Self { outer: PrettyFormatter::new(), depth: 0 }
    }

    fn is_inner(&self) -> bool {
        self.depth >= INNER
    }
}

/// Passes each of these on to the one formatter or the other.
macro_rules! by_depth {
    ($($name:ident($($argument:ident: $kind:ty),*);)+) => {
        $(fn $name<W: ?Sized + Write>(&mut self, out: &mut W $(, $argument: $kind)*) -> io::Result<()> {
            if self.is_inner() { CompactFormatter.$name(out $(, $argument)*) } else { self.outer.$name(out $(, $argument)*) }
        })+
    };
}

impl Formatter for Flat {
    by_depth! {
        begin_array_value(first: bool);
        end_array_value();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.is_inner() { CompactFormatter.begin_array(out) } else { self.outer.begin_array(out) }
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let inner = self.is_inner();
        self.depth -= 1;
        if inner { CompactFormatter.end_array(out) } else { self.outer.end_array(out) }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.is_inner() { CompactFormatter.begin_object(out) } else { self.outer.begin_object(out) }
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let inner = self.is_inner();
        self.depth -= 1;
        if inner { CompactFormatter.end_object(out) } else { self.outer.end_object(out) }
    }
}

/// Passes JSON on with `\u005b` for a bracket after two hashes, which is in a string.
pub(crate) struct WithoutCommands<W> {
    out: W,
    /// Hashes at the end of what was passed on, at most two.
    hashes: usize,
}

impl<W: Write> WithoutCommands<W> {
    /// Writes to `out`.
    pub(crate) fn new(out: W) -> Self {
        Self { out, hashes: 0 }
    }
}

impl<W: Write> Write for WithoutCommands<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut passed = 0;
        for at in memchr::memchr_iter(b'[', bytes) {
            let before = bytes.get(..at).unwrap_or_default();
            let hashes = trailing_hashes(before);
            // They may have come with the bytes before these.
            if hashes >= 2 || (hashes == before.len() && hashes + self.hashes >= 2) {
                self.out.write_all(before.get(passed..).unwrap_or_default())?;
                self.out.write_all(b"\\u005b")?;
                passed = at + 1;
            }
        }
        self.out.write_all(bytes.get(passed..).unwrap_or_default())?;
        let hashes = trailing_hashes(bytes);
        self.hashes = if hashes == bytes.len() { (self.hashes + hashes).min(2) } else { hashes };
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Hashes that bytes end with, at most two.
fn trailing_hashes(bytes: &[u8]) -> usize {
    bytes.iter().rev().take(2).take_while(|byte| **byte == b'#').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_command_is_left_however_the_text_comes(text in "[#\\[a\\\\\"]{0,12}", cuts in proptest::collection::vec(0_usize..12, 0..4)) {
            let text = serde_json::to_string(&text).unwrap();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let mut safe = WithoutCommands::new(Vec::new());
            for part in cuts.windows(2) {
                safe.write_all(&text.as_bytes()[part[0]..part[1]]).unwrap();
            }
            let safe = String::from_utf8(safe.out).unwrap();
            proptest::prop_assert!(!safe.contains("##["));
            let same: String = serde_json::from_str(&safe).unwrap();
            proptest::prop_assert_eq!(serde_json::to_string(&same).unwrap(), text);
        }
    }
}
