//! The variant that a unit gets, for the routes that assign.

use hyper::header::{HeaderName, HeaderValue};
use promptgate_release::{AssignmentReason, State, Variant, Version};
use serde_json::{Map, Value, json};

use super::response::{Reply, with};

/// The longest unit, in bytes.
pub(super) const MAX_UNIT: usize = 1024;

/// Headers of a response with an assigned version.
const VERSION: HeaderName = HeaderName::from_static("promptgate-version");
const VARIANT: HeaderName = HeaderName::from_static("promptgate-variant");
const ROLLOUT: HeaderName = HeaderName::from_static("promptgate-rollout");

/// An assignment with the step of the rollout that it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Assigned {
    /// The version.
    pub(super) version: Version,
    /// The variant.
    pub(super) variant: Variant,
    /// Whether the bucket of the unit decided.
    pub(super) is_split: bool,
    /// The rollout that has not ended; `None` without one.
    pub(super) rollout: Option<RolloutStep>,
}

/// The step of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RolloutStep {
    /// The number of the rollout.
    pub(super) rollout: u64,
    /// The step, from 1.
    pub(super) step: usize,
    /// The treated units, in basis points.
    pub(super) basis_points: u32,
}

/// Assigns a unit; `None` if production serves no version.
pub(super) fn assign(state: &State, unit: &str) -> Option<Assigned> {
    let assignment = promptgate_release::assign(state, unit)?;
    Some(Assigned {
        version: assignment.version,
        variant: assignment.variant,
        is_split: matches!(assignment.reason, AssignmentReason::Split { .. }),
        rollout: state.rollout.as_ref().map(|rollout| RolloutStep {
            rollout: rollout.start.number,
            step: rollout.step + 1,
            basis_points: rollout.basis_points,
        }),
    })
}

impl RolloutStep {
    /// Rollout and step, as `feature_flag.version` has them.
    pub(super) fn tag(self) -> String {
        format!("{}/{}", self.rollout, self.step)
    }

    /// The metadata of an OFREP evaluation.
    pub(super) fn metadata(self) -> Map<String, Value> {
        let fields = [
            ("rollout", json!(self.rollout)),
            ("step", json!(self.step)),
            ("basis_points", json!(self.basis_points)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Assigned {
    /// Adds the headers that an application tags its trace with, without reading the body; also 304 has them.
    pub(super) fn tagged(self, mut reply: Reply) -> Reply {
        let mut fields =
            vec![(VERSION, self.version.to_string()), (VARIANT, self.variant.as_str().to_owned())];
        fields.extend(self.rollout.map(|rollout| (ROLLOUT, rollout.tag())));
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::try_from(value) {
                reply = with(reply, name, value);
            }
        }
        reply
    }
}
