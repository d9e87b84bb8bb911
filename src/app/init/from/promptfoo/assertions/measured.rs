//! Assertions about latency, cost and embeddings.

use serde_json::json;

use promptgate_core::model::Diagnostic;

use super::{Assertion, Carried, disguise};

/// Minimum similarity where none is written.
const DEFAULT_SIMILARITY: f64 = 0.75;

pub(super) fn convert(assertion: &Assertion) -> Result<Vec<Carried>, Diagnostic> {
    match (assertion.kind.as_str(), assertion.threshold) {
        ("similar", threshold) => similar(assertion, threshold.unwrap_or(DEFAULT_SIMILARITY)),
        (kind, None) => Err(assertion
            .note("it has no `threshold`", format!("write the {kind} as a number, and import again"))),
        (kind, _) if assertion.negated => Err(assertion.note(
            format!("there is no minimum of the {kind}"),
            "leave it out; a run reports it with every answer",
        )),
        ("latency", Some(limit)) => Ok(vec![Carried::Latency(limit)]),
        (_, limit) => {
            let limit = limit.unwrap_or_default();
            let help =
                format!("write `limits: {{cost_per_case_usd: {limit}}}` and the `prices` of the model");
            Err(assertion.note("a limit on the cost needs the price of the model", help))
        }
    }
}

fn similar(assertion: &Assertion, min: f64) -> Result<Vec<Carried>, Diagnostic> {
    let similar = json!({"similar": {"value": assertion.text()?, "min": min}});
    Ok(vec![Carried::Check(if assertion.negated { disguise::negation(&similar) } else { similar })])
}
