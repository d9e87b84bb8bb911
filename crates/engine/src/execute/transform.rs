//! The program that transforms answers before they are graded.

use std::sync::Arc;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::scorers::{Scorers, product_fault};
use promptgate_core::model::{Case, ChatRequest, Completion, Fault, Purpose, Transformed};

impl Scorers {
    /// Transforms an answer by the program, where there is one. A failure is kept with the answer, which then has no grade: it
    /// is never graded as it came. Answers that score 0 anyway, refusals, and tool calls without a text are left as they are.
    pub(crate) async fn transform(&self, case: &Case, completion: Completion) -> Completion {
        let Some(program) = &self.transformer else { return completion };
        if completion.refusal || completion.text.is_empty() || product_fault(&completion).is_some() {
            return completion;
        }
        let before =
            completion.transformed.clone().unwrap_or(Transformed { from: None, error: None, fault: None });
        match program.complete(&request(case, &completion.text)).await {
            Ok(Completion { text, .. }) if text == completion.text => {
                let transformed = Some(Transformed { fault: None, ..before });
                let transformed = transformed.filter(|transformed| transformed.from.is_some());
                Completion { transformed, ..completion }
            }
            Ok(Completion { text, .. }) => {
                let from = before.from.or(Some(completion.text));
                Completion {
                    text,
                    transformed: Some(Transformed { from, error: None, fault: None }),
                    ..completion
                }
            }
            Err(fault) => {
                let fault = Some(Fault { attempts: Vec::new(), ..fault });
                Completion { transformed: Some(Transformed { fault, ..before }), ..completion }
            }
        }
    }
}

/// The request for an answer. Its id is the same for equal answers to a case alone, so that they may share a reply.
fn request(case: &Case, output: &str) -> ChatRequest {
    let digest = Sha256::digest(output.as_bytes());
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let input = json!({"id": format!("{} {digest}", case.id), "output": output, "case": case.for_programs()});
    ChatRequest {
        model: String::new(),
        messages: Vec::new(),
        parameters: serde_json::Map::new(),
        response_format: None,
        repeat: 0,
        purpose: Purpose::Completion,
        refresh: false,
        input: Some(Arc::new(input)),
    }
}
