//! The assignments of all prompts: `promptgate.releases/v1`, the file `releases.json` of a ledger and of a bundle.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `schema` in every file of this version.
pub const SCHEMA: &str = "promptgate.releases/v1";

/// The assignments of all prompts that production serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate releases v1")]
pub struct Releases {
    /// Always `promptgate.releases/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Rises by one with each change. A reader keeps what it has if this is lower.
    pub seq: u64,
    /// The entry of each prompt, by name.
    pub prompts: BTreeMap<String, ReleaseEntry>,
}

/// The assignment of the units of a prompt: a unit gets `treatment` if it is not empty and
/// `fnv1a32(decimal(fnv1a32(salt + unit))) mod 10000`, over UTF-16 code units, is below `basis_points`; else `control`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseEntry {
    /// Always `gb2`.
    #[schemars(extend("const" = "gb2"))]
    pub algorithm: String,
    /// The salt of the rollout; empty without one.
    pub salt: String,
    /// Units that are treated, in basis points: 500 is 5 %; 0 without a rollout.
    #[schemars(range(max = 10_000))]
    pub basis_points: u32,
    /// The version of production.
    pub control: String,
    /// The version of treated units; that of production without a rollout.
    pub treatment: String,
    /// The number of the rollout, or of the last one; null before the first.
    pub rollout: Option<u64>,
}

/// The JSON Schema of [`Releases`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Releases>("releases")
}
