//! The outermost layer of a model: cached completions and judgements are reused.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::diagnostics::damaged;
use super::handle::{Cache, Lookup, LookupResult};
use super::key;
use super::record::{Record, now};
use super::table::Table;
use promptgate_core::model::{CallFacts, CallOrigin, ChatRequest, Completion, Fault, FaultKind, Purpose};
use promptgate_core::port::{CachedJudgement, ChatModel, Event, EventSink, JudgementCache};

/// Use of the cache in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheOptions {
    /// Ignore cached entries and replace them.
    pub refresh: bool,
    /// Make no calls: missing entries are faults.
    pub cached_only: bool,
    /// Ignore older entries.
    pub max_age: Option<Duration>,
}

/// A model behind a cache.
pub struct Cached {
    inner: Arc<dyn ChatModel>,
    cache: Arc<Cache>,
    scope: String,
    options: CacheOptions,
    events: Arc<dyn EventSink>,
}

impl Cached {
    /// Puts a cache in front of the model behind `endpoint`, a name from [`scope`](super::scope).
    pub fn new(
        inner: Arc<dyn ChatModel>,
        cache: Arc<Cache>,
        endpoint: &str,
        options: CacheOptions,
        events: Arc<dyn EventSink>,
    ) -> Self {
        Self { inner, cache, scope: endpoint.to_owned(), options, events }
    }

    #[cfg(test)]
    pub(super) fn cache(&self) -> &Cache {
        &self.cache
    }

    async fn call(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        if request.purpose == Purpose::Judgement {
            // Judges look up whole conversations through `JudgementCache`, and insert them once parsed.
            return if self.options.cached_only {
                Err(not_cached("judgement"))
            } else {
                self.inner.complete(request).await
            };
        }
        let key = key::of_request(&self.scope, request);
        let refresh = self.options.refresh || request.refresh;
        let lookup = Lookup { max_age: self.options.max_age, refreshed_only: refresh };
        let (_claim, reason) = match self.cache.get_or_claim(Table::Completions, key, lookup).await? {
            LookupResult::Hit(record) => {
                let completion: Completion = serde_json::from_str(&record.text)
                    .map_err(|_| damaged(&self.cache.path, "an entry is not a completion"))?;
                if request.purpose == Purpose::Completion {
                    self.events.emit(Event::CacheHit { purpose: Purpose::Completion, at: record.at });
                }
                let call = Some(CallFacts::spared(CallOrigin::Cached));
                return Ok(Completion { cached_at: Some(record.at), call, ..completion });
            }
            LookupResult::Miss(claim, reason) => (claim, reason),
        };
        if self.options.cached_only {
            return Err(not_cached(match request.purpose {
                Purpose::Embedding => "embedding",
                Purpose::Completion | Purpose::Judgement => "answer",
            }));
        }
        let completion = self.inner.complete(request).await?;
        if let Ok(text) = serde_json::to_string(&completion) {
            let record = Record { at: now(), model: request.model.clone(), text };
            self.cache.insert(Table::Completions, key, &record, refresh);
        }
        Ok(Completion { call: Some(CallFacts::made(reason)), ..completion })
    }
}

fn not_cached(what: &str) -> Fault {
    Fault::new(FaultKind::NotCached, format!("this {what} is not in the cache"))
        .help("run without --cached-only to request it")
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
            let lookup = Lookup { max_age: self.options.max_age, refreshed_only: self.options.refresh };
            let key = key::of_text(&self.scope, identity);
            Ok(match self.cache.get_or_claim(Table::Judgements, key, lookup).await? {
                LookupResult::Hit(record) => {
                    self.events.emit(Event::CacheHit { purpose: Purpose::Judgement, at: record.at });
                    CachedJudgement { record: Some(record.text), miss: None, claim: None }
                }
                LookupResult::Miss(claim, reason) => {
                    CachedJudgement { record: None, miss: Some(reason), claim: Some(Box::new(claim)) }
                }
            })
        }
        .boxed()
    }

    fn put(&self, identity: &str, model: &str, record: String) {
        let key = key::of_text(&self.scope, identity);
        let record = Record { at: now(), model: model.to_owned(), text: record };
        self.cache.insert(Table::Judgements, key, &record, self.options.refresh);
    }
}
