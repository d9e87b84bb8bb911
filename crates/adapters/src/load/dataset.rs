//! Datasets: JSONL, JSON, CSV and YAML files, one or many, into one ordered set of cases.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use promptgate_core::document::{Document, pointer};
use promptgate_core::model::{Dataset, DatasetFacts, DatasetFormat, Diagnostic, Place};

use super::field::kind;
use super::row::{Builder, Mapping, Row};
use super::tree::decode;
use super::{LoadError, Loaded, Tree, csv, digest};

/// Bytes of one dataset file: 256 MiB.
pub const DATASET_LIMIT: u64 = 256 << 20;

/// The format that a file's extension names.
fn format_of_extension(path: &str) -> Option<DatasetFormat> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_lowercase();
    match name.rsplit_once('.')?.1 {
        "jsonl" | "ndjson" => Some(DatasetFormat::Jsonl),
        "json" => Some(DatasetFormat::Json),
        "csv" => Some(DatasetFormat::Csv),
        "yaml" | "yml" => Some(DatasetFormat::Yaml),
        _ => None,
    }
}

/// The format that the first characters suggest; never CSV, which looks like any text.
fn sniff_format(text: &str) -> Option<DatasetFormat> {
    let start = text.trim_start();
    if start.starts_with('[') {
        Some(DatasetFormat::Json)
    } else if start.starts_with('{') {
        Some(DatasetFormat::Jsonl)
    } else if start.starts_with("- ") || start.starts_with("-\n") || start.starts_with("---\n") {
        Some(DatasetFormat::Yaml)
    } else {
        None
    }
}

/// Which files a dataset is read from, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatasetSource {
    /// A path or a glob, relative to the configuration.
    pub path: String,
    /// The format; found by the file's ending, else by its first characters, where it is not given.
    pub format: Option<DatasetFormat>,
    /// Our field name (or `vars.NAME`) to the column's name in the files.
    pub fields: BTreeMap<String, String>,
    /// The variable that takes the column `id` where several rows may share one; rows are then named by their number.
    pub shared_ids: Option<String>,
}

/// Reads a dataset.
///
/// # Errors
/// [`LoadError::Empty`] where the files are fine and hold no row, else every diagnostic in the files, up to twenty.
pub fn dataset(tree: &Tree, source: &DatasetSource) -> Result<Loaded<Dataset>, LoadError> {
    let mapping = Mapping::new(&source.fields)?.share_ids(source.shared_ids.as_deref());
    let paths = tree.glob(&source.path)?;
    if paths.is_empty() {
        if source.path.contains(['*', '?', '[']) {
            return Err(Diagnostic::new("the pattern matches no file")
                .at(Place::file(tree.describe(&source.path)))
                .help("paths are relative to the configuration; `**` spans folders")
                .into());
        }
        // Says what is there instead.
        tree.read_limited(&source.path, DATASET_LIMIT)?;
    }
    let mut builder = Builder::new(&mapping);
    let mut formats: Vec<DatasetFormat> = Vec::new();
    let mut empty: Vec<String> = Vec::new();
    for path in &paths {
        let rows = builder.rows();
        match read(tree, path, source.format, &mapping, &mut builder) {
            Ok(Some(format)) if !formats.contains(&format) => formats.push(format),
            Ok(_) => {}
            Err(diagnostic) => builder.sink.push(diagnostic),
        }
        if builder.rows() == rows {
            empty.push(tree.describe(path));
        }
    }
    let rows = builder.rows();
    let (cases, mut warnings) = builder.finish()?;
    if rows == 0 {
        return Err(LoadError::Empty(
            Diagnostic::new("the dataset has no rows")
                .at(Place::file(tree.describe(&source.path)))
                .help("add at least one case, such as {\"query\": \"…\", \"context\": \"…\"}"),
        ));
    }
    warnings.extend(empty.into_iter().map(|path| format!("{path} has no rows")));
    formats.sort();
    let format = formats.iter().map(|format| format.as_str()).collect::<Vec<_>>().join(", ");
    let facts =
        DatasetFacts { path: source.path.clone(), format, digest: digest(&cases), cases: cases.len() };
    Ok(Loaded { value: Dataset { facts, cases }, warnings })
}

/// Reads one file; the format it has, `None` for an empty one.
fn read(
    tree: &Tree,
    path: &str,
    format: Option<DatasetFormat>,
    mapping: &Mapping,
    builder: &mut Builder<'_>,
) -> Result<Option<DatasetFormat>, Diagnostic> {
    let file = tree.describe(path);
    let bytes = tree.read_limited(path, DATASET_LIMIT)?;
    let text = decode(&file, &bytes)?;
    let Some(format) = format.or_else(|| format_of_extension(path)).or_else(|| sniff_format(text)) else {
        if text.trim().is_empty() {
            return Ok(None);
        }
        return Err(Diagnostic::new("cannot tell the format of the dataset")
            .at(Place::file(file))
            .help("say it: `dataset: {path: …, format: jsonl}` (or json, csv, yaml)"));
    };
    if text.trim().is_empty() {
        return Ok(Some(format));
    }
    match format {
        DatasetFormat::Jsonl => jsonl(&file, text, builder),
        DatasetFormat::Csv => csv::read(&file, text, mapping, builder),
        DatasetFormat::Json => match Document::json(&file, text) {
            Ok(document) => list(&document, &file, builder),
            Err(mut diagnostics) => {
                if looks_like_lines(text)
                    && let Some(first) = diagnostics.0.first_mut()
                {
                    first.help = Some("one object a line is JSONL: set `format: jsonl`".to_owned());
                }
                builder.sink.extend(diagnostics);
            }
        },
        DatasetFormat::Yaml => match Document::yaml(&file, text) {
            Ok(document) => list(&document, &file, builder),
            Err(diagnostics) => builder.sink.extend(diagnostics),
        },
    }
    Ok(Some(format))
}

fn looks_like_lines(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let is_object = |line: &str| serde_json::from_str::<Map<String, Value>>(line).is_ok();
    lines.next().is_some_and(is_object) && lines.next().is_some_and(|line| line.trim_start().starts_with('{'))
}

fn jsonl(file: &str, text: &str, builder: &mut Builder<'_>) {
    for (index, line) in text.split('\n').enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let document = match Document::json_from(file, index + 1, line) {
            Ok(document) => document,
            Err(mut diagnostics) => {
                if let Some(help) = no_line(text, line) {
                    for diagnostic in &mut diagnostics.0 {
                        diagnostic.help = Some(help.to_owned());
                    }
                    builder.sink.extend(diagnostics);
                    return;
                }
                builder.sink.extend(diagnostics);
                continue;
            }
        };
        // The line is enough; the column and the picture of a row would cost more than reading it.
        row(&document, "", Place::line(file, index + 1), document.value(), builder);
    }
}

/// Help where the file is JSON over several lines, so that every line of it would be a mistake.
fn no_line(text: &str, line: &str) -> Option<&'static str> {
    match (text.trim_start().as_bytes().first(), line.trim()) {
        (Some(b'['), _) => Some("the file looks like a JSON list: set `format: json`"),
        (Some(b'{'), "{") => Some("JSONL has one whole object a line: join the lines of each row"),
        _ => None,
    }
}

fn list(document: &Document, file: &str, builder: &mut Builder<'_>) {
    match document.value() {
        Value::Array(rows) => {
            for (index, value) in rows.iter().enumerate() {
                let pointer = format!("/{index}");
                row(document, &pointer, document.place(&pointer), value, builder);
            }
        }
        // A file of comments.
        Value::Null => {}
        Value::Object(map) => {
            let inner = map.iter().find(|(_, value)| value.is_array()).map(|(key, _)| key);
            let help = match inner {
                Some(key) => format!("the file is to be the list itself: take it out of `{key}`"),
                None => "put the rows into a list: [{…}, {…}]".to_owned(),
            };
            let diagnostic = Diagnostic::new("a dataset is a list of rows, found an object");
            builder.sink.push(diagnostic.at(document.place("")).help(help));
        }
        other => {
            let diagnostic = Diagnostic::new(format!("a dataset is a list of rows, found {}", kind(other)));
            builder.sink.push(diagnostic.at(Place::file(file)).help("put the rows into a list: [{…}, {…}]"));
        }
    }
}

fn row(document: &Document, parent: &str, place: Place, value: &Value, builder: &mut Builder<'_>) {
    let Value::Object(columns) = value else {
        let diagnostic = Diagnostic::new(format!("a row is an object, found {}", kind(value)));
        builder
            .sink
            .push(diagnostic.at(document.place(parent)).help("write {\"query\": \"…\", \"context\": \"…\"}"));
        return;
    };
    let locate = |column: &str, key: bool| {
        let pointer = pointer(parent, column);
        if key { document.key_place(&pointer) } else { document.place(&pointer) }
    };
    builder.push(Row { columns: columns.clone(), place, locate: &locate });
}
