//! Names of checks, and checks that all cases share.

use serde_json::{Map, Value};

use super::super::draft::{Draft, DraftCheck, unique};

/// Maximum length of a name.
const MAX_NAME: usize = 64;

/// Moves the checks that every case has to the configuration.
pub(super) fn hoist(draft: &mut Draft) {
    let [first, rest @ ..] = draft.cases.as_slice() else { return };
    if rest.is_empty() {
        return;
    }
    let is_shared = |check: &&DraftCheck| rest.iter().all(|case| case.checks.contains(check));
    let shared: Vec<DraftCheck> = first.checks.iter().filter(is_shared).cloned().collect();
    for case in &mut draft.cases {
        case.checks.retain(|check| !shared.contains(check));
    }
    for check in shared {
        if !draft.checks.contains(&check) {
            draft.checks.push(check);
        }
    }
}

/// Gives every check a name that no other check of its answers has; `None` where that is the name of its kind.
pub(super) fn name(draft: &mut Draft) {
    let mut taken = vec!["javascript".to_owned(), "python".to_owned()];
    draft.checks.iter_mut().for_each(|check| set_name(check, &mut taken));
    for case in &mut draft.cases {
        let mut taken = taken.clone();
        case.checks.iter_mut().for_each(|check| set_name(check, &mut taken));
    }
}

fn set_name(check: &mut DraftCheck, taken: &mut Vec<String>) {
    let kind = kind(&check.body);
    let wanted = check.name.take().unwrap_or_else(|| kind.clone());
    let short: String = wanted.chars().take(MAX_NAME - 4).collect();
    let name = unique(&short, taken);
    check.name = (name != kind).then_some(name);
}

/// The name of a check without `name`.
fn kind(body: &Value) -> String {
    let key =
        |value: &Value| value.as_object().and_then(|map| map.keys().next().cloned()).unwrap_or_default();
    match body.get("not") {
        Some(inner) => format!("not.{}", key(inner)),
        None => key(body),
    }
}

/// Whether a check compares embeddings.
pub(super) fn is_similar(body: &Value) -> bool {
    body.get("similar").is_some() || body.pointer("/not/similar").is_some()
}

/// The entry of a check.
pub(super) fn entry(check: &DraftCheck) -> Value {
    let mut entry: Map<String, Value> = check.body.as_object().cloned().unwrap_or_default();
    if let Some(name) = &check.name {
        entry.insert("name".to_owned(), Value::from(name.as_str()));
    }
    Value::Object(entry)
}
