//! The separator of a CSV file: as its `sep=` line says, else the one that fits its header and rows.

use csv::ReaderBuilder;

/// Separators that spreadsheets write, the likeliest first, with their names.
const SEPARATORS: [(u8, &str); 4] = [(b',', "commas"), (b';', "semicolons"), (b'\t', "tabs"), (b'|', "bars")];

/// Rows that must have as many cells as the header.
const MAX_ROWS: usize = 20;

/// How the cells of a CSV file are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::files) struct Dialect {
    pub(super) separator: u8,
    /// Whether the first line is `sep=…`, which is not a row.
    pub(super) has_separator_line: bool,
}

impl Dialect {
    /// Detects the dialect of a file with line feeds. `is_field` tells names of fields from other columns; a file named
    /// `.tsv` has tabs if they fit as well as anything else.
    pub(super) fn detect(file: &str, text: &str, is_field: &dyn Fn(&str) -> bool) -> Self {
        if let Some(separator) = separator_line(text) {
            return Self { separator, has_separator_line: true };
        }
        let is_tsv = [".tsv", ".tab"].iter().any(|ending| file.to_lowercase().ends_with(ending));
        let fit = |separator: u8| {
            let likely = if is_tsv { b'\t' } else { b',' };
            (fit(text, separator, is_field), separator == likely)
        };
        let separators = SEPARATORS.iter().map(|(separator, _)| *separator);
        // Of equals, the first.
        let best = separators.rev().max_by_key(|separator| fit(*separator));
        Self { separator: best.unwrap_or(b','), has_separator_line: false }
    }

    /// Its name beside the format; `None` for commas.
    pub(in crate::files) fn name(self) -> Option<&'static str> {
        let named = SEPARATORS.iter().find(|(separator, _)| *separator == self.separator);
        named.map(|(_, name)| *name).filter(|_| self.separator != b',')
    }
}

/// The separator of a first line `sep=;`, as spreadsheets write it.
fn separator_line(text: &str) -> Option<u8> {
    let line = text.split('\n').next()?;
    let line = line.trim_end_matches('\r').trim_matches('"');
    let (key, separator) = line.split_at_checked(4)?;
    let [separator] = separator.as_bytes() else { return None };
    (key.eq_ignore_ascii_case("sep=") && separator.is_ascii()).then_some(*separator)
}

/// How well a separator fits: fields in the header, whether rows have as many cells as it has, and its columns. A header of
/// one column fits no separator better than another.
fn fit(text: &str, separator: u8, is_field: &dyn Fn(&str) -> bool) -> (usize, bool, usize) {
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut records = reader.records().map_while(Result::ok);
    let Some(header) = records.next().filter(|header| header.len() > 1) else { return (0, false, 0) };
    let fields = header.iter().filter(|name| is_field(name.trim())).count();
    let regular = records.take(MAX_ROWS).all(|record| record.len() == header.len());
    (fields, regular, header.len())
}
