//! Where an answer or a judgement came from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::named;

/// Where an answer or a judgement came from, and why a call was made for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Call")]
pub struct CallFacts {
    /// Where it came from.
    pub how: CallOrigin,
    /// Why a call was made; absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CallReason>,
}

named! {
    /// Where an answer or a judgement came from.
    pub enum CallOrigin {
        /// A call of this run.
        Made = "made",
        /// The cache.
        Cached = "cached",
        /// The report or the run that the baseline was taken from.
        Reused = "reused",
        /// The candidate, whose request was the same.
        Shared = "shared",
    }
}

named! {
    /// Why a call was made.
    pub enum CallReason {
        /// The run has no cache (`--no-cache`).
        NoCache = "no_cache",
        /// The cache has no entry for the request.
        NotCached = "not_cached",
        /// The cached entry is older than `cache.max_age`.
        TooOld = "too_old",
        /// Cached entries of earlier runs do not count: `--refresh`, or a comparison that needs fresh answers.
        Refresh = "refresh",
    }
}

impl CallFacts {
    /// A call of this run.
    pub fn made(reason: CallReason) -> Self {
        Self { how: CallOrigin::Made, reason: Some(reason) }
    }

    /// No call.
    pub fn spared(how: CallOrigin) -> Self {
        Self { how, reason: None }
    }
}
