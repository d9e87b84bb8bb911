//! Transformations by command: code of the user that turns an answer into the text that is graded.
//!
//! The program is a worker, behind the interface of a model so that the cache can be in front of it. Its reply must have the
//! text; anything else is a fault, and the answer is then not graded as it came.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::http::server_text;
use crate::worker::{WorkerLog, WorkerOptions, Workers, error_text};
use promptgate_core::model::{ChatRequest, Completion, Fault, FaultKind};
use promptgate_core::port::ChatModel;
use promptgate_core::text::Redactor;

/// A transformation behind worker processes.
pub struct CommandTransform {
    workers: Workers,
    label: String,
    redactor: Arc<Redactor>,
}

impl CommandTransform {
    /// Creates the transformation; no process is started yet.
    pub fn new(options: WorkerOptions, redactor: Arc<Redactor>, log: Arc<WorkerLog>) -> Self {
        let label = options.label.clone();
        Self { workers: Workers::new(options, Arc::clone(&redactor), log), label, redactor }
    }

    /// Stops the processes.
    ///
    /// # Errors
    /// As [`Workers::shutdown`].
    pub async fn shutdown(&self) -> Result<(), Fault> {
        self.workers.shutdown().await
    }

    async fn transform(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        let invalid = |reason: &str| {
            let reason = server_text(&self.redactor, reason);
            Fault::new(FaultKind::InvalidAnswer, format!("{}: {reason}", self.label))
                .help("expected {\"output\": TEXT}")
        };
        let input = request.input.as_ref().ok_or_else(|| invalid("the request has no answer"))?;
        let reply = self.workers.call(input).await?;
        let text = output(&reply).map_err(|reason| invalid(&reason))?;
        Ok(Completion::from_text(self.redactor.redact(&text)))
    }
}

impl ChatModel for CommandTransform {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        self.transform(request).boxed()
    }
}

/// Returns the text of a reply.
///
/// # Errors
/// The reason why there is none, in lower case.
fn output(reply: &Value) -> Result<String, String> {
    let part = |name: &str| reply.get(name).filter(|value| !value.is_null());
    match (part("error"), part("output")) {
        (Some(error), _) => Err(format!("the transformation reports an error: {}", error_text(error))),
        (None, Some(Value::String(text))) => Ok(text.clone()),
        (None, Some(other)) => Err(format!("`output` is not a text but {other}")),
        (None, None) => Err("`output` is missing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn output_is_a_text() {
        assert_eq!(output(&json!({"id": "a", "output": "30 days"})).as_deref(), Ok("30 days"));
        assert_eq!(output(&json!({"output": "", "error": null})).as_deref(), Ok(""));
        for (reply, part) in [
            (json!({}), "missing"),
            (json!([]), "missing"),
            (json!({"output": null}), "missing"),
            (json!({"output": 30}), "not a text but 30"),
            (json!({"output": {"text": "a"}}), "not a text"),
            (json!({"output": "a", "error": "no parser"}), "no parser"),
            (json!({"error": {"message": "no parser"}}), "no parser"),
        ] {
            let error = output(&reply).unwrap_err();
            assert!(error.contains(part), "{reply}: {error}");
        }
    }
}
