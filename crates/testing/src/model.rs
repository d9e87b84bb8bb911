//! A scripted chat model, a recorder of events, and builders of requests and completions.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use promptgate_core::model::{ChatRequest, Completion, Fault, Message, MessageRole, Purpose, Usage};
use promptgate_core::port::{ChatModel, Event, EventSink};
use tokio::time::Instant;

/// The result of one call of a model.
pub type Reply = Result<Completion, Fault>;

type Script<'s> = Box<dyn Fn(&ChatRequest, usize) -> Reply + Send + Sync + 's>;

/// A request for a completion of one user message.
pub fn request() -> ChatRequest {
    request_of("why?")
}

/// A request for a completion of this user message.
pub fn request_of(text: &str) -> ChatRequest {
    ChatRequest {
        model: "m".to_owned(),
        messages: vec![Message::new(MessageRole::User, text.to_owned())],
        parameters: serde_json::Map::new(),
        response_format: None,
        repeat: 0,
        purpose: Purpose::Completion,
        refresh: false,
        input: None,
    }
}

/// A completion with usage and a latency of 1 ms.
pub fn completion(text: impl Into<String>) -> Completion {
    Completion { usage: Some(Usage::new(100, 10)), latency_ms: 1.0, ..Completion::from_text(text) }
}

/// A model that replies by a script, takes a set time for each call, and records its calls.
pub struct ScriptedModel<'s> {
    script: Script<'s>,
    duration: Box<dyn Fn(&ChatRequest) -> Duration + Send + Sync + 's>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    calls: Vec<Call>,
    in_flight: usize,
    peak: usize,
}

/// A recorded call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The request.
    pub request: ChatRequest,
    /// When the call started.
    pub at: Instant,
}

impl<'s> ScriptedModel<'s> {
    /// Replies by a function of the request and of the call number, counted from 0.
    pub fn new(script: impl Fn(&ChatRequest, usize) -> Reply + Send + Sync + 's) -> Self {
        Self { script: Box::new(script), duration: Box::new(|_| Duration::ZERO), log: Mutex::default() }
    }

    /// Replies with the elements of a list in order, and then with `after_last`.
    pub fn replies(replies: impl IntoIterator<Item = Reply>, after_last: &str) -> Self {
        let (replies, after_last) = (replies.into_iter().collect::<Vec<_>>(), completion(after_last));
        Self::new(move |_, number| replies.get(number).cloned().unwrap_or_else(|| Ok(after_last.clone())))
    }

    /// Lets each call take this long, in tokio's time.
    #[must_use]
    pub fn with_duration(self, duration: Duration) -> Self {
        self.with_durations(move |_| duration)
    }

    /// Lets each call take the time that a function gives for its request.
    #[must_use]
    pub fn with_durations(self, duration: impl Fn(&ChatRequest) -> Duration + Send + Sync + 's) -> Self {
        Self { duration: Box::new(duration), ..self }
    }

    /// The calls so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.log().calls.clone()
    }

    /// The requests of the calls so far, in order.
    pub fn requests(&self) -> Vec<ChatRequest> {
        self.log().calls.iter().map(|call| call.request.clone()).collect()
    }

    /// The number of calls so far.
    pub fn call_count(&self) -> usize {
        self.log().calls.len()
    }

    /// The maximum number of calls that were in flight at the same time.
    pub fn peak_in_flight(&self) -> usize {
        self.log().peak
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, request: &ChatRequest) -> usize {
        let mut log = self.log();
        log.calls.push(Call { request: request.clone(), at: Instant::now() });
        log.in_flight += 1;
        log.peak = log.peak.max(log.in_flight);
        log.calls.len() - 1
    }
}

impl fmt::Debug for ScriptedModel<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ScriptedModel").field("calls", &self.call_count()).finish_non_exhaustive()
    }
}

/// Ends a call, also one that is cancelled.
struct InFlight<'a>(&'a ScriptedModel<'a>);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.log().in_flight -= 1;
    }
}

impl ChatModel for ScriptedModel<'_> {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Reply> {
        async move {
            let number = self.start(request);
            let _in_flight = InFlight(self);
            match (self.duration)(request) {
                // Other tasks can run during a call of any duration.
                Duration::ZERO => tokio::task::yield_now().await,
                duration => tokio::time::sleep(duration).await,
            }
            (self.script)(request, number)
        }
        .boxed()
    }
}

/// A sink that records its events.
#[derive(Debug, Default)]
pub struct RecordedEvents(Mutex<Vec<Event>>);

impl RecordedEvents {
    /// The events so far, in order.
    pub fn all(&self) -> Vec<Event> {
        self.events().clone()
    }

    /// The number of events that satisfy a predicate.
    pub fn count(&self, predicate: impl Fn(&Event) -> bool) -> usize {
        self.events().iter().filter(|event| predicate(event)).count()
    }

    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for RecordedEvents {
    fn emit(&self, event: Event) {
        self.events().push(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join;

    #[tokio::test(start_paused = true)]
    async fn scripted_model_replies_in_order_and_records_calls() {
        let fault = Fault::new(promptgate_core::model::FaultKind::Unavailable, "503");
        let model = ScriptedModel::replies([Ok(completion("a")), Err(fault)], "end")
            .with_duration(Duration::from_secs(1));
        let (first, other) = (request_of("1"), request_of("2"));
        let (first, second) = join(model.complete(&first), model.complete(&other)).await;
        assert_eq!(first.map(|completion| completion.text), Ok("a".to_owned()));
        assert!(second.is_err());
        // A cancelled call is recorded and no longer in flight.
        let cancelled = tokio::time::timeout(Duration::from_millis(1), model.complete(&other)).await;
        assert!(cancelled.is_err());
        assert_eq!(model.complete(&request()).await.map(|completion| completion.text), Ok("end".to_owned()));
        let texts: Vec<String> =
            model.requests().iter().map(|request| request.messages[0].content.clone()).collect();
        assert_eq!(texts, ["1", "2", "2", "why?"]);
        assert_eq!((model.call_count(), model.peak_in_flight()), (4, 2));
    }
}
