//! The assignment of units to the variants of a rollout.
//!
//! The algorithm is `gb2`: GrowthBook's hash version 2, in integer basis points. A unit keeps its bucket for the whole
//! rollout, so a unit that is treated at 5 % stays treated at 25 %; a new salt draws again. SDKs that hash the bytes of
//! UTF-8 agree on ASCII only.

use serde::Serialize;

use crate::rollout::ALL_UNITS;
use crate::{Label, ReleaseEntry, State, Version};

/// The name of the algorithm in releases.json.
pub const ALGORITHM: &str = "gb2";

/// A variant of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// The version of production.
    Control,
    /// The version that is rolled out.
    Treatment,
}

impl Variant {
    /// The name in JSON and in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Treatment => "treatment",
        }
    }
}

/// Why a unit is assigned its variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignmentReason {
    /// No rollout is running.
    NoRollout,
    /// The unit is empty: always control.
    EmptyUnit,
    /// By its bucket.
    Split {
        /// The bucket, in basis points.
        bucket: u32,
    },
}

impl AssignmentReason {
    /// The code in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoRollout => "no_rollout",
            Self::EmptyUnit => "empty_unit",
            Self::Split { .. } => "split",
        }
    }
}

/// The version that a unit gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// The version.
    pub version: Version,
    /// The variant.
    pub variant: Variant,
    /// Why.
    pub reason: AssignmentReason,
}

/// The bucket of a unit, in basis points: below 10,000.
pub fn bucket(salt: &str, unit: &str) -> u32 {
    let first = fnv1a(salt.encode_utf16().chain(unit.encode_utf16()));
    fnv1a(first.to_string().encode_utf16()) % ALL_UNITS
}

/// 32-bit FNV-1a over UTF-16 code units.
fn fnv1a(units: impl Iterator<Item = u16>) -> u32 {
    units.fold(0x811c_9dc5, |hash, unit| (hash ^ u32::from(unit)).wrapping_mul(0x0100_0193))
}

/// Assigns a unit; `None` while production serves no version.
///
/// A unit is treated if a rollout has not ended, paused or not, and its bucket is below the percentage.
pub fn assign(state: &State, unit: &str) -> Option<Assignment> {
    ReleaseEntry::of(state).map(|entry| entry.assign(unit))
}

impl ReleaseEntry {
    /// The entry of a prompt; `None` while production serves no version.
    ///
    /// Control is what the label has now, so that a rollback is never undone by the version that a rollout began with.
    pub fn of(state: &State) -> Option<Self> {
        let control = *state.labels.get(&Label::Production)?;
        Some(match &state.rollout {
            Some(rollout) => Self {
                algorithm: ALGORITHM.to_owned(),
                salt: rollout.start.salt.clone(),
                basis_points: rollout.basis_points,
                control,
                treatment: rollout.start.treatment,
                rollout: Some(rollout.start.number),
            },
            None => Self {
                algorithm: ALGORITHM.to_owned(),
                salt: String::new(),
                basis_points: 0,
                control,
                treatment: control,
                rollout: state.exposures.last().map(|exposure| exposure.rollout),
            },
        })
    }

    /// Assigns a unit.
    pub fn assign(&self, unit: &str) -> Assignment {
        let control = |reason| Assignment { version: self.control, variant: Variant::Control, reason };
        if unit.is_empty() {
            return control(AssignmentReason::EmptyUnit);
        }
        if self.basis_points == 0 {
            return control(AssignmentReason::NoRollout);
        }
        let bucket = bucket(&self.salt, unit);
        let reason = AssignmentReason::Split { bucket };
        if bucket < self.basis_points {
            Assignment { version: self.treatment, variant: Variant::Treatment, reason }
        } else {
            control(reason)
        }
    }
}
