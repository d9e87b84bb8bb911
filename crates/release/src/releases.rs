//! `releases.json`: the assignments of all prompts, as applications without promptgate read them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::assignment::ALGORITHM;
use crate::rollout::ALL_UNITS;
use crate::{Name, State, Version};

/// The value of `schema` in every `releases.json`.
pub const RELEASES_SCHEMA: &str = "promptgate.releases/v1";

/// The name of the file, in a ledger and in a bundle.
pub const RELEASES_FILE: &str = "releases.json";

/// The name of the prompt that holds them in a registry; no other prompt has it.
pub const RELEASES_PROMPT: &str = "promptgate/releases";

/// The assignments of all prompts that production serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Releases {
    /// Always `promptgate.releases/v1`.
    pub schema: String,
    /// Rises by one with each change; 0 of an empty one. A reader keeps what it has if this is lower.
    pub seq: u64,
    /// The entry of each prompt.
    pub prompts: BTreeMap<Name, ReleaseEntry>,
}

/// The assignment of the units of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseEntry {
    /// Always `gb2`.
    pub algorithm: String,
    /// The salt of the rollout; empty without one.
    pub salt: String,
    /// Units that are treated, in basis points: 500 is 5 %; 0 without a rollout.
    pub basis_points: u32,
    /// The version of production.
    pub control: Version,
    /// The version of treated units; that of production without a rollout.
    pub treatment: Version,
    /// The number of the rollout, or of the last one; `None` before the first.
    pub rollout: Option<u64>,
}

impl Default for Releases {
    fn default() -> Self {
        Self { schema: RELEASES_SCHEMA.to_owned(), seq: 0, prompts: BTreeMap::new() }
    }
}

impl Releases {
    /// The entries of the prompts with these states. A prompt that production serves no version of has none.
    pub fn entries<'s>(states: impl IntoIterator<Item = (Name, &'s State)>) -> BTreeMap<Name, ReleaseEntry> {
        states.into_iter().filter_map(|(name, state)| Some((name, ReleaseEntry::of(state)?))).collect()
    }

    /// The releases with other entries, whose `seq` is one higher; these if the entries are the same.
    #[must_use]
    pub fn followed_by(&self, prompts: BTreeMap<Name, ReleaseEntry>) -> Self {
        let seq = if self.prompts == prompts { self.seq } else { self.seq.saturating_add(1) };
        Self { schema: RELEASES_SCHEMA.to_owned(), seq, prompts }
    }

    /// Parses the text of a file.
    ///
    /// # Errors
    /// Why it cannot be used: another schema or algorithm, a percentage above all units, no JSON.
    pub fn parse(text: &str) -> Result<Self, String> {
        let releases: Self = serde_json::from_str(text).map_err(|error| format!("not releases: {error}"))?;
        if releases.schema != RELEASES_SCHEMA {
            return Err(format!("unknown schema, expected {RELEASES_SCHEMA} (help: use a newer promptgate)"));
        }
        for (name, entry) in &releases.prompts {
            if entry.algorithm != ALGORITHM {
                return Err(format!("unknown algorithm of {name}, expected {ALGORITHM}"));
            }
            if entry.basis_points > ALL_UNITS {
                return Err(format!(
                    "{name} has {} basis points, expected at most {ALL_UNITS}",
                    entry.basis_points
                ));
            }
        }
        Ok(releases)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// An error of serde; no value of this type is known to fail.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Whether a rollout of any prompt has begun.
    pub fn has_rollouts(&self) -> bool {
        self.prompts.values().any(|entry| entry.rollout.is_some())
    }
}
