//! promptgate: a gate that a prompt change has to pass before it is merged.
//!
//! `main.rs` only calls [`cli::main`]. `cli` parses arguments and prints, `app` holds the use cases, `config` reads
//! promptgate.yaml; everything else is in the crates of this workspace, as `docs/architecture.md` shows.

mod app;
pub mod cli;
pub mod config;
