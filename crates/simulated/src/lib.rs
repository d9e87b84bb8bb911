//! The simulated model: an extractive answerer and a lexical judge behind the [`ChatModel`] port.
//!
//! Used by `--offline` and in tests; [`mock_server`] serves it over HTTP. It is deterministic: an answer is a
//! function of the request, the seed and the occurrence number of the request. Its scores do not measure any model.
//! `docs/offline.md` describes its abilities and limits.

mod answerer;
mod checklist;
mod embedding;
mod evidence;
pub mod fake_langfuse;
mod instructions;
mod judge;
mod language;
mod lexicon;
pub mod mock_server;
mod noise;
mod preference;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod tests;

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use promptgate_core::model::{ChatRequest, Completion, Fault, FinishReason, Message, Purpose, Usage};
use promptgate_core::port::ChatModel;

pub(crate) use judge::judged_answer;
pub(crate) use noise::{RequestDigest, digest};

/// The model name in its answers.
pub const MODEL: &str = "simulated";

/// Simulated latency in milliseconds for each prompt token and for each completion token.
const PROMPT_TOKEN_MS: f64 = 0.02;
const COMPLETION_TOKEN_MS: f64 = 0.5;

/// Tokens of an image, which it does not look at.
const IMAGE_TOKENS: u64 = 256;

/// Options of the simulated model.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SimulatedOptions {
    /// Seed of noise and jitter.
    pub seed: u64,
    /// Strength of the noise, in 0..=1: half of it is the probability that a decision is inverted.
    pub noise: f64,
    /// Latency of every answer.
    pub latency: Duration,
    /// Maximum of the additional latency, drawn uniformly for each answer.
    pub jitter: Duration,
}

/// The simulated model.
#[derive(Debug, Clone, Copy, Default)]
pub struct Simulated {
    options: SimulatedOptions,
}

impl Simulated {
    /// Creates a simulated model.
    pub fn new(options: SimulatedOptions) -> Self {
        Self { options }
    }

    /// Answers the `occurrence`-th request of its kind, counted from 0.
    ///
    /// `latency_ms` is computed, not measured, so that two runs give the same report.
    pub fn answer(&self, request: &ChatRequest, occurrence: u32) -> Completion {
        self.answer_digested(request, &digest(request), occurrence)
    }

    /// The time to wait before an answer: latency and jitter of the options.
    pub(crate) fn delay(&self, digest: &RequestDigest, occurrence: u32) -> Duration {
        if self.options.jitter.is_zero() {
            return self.options.latency;
        }
        let fraction = self.noise("jitter", digest, occurrence).fraction();
        self.options.latency.saturating_add(self.options.jitter.mul_f64(fraction))
    }

    fn noise(&self, purpose: &str, digest: &RequestDigest, occurrence: u32) -> noise::Noise {
        noise::Noise::new(purpose, self.options.seed, self.options.noise, digest, occurrence)
    }

    /// As [`Simulated::answer`], for a caller that has the request's digest.
    pub(crate) fn answer_digested(
        &self,
        request: &ChatRequest,
        digest: &RequestDigest,
        occurrence: u32,
    ) -> Completion {
        if request.purpose == Purpose::Embedding {
            return Completion {
                latency_ms: self.delay(digest, occurrence).as_secs_f64() * 1000.0,
                model: Some(MODEL.to_owned()),
                ..embedding::answer(request)
            };
        }
        let mut noise = self.noise("answer", digest, occurrence);
        let whole = match judge::payload(request) {
            Some(payload) => judge::reply(&payload, request.response_format.is_some(), &mut noise),
            None => answerer::answer(request, &mut noise),
        };
        let (text, finish_reason) = match max_tokens(request).and_then(|max| truncate(&whole, max)) {
            Some(start) => (start.to_owned(), FinishReason::Length),
            None => (whole, FinishReason::Stop),
        };
        let prompt_tokens = request.messages.iter().map(message_tokens).sum();
        let usage = Usage::new(prompt_tokens, tokens(&text));
        let generation_ms = usage.prompt_tokens as f64 * PROMPT_TOKEN_MS
            + usage.completion_tokens as f64 * COMPLETION_TOKEN_MS;
        Completion {
            finish_reason,
            usage: Some(usage),
            latency_ms: self.delay(digest, occurrence).as_secs_f64() * 1000.0 + generation_ms,
            model: Some(MODEL.to_owned()),
            system_fingerprint: Some(self.fingerprint()),
            ..Completion::from_text(text)
        }
    }

    /// The `system_fingerprint` of its answers: the version of the simulation, its seed and its noise.
    pub fn fingerprint(&self) -> String {
        format!("simulated-1-seed-{}-noise-{}", self.options.seed, self.options.noise)
    }
}

impl ChatModel for Simulated {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        async move {
            let digest = digest(request);
            let delay = self.delay(&digest, request.repeat);
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            Ok(self.answer_digested(request, &digest, request.repeat))
        }
        .boxed()
    }
}

/// Estimates the tokens of an English text: four for three words.
fn tokens(text: &str) -> u64 {
    (text.split_whitespace().count() as u64 * 4).div_ceil(3)
}

/// Estimates the tokens of a message.
fn message_tokens(message: &Message) -> u64 {
    let calls: u64 = message.tool_calls.iter().map(|call| tokens(&call.to_string())).sum();
    tokens(&message.content) + calls + message.images.len() as u64 * IMAGE_TOKENS + 4
}

/// The token limit of a request, under either parameter name.
fn max_tokens(request: &ChatRequest) -> Option<u64> {
    ["max_completion_tokens", "max_tokens"].iter().find_map(|name| request.parameters.get(*name)?.as_u64())
}

/// The start of a text that fits into `max` tokens; `None` if the whole text fits.
fn truncate(text: &str, max: u64) -> Option<&str> {
    if tokens(text) <= max {
        return None;
    }
    let words = usize::try_from(max.saturating_mul(3) / 4).unwrap_or(usize::MAX);
    let end = text
        .split_whitespace()
        .take(words)
        .last()
        .map_or(0, |last| last.as_ptr().addr() + last.len() - text.as_ptr().addr());
    text.get(..end)
}
