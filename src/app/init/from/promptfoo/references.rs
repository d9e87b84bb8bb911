//! `$ref`: parts of a configuration that are written elsewhere.

use serde_json::{Map, Value};

use promptgate_core::document::{Document, pointer};
use promptgate_core::model::{Diagnostic, Diagnostics};

use super::super::sources::{Sources, normal};

/// Maximum number of references that lead to one value.
const MAX_REFERENCES: usize = 32;
/// Maximum number of values that references may add, against documents that double with each.
const MAX_VALUES: usize = 200_000;

/// The value of a document in which every `$ref` is replaced by what it names.
///
/// # Errors
/// References that lead in a circle, to nothing, or to too much.
pub(super) fn resolved(document: &Document, sources: &Sources<'_>) -> Result<Value, Diagnostics> {
    let mut resolver = Resolver { document, sources, values: 0 };
    resolver.value(document.value(), document.value(), "", &mut Vec::new())
}

struct Resolver<'a> {
    document: &'a Document,
    sources: &'a Sources<'a>,
    values: usize,
}

impl Resolver<'_> {
    fn value(
        &mut self,
        root: &Value,
        value: &Value,
        at: &str,
        open: &mut Vec<String>,
    ) -> Result<Value, Diagnostics> {
        if !open.is_empty() {
            self.values += 1;
            if self.values > MAX_VALUES {
                let message = format!("references add more than {MAX_VALUES} values");
                return Err(Diagnostic::new(message)
                    .at(self.document.place(at))
                    .help("write fewer `$ref`")
                    .into());
            }
        }
        match value {
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let items = items.map(|(index, item)| self.value(root, item, &format!("{at}/{index}"), open));
                Ok(Value::Array(items.collect::<Result<_, _>>()?))
            }
            Value::Object(map) => match map.get("$ref") {
                Some(Value::String(reference)) => self.reference(root, map, reference, at, open),
                _ => {
                    let mut result = Map::new();
                    for (key, value) in map {
                        result.insert(key.clone(), self.value(root, value, &pointer(at, key), open)?);
                    }
                    Ok(Value::Object(result))
                }
            },
            other => Ok(other.clone()),
        }
    }

    /// Keys beside `$ref` win over those of what it names.
    fn reference(
        &mut self,
        root: &Value,
        map: &Map<String, Value>,
        reference: &str,
        at: &str,
        open: &mut Vec<String>,
    ) -> Result<Value, Diagnostics> {
        let place = self.document.place(at);
        if open.iter().any(|other| other == reference) || open.len() >= MAX_REFERENCES {
            let circle = open.iter().map(String::as_str).chain([reference]).collect::<Vec<_>>().join(" → ");
            return Err(Diagnostic::new(format!("`$ref` leads in a circle: {circle}"))
                .at(place)
                .help("let one of them have the value itself")
                .into());
        }
        let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let loaded;
        let root = if file.is_empty() {
            root
        } else {
            let path = normal(file.strip_prefix("file://").unwrap_or(file));
            loaded = self.sources.document(&path, &place)?.into_value();
            &loaded
        };
        let Some(target) = root.pointer(fragment) else {
            return Err(Diagnostic::new(format!("`{reference}` names nothing"))
                .at(place)
                .help("correct the `$ref`, such as `#/assertionTemplates/NAME`")
                .into());
        };
        open.push(reference.to_owned());
        let mut result = self.value(root, target, at, open)?;
        open.pop();
        for (key, value) in map.iter().filter(|(key, _)| *key != "$ref") {
            let value = self.value(root, value, &pointer(at, key), open)?;
            if let Value::Object(result) = &mut result {
                result.insert(key.clone(), value);
            }
        }
        Ok(result)
    }
}
