//! The fingerprint of the judges: two runs may be compared only if it is the same.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::ask::system;
use super::dialect::OutputMode;
use super::request::RELEVANCE_ITEMS;
use super::schema::Form;
use super::{Judge, Member, Spec};

/// Version of what the program itself does: splitting, quote check, scoring. Raised when a change of these can
/// change a score.
const RULES: u32 = 2;

/// A fingerprint and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// `sha256:…` over everything.
    pub digest: String,
    /// The parts by name: `rules`, `questions`, `models`, `parameters`, `hosts`, `votes`.
    pub parts: BTreeMap<String, String>,
}

/// The fingerprint over all that is known of the judges before a call: names, rubrics and their system messages,
/// reply schemas, votes, and of each member of the panel model, parameters and the endpoint's host (`hosts`, in the
/// panel's order). Neither the order of the judges nor that of the parameters matters. What the endpoint answers
/// (model, output mode) is on each grade instead.
pub fn fingerprint(judges: &[Judge], hosts: &[String]) -> Fingerprint {
    let mut judges: Vec<&Judge> = judges.iter().collect();
    judges.sort_by_key(|judge| &judge.name);
    // The judges of a run share panel and votes: what all of them have in common is told once.
    let of_all = |text: &dyn Fn(&Judge) -> String| {
        let mut texts: Vec<String> = judges.iter().map(|judge| text(judge)).collect();
        texts.dedup();
        texts.join(", ")
    };
    let listed = |texts: Vec<String>| Value::from(texts).to_string();
    let members = |text: &dyn Fn(&Member) -> String| {
        of_all(&|judge| listed(judge.panel.iter().map(|member| text(member)).collect()))
    };
    let parts: BTreeMap<String, String> = [
        ("rules", RULES.to_string()),
        ("questions", digest(&Value::from(judges.iter().map(|judge| describe(judge)).collect::<Vec<_>>()))),
        ("models", members(&|member| member.model.clone())),
        ("parameters", members(&|member| sorted(&json!(member.parameters)).to_string())),
        ("hosts", listed(hosts.iter().map(|host| host.to_lowercase()).collect())),
        ("votes", of_all(&|judge| judge.votes.to_string())),
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
    let (task, rubric, form, items) = match &judge.spec {
        Spec::Faithfulness => ("faithfulness", super::faithfulness::RUBRIC, Form::Faithfulness, Value::Null),
        Spec::Relevance => {
            ("relevance", super::checklist::RELEVANCE, Form::Checklist, json!(RELEVANCE_ITEMS))
        }
        Spec::Correctness => ("correctness", super::correctness::RUBRIC, Form::Correctness, Value::Null),
        Spec::Rubric { items } => ("rubric", super::checklist::RUBRIC, Form::Checklist, json!(items)),
        Spec::Scale(scale) => ("scale", super::scale::RUBRIC, Form::Scale, json!(scale)),
    };
    json!({
        "name": judge.name,
        "task": task,
        "items": items,
        "system": [system(rubric, OutputMode::JsonSchema), system(rubric, OutputMode::Fenced)],
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
