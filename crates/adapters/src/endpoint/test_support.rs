//! Requests, faults and scripted models for the tests of this module.

use std::sync::Arc;
use std::time::Duration;

use promptgate_core::model::{ChatRequest, Fault, FaultKind, Purpose};
use promptgate_testing::{Reply, ScriptedModel, request};

/// A request for a judgement.
pub(super) fn judgement() -> ChatRequest {
    ChatRequest { purpose: Purpose::Judgement, ..request() }
}

/// A fault with a `retry_after`.
pub(super) fn asking(kind: FaultKind, wait: Duration) -> Fault {
    let mut fault = Fault::new(kind, "wait");
    fault.retry_after = Some(wait);
    fault
}

/// A model that gives these replies at once, and then "ok".
pub(super) fn scripted(replies: impl IntoIterator<Item = Reply>) -> Arc<ScriptedModel<'static>> {
    slow(replies, Duration::ZERO)
}

/// A model that gives these replies after a duration each, and then "ok".
pub(super) fn slow(
    replies: impl IntoIterator<Item = Reply>,
    duration: Duration,
) -> Arc<ScriptedModel<'static>> {
    Arc::new(ScriptedModel::replies(replies, "ok").with_duration(duration))
}
