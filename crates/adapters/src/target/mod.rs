//! Applications and recorded answers in place of a chat model.
//!
//! The input of an application is `ChatRequest::input`, its answer becomes a `Completion` (`reply`). A fault of an
//! application is never free of suspicion: code may fail because of the question.

mod command;
mod http;
mod json_path;
mod recorded;
mod reply;

use std::sync::Arc;

use serde_json::Value;

pub use command::CommandTarget;
pub use http::{HttpTarget, HttpTargetOptions};
pub use json_path::JsonPath;
pub use recorded::RecordedAnswers;

use promptgate_core::model::{ChatRequest, Fault, FaultKind};

/// Returns the input of an application.
fn input<'a>(request: &'a ChatRequest, label: &str) -> Result<&'a Arc<Value>, Fault> {
    request.input.as_ref().ok_or_else(|| {
        Fault::new(FaultKind::InvalidAnswer, format!("{label}: the request has no input for an application"))
    })
}
