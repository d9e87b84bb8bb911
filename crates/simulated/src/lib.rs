//! The simulated model: an extractive answerer and a lexical judge behind the [`ChatModel`] port.
//!
//! For `--offline`, for wiring a pipeline, and for tests; `mock_server` plays the same code over HTTP. It is
//! deterministic: an answer is a function of the request, the seed and how often the request came. Its scores are
//! no measure of a model. What it can and cannot do is written down in `docs/offline.md`.

mod answerer;
mod checklist;
mod commonplace;
mod evidence;
mod instructions;
mod judge;
mod language;
pub mod mock_server;
mod noise;
mod thesaurus;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod tests;

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use promptgate_core::model::{ChatRequest, Completion, Fault, FinishReason, Usage};
use promptgate_core::port::ChatModel;

pub(crate) use judge::judged_answer;
pub(crate) use noise::{RequestDigest, digest};

/// The name that the simulated model answers by.
pub const MODEL: &str = "simulated";

/// The pace that the simulated latency is reckoned by, in milliseconds a token; read and written.
const READ_MS: f64 = 0.02;
const WRITE_MS: f64 = 0.5;

/// How the simulated model behaves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SimulatedOptions {
    /// Seed of noise and jitter.
    pub seed: u64,
    /// Strength of the noise, in 0..=1: half of it is the probability that a decision goes the other way.
    pub noise: f64,
    /// Time that every answer takes.
    pub latency: Duration,
    /// Further time, drawn evenly between zero and this for each answer.
    pub jitter: Duration,
}

/// The simulated model.
#[derive(Debug, Clone, Copy, Default)]
pub struct Simulated {
    options: SimulatedOptions,
}

impl Simulated {
    /// A simulated model.
    pub fn new(options: SimulatedOptions) -> Self {
        Self { options }
    }

    /// The answer to a request that comes for the `occurrence`-th time, counted from 0.
    ///
    /// `latency_ms` is reckoned, not measured: a function of the same inputs, so that two runs give the same report.
    pub fn answer(&self, request: &ChatRequest, occurrence: u32) -> Completion {
        self.answer_digested(request, &digest(request), occurrence)
    }

    /// How long the answer to a request takes: latency and jitter of the options.
    pub(crate) fn wait(&self, digest: &RequestDigest, occurrence: u32) -> Duration {
        if self.options.jitter.is_zero() {
            return self.options.latency;
        }
        let share = self.noise("jitter", digest, occurrence).share();
        self.options.latency.saturating_add(self.options.jitter.mul_f64(share))
    }

    fn noise(&self, purpose: &str, digest: &RequestDigest, occurrence: u32) -> noise::Noise {
        noise::Noise::new(purpose, self.options.seed, self.options.noise, digest, occurrence)
    }

    /// The same as [`Simulated::answer`] with the request's digest known already.
    pub(crate) fn answer_digested(
        &self,
        request: &ChatRequest,
        digest: &RequestDigest,
        occurrence: u32,
    ) -> Completion {
        let mut noise = self.noise("answer", digest, occurrence);
        let whole = match judge::payload(request) {
            Some(payload) => judge::reply(&payload, request.response_format.is_some(), &mut noise),
            None => answerer::answer(request, &mut noise),
        };
        let (text, finish_reason) = match most_tokens(request).and_then(|most| cut(&whole, most)) {
            Some(cut) => (cut.to_owned(), FinishReason::Length),
            None => (whole, FinishReason::Stop),
        };
        let usage = Usage {
            prompt_tokens: request.messages.iter().map(|message| tokens(&message.content) + 4).sum(),
            completion_tokens: tokens(&text),
        };
        let reckoned = usage.prompt_tokens as f64 * READ_MS + usage.completion_tokens as f64 * WRITE_MS;
        Completion {
            text,
            refusal: false,
            finish_reason,
            usage: Some(usage),
            latency_ms: self.wait(digest, occurrence).as_secs_f64() * 1000.0 + reckoned,
            model: Some(MODEL.to_owned()),
            system_fingerprint: Some(self.fingerprint()),
            cached_at: None,
        }
    }

    /// What `system_fingerprint` says: the version of the simulation, its seed and its noise.
    pub fn fingerprint(&self) -> String {
        format!("simulated-1-seed-{}-noise-{}", self.options.seed, self.options.noise)
    }
}

impl ChatModel for Simulated {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        async move {
            let digest = digest(request);
            let wait = self.wait(&digest, request.repeat);
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            Ok(self.answer_digested(request, &digest, request.repeat))
        }
        .boxed()
    }
}

/// About as many tokens as English text has: four for three words.
fn tokens(text: &str) -> u64 {
    (text.split_whitespace().count() as u64 * 4).div_ceil(3)
}

/// The token limit of a request, in either dialect.
fn most_tokens(request: &ChatRequest) -> Option<u64> {
    ["max_completion_tokens", "max_tokens"].iter().find_map(|name| request.parameters.get(*name)?.as_u64())
}

/// The words that fit into a number of tokens, where not all do.
fn cut(text: &str, most: u64) -> Option<&str> {
    if tokens(text) <= most {
        return None;
    }
    let words = usize::try_from(most.saturating_mul(3) / 4).unwrap_or(usize::MAX);
    let end = text
        .split_whitespace()
        .take(words)
        .last()
        .map_or(0, |last| last.as_ptr().addr() + last.len() - text.as_ptr().addr());
    text.get(..end)
}
