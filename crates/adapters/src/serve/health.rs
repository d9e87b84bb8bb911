//! `GET /healthz`: 200 in any case, because the last good state is served even if the ledger is not readable.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::PromptServer;
use super::refresh::{Problem, Subject};
use super::response::{Reply, json};

/// Reads of the ledger that may be missed before the server is degraded.
const MAX_MISSED: u32 = 3;

/// Responds with `ok` or `degraded`. Reasons and places are shown only to those who may read prompts.
pub(super) fn respond(server: &PromptServer, shows_details: bool) -> Reply {
    let view = server.view();
    let age = view.current_at.elapsed();
    let mut problems = view.problems.clone();
    // A read that neither succeeds nor fails.
    let is_overdue = age > server.refresh * MAX_MISSED + super::refresh::REFRESH_TIMEOUT;
    if is_overdue && !view.has_problem(&Subject::Ledger) {
        let reason = format!("it was last read {} seconds ago", age.as_secs());
        problems.push(Problem { subject: Subject::Ledger, reason });
    }
    let status = if problems.is_empty() { "ok" } else { "degraded" };
    if !shows_details {
        return json(StatusCode::OK, &json!({"status": status}));
    }
    let problems: Vec<Value> = problems
        .iter()
        .map(|problem| json!({"subject": problem.subject.to_string(), "reason": problem.reason}))
        .collect();
    json(
        StatusCode::OK,
        &json!({
            "status": status,
            "ledger": server.ledger.location(),
            "prompts": view.snapshot.len(),
            "age_seconds": age.as_secs_f64(),
            "degraded_seconds": view.degraded_at.map(|since| since.elapsed().as_secs_f64()),
            "problems": problems,
            "discarded": server.discarded.counts(),
        }),
    )
}
