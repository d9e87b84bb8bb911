//! The messages that were sent for each case. They are needed again for the report alone, so a run keeps their location.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Message, SpoolPlace};

/// Messages by their digest.
pub type MessageTexts = Arc<BTreeMap<String, Arc<Message>>>;

/// The messages that the variants sent for a case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaseRequests {
    /// The candidate's.
    pub candidate: Vec<Arc<Message>>,
    /// The baseline's; empty without a baseline, and where it sent the same ones.
    pub baseline: Vec<Arc<Message>>,
}

/// Where the messages of a case are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RequestLocation {
    /// Nowhere, as in reports of earlier versions.
    #[default]
    Unknown,
    /// In memory.
    InMemory(Arc<CaseRequests>),
    /// In the spool of the run.
    Spilled(SpoolPlace),
}

/// The messages of all cases.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestTexts {
    /// Messages without placeholders, which are the same in every case.
    pub messages: MessageTexts,
    /// The messages of each case; empty where they are not known.
    pub cases: Vec<RequestLocation>,
}
