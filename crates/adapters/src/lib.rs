//! Every socket, file and process: endpoints, the cache, files, git and GitHub.

pub mod cache;
pub mod endpoint;
pub mod files;
pub mod git;
pub mod github;
pub mod http;
pub mod serve;
