//! Tables and notes of plans and calibrations.

use std::io::{self, Write};

use super::table;
use promptgate_core::text::neutral;

/// Writes a table and an empty line.
pub(crate) fn write_table(out: &mut impl Write, table: &comfy_table::Table) -> io::Result<()> {
    for text in table.lines() {
        line(out, &text)?;
    }
    writeln!(out)
}

/// Writes lines without terminal or CI runner commands.
pub(crate) fn line(out: &mut impl Write, text: &str) -> io::Result<()> {
    text.split('\n').try_for_each(|text| writeln!(out, "{}", neutral::guarded(text.trim_end_matches(' '))))
}

/// Writes a note, wrapped.
pub(crate) fn note(out: &mut impl Write, text: &str, width: u16) -> io::Result<()> {
    let wrapped = table(&["", ""], &[], 1, vec![vec!["note".to_owned(), neutral::terminal(text)]], width);
    for text in wrapped.lines().skip(2) {
        line(out, &text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn line_breaks_end_lines() {
        let mut out = Vec::new();
        super::line(&mut out, "a\n\nb  \n").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a\n\nb\n\n");
    }
}
