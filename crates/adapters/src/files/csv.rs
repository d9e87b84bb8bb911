//! CSV files: a header row, commas as separators, quoting as in RFC 4180.
//!
//! Cells are text, except for fields of other types: `tags` and `criteria` (separated by `;`, or a JSON list), `checks`
//! (a JSON list), `vars` (a JSON object), `must_pass` and `must_answer` (true or false), and `context` if it is a JSON
//! list of texts.

use serde_json::{Map, Value};

use promptgate_core::model::{Diagnostic, Place};

use super::field::Field;
use super::row::{CaseBuilder, DatasetRow, FieldMapping};

/// Reads the rows of a CSV file.
pub(super) fn read(file: &str, text: &str, mapping: &FieldMapping, builder: &mut CaseBuilder<'_>) {
    // Line endings within cells depend on the editor and must not affect the digest.
    let text = text.replace("\r\n", "\n");
    if let Some(diagnostic) = quoting_error(file, &text) {
        builder.sink.push(diagnostic);
        return;
    }
    let mut reader =
        ::csv::ReaderBuilder::new().has_headers(true).flexible(true).from_reader(text.as_bytes());
    let header: Vec<String> = match reader.headers() {
        Ok(header) => header.iter().map(|name| name.trim().to_owned()).collect(),
        Err(error) => {
            builder
                .sink
                .push(Diagnostic::new(format!("cannot be read as CSV: {error}")).at(Place::file(file)));
            return;
        }
    };
    let first = Place::line(file, 1 + text.bytes().take_while(|byte| *byte == b'\n').count());
    let diagnostics = header_diagnostics(&header, &first);
    if !diagnostics.is_empty() {
        for diagnostic in diagnostics {
            builder.sink.push(diagnostic);
        }
        return;
    }
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                builder
                    .sink
                    .push(Diagnostic::new(format!("cannot be read as CSV: {error}")).at(Place::file(file)));
                return;
            }
        };
        // The reader's position is before any blank lines that precede the row.
        let line = record.position().map_or(1, |position| {
            let start = usize::try_from(position.byte()).unwrap_or(0);
            let blank =
                text.get(start..).map_or(0, |rest| rest.bytes().take_while(|byte| *byte == b'\n').count());
            usize::try_from(position.line()).unwrap_or(1) + blank
        });
        let place = Place::line(file, line);
        if record.len() != header.len() {
            let message = format!("the row has {} cells, but the header has {}", record.len(), header.len());
            builder.sink.push(
                Diagnostic::new(message).at(place).help("quote cells that contain a comma or a line break"),
            );
            continue;
        }
        let mut columns = Map::new();
        for (name, cell) in header.iter().zip(record.iter()) {
            match cell_value(mapping.field(name), cell) {
                Ok(value) => {
                    columns.insert(name.clone(), value);
                }
                Err(diagnostic) => {
                    builder.sink.push(diagnostic.at(place.clone()));
                    columns.insert(name.clone(), Value::Null);
                }
            }
        }
        if record.iter().all(str::is_empty) {
            builder.sink.push(Diagnostic::new("the row is empty").at(place).help("remove it, or fill it in"));
            continue;
        }
        builder.push(DatasetRow { columns, place: place.clone(), locate: &|_, _| place.clone() });
    }
}

fn header_diagnostics(header: &[String], place: &Place) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    if let [column] = header
        && column.contains([';', '\t'])
    {
        diagnostics.push(
            Diagnostic::new("the header has only one column; cells must be separated by commas")
                .at(place.clone())
                .help("save the file with commas as separators"),
        );
        return diagnostics;
    }
    for (index, name) in header.iter().enumerate() {
        if name.is_empty() {
            let message = format!("column {} has no name", index + 1);
            diagnostics
                .push(Diagnostic::new(message).at(place.clone()).help("name it in the header, or remove it"));
        } else if header.iter().take(index).any(|other| other == name) {
            let message = format!("duplicate column `{name}`");
            diagnostics.push(Diagnostic::new(message).at(place.clone()).help("rename one of them"));
        }
    }
    diagnostics
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
        Field::Context => match serde_json::from_str::<Vec<String>>(trimmed) {
            Ok(passages) => passages.into(),
            Err(_) => Value::String(cell.to_owned()),
        },
        Field::Tags | Field::Criteria if !trimmed.starts_with('[') => {
            trimmed.split(';').map(str::trim).filter(|part| !part.is_empty()).collect()
        }
        Field::Tags | Field::Criteria | Field::Checks | Field::Vars => serde_json::from_str(trimmed)
            .map_err(|error| {
                let expected = if field == Field::Vars { "object" } else { "list" };
                Diagnostic::new(format!("`{}` must be a JSON {expected} in CSV: {error}", field.name()))
                    .help("double every quote in a quoted cell: \"[\"\"a\"\", \"\"b\"\"]\"")
            })?,
        Field::MustPass | Field::MustAnswer => match trimmed.to_ascii_lowercase().as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::String(trimmed.to_owned()),
        },
    })
}

/// Finds quoting errors: the CSV reader silently includes all later rows in a cell whose quote is never closed.
fn quoting_error(file: &str, text: &str) -> Option<Diagnostic> {
    let mut line = 1;
    let mut opened = None;
    let mut at_start = true;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\n' {
            line += 1;
        }
        if opened.is_some() {
            if character == '"' {
                match characters.peek() {
                    Some('"') => {
                        characters.next();
                    }
                    None | Some(',' | '\n' | '\r') => opened = None,
                    Some(_) => {
                        return Some(
                            Diagnostic::new("text follows a closing quote")
                                .at(Place::line(file, line))
                                .help("double quotes in a quoted cell: \"\""),
                        );
                    }
                }
            }
            at_start = false;
        } else if character == '"' && at_start {
            opened = Some(line);
            at_start = false;
        } else {
            at_start = matches!(character, ',' | '\n' | '\r');
        }
    }
    opened.map(|line| {
        Diagnostic::new("a quote is opened but never closed")
            .at(Place::line(file, line))
            .help("close it; double quotes in a quoted cell: \"\"")
    })
}
