//! Texts that the commands of the registry share.

use promptgate_release::ports::Staleness;
use promptgate_release::promotion::Obstacle;
use promptgate_release::{Name, Version};
use promptgate_report::release::promotion;

/// Where the label was moved, and when applications have followed.
pub(super) fn staleness(registry: &str, staleness: Staleness) -> String {
    let seconds = staleness.cache_ttl.as_secs();
    let bound = match (seconds, staleness.stale_read) {
        (0, _) => "applications follow with their next read".to_owned(),
        (seconds, false) => format!("applications follow within {seconds} s"),
        (seconds, true) => {
            format!("applications follow within {seconds} s and one more read, unless they cache for longer")
        }
    };
    format!("  read back from {registry}; {bound}\n")
}

/// Obstacles, one line each, with the next step below.
pub(super) fn obstacle_lines(found: &[Obstacle], name: &Name, version: Option<Version>) -> String {
    let mut text = String::new();
    for obstacle in found {
        text.push_str(&format!("  {obstacle}\n"));
        if let Some(help) = help(obstacle, name, version) {
            text.push_str(&format!("    help: {help}\n"));
        }
    }
    text
}

/// Obstacles as JSON.
pub(super) fn obstacles(
    found: &[Obstacle],
    name: &Name,
    version: Option<Version>,
) -> Vec<promotion::Obstacle> {
    let one = |obstacle: &Obstacle| promotion::Obstacle {
        code: obstacle.code().to_owned(),
        message: obstacle.to_string(),
        help: help(obstacle, name, version),
    };
    found.iter().map(one).collect()
}

/// The next step after an obstacle. `version` is the one to promote; `None` before it is published.
fn help(obstacle: &Obstacle, name: &Name, version: Option<Version>) -> Option<String> {
    let candidate =
        version.map_or_else(|| "the prompt".to_owned(), |version| format!("registry:{name}@{version}"));
    let run_again = match version {
        Some(_) => format!(
            "run `promptgate run --candidate {candidate} --baseline registry:{name}@production` on the default branch, \
             and publish its report"
        ),
        None => "run the gate again on this commit, on the default branch, and publish its report".to_owned(),
    };
    Some(match obstacle {
        Obstacle::NoEvidence
        | Obstacle::UntrustedEvidence
        | Obstacle::OtherContent
        | Obstacle::GateIncomplete
        | Obstacle::GateScope { .. }
        | Obstacle::StaleBaseline { .. } => run_again,
        Obstacle::GateInconclusive => {
            "run the gate with more repeats or more cases; `gate.inconclusive: pass` and one approval let it through"
                .to_owned()
        }
        Obstacle::GateFailed => "change the prompt, and publish a new version".to_owned(),
        Obstacle::Simulated => "--allow-simulated lets it count, to try the commands".to_owned(),
        Obstacle::Older { .. } => format!("promptgate rollback {name} --reason TEXT"),
        Obstacle::NotStaged => format!(
            "promptgate promote {name} {} --to staging",
            version.map_or_else(|| "VERSION".to_owned(), |version| version.to_string())
        ),
        Obstacle::Approvals { .. } => format!(
            "ask an approver of the policy for a review, or for `promptgate approve {name} {}`",
            version.map_or_else(|| "VERSION".to_owned(), |version| version.to_string())
        ),
        Obstacle::RolledBack | Obstacle::NoReason | Obstacle::NotPromotable(_) | Obstacle::StagingHold { .. } => {
            return None;
        }
    })
}
