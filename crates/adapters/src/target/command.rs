//! An application that is a command: one JSON object per line.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::input;
use super::reply::{Parts, redacted};
use crate::worker::{WorkerLog, WorkerOptions, Workers};
use promptgate_core::model::{Attempt, ChatRequest, Completion, Fault};
use promptgate_core::port::ChatModel;
use promptgate_core::text::Redactor;

/// An application behind worker processes.
pub struct CommandTarget {
    workers: Workers,
    label: String,
    redactor: Arc<Redactor>,
}

impl CommandTarget {
    /// Creates the target; no process is started yet.
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

    async fn answer(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        let reply = self.workers.exchange(input(request, &self.label)?).await?;
        let completion = Parts::of(&reply.value).completion(reply.elapsed).map_err(|invalid| {
            let mut fault = invalid.fault(&self.label, &self.redactor);
            let ms = reply.elapsed.as_millis().try_into().unwrap_or(u64::MAX);
            fault.attempts.push(Attempt::new(&fault, ms));
            fault
        })?;
        Ok(redacted(completion, &self.redactor))
    }
}

impl ChatModel for CommandTarget {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        self.answer(request).boxed()
    }
}
