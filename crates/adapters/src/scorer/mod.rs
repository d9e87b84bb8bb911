//! Scorers by command: code of the user that turns a case and an answer into a score.
//!
//! A scorer is a worker. A score that is out of range, missing or not a number is an error, which leaves the answer
//! ungraded: it is never 0 and never 1.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use futures::future::BoxFuture;

use crate::http::server_text;
use crate::worker::{WorkerLog, WorkerOptions, Workers, error_text};
use promptgate_core::model::{Fault, FaultKind, Message, Score};
use promptgate_core::port::{Scored, Scorer, Subject};
use promptgate_core::text::{Redactor, neutral};

/// Maximum characters of a reason.
const MAX_REASON: usize = 300;

/// A scorer behind worker processes.
pub struct CommandScorer {
    workers: Workers,
    label: String,
    redactor: Arc<Redactor>,
    requests: AtomicU64,
}

impl CommandScorer {
    /// Creates the scorer; no process is started yet.
    pub fn new(options: WorkerOptions, redactor: Arc<Redactor>, log: Arc<WorkerLog>) -> Self {
        let label = options.label.clone();
        let workers = Workers::new(options, Arc::clone(&redactor), log);
        Self { workers, label, redactor, requests: AtomicU64::new(0) }
    }

    async fn request(&self, subject: &Subject<'_>) -> Result<Scored, Fault> {
        let id = self.requests.fetch_add(1, Ordering::Relaxed);
        let reply = self.workers.call(&input(id, subject)).await?;
        let invalid = |reason: String| {
            let reason = server_text(&self.redactor, &reason);
            Fault::new(FaultKind::InvalidAnswer, format!("{}: {reason}", self.label))
                .help("expected {\"score\": 0..1} or {\"pass\": true or false}, with \"reason\" and \"details\" if needed")
        };
        let (score, reason, details) = parse_score(&reply).map_err(invalid)?;
        let score = Score::new(score).ok_or_else(|| invalid("`score` is out of range".to_owned()))?;
        let reason = self.redactor.redact(&reason).split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Scored {
            score,
            reason: neutral::clip(&reason, MAX_REASON),
            details: redacted(details, &self.redactor),
        })
    }

    /// Stops the processes.
    ///
    /// # Errors
    /// As [`Workers::shutdown`].
    pub async fn shutdown(&self) -> Result<(), Fault> {
        self.workers.shutdown().await
    }
}

impl Scorer for CommandScorer {
    fn score<'a>(&'a self, subject: &'a Subject<'a>) -> BoxFuture<'a, Result<Scored, Fault>> {
        Box::pin(self.request(subject))
    }
}

/// The line for an answer. The id numbers the requests, since a case has an answer for each repeat and variant.
fn input(id: u64, subject: &Subject<'_>) -> Value {
    let Subject { case, completion, .. } = subject;
    json!({
        "id": id,
        "case": case_for(subject),
        "output": completion.text,
        "contexts": completion.contexts,
        "tool_calls": completion.tool_calls,
        "expected": case.expected,
    })
}

/// The case, with the conversation before the answer.
fn case_for(subject: &Subject<'_>) -> Value {
    let Subject { case, completion, .. } = subject;
    let mut value = case.for_programs();
    let messages = &case.answered_by(completion).messages;
    value["messages"] = messages.iter().map(Message::to_chat).collect();
    value
}

/// Returns score, reason and details of a scorer's reply.
///
/// # Errors
/// The reason why it is not a score, in lower case: out of range, not a number, missing, contradictory, or an error that
/// the scorer reports.
pub fn parse_score(reply: &Value) -> Result<(f64, String, Value), String> {
    let part = |name: &str| reply.get(name).filter(|value| !value.is_null());
    if let Some(error) = part("error") {
        return Err(format!("the scorer reports an error: {}", error_text(error)));
    }
    let score = match (part("score"), part("pass")) {
        (Some(score), None) => score_of(score)?,
        (None, Some(pass)) => pass_of(pass)?,
        (Some(score), Some(pass)) => {
            // A pass is then the scorer's own opinion of the score; the gate has its own minimum.
            pass_of(pass)?;
            score_of(score)?
        }
        (None, None) => return Err("`score` and `pass` are missing".to_owned()),
    };
    let reason = match part("reason") {
        None => String::new(),
        Some(Value::String(reason)) => reason.clone(),
        Some(_) => return Err("`reason` is not a text".to_owned()),
    };
    Ok((score, reason, part("details").cloned().unwrap_or_default()))
}

fn score_of(value: &Value) -> Result<f64, String> {
    let score = value.as_f64().filter(|score| (0.0..=1.0).contains(score));
    score.ok_or_else(|| format!("`score` is {value}, expected a number from 0 to 1"))
}

fn pass_of(value: &Value) -> Result<f64, String> {
    let pass = value.as_bool().ok_or_else(|| format!("`pass` is {value}, expected true or false"))?;
    Ok(if pass { 1.0 } else { 0.0 })
}

fn redacted(value: Value, redactor: &Redactor) -> Value {
    match value {
        Value::String(text) => Value::String(redactor.redact(&text).into_owned()),
        Value::Array(list) => list.into_iter().map(|item| redacted(item, redactor)).collect(),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(name, value)| (redactor.redact(&name).into_owned(), redacted(value, redactor)))
                .collect(),
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests;
