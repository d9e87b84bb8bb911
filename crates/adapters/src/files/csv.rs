//! CSV files: a header row, quoting as in RFC 4180, and separators as spreadsheets write them.
//!
//! Cells are text, except for fields of other types: `tags` and `criteria` (separated by `;`, or a JSON list), `checks`
//! (a JSON list), `vars` (a JSON object), `must_pass`, `must_answer` and `may_refuse` (true or false), and `context` and
//! `expected_sources` if they are a JSON list of texts.

mod dialect;

use serde_json::{Map, Value};

use promptgate_core::model::{Diagnostic, Diagnostics, Place};

use super::field::Field;
use super::row::{CaseBuilder, DatasetRow, FieldMapping};

pub(super) use dialect::Dialect;

/// Reads the rows of a CSV file.
pub(super) fn read(
    file: &str,
    text: &str,
    mapping: &FieldMapping,
    builder: &mut CaseBuilder<'_>,
) -> Result<Dialect, Diagnostics> {
    // Line endings within cells depend on the editor and must not affect the digest.
    let text = text.replace("\r\n", "\n");
    let dialect = Dialect::detect(file, &text, &|name| mapping.is_known(name));
    let (above, text) = match text.split_once('\n') {
        Some((_, rest)) if dialect.has_separator_line => (1, rest),
        _ => (0, text.as_str()),
    };
    check_quoting(file, text, above, dialect)?;
    let unreadable = |error: ::csv::Error| {
        Diagnostic::new(format!("cannot be read as CSV: {error}")).at(Place::file(file))
    };
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(dialect.separator)
        .has_headers(true)
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(unreadable)?;
    let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    let first = Place::line(file, 1 + above + blank_lines(text));
    check_header(&header).map_err(|diagnostics| diagnostics.at(&first))?;
    builder.recognize(&header.iter().map(|name| (name.clone(), Value::from(""))).collect());
    let mut unnamed = vec![false; header.len()];
    // Spreadsheets export rows that were cleared; in the middle of the file they are mistakes.
    let mut empty: Vec<Place> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        // The reader's position is before any blank lines that precede the row.
        let line = record.position().map_or(1, |position| {
            let start = usize::try_from(position.byte()).unwrap_or(0);
            let blank = text.get(start..).map_or(0, blank_lines);
            usize::try_from(position.line()).unwrap_or(1) + blank + above
        });
        let place = Place::line(file, line);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            empty.push(place);
            continue;
        }
        for place in empty.drain(..) {
            builder.push(DatasetRow {
                columns: Map::new(),
                place: place.clone(),
                locate: &|_, _| place.clone(),
            });
        }
        let beyond = record.iter().skip(header.len()).any(|cell| !cell.trim().is_empty());
        if record.len() < header.len() || beyond {
            let message = format!("the row has {} cells, but the header has {}", record.len(), header.len());
            let what = dialect.name().unwrap_or("commas");
            let help = if beyond {
                format!("cells are separated by {what}: quote those that contain one, or a line break")
            } else {
                format!(
                    "cells are separated by {what}: add the missing ones, or check that every quote is closed"
                )
            };
            builder.sink.push(Diagnostic::new(message).at(place).help(help));
            continue;
        }
        let mut columns = Map::new();
        for (index, (name, cell)) in header.iter().zip(&record).enumerate() {
            if name.is_empty() {
                if let Some(seen) = unnamed.get_mut(index)
                    && !cell.trim().is_empty()
                    && !std::mem::replace(seen, true)
                {
                    builder.sink.push(nameless(index).at(first.clone()));
                }
                continue;
            }
            let value = match cell.trim().is_empty() && mapping.has_default(name) {
                true => Ok(Value::Null),
                false => cell_value(builder.field(name), cell),
            };
            let value = value.unwrap_or_else(|diagnostic| {
                builder.sink.push(diagnostic.at(place.clone()));
                Value::Null
            });
            columns.insert(name.clone(), value);
        }
        builder.push(DatasetRow { columns, place: place.clone(), locate: &|_, _| place.clone() });
    }
    Ok(dialect)
}

/// Number of empty lines at the start of a text.
fn blank_lines(text: &str) -> usize {
    text.bytes().take_while(|byte| *byte == b'\n').count()
}

fn check_header(header: &[String]) -> Result<(), Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    for (index, name) in header.iter().enumerate() {
        if name.is_empty() {
            // Columns without names are ignored where all their cells are empty, as at the end of an exported sheet.
            if header.iter().all(String::is_empty) {
                diagnostics.0.push(nameless(index));
            }
        } else if header.iter().take(index).any(|other| other == name) {
            diagnostics
                .0
                .push(Diagnostic::new(format!("duplicate column `{name}`")).help("rename one of them"));
        }
    }
    if diagnostics.0.is_empty() { Ok(()) } else { Err(diagnostics) }
}

fn nameless(index: usize) -> Diagnostic {
    Diagnostic::new(format!("column {} has no name", index + 1)).help("name it in the header, or remove it")
}

/// Converts a cell to a value. An empty cell is null for a field and empty text for a variable.
fn cell_value(field: Option<Field>, cell: &str) -> Result<Value, Diagnostic> {
    let Some(field) = field else { return Ok(Value::String(cell.to_owned())) };
    if cell.trim().is_empty() {
        return Ok(Value::Null);
    }
    let trimmed = cell.trim();
    Ok(match field {
        Field::Id | Field::Group => Value::String(trimmed.to_owned()),
        Field::Query | Field::Expected => Value::String(cell.to_owned()),
        Field::Context | Field::ExpectedSources => match serde_json::from_str::<Vec<String>>(trimmed) {
            Ok(passages) => passages.into(),
            Err(_) => Value::String(cell.to_owned()),
        },
        Field::Tags | Field::Criteria if !trimmed.starts_with('[') => {
            trimmed.split(';').map(str::trim).filter(|part| !part.is_empty()).collect()
        }
        Field::Tags | Field::Criteria | Field::Checks | Field::Messages | Field::Turns | Field::Vars => {
            serde_json::from_str(trimmed).map_err(|error| {
                let expected = if field == Field::Vars { "object" } else { "list" };
                Diagnostic::new(format!("`{}` must be a JSON {expected} in CSV: {error}", field.name()))
                    .help("double every quote in a quoted cell: \"[\"\"a\"\", \"\"b\"\"]\"")
            })?
        }
        Field::MustPass | Field::MustAnswer | Field::MayRefuse => match trimmed.to_ascii_lowercase().as_str()
        {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "strict" => Value::String("strict".to_owned()),
            _ => Value::String(trimmed.to_owned()),
        },
    })
}

/// Finds quoting errors: the CSV reader silently includes all later rows in a cell whose quote is never closed.
fn check_quoting(file: &str, text: &str, above: usize, dialect: Dialect) -> Result<(), Diagnostic> {
    let separator = char::from(dialect.separator);
    let invalid = |message: &str, line: usize, help: &str| {
        Err(Diagnostic::new(message).at(Place::line(file, line)).help(help))
    };
    let mut line = 1 + above;
    let mut opened = None;
    let mut at_start = true;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, opened) {
            ('"', Some(_)) => match characters.peek() {
                Some('"') => {
                    characters.next();
                }
                None | Some('\n' | '\r') => opened = None,
                Some(next) if *next == separator => opened = None,
                Some(_) => {
                    let help = "inside a quoted cell, write each quote as \"\"";
                    return invalid("text follows a closing quote", line, help);
                }
            },
            ('"', None) if at_start => opened = Some(line),
            _ => {}
        }
        line += usize::from(character == '\n');
        at_start = opened.is_none() && (character == separator || matches!(character, '\n' | '\r'));
    }
    match opened {
        None => Ok(()),
        Some(line) => invalid(
            "a quote is opened but never closed",
            line,
            "close it; inside a quoted cell, write each quote as \"\"",
        ),
    }
}
