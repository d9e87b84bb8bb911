//! Decides about the version that production serves.

use jiff::Timestamp;

use super::{BrokenAction, LimitFinding, LimitFindingKind, LimitReadings, Monitor, failure, review, worst};
use crate::rollout::Status;
use crate::time::{MAX_CLOCK_SKEW, after};

/// The inputs of a decision.
#[derive(Debug, Clone, Copy)]
pub struct MonitorRequest<'a> {
    /// The checks of the version's record.
    pub monitor: &'a Monitor,
    /// The answers of the sources about the version, over the window.
    pub readings: &'a LimitReadings,
    /// When the version came to production.
    pub since: Timestamp,
    /// The time.
    pub now: Timestamp,
}

/// The next action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonitorAction {
    /// Nothing.
    Quiet,
    /// A person is told.
    Alert,
    /// Production is rolled back.
    RollBack,
}

/// The decision.
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorDecision {
    /// The next action.
    pub action: MonitorAction,
    /// Why, in the order of the limits.
    pub findings: Vec<LimitFinding>,
    /// Why sources failed; `None` if none did.
    pub failure: Option<String>,
}

/// Decides about production: a broken limit alerts or rolls back, as the policy says. A figure beyond its limit that cannot
/// be tested alerts, and so does a metric without data over a whole window.
pub fn monitor(request: &MonitorRequest<'_>) -> MonitorDecision {
    let MonitorRequest { monitor, readings, since, now } = *request;
    let findings = review(&monitor.limits, readings, 1);
    let has_served_long = now >= after(since, monitor.window_seconds);
    let is_silent = findings.iter().any(|finding| {
        matches!(finding.kind, LimitFindingKind::Missing(_) | LimitFindingKind::FewSamples { .. })
    });
    let is_untested = findings.iter().any(|finding| {
        matches!(finding.kind, LimitFindingKind::Untested { .. } | LimitFindingKind::Invalid(_))
    });
    // A machine whose clock is behind would not see the version for as long.
    let is_ahead = since.duration_since(now) > MAX_CLOCK_SKEW;
    let action = match (worst(&findings), monitor.action) {
        (Status::Fail, BrokenAction::Rollback) => MonitorAction::RollBack,
        (Status::Fail, BrokenAction::Alert) => MonitorAction::Alert,
        _ if is_untested || is_ahead || (is_silent && has_served_long) => MonitorAction::Alert,
        _ => MonitorAction::Quiet,
    };
    MonitorDecision { action, failure: failure(&findings), findings }
}
