//! The verification of a ledger: `promptgate.verification/v1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `schema` in every verification of this version.
pub const SCHEMA: &str = "promptgate.verification/v1";

/// The verification of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate verification v1")]
pub struct Verification {
    /// Always `promptgate.verification/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Where the ledger is.
    pub ledger: String,
    /// The prompts, sorted by name.
    pub prompts: Vec<VerifiedPrompt>,
}

/// The verification of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifiedPrompt {
    /// The prompt.
    pub name: String,
    /// The number of events; null if they cannot be read.
    pub events: Option<usize>,
    /// The number of versions, each with a record that matches its digest; null if they cannot be read.
    pub versions: Option<usize>,
    /// The position after the last event: note it elsewhere to detect a history that was rewritten.
    pub position: Option<String>,
    /// The commits that were verified to only append to their parents; null for a folder.
    pub commits: Option<VerifiedCommits>,
    /// The damage, with its place; null if there is none.
    pub problem: Option<String>,
}

/// Verified commits of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifiedCommits {
    /// Their number.
    pub count: usize,
    /// Whether they reach back to the first commit; false in a shallow clone whose history could not be fetched.
    pub complete: bool,
}

impl Verification {
    /// Whether no damage was found.
    pub fn is_intact(&self) -> bool {
        self.prompts.iter().all(|prompt| prompt.problem.is_none())
    }
}

/// The JSON Schema of [`Verification`], draft 2020-12.
pub fn schema() -> Value {
    crate::wire::schema_of::<Verification>("verification")
}
