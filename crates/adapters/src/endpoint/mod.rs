//! The client of OpenAI-compatible endpoints: one ask of a chat model in, one whole answer or a typed fault out.
//!
//! Layers around one HTTP call, outermost first: [`Retrying`] ▸ [`Budgeted`] (where there is a budget) ▸
//! [`Limited`] ▸ HTTP. Each is a [`ChatModel`] of its own, so they fit around a simulated model too. What a
//! fault means for a trial or a run is left to the engine, what an answer is worth to checks and judges.

mod address;
mod budget;
mod faults;
mod http_model;
mod learned;
mod limit;
mod options;
mod pace;
mod retry;
mod wire;

#[cfg(test)]
mod test_server;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use address::needs_key;
pub use budget::{Budget, Budgeted, Ceilings, Price};
pub use limit::Limited;
pub use options::Options;
pub use retry::Retrying;

use address::Address;
use promptgate_core::model::{ChatRequest, Completion, Diagnostic, Fault, FaultKind};
use promptgate_core::port::{ChatModel, Event, EventSink};
use promptgate_core::text::Redactor;

/// Connects to an endpoint; nothing is sent yet. When `stop` is cancelled, calls that wait end at once as
/// [`FaultKind::Interrupted`]; calls in flight may finish.
///
/// Where the endpoint needs a key and there is none, every call is a [`FaultKind::MissingCredentials`].
///
/// # Errors
/// A [`Diagnostic`] where the options make no client: an address that is none, a header that cannot be sent, a
/// certificate file that holds no certificate, no trusted roots on this machine.
pub fn connect(
    options: Options,
    events: Arc<dyn EventSink>,
    redactor: Arc<Redactor>,
    stop: CancellationToken,
) -> Result<Arc<dyn ChatModel>, Diagnostic> {
    let address = Address::parse(&options.base_url)?;
    let has_key = options.key().is_some() || !options.headers.is_empty();
    if !has_key && address.needs_key() {
        let fault = Fault::new(
            FaultKind::MissingCredentials,
            format!(
                "no key for {}: the environment variable {} is not set",
                address.host(),
                options.api_key_env
            ),
        )
        .help(format!("set {}, or name another variable in endpoint.api_key_env", options.api_key_env));
        return Ok(Arc::new(Refusing { fault }));
    }
    if has_key && address.exposes_key() {
        events.emit(Event::Warning {
            message: format!(
                "the key is sent to {} without encryption; use https in endpoint.base_url",
                address.host()
            ),
        });
    }
    let model = http_model::HttpModel::new(&options, &address, redactor)?;
    Ok(layered(Arc::new(model), &options, events, stop))
}

/// The layers of [`connect`] around any model: retries, budget where the options have one, limits.
pub fn layered(
    inner: Arc<dyn ChatModel>,
    options: &Options,
    events: Arc<dyn EventSink>,
    stop: CancellationToken,
) -> Arc<dyn ChatModel> {
    let limited = Limited::new(inner, options, Arc::clone(&events), stop.clone());
    let mut model: Arc<dyn ChatModel> = Arc::new(limited);
    if let Some(budget) = &options.budget {
        model = Arc::new(Budgeted::new(model, Arc::clone(budget), Arc::clone(&events), stop.clone()));
    }
    Arc::new(Retrying::new(model, options, events, stop))
}

/// Answers every call with one fault.
struct Refusing {
    fault: Fault,
}

impl ChatModel for Refusing {
    fn complete<'a>(&'a self, _request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        async { Err(self.fault.clone()) }.boxed()
    }
}

/// The fault of a call that was not made because the run was asked to stop.
fn interrupted() -> Fault {
    Fault::new(FaultKind::Interrupted, "interrupted before the call was made")
}

/// Locks; a panic elsewhere leaves counters that are still good enough to go on with.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
