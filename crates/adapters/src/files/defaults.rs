//! Values of fields that rows lack, and the names that `dataset.defaults` and `dataset.files` may have.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use promptgate_core::model::{Case, Diagnostic, Place};

use super::diagnostics::DiagnosticSink;
use super::field::Field;
use super::row::{DatasetRow, set_field, set_variable};

/// Returns the name of a field or variable, which may be written as `vars.NAME`.
fn plain(name: &str) -> &str {
    name.strip_prefix("vars.").filter(|name| !name.is_empty()).unwrap_or(name)
}

/// The fields that the values of a dataset may be read from files for, by the names that cases have.
pub(super) fn file_fields(names: &[String]) -> BTreeSet<String> {
    names.iter().map(|name| plain(name).to_owned()).collect()
}

/// Examines a name in `dataset.files`.
///
/// # Errors
/// A field whose values are not texts.
pub fn check_file_field(name: &str) -> Result<(), Diagnostic> {
    let is_text = |field| matches!(field, Field::Query | Field::Context | Field::Expected);
    match Field::from_name(plain(name)).or_else(|| Field::similar_to(plain(name))) {
        Some(field) if Field::from_name(plain(name)).is_none() => {
            let message = format!("unknown field `{name}`; did you mean `{}`?", field.name());
            Err(Diagnostic::new(message).help("rename it, or rename the variable"))
        }
        Some(field) if !is_text(field) => {
            Err(Diagnostic::new(format!("values of `{name}` are not read from files"))
                .help("list `context`, `expected`, `query` or variables"))
        }
        _ => Ok(()),
    }
}

/// Examines an entry of `dataset.defaults`; `files` are the names in `dataset.files`.
///
/// # Errors
/// A field that every row has to have itself, a misspelled one, and a value of another type.
pub fn check_default(name: &str, value: &Value, files: &[String]) -> Result<(), Diagnostic> {
    let field = Field::from_name(name);
    let help = match field {
        Some(Field::Id) => "every row has an id of its own",
        Some(Field::Checks) => "checks of all cases are `checks:` of the configuration",
        Some(Field::MustPass) => "write `must_pass` beside `defaults`",
        Some(Field::Vars) => "write the variables themselves: `defaults: {tier: pro}`",
        _ => "",
    };
    if !help.is_empty() {
        return Err(Diagnostic::new(format!("`{name}` cannot have a default")).help(help));
    }
    if let (None, Some(similar)) = (field, Field::similar_to(plain(name))) {
        let message = format!("unknown field `{name}`; did you mean `{}`?", similar.name());
        return Err(Diagnostic::new(message).help("rename it, or rename the variable"));
    }
    let defaults = [(name.to_owned(), value.clone())].into_iter().collect();
    let mut sink = DiagnosticSink::default();
    let row = DatasetRow { columns: Map::new(), place: Place::default(), locate: &|_, _| Place::default() };
    apply(&mut Case::default(), &defaults, &BTreeSet::new(), &file_fields(files), &row, &mut sink);
    sink.into_result().map_err(|diagnostics| {
        diagnostics.0.into_iter().next().unwrap_or_else(|| Diagnostic::new("not a valid default"))
    })
}

/// Sets the fields and variables that a row lacks; `given` are the fields that it has.
pub(super) fn apply(
    case: &mut Case,
    defaults: &Map<String, Value>,
    given: &BTreeSet<Field>,
    files: &BTreeSet<String>,
    row: &DatasetRow<'_>,
    sink: &mut DiagnosticSink,
) {
    for (name, value) in defaults.iter().filter(|(_, value)| !value.is_null()) {
        match Field::from_name(name) {
            Some(field) if !given.contains(&field) => set_field(case, field, value, (name, files), row, sink),
            Some(_) => {}
            None if case.vars.contains_key(plain(name)) => {}
            None => set_variable(case, (plain(name), files), value, (row.locate)(name, true), sink),
        }
    }
}
