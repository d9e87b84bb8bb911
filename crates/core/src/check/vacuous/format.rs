//! Formats that are not validated: by the draft, or since nobody knows them.

use serde_json::{Value, json};

use super::listed;
use crate::check::reason::quoted;

/// Texts of which at least one violates every known format.
const INVALID: [&str; 3] = ["% [({", "\u{0}", ""];
const DRAFT_7: &str = "http://json-schema.org/draft-07/schema#";

/// Warns about formats, each with the location of its schema, that are not validated.
pub(super) fn not_validated(schema: &Value, formats: &[(String, String)]) -> Option<String> {
    let draft = schema.get("$schema").and_then(Value::as_str);
    let annotations: Vec<&(String, String)> =
        formats.iter().filter(|(name, _)| !is_validated(draft, name)).collect();
    let shown: Vec<String> = annotations
        .iter()
        .map(|(name, parent)| match parent.as_str() {
            "" => quoted(name),
            parent => format!("{} at {parent}", quoted(name)),
        })
        .collect();
    if shown.is_empty() {
        return None;
    }
    let by_draft_7 = annotations.iter().all(|(name, _)| is_validated(Some(DRAFT_7), name));
    let help = match by_draft_7 {
        true => format!("add \"$schema\": \"{DRAFT_7}\", or a `pattern`"),
        false => "add a `pattern`".to_owned(),
    };
    Some(format!("`format` is not validated here: {}; {help}", listed(&shown)))
}

fn is_validated(draft: Option<&str>, name: &str) -> bool {
    let mut schema = json!({ "format": name });
    if let Some(draft) = draft {
        schema["$schema"] = json!(draft);
    }
    let Ok(validator) = jsonschema::options().offline().build(&schema) else { return false };
    INVALID.iter().any(|text| !validator.is_valid(&json!(text)))
}
