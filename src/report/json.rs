//! `report.json`: the report as it is, indented, one newline at the end.

use std::io::{self, Write};

use super::Report;

/// Writes the report as JSON.
///
/// It may be printed in CI, where a runner reads a command in `##[name]` anywhere in a line. A bracket that comes
/// after two hashes in a string is escaped: the JSON means the same.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(report)?;
    out.write_all(&without_commands(text))?;
    out.write_all(b"\n")
}

/// The same JSON, with `\u005b` for a bracket after two hashes in a string.
fn without_commands(text: Vec<u8>) -> Vec<u8> {
    let mut safe = Vec::with_capacity(text.len());
    let (mut inside, mut escaped, mut hashes) = (false, false, 0_usize);
    for byte in text {
        match byte {
            b'"' if !escaped => {
                inside = !inside;
                hashes = 0;
            }
            b'#' => hashes = hashes.saturating_add(1),
            b'[' if inside && hashes >= 2 => {
                safe.extend_from_slice(b"\\u005b");
                continue;
            }
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
        safe.push(byte);
    }
    safe
}
