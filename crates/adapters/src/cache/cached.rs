//! The outermost layer of a model: what is in the cache is not asked for again.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::record::Record;
use super::{Cache, Found, Shelf, Wanted, key, now};
use promptgate_core::model::{ChatRequest, Completion, Fault, FaultKind, FinishReason, Purpose, Usage};
use promptgate_core::port::{CachedJudgement, ChatModel, Event, EventSink, JudgementCache};

/// How the cache is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Use {
    /// Ask for everything anew and keep it in the place of what was there.
    pub refresh: bool,
    /// Ask for nothing: what is not there is missing.
    pub only: bool,
    /// What is older is not taken.
    pub max_age: Option<Duration>,
}

/// A model with a cache before it.
pub struct Cached {
    inner: Arc<dyn ChatModel>,
    cache: Arc<Cache>,
    scope: String,
    how: Use,
    since: u64,
    events: Arc<dyn EventSink>,
}

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    text: String,
    refusal: bool,
    finish_reason: FinishReason,
    usage: Option<Usage>,
    latency_ms: f64,
    model: Option<String>,
    system_fingerprint: Option<String>,
}

impl Cached {
    /// Puts a cache before the model behind `endpoint`, a name of [`scope`](super::scope).
    pub fn new(
        inner: Arc<dyn ChatModel>,
        cache: Arc<Cache>,
        endpoint: &str,
        how: Use,
        events: Arc<dyn EventSink>,
    ) -> Self {
        let since = how.max_age.map_or(0, |age| now().saturating_sub(age.as_secs()));
        Self { inner, cache, scope: endpoint.to_owned(), how, since, events }
    }

    /// The cache.
    #[cfg(test)]
    pub(super) fn cache(&self) -> &Cache {
        &self.cache
    }

    async fn call(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        if request.purpose == Purpose::Judgement {
            // Judges recall whole conversations, and keep them once they have been read.
            return if self.how.only {
                Err(missing("judgement"))
            } else {
                self.inner.complete(request).await
            };
        }
        let key = key::of_request(&self.scope, request);
        let wanted = Wanted { since: self.since, renewed: self.how.refresh || request.refresh };
        let _claim = match self.cache.look(Shelf::Answers, key, wanted).await? {
            Found::Record(record) => match serde_json::from_str::<Kept>(&record.text) {
                Ok(kept) => {
                    self.events.emit(Event::CacheHit { purpose: Purpose::Completion, at: record.at });
                    return Ok(kept.completion(record.at));
                }
                Err(_) => return Err(self.cache.damaged("an entry is no answer")),
            },
            Found::Nobody(claim) => claim,
        };
        if self.how.only {
            return Err(missing("answer"));
        }
        let completion = self.inner.complete(request).await?;
        if let Ok(text) = serde_json::to_string(&Kept::from(&completion)) {
            let record = Record { at: now(), model: request.model.clone(), text };
            self.cache.keep(Shelf::Answers, key, &record, wanted.renewed);
        }
        Ok(completion)
    }
}

fn missing(what: &str) -> Fault {
    Fault::new(FaultKind::NotCached, format!("this {what} is not in the cache"))
        .help("run without --cached-only to ask for it")
}

impl ChatModel for Cached {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        self.call(request).boxed()
    }

    fn judgement_cache(&self) -> Option<&dyn JudgementCache> {
        Some(self)
    }
}

impl JudgementCache for Cached {
    fn get<'a>(&'a self, identity: &'a str) -> BoxFuture<'a, Result<CachedJudgement, Fault>> {
        async move {
            let wanted = Wanted { since: self.since, renewed: self.how.refresh };
            let key = key::of_text(&self.scope, identity);
            Ok(match self.cache.look(Shelf::Verdicts, key, wanted).await? {
                Found::Record(record) => {
                    self.events.emit(Event::CacheHit { purpose: Purpose::Judgement, at: record.at });
                    CachedJudgement { record: Some(record.text), claim: None }
                }
                Found::Nobody(claim) => CachedJudgement { record: None, claim: Some(Box::new(claim)) },
            })
        }
        .boxed()
    }

    fn put(&self, identity: &str, model: &str, record: String) {
        let key = key::of_text(&self.scope, identity);
        let record = Record { at: now(), model: model.to_owned(), text: record };
        self.cache.keep(Shelf::Verdicts, key, &record, self.how.refresh);
    }
}

impl Kept {
    fn completion(self, at: u64) -> Completion {
        Completion {
            text: self.text,
            refusal: self.refusal,
            finish_reason: self.finish_reason,
            usage: self.usage,
            latency_ms: self.latency_ms,
            model: self.model,
            system_fingerprint: self.system_fingerprint,
            cached_at: Some(at),
        }
    }
}

impl From<&Completion> for Kept {
    fn from(completion: &Completion) -> Self {
        Self {
            text: completion.text.clone(),
            refusal: completion.refusal,
            finish_reason: completion.finish_reason.clone(),
            usage: completion.usage,
            latency_ms: completion.latency_ms,
            model: completion.model.clone(),
            system_fingerprint: completion.system_fingerprint.clone(),
        }
    }
}
