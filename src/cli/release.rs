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
        text.push_str(&format!("  {obstacle}\n    help: {}\n", obstacle.help(name, version)));
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
        help: Some(obstacle.help(name, version)),
    };
    found.iter().map(one).collect()
}
