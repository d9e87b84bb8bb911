//! Every socket, file and process: endpoints, the cache, files, git, GitHub, ledgers, registries and sources of metrics.

pub mod cache;
pub mod endpoint;
pub mod files;
pub mod git;
pub mod github;
pub mod http;
pub mod ledger;
pub mod metrics;
pub mod registry;
mod rest;
pub mod serve;
