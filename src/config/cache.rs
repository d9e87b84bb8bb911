//! `cache`: the cache of answers.

use std::path::Path;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::WrittenDuration;

const DEFAULT_PATH: &str = ".promptgate/cache.redb";

/// The cache of answers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Cache")]
pub(super) struct WrittenCache {
    /// Path of the cache, relative to this file; .promptgate/cache.redb by default.
    #[schemars(length(min = 1))]
    path: Option<String>,
    /// Age above which a cached answer is replaced.
    max_age: Option<WrittenDuration>,
    /// Whether the baseline's answers may come from an earlier session; reuse by default.
    baseline: Option<CachedBaseline>,
}

/// The cache of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// Path, relative to the configuration.
    pub path: String,
    /// Age above which a cached answer is replaced.
    pub max_age: Option<Duration>,
    /// Whether the baseline's answers may come from an earlier session.
    pub baseline: CachedBaseline,
}

/// Whether the baseline's answers may come from an earlier session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CachedBaseline {
    /// Allowed.
    #[default]
    Reuse,
    /// Not allowed: the baseline is always called.
    Fresh,
}

impl CacheSettings {
    /// Keeps the cache in another folder than that of the configuration, unless a path is written.
    pub fn share(&mut self, folder: &Path) {
        if self.path == DEFAULT_PATH {
            self.path = folder.join(DEFAULT_PATH).display().to_string();
        }
    }
}

impl WrittenCache {
    pub(super) fn resolve(self) -> CacheSettings {
        CacheSettings {
            path: self.path.unwrap_or_else(|| DEFAULT_PATH.to_owned()),
            max_age: self.max_age.map(|age| age.0),
            baseline: self.baseline.unwrap_or_default(),
        }
    }
}
