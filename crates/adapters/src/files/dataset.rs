//! Reads one or more JSONL, JSON, CSV or YAML files into one ordered set of cases.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use promptgate_core::document::{Document, pointer};
use promptgate_core::model::{Case, Dataset, DatasetFacts, DatasetFormat, Diagnostic, Diagnostics, Place};

use super::defaults::file_fields;
use super::diagnostics::did_you_mean;
use super::digest::equal_rows;
use super::field::{Field, kind};
use super::prompt::extension;
use super::row::{CaseBuilder, DatasetRow, FieldMapping};
use super::tree::{decode, is_utf16};
use super::{LoadError, Loaded, Tree, conversation, csv, digest};

/// Maximum size of a dataset file: 256 MiB.
pub const DATASET_LIMIT: u64 = 256 << 20;

/// Returns the format for a file extension.
fn format_of_extension(path: &str) -> Option<DatasetFormat> {
    match extension(path).as_str() {
        "ndjson" => Some(DatasetFormat::Jsonl),
        "yml" => Some(DatasetFormat::Yaml),
        "tsv" | "tab" => Some(DatasetFormat::Csv),
        name => DatasetFormat::from_name(name),
    }
}

/// Guesses the format from the first characters; CSV only after `sep=`, since it cannot be distinguished from plain text.
fn sniff_format(text: &str) -> Option<DatasetFormat> {
    let start = text.trim_start();
    if start.starts_with('[') {
        Some(DatasetFormat::Json)
    } else if start.starts_with('{') {
        Some(DatasetFormat::Jsonl)
    } else if start.starts_with("- ") || start.starts_with("-\n") || start.starts_with("---\n") {
        Some(DatasetFormat::Yaml)
    } else if start.trim_start_matches('"').starts_with("sep=") {
        Some(DatasetFormat::Csv)
    } else {
        None
    }
}

/// The files of a dataset and how to read them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatasetSource {
    /// A path or a glob, relative to the configuration.
    pub path: String,
    /// The format; by default determined by the file extension, else by the first characters.
    pub format: Option<DatasetFormat>,
    /// Maps a field name (or `vars.NAME`) to the column name in the files.
    pub fields: BTreeMap<String, String>,
    /// The path of the list of rows in a JSON or YAML file: keys separated by dots. By default the file is the list, or an
    /// object around one.
    pub rows: Option<String>,
    /// The variable that the `id` column becomes if several rows may share an id; case ids are then row numbers.
    pub shared_ids: Option<String>,
    /// Whether a row that does not say so must pass.
    pub must_pass: MustPassDefault,
    /// Values of fields and variables that a row lacks.
    pub defaults: Map<String, Value>,
    /// Names of the fields and variables whose values are paths of files, which [`read_values`](super::read_values) reads.
    pub files: Vec<String>,
    /// Which answers of a conversation are graded.
    pub grade_turns: TurnGrading,
}

/// Which answers of a case with turns are graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TurnGrading {
    /// The answer to the last turn.
    #[default]
    Last,
    /// The answer to each turn, as a case of its own: ID/1, ID/2, …
    Each,
}

/// Whether the case of a row without `must_pass` is a criterion of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MustPassDefault {
    /// It is not.
    #[default]
    No,
    /// It is.
    Yes,
    /// It is, also where it flickers in both variants alike.
    Strict,
    /// It is if it has criteria, which nothing else would decide.
    WithCriteria,
}

impl MustPassDefault {
    pub(super) fn apply(self, case: &mut Case) {
        case.must_pass = match self {
            Self::No => false,
            Self::Yes | Self::Strict => true,
            Self::WithCriteria => !case.criteria.is_empty(),
        };
        case.must_pass_strict = self == Self::Strict;
    }
}

/// Bytes of the files of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetBytes {
    /// Name of the path or glob in messages.
    pub name: String,
    /// The files, or why they cannot be listed.
    pub files: Result<Vec<DatasetFile>, Diagnostic>,
}

/// Bytes of one file of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetFile {
    /// Name of the file in messages.
    pub name: String,
    /// Its path, relative to the configuration.
    pub path: String,
    /// Content of the file, or why it cannot be read.
    pub bytes: Result<Vec<u8>, Diagnostic>,
}

/// Reads a dataset.
///
/// # Errors
/// As [`parse_dataset`].
pub fn dataset(tree: &Tree, source: &DatasetSource) -> Result<Loaded<Dataset>, LoadError> {
    parse_dataset(fetch_dataset(tree, &source.path), source)
}

/// Reads the bytes of a path or of all files that a glob matches.
pub fn fetch_dataset(tree: &Tree, path: &str) -> DatasetBytes {
    let file = |path: &String| DatasetFile {
        name: tree.describe(path),
        path: path.clone(),
        bytes: tree.read_limited(path, DATASET_LIMIT),
    };
    let listed = tree.glob(path).and_then(|paths| match paths.as_slice() {
        [] if path.contains(['*', '?', '[']) => Err(Diagnostic::new("no file matches the pattern")
            .at(Place::file(tree.describe(path)))
            .help("paths are relative to the configuration; `**` spans folders")),
        // Fails with a diagnostic about the missing file.
        [] => tree.read_limited(path, DATASET_LIMIT).map(|_| Vec::new()),
        paths => Ok(paths.iter().map(file).collect()),
    });
    DatasetBytes { name: tree.describe(path), files: listed }
}

/// Parses the bytes of a dataset.
///
/// # Errors
/// [`LoadError::Empty`] if the files are valid but contain no rows, else up to twenty diagnostics.
pub fn parse_dataset(bytes: DatasetBytes, source: &DatasetSource) -> Result<Loaded<Dataset>, LoadError> {
    parse_valid_rows(bytes, source).0
}

/// Parses the bytes of a dataset like [`parse_dataset`]. If that fails, also returns the cases of the valid rows, so
/// that what refers to them can be checked as well.
pub fn parse_valid_rows(
    bytes: DatasetBytes,
    source: &DatasetSource,
) -> (Result<Loaded<Dataset>, LoadError>, Vec<Case>) {
    match FieldMapping::new(&source.fields, source.shared_ids.clone()) {
        Ok(mut mapping) => {
            mapping.set_values(source.defaults.clone(), file_fields(&source.files));
            let mut builder = CaseBuilder::new(&mapping, source.must_pass);
            let parsed = parse_rows(bytes, source, &mapping, &mut builder);
            (parsed, builder.into_valid_cases())
        }
        Err(diagnostics) => (Err(diagnostics.into()), Vec::new()),
    }
}

fn parse_rows(
    bytes: DatasetBytes,
    source: &DatasetSource,
    mapping: &FieldMapping,
    builder: &mut CaseBuilder<'_>,
) -> Result<Loaded<Dataset>, LoadError> {
    let mut formats: Vec<(DatasetFormat, String)> = Vec::new();
    let mut empty_files: Vec<String> = Vec::new();
    for file in bytes.files? {
        let rows = builder.rows();
        builder.file.clone_from(&file.path);
        let bytes = file.bytes.map_err(Diagnostics::from);
        match bytes.and_then(|bytes| read(&file.name, &bytes, source, mapping, builder)) {
            Ok(Some(format)) if !formats.contains(&format) => formats.push(format),
            Ok(_) => {}
            Err(diagnostics) => builder.sink.extend(diagnostics),
        }
        if builder.rows() == rows {
            empty_files.push(file.name);
        }
    }
    let rows = builder.rows();
    let (cases, mut warnings) = builder.finish()?;
    let cases = match source.grade_turns {
        TurnGrading::Last => cases,
        TurnGrading::Each => conversation::by_turn(cases)?,
    };
    // Rows of ratings repeat the answer that they rate.
    if source.shared_ids.is_none() {
        warnings.extend(equal_rows(&cases));
    }
    if rows == 0 {
        return Err(LoadError::Empty(
            Diagnostic::new("the dataset has no rows")
                .at(Place::file(bytes.name))
                .help("add at least one case, such as {\"query\": \"…\", \"context\": \"…\"}"),
        ));
    }
    warnings.extend(empty_files.into_iter().map(|path| format!("{path} has no rows")));
    formats.sort();
    let mut format = formats.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(tool) = builder.read_as() {
        format.push_str(&format!(", read as {tool}"));
    }
    let facts = DatasetFacts {
        path: source.path.clone(),
        format,
        digest: digest(&cases),
        cases: cases.len(),
        partial: None,
    };
    Ok(Loaded { value: Dataset { facts, cases }, warnings })
}

/// Parses one file and returns its format with the name for readers, `None` if the file is empty and its extension unknown.
fn read(
    file: &str,
    bytes: &[u8],
    source: &DatasetSource,
    mapping: &FieldMapping,
    builder: &mut CaseBuilder<'_>,
) -> Result<Option<(DatasetFormat, String)>, Diagnostics> {
    let decoded = decode(file, bytes).map_err(|mut diagnostic| {
        if format_of_extension(file) == Some(DatasetFormat::Csv) {
            diagnostic.help = Some("save it as UTF-8, which spreadsheets call `CSV UTF-8`".to_owned());
        }
        diagnostic
    })?;
    let text = decoded.as_ref();
    let utf16 = if is_utf16(bytes) { ", UTF-16" } else { "" };
    let Some(format) = source.format.or_else(|| format_of_extension(file)).or_else(|| sniff_format(text))
    else {
        if text.trim().is_empty() {
            return Ok(None);
        }
        return Err(Diagnostic::new("cannot determine the format of the dataset")
            .at(Place::file(file))
            .help("set it: `dataset: {path: …, format: jsonl}` (or json, csv, yaml)")
            .into());
    };
    let mut name = format!("{}{utf16}", format.as_str());
    if text.trim().is_empty() {
        return Ok(Some((format, name)));
    }
    let rows = source.rows.as_deref();
    if rows.is_some() && matches!(format, DatasetFormat::Jsonl | DatasetFormat::Csv) {
        let message = format!("`rows` names a list in a JSON or YAML file, and this is {}", format.as_str());
        return Err(Diagnostic::new(message).at(Place::file(file)).help("remove `rows`").into());
    }
    match format {
        DatasetFormat::Jsonl => jsonl(file, text, builder),
        DatasetFormat::Csv => {
            if let Some(separator) = csv::read(file, text, mapping, builder)?.name() {
                name = format!("csv with {separator}{utf16}");
            }
        }
        DatasetFormat::Json => {
            let document = Document::json(file, text).map_err(|mut diagnostics| {
                if let Some(first) = diagnostics.0.first_mut().filter(|_| looks_like_jsonl(text)) {
                    let help = "this looks like JSONL (one object per line): set `format: jsonl`";
                    first.help = Some(help.to_owned());
                }
                diagnostics
            })?;
            name += &list(&document, file, rows, None, builder)?;
        }
        DatasetFormat::Yaml => {
            name += &list(&Document::yaml(file, text)?, file, rows, Some(mapping), builder)?;
        }
    }
    Ok(Some((format, name)))
}

fn looks_like_jsonl(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let is_object = |line: &str| serde_json::from_str::<Map<String, Value>>(line).is_ok();
    lines.next().is_some_and(is_object) && lines.next().is_some_and(|line| line.trim_start().starts_with('{'))
}

fn jsonl(file: &str, text: &str, builder: &mut CaseBuilder<'_>) {
    for (index, line) in text.split('\n').enumerate() {
        // JSON never starts with `#`, and home-made sets have headings.
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let document = match Document::json_from(file, index + 1, line) {
            Ok(document) => document,
            Err(mut diagnostics) => {
                let help = multi_line_help(text, line);
                if let Some(help) = help {
                    diagnostics.0.iter_mut().for_each(|it| it.help = Some(help.to_owned()));
                }
                builder.sink.extend(diagnostics);
                if help.is_some() {
                    return;
                }
                continue;
            }
        };
        // Computing a column and an excerpt for every row would take longer than parsing it.
        row(&document, "", Place::line(file, index + 1), document.value(), None, builder);
    }
}

/// Help for a file with JSON values that span lines, which would otherwise give one diagnostic per line.
fn multi_line_help(text: &str, line: &str) -> Option<&'static str> {
    match (text.trim_start().as_bytes().first(), line.trim()) {
        (Some(b'['), _) => Some("the file looks like a JSON list: set `format: json`"),
        (Some(b'{'), "{") => Some("JSONL has one complete object per line: join the lines of each row"),
        _ => None,
    }
}

/// Keys of the list of cases in an object around it.
const LIST_KEYS: [&str; 9] =
    ["tests", "test_cases", "testCases", "cases", "data", "examples", "questions", "rows", "items"];

/// Returns the key of the list of cases in an object whose other values only describe it.
fn list_key(map: &Map<String, Value>) -> Option<&str> {
    let is_rows = |value: &Value| value.as_array().is_some_and(|rows| rows.iter().all(Value::is_object));
    let (key, _) = map.iter().find(|(key, value)| LIST_KEYS.contains(&key.as_str()) && is_rows(value))?;
    let describes = |(other, value): (&String, &Value)| {
        other == key || (!value.is_array() && !value.is_object() && Field::from_name(other).is_none())
    };
    map.iter().all(describes).then_some(key.as_str())
}

/// Reads the rows of a list, or of the list in an object around it, and returns the words that name its key. With
/// `as_written`, numbers that would change are texts, except in checks.
fn list(
    document: &Document,
    file: &str,
    rows: Option<&str>,
    as_written: Option<&FieldMapping>,
    builder: &mut CaseBuilder<'_>,
) -> Result<String, Diagnostic> {
    let key = rows.or_else(|| document.value().as_object().and_then(list_key));
    let parent = match rows {
        Some(path) => path.split('.').fold(String::new(), |parent, key| pointer(&parent, key)),
        None => key.map(|key| pointer("", key)).unwrap_or_default(),
    };
    if let Some(path) = rows
        && !document.value().pointer(&parent).is_some_and(Value::is_array)
    {
        let keys = document.value().as_object().into_iter().flat_map(|map| map.keys()).map(String::as_str);
        let help = did_you_mean(path, keys, || {
            "write the keys that lead to the list, such as `rows: data`".to_owned()
        });
        let message = format!("`rows` is `{path}`, and there is no list");
        return Err(Diagnostic::new(message).at(Place::file(file)).help(help));
    }
    let around = key.map(|key| format!(", the list of `{key}`")).unwrap_or_default();
    match document.value().pointer(&parent).unwrap_or(&Value::Null) {
        Value::Array(rows) => {
            for (index, value) in rows.iter().enumerate() {
                let pointer = format!("{parent}/{index}");
                row(document, &pointer, document.place(&pointer), value, as_written, builder);
            }
        }
        // A file that contains only comments.
        Value::Null => {}
        other => {
            let is_rows =
                |value: &Value| value.as_array().and_then(|rows| rows.first()).is_some_and(Value::is_object);
            let list_key = other.as_object().and_then(|map| map.iter().find(|(_, value)| is_rows(value)));
            let help = match list_key {
                Some((key, _)) => format!("the file must be the list itself: move it out of `{key}`"),
                None => "put the rows in a list: [{…}, {…}]".to_owned(),
            };
            let place = if other.is_object() { document.place("") } else { Place::file(file) };
            let message = format!("a dataset must be a list of rows, found {}", kind(other));
            return Err(Diagnostic::new(message).at(place).help(help));
        }
    }
    Ok(around)
}

fn row(
    document: &Document,
    parent: &str,
    place: Place,
    value: &Value,
    as_written: Option<&FieldMapping>,
    builder: &mut CaseBuilder<'_>,
) {
    let Value::Object(columns) = value else {
        let diagnostic = Diagnostic::new(format!("a row must be an object, found {}", kind(value)));
        builder
            .sink
            .push(diagnostic.at(document.place(parent)).help("write {\"query\": \"…\", \"context\": \"…\"}"));
        return;
    };
    let locate = |column: &str, key: bool| {
        let pointer = pointer(parent, column);
        if key { document.key_place(&pointer) } else { document.place(&pointer) }
    };
    let mut columns = columns.clone();
    for (column, value) in &mut columns {
        let is_text = as_written.is_some_and(|mapping| {
            let field = mapping.field(column);
            !matches!(field, Some(Field::Checks | Field::Criteria | Field::Messages))
        });
        if is_text && let Some(written) = document.value_as_written(&pointer(parent, column)) {
            *value = written;
        }
    }
    builder.push(DatasetRow { columns, place, locate: &locate });
}
