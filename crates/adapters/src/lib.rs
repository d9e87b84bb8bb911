//! Every socket, file and process: endpoints, the cache, files, git, GitHub, ledgers and registries.

pub mod cache;
pub mod endpoint;
pub mod files;
pub mod git;
pub mod github;
pub mod http;
pub mod ledger;
pub mod registry;
pub mod serve;
