//! The fingerprint of the judges: two runs may be compared only if it is the same.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::ask::system;
use super::dialect::Rung;
use super::request::RELEVANCE_ITEMS;
use super::schema::Form;
use super::{Judge, Spec};

/// Version of what the program itself does: splitting, quote check, scoring. Raised when a change of these can
/// change a score.
const RULES: u32 = 1;

/// `sha256:…` over all that is known of the judges before a call: names, rubrics and their system messages,
/// reply schemas, models, parameters and the endpoint's host. Neither the order of the judges nor that of the
/// parameters matters. What the endpoint answers (model, rung) is on each grade instead.
pub fn fingerprint(judges: &[Judge], endpoint_host: &str) -> String {
    let mut described: Vec<(String, Value)> =
        judges.iter().map(|judge| (judge.name.clone(), describe(judge))).collect();
    described.sort_by(|(name, _), (other, _)| name.cmp(other));
    let judges: Vec<Value> = described.into_iter().map(|(_, value)| value).collect();
    let document = json!({"rules": RULES, "host": endpoint_host.to_lowercase(), "judges": judges});
    let digest = Sha256::digest(sorted(&document).to_string().as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn describe(judge: &Judge) -> Value {
    let (task, rubric, form, items) = match &judge.spec {
        Spec::Faithfulness => ("faithfulness", super::faithfulness::RUBRIC, Form::Faithfulness, Value::Null),
        Spec::Relevance => {
            ("relevance", super::checklist::RELEVANCE, Form::Checklist, json!(RELEVANCE_ITEMS))
        }
        Spec::Correctness => ("correctness", super::correctness::RUBRIC, Form::Correctness, Value::Null),
        Spec::Rubric { items } => ("rubric", super::checklist::RUBRIC, Form::Checklist, json!(items)),
    };
    json!({
        "name": judge.name,
        "task": task,
        "model": judge.model,
        "parameters": judge.parameters,
        "items": items,
        "system": [system(rubric, Rung::JsonSchema), system(rubric, Rung::Fenced)],
        "schema": form.schema(1, true).to_string(),
    })
}

/// The value with the keys of every object in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            let fields: Map<String, Value> =
                keys.into_iter().filter_map(|key| Some((key.clone(), sorted(fields.get(key)?)))).collect();
            Value::Object(fields)
        }
        Value::Array(values) => Value::Array(values.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
