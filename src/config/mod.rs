//! The configuration: from the text of a promptgate.yaml to [`Settings`], or to every diagnostic in it at once.
//!
//! `written` has the types for serde and for the JSON Schema, [`Settings`] those for the use cases. Between them are the
//! schema (names, types, ranges) and checks beyond it (a metric without a judge, a limit without a price). Nothing here
//! reads files that the configuration names, compiles checks, or reads variables.

mod case;
mod difference;
mod endpoint;
mod find;
mod judge;
mod limits;
mod policy;
mod resolve;
mod scalar;
mod schema;
mod settings;
mod written;

#[cfg(test)]
mod tests;

use serde_json::Value;

use promptgate_core::document::{self, Document};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

pub use difference::{Difference, differences};
pub use find::{NAMES, find};
pub use policy::{CheckPolicy, parse_minimum};
pub use scalar::parse_duration;
pub use schema::{case_schema, schema};
pub use settings::{
    BudgetSettings, CacheSettings, CachedBaseline, CheckSettings, DatasetSettings, EndpointSettings,
    GateSettings, HeaderValue, Inconclusive, JudgeSettings, MemberSettings, MetricSettings, Placed, Settings,
    SliceSettings,
};

/// A configuration as written.
///
/// # Errors
/// Every error of syntax.
pub fn written(file: &str, text: &str) -> Result<Value, Diagnostics> {
    Document::yaml(file, text).map(Document::into_value)
}

/// Reads a configuration. `file` is its path as the user named it, `check_entry` the schema of an entry of
/// `checks`.
///
/// # Errors
/// All errors at once, in the order of the file: syntax, or else schema and meaning.
pub fn load(file: &str, text: &str, check_entry: &Value) -> Result<Settings, Diagnostics> {
    let document = Document::yaml(file, text)?;
    if document.value().is_null() {
        let diagnostic = Diagnostic::new("the configuration is empty").at(Place::file(file));
        return Err(diagnostic.help("`promptgate init` writes one to start from").into());
    }
    let violations = document::violations(&document, &schema(check_entry));
    // Invalid values are removed, so that the rest can still be checked.
    let mut rest = document.value().clone();
    let mut pointers: Vec<&str> = violations.iter().map(|violation| violation.pointer.as_str()).collect();
    pointers.sort_by_key(|pointer| std::cmp::Reverse(pointer.len()));
    for pointer in pointers {
        remove(&mut rest, pointer);
    }
    let mut diagnostics: Vec<Diagnostic> =
        violations.into_iter().map(|violation| violation.diagnostic).collect();
    let settings = match serde_json::from_value(rest) {
        Ok(written) => {
            let (settings, found) = resolve::resolve(file, &document, written);
            diagnostics.extend(found);
            Some(settings)
        }
        Err(error) => {
            if diagnostics.is_empty() {
                diagnostics.push(Diagnostic::new(error.to_string()).at(Place::file(file)));
            }
            None
        }
    };
    document::sort_by_place(&mut diagnostics);
    match settings {
        Some(settings) if diagnostics.is_empty() => Ok(settings),
        _ => Err(Diagnostics(diagnostics)),
    }
}

/// Removes the value at a pointer: a key from its map, or a whole list, since its other items would move.
fn remove(value: &mut Value, pointer: &str) {
    let Some((parent, token)) = pointer.rsplit_once('/') else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => {
            map.shift_remove(&token.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(_)) => remove(value, parent),
        _ => {}
    }
}
