//! The life of a prompt version after the gate: versions and their records, the events of a ledger and the state they add
//! up to, the controls of a promotion, and the ports through which versions are stored and moved.
//!
//! Pure: it performs no I/O and knows no report. The application turns a report into [`Evidence`], and adapters implement
//! the [`ports`].

mod actor;
mod approval;
mod assignment;
mod canonical;
pub mod chain;
mod content;
pub mod diff;
mod digest;
mod error;
mod event;
mod evidence;
mod level;
pub mod limits;
mod policy;
pub mod ports;
pub mod promotion;
mod record;
mod reference;
mod releases;
pub mod rollback;
pub mod rollout;
mod state;
mod time;

#[cfg(test)]
mod tests;

pub use actor::{Actor, ActorSource};
pub use approval::{Approval, ApprovalRejection, ApprovalSource};
pub use assignment::{ALGORITHM, Assignment, AssignmentReason, Variant, assign, bucket};
pub use content::{Content, PromptKind};
pub use digest::Digest;
pub use error::PortError;
pub use event::{Event, EventKind, MoveCause};
pub use evidence::{Evidence, EvidenceBaseline, EvidenceCriterion, EvidenceVerdict, GateScope};
pub use level::Level;
pub use policy::{Controls, Levels, ReleasePolicy};
pub use record::{Change, RECORD_SCHEMA, Record};
pub use reference::{InvalidReference, Label, Name, PromptReference, Selector, Version};
pub use releases::{RELEASES_FILE, RELEASES_PROMPT, RELEASES_SCHEMA, ReleaseEntry, Releases};
pub use state::{Intent, InvalidEvent, Move, State, VersionState};
