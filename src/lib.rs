//! promptgate: the gate that a prompt change has to pass before it is merged.
//!
//! The library holds all of it; `main.rs` only calls [`cli::main`]. Rooms depend downwards only, as
//! `docs/architecture.md` shows and `tests/suite/layering.rs` holds them to.

pub mod calibrate;
pub mod check;
pub mod cli;
pub mod config;
pub mod document;
pub mod endpoint;
pub mod engine;
pub mod evaluate;
pub mod forecast;
pub mod gate;
pub mod github;
pub mod judge;
pub mod load;
pub mod metric;
pub mod model;
pub mod port;
pub mod report;
pub mod stats;
pub mod store;
pub mod template;
pub mod text;
