//! Faults for the next matching request.

use std::fmt;

use super::store::Prompts;

/// A fault for one request.
pub struct Fault {
    /// The method that it waits for.
    pub method: &'static str,
    /// The effect.
    pub action: FaultAction,
}

/// The effect of a fault.
pub enum FaultAction {
    /// A response with this status, before anything is stored.
    Status {
        /// The status.
        status: u16,
        /// Seconds in `Retry-After`.
        retry_after: Option<u64>,
    },
    /// A web page with status 200, as a proxy's log-in.
    Html,
    /// A body that ends in its middle.
    CutBody,
    /// A complete body that is the start of the JSON.
    CutJson,
    /// No response; the connection stays open.
    Hang,
    /// No response, as `Hang`, once `reached` is told; the request is processed before that if `processed`.
    Held {
        /// Whether the request is processed.
        processed: bool,
        /// Receives a message when the request is there.
        reached: std::sync::mpsc::Sender<()>,
    },
    /// The request is processed, and the connection closed without a response.
    LostAnswer,
    /// The request is processed, and then another writer changes something before the response is read.
    Then(Box<dyn FnOnce(&mut Prompts) + Send>),
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault for {}", self.method)
    }
}

impl Fault {
    /// A response with a status to the next `method`.
    pub fn status(method: &'static str, status: u16) -> Self {
        Self { method, action: FaultAction::Status { status, retry_after: None } }
    }

    /// Another writer's change, right after the next `method` was processed.
    pub fn then(method: &'static str, change: impl FnOnce(&mut Prompts) + Send + 'static) -> Self {
        Self { method, action: FaultAction::Then(Box::new(change)) }
    }
}
