//! Drives the real executable against servers of other people: nginx in front of the mock server, llama.cpp's server.
//!
//! `bash .ci/servers` prepares them in a folder; `PROMPTGATE_REAL_SERVERS` names it. Without it, and where one of
//! them cannot be had, the tests say so on standard error and pass over.

mod keys;
mod llama;
mod nginx;
mod prepared;
mod proxied;
#[path = "../suite/support.rs"]
#[expect(dead_code, reason = "shared with the suite; each uses a part of it")]
mod support;
mod tls;
