//! The life of a prompt version after the gate: references to versions, and the ports through which versions are
//! stored, moved and observed.
//!
//! Pure: it performs no I/O and knows no report. The application turns a report into evidence, and adapters implement
//! the [`ports`].

mod error;
pub mod ports;
mod reference;

pub use error::PortError;
pub use reference::{InvalidReference, Label, Name, PromptReference, Selector, Version};
