//! Converts rows to cases: maps columns to fields, checks types, rejects duplicate ids.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use promptgate_core::model::{Case, Diagnostic, Diagnostics, Place};

use super::conversation;
use super::dataset::MustPassDefault;
use super::defaults;
use super::diagnostics::{DiagnosticSink, conflicting_columns, did_you_mean, join_names};
use super::field::{self, Field};
use super::nested::{Found, Nested};
use super::signature::{self, Recognized};

/// Names not allowed for variables: in a prompt they refer to fields of the case, and `expected` is never available.
const RESERVED: [&str; 4] = ["id", "query", "context", "expected"];

/// Names that are too common for a variable to be taken for a question.
const COMMON_NAMES: [&str; 4] = ["doc", "statement", "text", "title"];

/// Help for a value that is neither true nor false.
const FLAG: &str = "write true or false";

/// The field or variable that a column is mapped to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ColumnTarget {
    Field(Field),
    Variable(String),
}

/// Maps columns to fields and variables, as set by `fields` in the configuration.
#[derive(Debug, Default)]
pub(super) struct FieldMapping {
    /// Targets by column name.
    targets: BTreeMap<String, Vec<ColumnTarget>>,
    /// Source column of each mapped field.
    sources: BTreeMap<Field, String>,
    /// The variable that the `id` column becomes if several rows may share an id.
    shared_ids: Option<String>,
    /// Values of fields and variables that a row lacks.
    defaults: Map<String, Value>,
    /// Names of fields and variables whose values are paths of files.
    files: BTreeSet<String>,
}

impl FieldMapping {
    /// Parses `fields`, which maps field names to column names. `vars.NAME` maps a column to a variable.
    pub(super) fn new(
        fields: &BTreeMap<String, String>,
        shared_ids: Option<String>,
    ) -> Result<Self, Diagnostics> {
        let mut mapping = Self { shared_ids, ..Self::default() };
        let mut sink = DiagnosticSink::default();
        for (name, column) in fields {
            let target = if let Some(field) = Field::from_name(name) {
                mapping.sources.insert(field, column.clone());
                ColumnTarget::Field(field)
            } else if let Some(variable) = name.strip_prefix("vars.").filter(|variable| !variable.is_empty())
            {
                if RESERVED.contains(&variable) {
                    sink.push(reserved(variable, &format!("`fields` contains `{name}`")));
                }
                ColumnTarget::Variable(variable.to_owned())
            } else {
                let names = Field::NAMES.map(|(_, name)| name);
                let help = did_you_mean(name, names, || {
                    format!("fields are {}; use `vars.NAME` to map a column to a variable", names.join(", "))
                });
                sink.push(Diagnostic::new(format!("unknown field `{name}` in `fields`")).help(help));
                continue;
            };
            mapping.targets.entry(column.clone()).or_default().push(target);
        }
        sink.into_result().map(|()| mapping)
    }

    /// The columns that are named by a path, each with its targets.
    fn paths(&self) -> impl Iterator<Item = (String, ColumnTarget)> {
        let paths = self.targets.iter().filter(|(column, _)| column.contains('.'));
        paths.flat_map(|(column, targets)| targets.iter().map(|target| (column.clone(), target.clone())))
    }

    /// Sets the values of fields that rows lack, and the names of those whose values are paths of files.
    pub(super) fn set_values(&mut self, defaults: Map<String, Value>, files: BTreeSet<String>) {
        (self.defaults, self.files) = (defaults, files);
    }

    /// Whether a row without this column has a value.
    pub(super) fn has_default(&self, column: &str) -> bool {
        let names = self.targets.get(column).map(Vec::as_slice).unwrap_or_default().iter();
        let mut names = names.map(|target| match target {
            ColumnTarget::Field(field) => field.name(),
            ColumnTarget::Variable(name) => name,
        });
        match self.targets.contains_key(column) {
            true => names.any(|name| self.defaults.contains_key(name)),
            false => self.defaults.contains_key(column),
        }
    }

    /// Whether a column is a field, or is named in the mapping.
    pub(super) fn is_known(&self, column: &str) -> bool {
        self.targets.contains_key(column) || Field::from_name(column).is_some()
    }

    /// Returns the field that a column is mapped to.
    pub(super) fn field(&self, column: &str) -> Option<Field> {
        match self.targets.get(column).map(Vec::as_slice) {
            Some([ColumnTarget::Field(field)]) => Some(*field),
            Some(_) => None,
            None => Field::from_name(column),
        }
    }
}

fn reserved(name: &str, usage: &str) -> Diagnostic {
    let reason = if name == "expected" {
        "`expected` is the reference for scorers and is not available in prompts"
    } else {
        "in a prompt this name refers to the field of the case"
    };
    Diagnostic::new(format!("{usage}, but `{name}` is a reserved name"))
        .help(format!("rename the variable: {reason}"))
}

/// A row before conversion to a case.
pub(super) struct DatasetRow<'r> {
    /// Columns in file order.
    pub(super) columns: Map<String, Value>,
    /// Location of the start of the row.
    pub(super) place: Place,
    /// Returns the location of a column's name (`true`) or value (`false`).
    pub(super) locate: &'r dyn Fn(&str, bool) -> Place,
}

/// An unmapped column whose name resembles that of a field.
struct SimilarField {
    field: Field,
    place: Place,
    /// Whether some row has both the column and the field, so that the column is not a misspelling.
    field_present: bool,
}

/// Converts rows to cases and collects diagnostics.
pub(super) struct CaseBuilder<'m> {
    mapping: &'m FieldMapping,
    must_pass: MustPassDefault,
    /// Path of the file whose rows are added, relative to the configuration.
    pub(super) file: String,
    pub(super) sink: DiagnosticSink,
    cases: Vec<Case>,
    /// Indices of cases from rows with errors.
    invalid: BTreeSet<usize>,
    rows: usize,
    /// Index of each case by its trimmed and normalized id.
    ids: HashMap<String, usize>,
    /// All columns, with the field whose name each resembles.
    columns: BTreeMap<String, Option<SimilarField>>,
    /// The tool that the first row identifies, and the fields below it.
    recognized: Option<Recognized>,
    /// Values that are read from within columns.
    nested: Nested,
}

impl<'m> CaseBuilder<'m> {
    pub(super) fn new(mapping: &'m FieldMapping, must_pass: MustPassDefault) -> Self {
        Self {
            mapping,
            must_pass,
            file: String::new(),
            sink: DiagnosticSink::default(),
            cases: Vec::new(),
            invalid: BTreeSet::new(),
            rows: 0,
            ids: HashMap::new(),
            columns: BTreeMap::new(),
            recognized: None,
            nested: Nested::of(mapping.paths()),
        }
    }

    /// Recognizes the tool that wrote a row with these columns. What `fields` maps comes first.
    pub(super) fn recognize(&mut self, columns: &Map<String, Value>) {
        let Some(mut found) =
            signature::recognize(columns).filter(|_| self.rows == 0 && self.mapping.shared_ids.is_none())
        else {
            return;
        };
        let mapping = self.mapping;
        found.fields.retain(|(path, field)| {
            !mapping.sources.contains_key(field) && !mapping.targets.contains_key(path)
        });
        if !found.fields.is_empty() {
            let paths = found.fields.iter().map(|(path, field)| (path.clone(), ColumnTarget::Field(*field)));
            self.nested = Nested::of(mapping.paths().chain(paths));
            self.recognized = Some(found);
        }
    }

    /// The field that a column is read as.
    pub(super) fn field(&self, column: &str) -> Option<Field> {
        self.nested.field(column).or_else(|| self.mapping.field(column))
    }

    /// How the rows are read, if they are those of another tool: `Ragas: question ▸ query, contexts ▸ context`.
    pub(super) fn read_as(&self) -> Option<String> {
        let Recognized { tool, fields } = self.recognized.as_ref()?;
        let named: Vec<String> =
            fields.iter().map(|(path, field)| format!("{path} ▸ {}", field.name())).collect();
        Some(format!("{tool}: {}", named.join(", ")))
    }

    /// Number of rows so far, including invalid ones.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds one row.
    pub(super) fn push(&mut self, row: DatasetRow<'_>) {
        let (errors, index) = (self.sink.count(), self.cases.len());
        self.push_row(row);
        if self.sink.count() > errors {
            self.invalid.insert(index);
        }
    }

    fn push_row(&mut self, mut row: DatasetRow<'_>) {
        self.recognize(&row.columns);
        self.rows += 1;
        if row.columns.values().all(Value::is_null) {
            self.sink
                .push(Diagnostic::new("the row is empty").at(row.place).help("remove it, or fill it in"));
            return;
        }
        self.record_columns(&row);
        let inside = self.nested.take_from(&mut row.columns);
        let mut case = Case { id: String::new(), place: row.place.clone(), ..Case::default() };
        // Excerpts are only for diagnostics; omitting them saves memory in large datasets.
        case.place.excerpt = None;
        let mut taken: BTreeMap<Field, &str> = BTreeMap::new();
        let mut given: BTreeSet<Field> = inside.iter().filter_map(Found::field).collect();
        let mut says_must_pass = given.contains(&Field::MustPass);
        for found in &inside {
            self.columns.entry(found.path.clone()).or_default();
            taken.extend(found.field().map(|field| (field, found.path.as_str())));
            found.apply(&mut case, &self.mapping.files, &row, &mut self.sink);
        }
        for (column, value) in &row.columns {
            let default = match (Field::from_name(column), &self.mapping.shared_ids) {
                (Some(Field::Id), Some(variable)) => [ColumnTarget::Variable(variable.clone())],
                (Some(field), _) => [ColumnTarget::Field(field)],
                (None, _) => [ColumnTarget::Variable(column.clone())],
            };
            let targets = self.mapping.targets.get(column).map_or(default.as_slice(), Vec::as_slice);
            for target in targets {
                if let ColumnTarget::Field(field) = target
                    && let Some(other) = taken.insert(*field, column)
                {
                    let place = (row.locate)(column, true);
                    self.sink.push(conflicting_columns(*field, other, column, place));
                    continue;
                }
                match target {
                    _ if value.is_null() => {}
                    ColumnTarget::Field(field) => {
                        says_must_pass |= *field == Field::MustPass;
                        given.insert(*field);
                        let column = (column.as_str(), &self.mapping.files);
                        set_field(&mut case, *field, value, column, &row, &mut self.sink);
                    }
                    ColumnTarget::Variable(name) => {
                        let (name, place) =
                            ((name.as_str(), &self.mapping.files), (row.locate)(column, true));
                        set_variable(&mut case, name, value, place, &mut self.sink);
                    }
                }
            }
        }
        let mapping = self.mapping;
        defaults::apply(&mut case, &mapping.defaults, &given, &mapping.files, &row, &mut self.sink);
        if let Err(diagnostic) = conversation::complete(&mut case, &self.file) {
            self.sink.push(diagnostic.at(row.place.clone()));
        }
        if !says_must_pass {
            self.must_pass.apply(&mut case);
        }
        if case.id.is_empty() {
            case.id = self.rows.to_string();
            case.numbered = true;
        }
        self.add(case, &row, taken.contains_key(&Field::Id));
    }

    fn record_columns(&mut self, row: &DatasetRow<'_>) {
        for column in row.columns.keys() {
            if !self.columns.contains_key(column) {
                let known = self.mapping.targets.contains_key(column)
                    || Field::from_name(column).is_some()
                    || self.nested.reads(column);
                let field = if known { None } else { Field::similar_to(column) };
                let place = (row.locate)(column, true);
                let similar = field.map(|field| SimilarField { field, place, field_present: false });
                self.columns.insert(column.clone(), similar);
            }
            let mapping = self.mapping;
            if let Some(Some(similar)) = self.columns.get_mut(column) {
                let source = mapping.sources.get(&similar.field).map_or(similar.field.name(), String::as_str);
                similar.field_present |= row.columns.contains_key(source);
            }
        }
    }

    fn add(&mut self, case: Case, row: &DatasetRow<'_>, has_id: bool) {
        // Ids that look the same count as equal.
        let key: String = case.id.trim().nfc().collect();
        if let Some(first) = self.ids.get(&key).and_then(|index| self.cases.get(*index)) {
            let column = self.mapping.sources.get(&Field::Id).map_or("id", String::as_str);
            let place = if has_id { (row.locate)(column, false) } else { row.place.clone() };
            let (id, first) = (&case.id, &first.place);
            let message = if has_id {
                format!("duplicate id `{id}`, first used at {first}")
            } else {
                format!("the row has no id, and its row number {id} is already the id of the row at {first}")
            };
            self.sink.push(Diagnostic::new(message).at(place).help("give every row a unique id"));
        } else {
            self.ids.insert(key, self.cases.len());
        }
        self.cases.push(case);
    }

    /// Returns the cases of rows without errors that `finish` has left.
    pub(super) fn into_valid_cases(self) -> Vec<Case> {
        let cases = self.cases.into_iter().enumerate();
        cases.filter(|(index, _)| !self.invalid.contains(index)).map(|(_, case)| case).collect()
    }

    /// Returns the cases and the warnings. After an error the cases stay.
    pub(super) fn finish(&mut self) -> Result<(Vec<Case>, Vec<String>), Diagnostics> {
        for (column, similar) in &self.columns {
            if let Some(SimilarField { field, place, field_present: false }) = similar {
                let name = field.name();
                self.sink.push(
                    Diagnostic::new(format!("unknown field `{column}`; did you mean `{name}`?"))
                        .at(place.clone())
                        .help(format!(
                            "rename it, or map it: `fields: {{{name}: \"{column}\"}}`; if it is a variable, put \
                             it under `vars` or map it: `fields: {{\"vars.{column}\": \"{column}\"}}`"
                        )),
                );
            }
        }
        let mapped = self.mapping.targets.iter().filter(|_| self.rows > 0);
        for (column, targets) in mapped.filter(|(column, _)| !self.columns.contains_key(*column)) {
            for target in targets {
                let name = match target {
                    ColumnTarget::Field(field) => field.name().to_owned(),
                    ColumnTarget::Variable(variable) => format!("vars.{variable}"),
                };
                let help = did_you_mean(column, self.columns.keys().map(String::as_str), || {
                    format!("columns are {}", join_names(self.columns.keys()))
                });
                let message = format!("`fields` maps `{name}` to `{column}`, but no row has that column");
                self.sink.push(Diagnostic::new(message).help(help));
            }
        }
        let warnings = self.warnings();
        std::mem::take(&mut self.sink).into_result()?;
        Ok((std::mem::take(&mut self.cases), warnings))
    }

    /// Warns about missing fields for which a column with a common alias exists.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for field in [Field::Query, Field::Context, Field::Expected] {
            let is_recognized = |it: &Recognized| it.fields.iter().any(|(_, known)| *known == field);
            if self.columns.contains_key(field.name())
                || self.mapping.sources.contains_key(&field)
                || self.recognized.as_ref().is_some_and(is_recognized)
            {
                continue;
            }
            let alias =
                field.aliases().iter().filter(|name| !COMMON_NAMES.contains(name)).find(|name| {
                    self.columns.contains_key(**name) && !self.mapping.targets.contains_key(**name)
                });
            if let Some(alias) = alias {
                let name = field.name();
                warnings.push(format!(
                    "no row has `{name}`; `{alias}` is read as a variable (to map it: `fields: {{{name}: {alias}}}`)"
                ));
            }
        }
        warnings
    }
}

/// Sets a variable; `files` are the names of those whose values are paths of files.
pub(super) fn set_variable(
    case: &mut Case,
    (name, files): (&str, &BTreeSet<String>),
    value: &Value,
    place: Place,
    sink: &mut DiagnosticSink,
) {
    if RESERVED.contains(&name) {
        let diagnostic = reserved(name, "the row sets a variable").at(place);
        sink.push(match name {
            "expected" => diagnostic,
            name => {
                diagnostic.help(format!("move it out of `vars`: `{name}` beside it is a field of the case"))
            }
        });
    } else if !files.contains(name) && field::refers_to_file(value) {
        sink.push(field::file_reference(name).at(place));
    } else if case.vars.insert(name.to_owned(), value.clone()).is_some() {
        sink.push(
            Diagnostic::new(format!("duplicate variable `{name}`: as a column and under `vars`"))
                .at(place)
                .help("keep one of them"),
        );
    }
}

/// Sets one field of the case; `files` are the names of those whose values are paths of files.
pub(super) fn set_field(
    case: &mut Case,
    field: Field,
    value: &Value,
    (column, files): (&str, &BTreeSet<String>),
    row: &DatasetRow<'_>,
    sink: &mut DiagnosticSink,
) {
    let result = match field {
        Field::Id => field::label(field, value).map(|id| case.id = id),
        Field::Query => field::text(field, value).map(|query: String| {
            case.is_query_empty = query.is_empty();
            case.query = query;
        }),
        Field::Messages => match field::messages(value) {
            Ok(messages) => {
                case.messages = messages;
                Ok(())
            }
            Err(diagnostics) => {
                let place = (row.locate)(column, false);
                diagnostics.into_iter().for_each(|diagnostic| sink.push(diagnostic.at(place.clone())));
                return;
            }
        },
        Field::Turns => field::turns(value).map(|turns| case.turns = turns),
        Field::Context if !files.contains(field.name()) && field::refers_to_file(value) => {
            Err(field::file_reference(field.name()))
        }
        Field::Context => field::passages(field, value).map(|context| case.context = Some(context.into())),
        Field::Expected => {
            case.expected = Some(value.clone());
            Ok(())
        }
        Field::ExpectedSources => field::sources(value).map(|sources| case.expected_sources = sources),
        Field::Checks => field::typed(field, "a list", value).map(|checks| case.checks = checks),
        Field::Tags => field::tags(value).map(|tags| case.tags = tags),
        Field::Group => field::label(field, value).map(|group| case.group = Some(group)),
        Field::MustPass if value.as_str() == Some("strict") => {
            (case.must_pass, case.must_pass_strict) = (true, true);
            Ok(())
        }
        Field::MustPass => {
            let help = "write true, false or strict";
            field::flag(field, "true, false or `strict`", help, value).map(|flag| case.must_pass = flag)
        }
        Field::MayRefuse => {
            field::flag(field, "true or false", FLAG, value).map(|flag| case.may_refuse = flag)
        }
        Field::MustAnswer => {
            field::flag(field, "true or false", FLAG, value).map(|flag| case.must_answer = flag)
        }
        Field::Criteria => field::criteria(value).map(|criteria| case.criteria = criteria),
        Field::Vars => match value {
            Value::Object(map) => {
                for (name, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                    set_variable(case, (name, files), value, (row.locate)(column, false), sink);
                }
                Ok(())
            }
            other => Err(Diagnostic::new(format!("`vars` must be an object, found {}", field::kind(other)))),
        },
    };
    if let Err(diagnostic) = result {
        sink.push(diagnostic.at((row.locate)(column, false)));
    }
}
