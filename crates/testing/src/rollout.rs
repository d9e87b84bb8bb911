//! Rollouts for tests.

use promptgate_release::rollout::{RolloutKind, RolloutStart, Step};
use promptgate_release::{Content, PromptKind, Version};
use serde_json::Map;

/// A rollout with one step for each percentage, in basis points.
pub fn rollout_start(
    number: u64,
    control: Version,
    treatment: Version,
    salt: &str,
    basis_points: &[u32],
) -> RolloutStart {
    let step =
        |basis_points: &u32| Step { basis_points: *basis_points, hold_seconds: 3_600, min_samples: 100 };
    let sources = Content {
        kind: PromptKind::Text,
        messages: Vec::new(),
        model: "sources".to_owned(),
        parameters: Map::new(),
        answer_schema: None,
    };
    RolloutStart {
        number,
        treatment,
        control,
        kind: RolloutKind::Canary,
        steps: basis_points.iter().map(step).collect(),
        salt: salt.to_owned(),
        planned_information: 100.0,
        sources: sources.digest(),
        reason: None,
    }
}
