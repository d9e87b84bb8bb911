//! promptgate: the gate that a prompt change has to pass before it is merged.
//!
//! `main.rs` only calls [`cli::main`]; everything below the command line is in the crates of this workspace, as
//! `docs/architecture.md` shows.

pub mod cli;
pub mod config;
