//! Texts that the commands of the registry share.

use promptgate_release::ports::Staleness;
use promptgate_release::promotion::Obstacle;
use promptgate_release::{Name, Version};

/// Where the label was moved, and when applications have followed.
pub(super) fn staleness(registry: &str, staleness: Staleness) -> String {
    let seconds = staleness.cache_ttl.as_secs();
    let bound = match (seconds, staleness.stale_read) {
        (0, _) => "applications follow with their next read".to_owned(),
        (seconds, false) => format!("applications follow within {seconds} s"),
        (seconds, true) => {
            format!(
                "applications follow within {seconds} s plus one stale read, unless they cache for longer"
            )
        }
    };
    format!("  read back from {registry}; {bound}\n")
}

/// Obstacles, one line each, with the next step below.
pub(super) fn obstacle_lines(found: &[Obstacle], name: &Name, version: Option<Version>) -> String {
    let mut text = String::new();
    for (index, obstacle) in found.iter().enumerate() {
        text.push_str(&format!("  {obstacle}\n"));
        let help = obstacle.help(name, version);
        // Several obstacles with the same next step name it once, at the last one.
        if !found.iter().skip(index + 1).any(|later| later.help(name, version) == help) {
            text.push_str(&format!("    help: {help}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_step_that_several_obstacles_share_is_shown_once() {
        let name = "support/reply".parse().unwrap();
        let text =
            obstacle_lines(&[Obstacle::OtherContent, Obstacle::OtherCommit, Obstacle::NoReason], &name, None);
        let steps: Vec<&str> = text.lines().filter(|line| line.contains("help: ")).collect();
        assert!(
            matches!(steps.as_slice(), [run, reason] if run.contains("run the gate") && reason.contains("--reason")),
            "{text}"
        );
        assert_eq!(text.lines().count(), 5, "{text}");
    }
}
