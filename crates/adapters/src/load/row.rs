//! From rows to cases: columns mapped to fields, types checked, ids made unique.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use promptgate_core::document::suggest;
use promptgate_core::model::{Case, Diagnostic, Diagnostics, Place};

use super::diagnostics::Sink;
use super::field::{self, Field};

/// Names that no variable may take: a prompt reads the case's own fields by them, and never the expectation.
const RESERVED: [&str; 4] = ["id", "query", "context", "expected"];

/// What a mapped column becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Field(Field),
    Variable(String),
}

/// Which columns become which fields, as the configuration's `fields` says.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    /// By the file's name of the column.
    targets: BTreeMap<String, Vec<Target>>,
    /// For each mapped field the column it comes from.
    sources: BTreeMap<Field, String>,
    /// The variable that takes the ids, which several rows may share.
    shared_ids: Option<String>,
}

impl Mapping {
    /// Reads `fields`: ours to theirs. `vars.NAME` maps a column to a variable.
    pub(super) fn new(fields: &BTreeMap<String, String>) -> Result<Self, Diagnostics> {
        let mut mapping = Self::default();
        let mut sink = Sink::default();
        for (ours, theirs) in fields {
            let target = if let Some(field) = Field::named(ours) {
                mapping.sources.insert(field, theirs.clone());
                Target::Field(field)
            } else if let Some(name) = ours.strip_prefix("vars.").filter(|name| !name.is_empty()) {
                if RESERVED.contains(&name) {
                    sink.push(reserved(name, &format!("`fields` maps to `{ours}`")));
                }
                Target::Variable(name.to_owned())
            } else {
                let names = Field::ALL.map(Field::name);
                let help = match suggest(ours, names) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => {
                        format!(
                            "fields are {}; a column becomes a variable with `vars.NAME`",
                            names.join(", ")
                        )
                    }
                };
                sink.push(
                    Diagnostic::new(format!("`fields` maps to `{ours}`, which is no field")).help(help),
                );
                continue;
            };
            mapping.targets.entry(theirs.clone()).or_default().push(target);
        }
        sink.into_result().map(|()| mapping)
    }

    /// Makes the id a variable of that name: several rows may share it, and a file may have none.
    pub(super) fn share_ids(mut self, variable: Option<&str>) -> Self {
        self.shared_ids = variable.map(str::to_owned);
        self
    }

    /// The field that a column of this name holds, for reading its cells.
    pub(super) fn field(&self, column: &str) -> Option<Field> {
        match self.targets.get(column).map(Vec::as_slice) {
            Some([Target::Field(field)]) => Some(*field),
            Some(_) => None,
            None => Field::named(column),
        }
    }
}

fn reserved(name: &str, what: &str) -> Diagnostic {
    let why = if name == "expected" {
        "`expected` is what answers are compared with and never reaches a prompt"
    } else {
        "a prompt would read the case's own field by that name"
    };
    Diagnostic::new(format!("{what}, but no variable can be named `{name}`"))
        .help(format!("{why}: rename it"))
}

/// One row as read.
pub(super) struct Row<'r> {
    /// Its columns in order.
    pub(super) columns: Map<String, Value>,
    /// Where it starts.
    pub(super) place: Place,
    /// The place of a column: of its name (`true`) or its value.
    pub(super) locate: &'r dyn Fn(&str, bool) -> Place,
}

/// A column without a meaning whose name is nearly that of a field.
struct Near {
    field: Field,
    place: Place,
    /// Whether some row has both, so that the column is no slip.
    beside: bool,
}

/// Takes rows, gives cases.
pub(super) struct Builder<'m> {
    mapping: &'m Mapping,
    pub(super) sink: Sink,
    cases: Vec<Case>,
    rows: usize,
    /// Id, trimmed and normalised, to the index of its case.
    ids: HashMap<String, usize>,
    /// Every column seen, with what it nearly is.
    columns: BTreeMap<String, Option<Near>>,
}

impl<'m> Builder<'m> {
    pub(super) fn new(mapping: &'m Mapping) -> Self {
        Self {
            mapping,
            sink: Sink::default(),
            cases: Vec::new(),
            rows: 0,
            ids: HashMap::new(),
            columns: BTreeMap::new(),
        }
    }

    /// Rows taken so far, the faulty ones included.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Takes one row.
    pub(super) fn push(&mut self, row: Row<'_>) {
        self.rows += 1;
        if row.columns.values().all(Value::is_null) {
            self.sink
                .push(Diagnostic::new("the row holds nothing").at(row.place).help("remove it, or fill it"));
            return;
        }
        self.note_columns(&row);
        let mut case = Case { id: String::new(), place: row.place.clone(), ..Case::default() };
        // The picture of a line is for mistakes; a hundred thousand cases need none.
        case.place.excerpt = None;
        let mut taken: BTreeMap<Field, &str> = BTreeMap::new();
        for (column, value) in &row.columns {
            let named = match (Field::named(column), &self.mapping.shared_ids) {
                (Some(Field::Id), Some(variable)) => [Target::Variable(variable.clone())],
                (Some(field), _) => [Target::Field(field)],
                (None, _) => [Target::Variable(column.clone())],
            };
            let targets = self.mapping.targets.get(column).map_or(named.as_slice(), Vec::as_slice);
            for target in targets {
                match target {
                    Target::Field(field) => {
                        if let Some(other) = taken.insert(*field, column) {
                            self.sink.push(two_columns(*field, other, column, (row.locate)(column, true)));
                        } else if !value.is_null() {
                            fill(&mut case, *field, value, column, &row, &mut self.sink);
                        }
                    }
                    Target::Variable(name) => {
                        if !value.is_null() {
                            set_variable(&mut case, name, value, (row.locate)(column, true), &mut self.sink);
                        }
                    }
                }
            }
        }
        if case.id.is_empty() {
            case.id = self.rows.to_string();
        }
        self.add(case, &row, taken.contains_key(&Field::Id));
    }

    fn note_columns(&mut self, row: &Row<'_>) {
        for column in row.columns.keys() {
            if !self.columns.contains_key(column) {
                let meaning = self.mapping.targets.contains_key(column) || Field::named(column).is_some();
                let near = if meaning { None } else { Field::nearly(column) };
                let place = (row.locate)(column, true);
                let near = near.map(|field| Near { field, place, beside: false });
                self.columns.insert(column.clone(), near);
            }
            let mapping = self.mapping;
            if let Some(Some(near)) = self.columns.get_mut(column) {
                let source = mapping.sources.get(&near.field).map_or(near.field.name(), String::as_str);
                near.beside |= row.columns.contains_key(source);
            }
        }
    }

    fn add(&mut self, case: Case, row: &Row<'_>, named: bool) {
        // Two names that a reader cannot tell apart are one.
        let key: String = case.id.trim().nfc().collect();
        if let Some(first) = self.ids.get(&key).and_then(|index| self.cases.get(*index)) {
            let column = self.mapping.sources.get(&Field::Id).map_or("id", String::as_str);
            let place = if named { (row.locate)(column, false) } else { row.place.clone() };
            let message = if named {
                format!("the id `{}` is taken already, at {}", case.id, first.place)
            } else {
                format!(
                    "the row has no id, and its row number {} is the id of the row at {}",
                    case.id, first.place
                )
            };
            self.sink.push(Diagnostic::new(message).at(place).help("give every row an id of its own"));
        } else {
            self.ids.insert(key, self.cases.len());
        }
        self.cases.push(case);
    }

    /// The cases and the warnings.
    pub(super) fn finish(mut self) -> Result<(Vec<Case>, Vec<String>), Diagnostics> {
        for (column, near) in &self.columns {
            if let Some(Near { field, place, beside: false }) = near {
                let name = field.name();
                self.sink.push(
                    Diagnostic::new(format!("`{column}` is no field; did you mean `{name}`?"))
                        .at(place.clone())
                        .help(format!(
                            "rename it, or map it: `fields: {{{name}: \"{column}\"}}`; if it is a variable, put \
                             it under `vars` or map it: `fields: {{\"vars.{column}\": \"{column}\"}}`"
                        )),
                );
            }
        }
        if self.rows > 0 {
            for (ours, theirs) in self
                .mapping
                .targets
                .iter()
                .flat_map(|(theirs, targets)| targets.iter().map(move |target| (target, theirs)))
            {
                if !self.columns.contains_key(theirs) {
                    let ours = match ours {
                        Target::Field(field) => field.name().to_owned(),
                        Target::Variable(name) => format!("vars.{name}"),
                    };
                    let help = match suggest(theirs, self.columns.keys().map(String::as_str)) {
                        Some(name) => format!("did you mean `{name}`?"),
                        None => format!("the rows have: {}", listed(self.columns.keys())),
                    };
                    self.sink.push(
                        Diagnostic::new(format!("`fields` maps `{ours}` to `{theirs}`, which no row has"))
                            .help(help),
                    );
                }
            }
        }
        let warnings = self.warnings();
        self.sink.into_result()?;
        Ok((self.cases, warnings))
    }

    /// Fields that no row has though a column bears a usual name of them.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for field in [Field::Query, Field::Context, Field::Expected] {
            if self.columns.contains_key(field.name()) || self.mapping.sources.contains_key(&field) {
                continue;
            }
            let other = field
                .also_called()
                .iter()
                .find(|name| self.columns.contains_key(**name) && !self.mapping.targets.contains_key(**name));
            if let Some(other) = other {
                let name = field.name();
                warnings.push(format!(
                    "no row has `{name}`; `{other}` is taken for a variable (to map it: `fields: {{{name}: {other}}}`)"
                ));
            }
        }
        warnings
    }
}

fn listed<'n>(names: impl Iterator<Item = &'n String>) -> String {
    const SHOWN: usize = 15;
    let mut names: Vec<String> = names.take(SHOWN + 1).map(|name| format!("`{name}`")).collect();
    if names.len() > SHOWN {
        names.truncate(SHOWN);
        names.push("…".to_owned());
    }
    names.join(", ")
}

fn two_columns(field: Field, first: &str, second: &str, place: Place) -> Diagnostic {
    let name = field.name();
    Diagnostic::new(format!("both `{first}` and `{second}` are `{name}`")).at(place).help(format!(
        "rename or drop one of the two, or keep both: `fields: {{{name}: \"{first}\", \"vars.other\": \"{second}\"}}`"
    ))
}

fn set_variable(case: &mut Case, name: &str, value: &Value, place: Place, sink: &mut Sink) {
    if RESERVED.contains(&name) {
        sink.push(reserved(name, "a variable stands here").at(place));
    } else if case.vars.insert(name.to_owned(), value.clone()).is_some() {
        sink.push(
            Diagnostic::new(format!("the variable `{name}` is there twice, as a column and under `vars`"))
                .at(place)
                .help("keep one of the two"),
        );
    }
}

/// Reads one field into the case.
fn fill(case: &mut Case, field: Field, value: &Value, column: &str, row: &Row<'_>, sink: &mut Sink) {
    let outcome = match field {
        Field::Id => field::label(field, value).map(|id| case.id = id),
        Field::Query => field::text(field, value).map(|query| case.query = query),
        Field::Context => field::passages(field, value).map(|context| case.context = Some(context.into())),
        Field::Expected => {
            case.expected = Some(value.clone());
            Ok(())
        }
        Field::Checks => field::list(field, value).map(|checks| case.checks = checks),
        Field::Tags => field::tags(value).map(|tags| case.tags = tags),
        Field::Group => field::label(field, value).map(|group| case.group = Some(group)),
        Field::MustPass => field::flag(field, value).map(|flag| case.must_pass = flag),
        Field::MustAnswer => field::flag(field, value).map(|flag| case.must_answer = flag),
        Field::Criteria => field::criteria(value).map(|criteria| case.criteria = criteria),
        Field::Vars => match value {
            Value::Object(map) => {
                for (name, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                    set_variable(case, name, value, (row.locate)(column, false), sink);
                }
                Ok(())
            }
            other => Err(Diagnostic::new(format!("`vars` must be an object, found {}", field::kind(other)))),
        },
    };
    if let Err(diagnostic) = outcome {
        sink.push(diagnostic.at((row.locate)(column, false)));
    }
}
