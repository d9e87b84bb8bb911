//! What all shards of a run have in common, as a digest that says what differs.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::v1;

/// The digest of a plan, with what it is made of: two shards are of one run if it is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanDigest {
    /// `sha256:…` over the parts.
    pub digest: String,
    /// The parts by name: words where they are short, digests of their own where they are long.
    pub parts: BTreeMap<String, String>,
}

impl PlanDigest {
    /// The digest of these parts.
    pub fn new(parts: BTreeMap<String, String>) -> Self {
        let mut hasher = Sha256::new();
        for (name, value) in &parts {
            // Lengths keep the borders: no two lists of parts read alike.
            hasher.update(format!("{}:{name}{}:{value}", name.len(), value.len()).as_bytes());
        }
        Self { digest: named(&hasher.finalize()), parts }
    }

    /// Whether the digest is that of the parts.
    pub(super) fn is_whole(&self) -> bool {
        Self::new(self.parts.clone()).digest == self.digest
    }

    /// The parts that differ, by name.
    pub(super) fn differing(&self, other: &Self) -> String {
        let names: BTreeSet<&String> = self.parts.keys().chain(other.parts.keys()).collect();
        let differ = names.into_iter().filter(|name| self.parts.get(*name) != other.parts.get(*name));
        differ.map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// `sha256:…` over values, each as JSON in a line of its own.
pub fn digest_of(values: impl IntoIterator<Item = Value>) -> String {
    let mut hasher = Sha256::new();
    for value in values {
        hasher.update(value.to_string().as_bytes());
        hasher.update(b"\n");
    }
    named(&hasher.finalize())
}

/// What makes a case count: who it is, which criteria it is part of, and what grades it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseInPlan<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its tags.
    pub tags: &'a [String],
    /// Its cluster.
    pub group: Option<&'a str>,
    /// Whether it is a criterion of its own.
    pub must_pass: bool,
    /// Names of the scorers that grade it.
    pub scorers: Vec<&'a str>,
}

/// The part `cases` of a plan: all cases, in dataset order.
pub fn digest_of_cases<'a>(cases: impl IntoIterator<Item = CaseInPlan<'a>>) -> String {
    digest_of(cases.into_iter().map(|case| serde_json::to_value(case).unwrap_or_default()))
}

/// The part `policy` of a plan.
///
/// `None` where the policy holds a number that JSON does not know.
pub(super) fn policy_part(policy: &v1::Policy) -> Option<String> {
    serde_json::to_value(policy).ok().map(|value| digest_of([value]))
}

fn named(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
