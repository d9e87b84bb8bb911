//! The digest of a plan, which all shards of a run have in common.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::digest;
use super::super::v1::Policy;

/// The digest of a plan with its parts. Shards with the same digest belong to one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanDigest {
    /// `sha256:…` over the parts.
    pub digest: String,
    /// The parts by name: short values as they are, long values as digests.
    pub parts: BTreeMap<String, String>,
}

impl PlanDigest {
    /// The digest of these parts.
    pub fn new(parts: BTreeMap<String, String>) -> Self {
        let mut hasher = Sha256::new();
        for (name, value) in &parts {
            // Lengths separate the parts, so that different lists have different input.
            hasher.update(format!("{}:{name}{}:{value}", name.len(), value.len()).as_bytes());
        }
        Self { digest: digest(hasher), parts }
    }

    /// Whether the digest is that of the parts.
    pub(super) fn is_whole(&self) -> bool {
        Self::new(self.parts.clone()).digest == self.digest
    }

    /// The names of the parts that differ.
    pub(super) fn differing(&self, other: &Self) -> String {
        let names: BTreeSet<&String> = self.parts.keys().chain(other.parts.keys()).collect();
        let differ = names.into_iter().filter(|name| self.parts.get(*name) != other.parts.get(*name));
        differ.map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// `sha256:…` over values, each as a line of JSON.
pub fn digest_of(values: impl IntoIterator<Item = Value>) -> String {
    let mut hasher = Sha256::new();
    for value in values {
        hasher.update(value.to_string().as_bytes());
        hasher.update(b"\n");
    }
    digest(hasher)
}

/// The identity of a case with the criteria and scorers it is part of.
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
    /// Whether the dataset of the base lacks it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub added: bool,
    /// Names of the scorers that grade it.
    pub scorers: Vec<&'a str>,
}

/// The part `cases` of a plan: all cases, in dataset order.
pub fn digest_of_cases<'a>(cases: impl IntoIterator<Item = CaseInPlan<'a>>) -> String {
    digest_of(cases.into_iter().map(|case| serde_json::to_value(case).unwrap_or_default()))
}

/// The part `policy` of a plan.
///
/// `None` where the policy contains a number that JSON cannot represent.
pub(super) fn policy_part(policy: &Policy) -> Option<String> {
    serde_json::to_value(policy).ok().map(|value| digest_of([value]))
}
