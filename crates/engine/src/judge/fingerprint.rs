//! The fingerprint of the judges. Two runs are comparable only if it is the same.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::conversation::system_message;
use super::dialect::OutputMode;
use super::{Judge, Member};

/// Version of splitting, quote check, scoring and the instructions about conversations. Must be increased by every change
/// of these that can change a score.
const RULES: u32 = 2;

/// A fingerprint with its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// `sha256:…` of the parts.
    pub digest: String,
    /// The parts by name: `rules`, `questions`, `models`, `parameters`, `hosts`, `votes`.
    pub parts: BTreeMap<String, String>,
}

/// Computes the fingerprint of the judges from everything that is known before a call: names, settings, system messages,
/// reply schemas, votes, and the model, parameters and endpoint host of each member of the panel (`hosts`, in the order
/// of the panel). Judges of pairs count only where there is no other. The order of judges and parameters does not matter. Facts from responses (model, output mode) are part
/// of each grade instead.
pub fn fingerprint(judges: &[Judge], hosts: &[String]) -> Fingerprint {
    // A comparison is of two answers of one run, and never of scores of another: it does not make runs incomparable.
    let graders = judges.iter().filter(|judge| !judge.is_pairwise());
    let mut judges: Vec<&Judge> =
        if graders.clone().next().is_some() { graders.collect() } else { judges.iter().collect() };
    judges.sort_by_key(|judge| &judge.name);
    // The judges of a run share panel and votes: equal values are listed once.
    let distinct = |text: &dyn Fn(&Judge) -> String| {
        let mut texts: Vec<String> = judges.iter().map(|judge| text(judge)).collect();
        texts.dedup();
        texts.join(", ")
    };
    let listed = |texts: Vec<String>| Value::from(texts).to_string();
    let members = |text: &dyn Fn(&Member) -> String| {
        distinct(&|judge| listed(judge.panel.iter().map(|member| text(member)).collect()))
    };
    let parts: BTreeMap<String, String> = [
        ("rules", RULES.to_string()),
        ("questions", digest(&Value::from(judges.iter().map(|judge| describe(judge)).collect::<Vec<_>>()))),
        ("models", members(&|member| member.model.clone())),
        ("parameters", members(&|member| sorted(&json!(member.parameters)).to_string())),
        ("hosts", listed(hosts.iter().map(|host| host.to_lowercase()).collect())),
        ("votes", distinct(&|judge| judge.votes.to_string())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    Fingerprint { digest: digest(&json!(parts)), parts }
}

fn digest(document: &Value) -> String {
    let digest = Sha256::digest(sorted(document).to_string().as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn describe(judge: &Judge) -> Value {
    let row = &judge.kind.row;
    json!({
        "name": judge.name,
        "task": row.name(),
        "items": judge.kind.settings(),
        "system": [
            system_message(row.prompt, OutputMode::JsonSchema),
            system_message(row.prompt, OutputMode::Fenced),
        ],
        "schema": row.form.schema(1, true).to_string(),
    })
}

/// The value with sorted keys in every object.
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
