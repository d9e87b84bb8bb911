//! Values from within columns: by a path of `fields`, or as the signature of a tool says.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use promptgate_core::model::{Case, Diagnostic};

use super::diagnostics::DiagnosticSink;
use super::field::Field;
use super::row::{ColumnTarget, DatasetRow, set_field, set_variable};
use super::signature::{below, question, value_at, without};

/// Paths with their targets.
#[derive(Debug, Clone, Default)]
pub(super) struct Nested(Arc<[(String, ColumnTarget)]>);

/// A value that was found at a path.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: String,
    /// The column that it is in.
    pub(super) column: String,
    pub(super) target: ColumnTarget,
    /// The value, or why it cannot be what it is read as.
    pub(super) value: Result<Value, Diagnostic>,
}

impl Found {
    /// The field that it sets.
    pub(super) fn field(&self) -> Option<Field> {
        match &self.target {
            ColumnTarget::Field(field) if !matches!(&self.value, Ok(Value::Null)) => Some(*field),
            _ => None,
        }
    }

    /// Sets the field or variable of a case.
    pub(super) fn apply(
        &self,
        case: &mut Case,
        files: &BTreeSet<String>,
        row: &DatasetRow<'_>,
        sink: &mut DiagnosticSink,
    ) {
        match (&self.target, &self.value) {
            (_, Ok(Value::Null)) => {}
            (_, Err(diagnostic)) => sink.push(diagnostic.clone().at((row.locate)(&self.column, false))),
            (ColumnTarget::Field(field), Ok(value)) => {
                set_field(case, *field, value, (&self.column, files), row, sink);
            }
            (ColumnTarget::Variable(name), Ok(value)) => {
                set_variable(case, (name, files), value, (row.locate)(&self.column, true), sink);
            }
        }
    }
}

impl Nested {
    pub(super) fn of(paths: impl Iterator<Item = (String, ColumnTarget)>) -> Self {
        Self(paths.collect())
    }

    /// The field that a whole column is read as.
    pub(super) fn field(&self, column: &str) -> Option<Field> {
        self.0.iter().find_map(|(path, target)| match target {
            ColumnTarget::Field(field) if path == column => Some(*field),
            _ => None,
        })
    }

    /// Whether something is read from a column.
    pub(super) fn reads(&self, column: &str) -> bool {
        let is_inside = |path: &str| {
            path.strip_prefix(column).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.0.iter().any(|(path, _)| is_inside(path))
    }

    /// Finds the values in a row. The reference answer is taken out, so that no variable has it; other values stay, as
    /// variables by the names of their columns. A column that has the name of a path is left to its own mapping.
    pub(super) fn take_from(&self, columns: &mut Map<String, Value>) -> Vec<Found> {
        let mut found = Vec::new();
        for (path, target) in self.0.iter() {
            let is_whole = columns.contains_key(path);
            // A path of `fields` that is a column is read as a column.
            if is_whole && path.contains('.') {
                continue;
            }
            let Some(value) = value_at(columns, path) else { continue };
            let value = match (target, value) {
                (ColumnTarget::Field(Field::Query), Value::Array(messages)) => question(messages),
                (_, value) => Ok(value.clone()),
            };
            let column = path.split('.').next().unwrap_or_default().to_owned();
            found.push(Found { path: path.clone(), column, target: target.clone(), value });
        }
        for path in found.iter().filter(|found| found.target == ColumnTarget::Field(Field::Expected)) {
            remove(columns, &path.path);
        }
        found
    }
}

fn remove(columns: &mut Map<String, Value>, path: &str) {
    let Some((column, rest)) = path.split_once('.').filter(|_| !columns.contains_key(path)) else {
        columns.shift_remove(path);
        return;
    };
    let Some(value) = columns.get_mut(column) else { return };
    match without(value, rest) {
        Some(left) => *value = left,
        None => _ = columns.shift_remove(column),
    }
    debug_assert!(columns.get(column).is_none_or(|left| below(left, rest).is_none() || left.is_array()));
}
