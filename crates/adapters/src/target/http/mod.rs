//! An application behind HTTP: started for the run, or at an address that is already there.

mod body;
mod options;
mod server;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::Method;
use serde_json::Value;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

use super::input;
use super::reply::redacted;
use crate::http::{Request, Resets, Response};
use crate::worker::WorkerLog;
pub use options::HttpTargetOptions;
use options::Plan;
use promptgate_core::model::{Attempt, ChatRequest, Completion, Diagnostics, Fault, FaultKind};
use promptgate_core::port::ChatModel;
use promptgate_core::text::{Redactor, json};
use server::{Server, ServerState};

/// An application behind HTTP.
pub struct HttpTarget {
    plan: Plan,
    redactor: Arc<Redactor>,
    log: Arc<WorkerLog>,
    slots: Semaphore,
    server: Mutex<ServerState>,
}

impl HttpTarget {
    /// Creates the target; nothing is started or sent yet.
    ///
    /// # Errors
    /// [`Diagnostics`] of the address, the headers, the body and the paths.
    pub fn new(
        options: HttpTargetOptions,
        redactor: Arc<Redactor>,
        log: Arc<WorkerLog>,
    ) -> Result<Self, Diagnostics> {
        let slots = Semaphore::new(options.concurrency.clamp(1, Semaphore::MAX_PERMITS));
        let plan = Plan::new(options)?;
        Ok(Self { plan, redactor, log, slots, server: Mutex::default() })
    }

    /// Stops the server that was started: a request to end, and a kill after two seconds.
    pub async fn shutdown(&self) {
        self.server.lock().await.shutdown().await;
    }

    async fn answer(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        let input = input(request, &self.plan.options.label)?;
        // It is never closed.
        let _slot = self.slots.acquire().await;
        let started = Instant::now();
        let mut resends = 0;
        let answer = self.exchange(input, &mut resends).await;
        let resent = vec![Attempt { kind: FaultKind::Disconnected, status: None, ms: 0 }; resends as usize];
        match answer {
            Ok(completion) => Ok(Completion { attempts: resent, ..completion }),
            Err(mut fault) => {
                let ms = started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
                let mut attempt = Attempt::new(&fault, ms);
                // The code was started, so the fault is not free of suspicion.
                if fault.kind == FaultKind::Dead {
                    attempt.kind = FaultKind::Disconnected;
                }
                fault.attempts = resent;
                fault.attempts.push(attempt);
                Err(fault)
            }
        }
    }

    async fn exchange(&self, input: &Value, resends: &mut u32) -> Result<Completion, Fault> {
        let body = self.plan.body.render(input).map_err(|reason| self.invalid(&reason))?;
        let body = serde_json::to_vec(&body).map_err(|error| self.invalid(&error.to_string()))?;
        let server = self.server.lock().await.running(&self.plan, &self.redactor, &self.log).await?;
        let request = Request::new(Method::POST, server.url.clone()).json(body).repeatable();
        let response = match server.client.send(&request).await {
            Ok(response) => response,
            Err(error) => {
                *resends += error.resends;
                return Err(server.fault(error).await);
            }
        };
        *resends += response.resends;
        self.completion(&server, &request, &response)
    }

    fn completion(
        &self,
        server: &Server,
        request: &Request,
        response: &Response,
    ) -> Result<Completion, Fault> {
        let label = server.client.label(request);
        if !response.status.is_success() {
            return Err(self.status_fault(&label, response));
        }
        server.client.check_media_type(request, response).map_err(Fault::from)?;
        let malformed = |reason: &str| self.invalid(&format!("{label}: {reason}"));
        let text =
            std::str::from_utf8(&response.body).map_err(|_| malformed("the answer is not valid UTF-8"))?;
        let value = json::parse(text)
            .map_err(|error| malformed(&format!("the answer is not valid JSON: {error}")))?;
        let parts = self.plan.paths.parts(&value).map_err(|reason| malformed(&reason))?;
        let completion = parts
            .as_parts()
            .completion(response.elapsed)
            .map_err(|invalid| invalid.fault(&self.plan.options.label, &self.redactor))?;
        self.log.count_reply();
        Ok(redacted(completion, &self.redactor))
    }

    /// A fault of the application. It has no status: that of an endpoint may free it of suspicion, that of code may not.
    fn status_fault(&self, label: &str, response: &Response) -> Fault {
        let description = response.server_error().describe(response.status, &self.redactor);
        let kind = match response.status.as_u16() {
            429 | 500.. => FaultKind::Unavailable,
            _ => FaultKind::InvalidAnswer,
        };
        let mut fault = Fault::new(kind, format!("{}: {label}: {description}", self.plan.options.label));
        fault.help = Some("see the log of the application".to_owned());
        fault.retry_after = response.retry_after(Resets::Ignore).filter(|wait| !wait.is_zero());
        fault
    }

    fn invalid(&self, reason: &str) -> Fault {
        let reason = crate::http::server_text(&self.redactor, reason);
        Fault::new(FaultKind::InvalidAnswer, format!("{}: {reason}", self.plan.options.label))
    }
}

impl ChatModel for HttpTarget {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        self.answer(request).boxed()
    }
}
