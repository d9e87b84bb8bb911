//! Endpoints of models, in the protocol of each: a chat request in, a complete response or a typed fault out.
//!
//! Layers around one HTTP call, outermost first: [`Retrying`] ▸ [`Budgeted`] (where there is a budget) ▸ [`Limited`] ▸
//! HTTP. Each is a [`ChatModel`], so they wrap a simulated model too. The engine decides how a fault affects a trial or
//! the run; checks and judges grade the response.

mod adaptive_rate;
mod address;
mod budget;
mod faults;
mod http_model;
mod limit;
mod options;
mod pace;
mod retry;
mod slots;
mod sync;
mod wire;

#[cfg(test)]
mod provider_replies_tests;
#[cfg(test)]
mod replies_tests;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use address::{is_loopback, needs_key};
pub use budget::{Budget, Budgeted, Ceilings};
pub use limit::Limited;
pub use options::Options;
pub use retry::Retrying;

use promptgate_core::model::{ChatRequest, Completion, Diagnostic, Fault, FaultKind};
use promptgate_core::port::{ChatModel, Event, EventSink};
use promptgate_core::text::Redactor;

/// Creates the model of an endpoint; nothing is sent yet. When `stop` is cancelled, waiting calls end at once with
/// [`FaultKind::Interrupted`]; calls in flight may finish.
///
/// Where a required key is missing, every call ends with [`FaultKind::MissingCredentials`].
///
/// # Errors
/// A [`Diagnostic`] where an option is invalid: the URL, a header, the certificate file; or where the system has no
/// trusted roots.
pub fn connect(
    options: Options,
    events: Arc<dyn EventSink>,
    redactor: Arc<Redactor>,
    stop: CancellationToken,
) -> Result<Arc<dyn ChatModel>, Diagnostic> {
    let base = address::parse(&options.base_url, options.protocol)?;
    let has_key = options.key().is_some() || !options.headers.is_empty();
    if !has_key && options.needs_key && !base.is_private() {
        let (host, variable) = (base.authority(), &options.api_key_env);
        let message = format!("no key for {host}: the environment variable {variable} is not set");
        let fault = Fault::new(FaultKind::MissingCredentials, message).help(format!(
            "set {variable}, or set endpoint.api_key_env to another variable, or to null if the endpoint needs no key"
        ));
        return Ok(Arc::new(Unavailable { fault }));
    }
    if has_key && !base.is_encrypted() && !base.is_private() {
        let host = base.authority();
        events.emit(Event::Warning {
            message: format!("the key is sent to {host} without encryption; use https in endpoint.base_url"),
        });
    }
    let model = http_model::HttpModel::new(&options, base, redactor)?;
    Ok(layered(Arc::new(model), &options, events, stop))
}

/// Wraps a model in the layers of [`connect`]: retries, the budget of the options, limits.
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

/// Ends every call with the same fault.
struct Unavailable {
    fault: Fault,
}

impl ChatModel for Unavailable {
    fn complete<'a>(&'a self, _request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        async { Err(self.fault.clone()) }.boxed()
    }
}
