//! What the tests of several files here need: a request, an answer, a scripted model, a sink that keeps events.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Map;

use super::lock;
use promptgate_core::model::{
    ChatRequest, Completion, Fault, FaultKind, Message, MessageRole, Purpose, Usage,
};
use promptgate_core::port::{ChatModel, Event, EventSink};

/// A request for a completion.
pub(super) fn request() -> ChatRequest {
    ChatRequest {
        model: "m".to_owned(),
        messages: vec![Message { role: MessageRole::User, content: "why?".to_owned() }],
        parameters: Map::new(),
        response_format: None,
        repeat: 0,
        purpose: Purpose::Completion,
        refresh: false,
    }
}

/// A request for a judgement.
pub(super) fn judgement() -> ChatRequest {
    ChatRequest { purpose: Purpose::Judgement, ..request() }
}

/// An answer with usage.
pub(super) fn answer(text: &str) -> Completion {
    Completion {
        usage: Some(Usage { prompt_tokens: 100, completion_tokens: 10 }),
        latency_ms: 1.0,
        ..Completion::from_text(text)
    }
}

/// A fault that asks for a wait.
pub(super) fn asking(kind: FaultKind, wait: Duration) -> Fault {
    let mut fault = Fault::new(kind, "wait");
    fault.retry_after = Some(wait);
    fault
}

/// Answers by a script, then always well; each call takes a while.
pub(super) struct Scripted {
    script: Mutex<VecDeque<Result<Completion, Fault>>>,
    takes: Duration,
    seen: Mutex<Vec<(Purpose, tokio::time::Instant)>>,
    in_flight: Mutex<(usize, usize)>,
}

impl Scripted {
    pub(super) fn new(script: impl IntoIterator<Item = Result<Completion, Fault>>) -> Arc<Self> {
        Self::slow(script, Duration::ZERO)
    }

    pub(super) fn slow(
        script: impl IntoIterator<Item = Result<Completion, Fault>>,
        takes: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::new(script.into_iter().collect()),
            takes,
            seen: Mutex::default(),
            in_flight: Mutex::default(),
        })
    }

    /// Calls so far.
    pub(super) fn calls(&self) -> usize {
        lock(&self.seen).len()
    }

    /// When calls came, and why.
    pub(super) fn seen(&self) -> Vec<(Purpose, tokio::time::Instant)> {
        lock(&self.seen).clone()
    }

    /// The most calls that were in flight at once.
    pub(super) fn peak(&self) -> usize {
        lock(&self.in_flight).1
    }
}

impl ChatModel for Scripted {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        async move {
            lock(&self.seen).push((request.purpose, tokio::time::Instant::now()));
            {
                let mut flight = lock(&self.in_flight);
                flight.0 += 1;
                flight.1 = flight.1.max(flight.0);
            }
            if !self.takes.is_zero() {
                tokio::time::sleep(self.takes).await;
            }
            lock(&self.in_flight).0 -= 1;
            lock(&self.script).pop_front().unwrap_or_else(|| Ok(answer("ok")))
        }
        .boxed()
    }
}

/// Keeps events.
#[derive(Default)]
pub(super) struct Kept(Mutex<Vec<Event>>);

impl Kept {
    pub(super) fn events(&self) -> Vec<Event> {
        lock(&self.0).clone()
    }

    pub(super) fn count(&self, is: impl Fn(&Event) -> bool) -> usize {
        lock(&self.0).iter().filter(|event| is(event)).count()
    }
}

impl EventSink for Kept {
    fn emit(&self, event: Event) {
        lock(&self.0).push(event);
    }
}
