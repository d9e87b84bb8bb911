//! Visits all subschemas of a schema, and collects what its draft does not know.

use serde_json::Value;

use crate::document::{pointer, suggest};

/// Maximum depth of subschemas that are visited.
const MAX_DEPTH: usize = 64;

/// Keywords whose value is a schema, or a list of schemas.
const SCHEMA: [&str; 16] = [
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "oneOf",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Keywords whose value is a map of schemas.
const SCHEMAS: [&str; 6] =
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];

/// The other keywords of drafts 7 to 2020-12.
const OTHER: [&str; 43] = [
    "$anchor",
    "$comment",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$recursiveAnchor",
    "$recursiveRef",
    "$ref",
    "$schema",
    "$vocabulary",
    "const",
    "contentEncoding",
    "contentMediaType",
    "default",
    "dependentRequired",
    "deprecated",
    "description",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
    // Annotations of other tools that are near to a keyword.
    "example",
    "name",
    "id",
];

/// Annotations of editors, generators and other tools, which constrain nothing on purpose.
const ANNOTATIONS: [&str; 21] = [
    "defaultSnippets",
    "deprecationMessage",
    "discriminator",
    "enumDescriptions",
    "enumNames",
    "errorMessage",
    "externalDocs",
    "markdownDescription",
    "markdownEnumDescriptions",
    "order",
    "propertyOrder",
    "propertyOrdering",
    "strict",
    "tsEnumNames",
    "tsType",
    "ui",
    "unit",
    "units",
    "version",
    "xml",
    "media",
];

/// A keyword that no draft knows.
#[derive(Debug)]
pub(super) struct Unknown {
    pub(super) keyword: String,
    /// JSON pointer of its schema.
    pub(super) parent: String,
}

impl Unknown {
    /// The keyword that it probably misspells.
    pub(super) fn meant(&self) -> Option<String> {
        // `schema` is the key of a wrapper, not a misspelled `$schema`.
        if self.is_annotation() || self.keyword == "schema" {
            return None;
        }
        suggest(&self.keyword, SCHEMA.into_iter().chain(SCHEMAS).chain(OTHER))
    }

    /// Whether it is known not to constrain.
    pub(super) fn is_annotation(&self) -> bool {
        self.keyword.starts_with("x-") || ANNOTATIONS.contains(&self.keyword.as_str())
    }

    /// ` at /properties/a`; nothing for the root.
    pub(super) fn location(&self) -> String {
        if self.parent.is_empty() { String::new() } else { format!(" at {}", self.parent) }
    }
}

/// Unknown keywords and formats of a schema.
#[derive(Debug, Default)]
pub(super) struct Visit {
    /// Unknown keywords.
    pub(super) unknown: Vec<Unknown>,
    /// The name of each `format`, and the JSON pointer of its schema.
    pub(super) formats: Vec<(String, String)>,
}

/// Visits a schema and all its subschemas.
pub(super) fn visit(schema: &Value) -> Visit {
    let mut visit = Visit::default();
    visit.schema(schema, "", MAX_DEPTH);
    visit
}

impl Visit {
    fn schema(&mut self, schema: &Value, at: &str, depth: usize) {
        let Some(map) = schema.as_object().filter(|_| depth > 0) else { return };
        for (keyword, value) in map {
            let below = pointer(at, keyword);
            let key = keyword.as_str();
            match value {
                Value::Array(items) if SCHEMA.contains(&key) => {
                    for (index, item) in items.iter().enumerate() {
                        self.schema(item, &format!("{below}/{index}"), depth - 1);
                    }
                }
                _ if SCHEMA.contains(&key) => self.schema(value, &below, depth - 1),
                Value::Object(schemas) if SCHEMAS.contains(&key) => {
                    for (name, schema) in schemas {
                        self.schema(schema, &pointer(&below, name), depth - 1);
                    }
                }
                Value::String(name) if key == "format" => self.formats.push((name.clone(), at.to_owned())),
                _ if SCHEMAS.contains(&key) || OTHER.contains(&key) => {}
                _ => self.unknown.push(Unknown { keyword: keyword.clone(), parent: at.to_owned() }),
            }
        }
    }
}
