//! Every socket, file and process: endpoints, applications, scorers and transformations by command, the cache, files, git, GitHub, ledgers,
//! registries, sources of metrics and telemetry.

pub mod cache;
pub mod endpoint;
pub mod files;
pub mod git;
pub mod github;
pub mod http;
pub mod ledger;
pub mod metrics;
pub mod otlp;
pub mod registry;
mod rest;
pub mod scorer;
pub mod serve;
pub mod target;
pub mod transform;
pub mod worker;
