//! Schemas that constrain less than they seem to.
//!
//! JSON Schema ignores keywords that it does not know. A schema in a wrapper, an example in place of a schema, or a
//! misspelled keyword would therefore pass every answer.

mod constrains;
mod format;
mod keywords;
mod wrapper;

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::reason::quoted;

pub(super) use wrapper::wrapped;

/// Maximum number of warnings about one schema.
const MAX_WARNINGS: usize = 5;

/// Returns what a schema fails to constrain, one message each.
pub(super) fn warnings(schema: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    let visit = keywords::visit(schema);
    if !constrains::constrains(schema, schema) {
        warnings.push(nothing(schema, &visit));
    }
    let misspelled = visit.unknown.iter().filter_map(|unknown| Some((unknown, unknown.meant()?)));
    warnings.extend(misspelled.map(|(unknown, meant)| {
        let at = unknown.location();
        format!("unknown keyword {}{at} is ignored; did you mean `{meant}`?", quoted(&unknown.keyword))
    }));
    let others: Vec<String> = visit
        .unknown
        .iter()
        .filter(|unknown| unknown.meant().is_none() && !unknown.is_annotation())
        .map(|unknown| format!("{}{}", quoted(&unknown.keyword), unknown.location()))
        .collect();
    if !others.is_empty() && warnings.len() < MAX_WARNINGS && constrains::constrains(schema, schema) {
        warnings.push(format!("unknown keywords are ignored: {}", listed(&others)));
    }
    warnings.extend(format::not_validated(schema, &visit.formats));
    let more = warnings.len().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        warnings.truncate(MAX_WARNINGS);
        warnings.push(format!("and {more} more about this schema"));
    }
    warnings
}

/// The warning about a schema that constrains nothing.
fn nothing(schema: &Value, visit: &keywords::Visit) -> String {
    let message = "the schema constrains nothing: every JSON answer passes, so it means `is_json`";
    let Some(map) = schema.as_object() else { return message.to_owned() };
    let definition = ["$defs", "definitions"].iter().find_map(|key| {
        let first = map.get(*key)?.as_object()?.keys().next()?;
        Some(format!("#/{key}/{first}"))
    });
    if let Some(target) = definition {
        return format!("{message}; no `$ref` uses its definitions: add \"$ref\": \"{target}\"");
    }
    let of_root = |unknown: &&keywords::Unknown| unknown.parent.is_empty();
    let unknown = visit.unknown.iter().filter(of_root).count();
    let is_schema = |value: &Value| value.get("type").is_some_and(Value::is_string);
    if unknown == map.len() && !map.is_empty() && map.values().all(is_schema) {
        return format!("{message}; it looks like the value of `properties`: put it below that key");
    }
    if unknown > 0 && unknown == map.len() {
        return format!(
            "{message}; none of its keys is a keyword, so it looks like an example of an answer: describe it with \
             \"type\", \"properties\" and \"required\""
        );
    }
    message.to_owned()
}

/// The first three texts, and the number of the others.
fn listed(texts: &[String]) -> String {
    let shown = texts.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    match texts.len().saturating_sub(3) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
