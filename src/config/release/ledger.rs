//! `release.ledger`: where versions, events and evidence are kept.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::load::Reader;

const DEFAULT_BRANCH: &str = "promptgate";
const DEFAULT_REMOTE: &str = "origin";

/// A ledger: `git`, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Ledger")]
pub(super) enum WrittenLedger {
    /// The branch promptgate of origin.
    Name(LedgerName),
    /// A branch or a folder.
    Map(WrittenLedgerMap),
}

/// The ledger's kind.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum LedgerName {
    /// The branch promptgate of origin.
    Git,
}

/// A branch or a folder.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(super) struct WrittenLedgerMap {
    /// A branch of a remote.
    git: Option<WrittenBranch>,
    /// A folder, relative to this file.
    #[schemars(length(min = 1))]
    path: Option<String>,
}

/// A branch of a remote.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct WrittenBranch {
    /// The branch; promptgate by default.
    #[schemars(length(min = 1))]
    branch: Option<String>,
    /// The remote; origin by default.
    #[schemars(length(min = 1))]
    remote: Option<String>,
}

/// Where versions, events and evidence are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerSettings {
    /// A branch of a remote.
    Git {
        /// The branch.
        branch: String,
        /// The remote.
        remote: String,
    },
    /// A folder, relative to the configuration.
    Folder(String),
}

impl WrittenLedger {
    pub(super) fn resolve(self, reader: &mut Reader<'_>) -> Option<LedgerSettings> {
        let (branch, path) = match self {
            Self::Name(LedgerName::Git) => (Some(WrittenBranch::default()), None),
            Self::Map(WrittenLedgerMap { git, path }) => (git, path),
        };
        match (branch, path) {
            (Some(written), None) => {
                let branch = written.branch.unwrap_or_else(|| DEFAULT_BRANCH.to_owned());
                let remote = written.remote.unwrap_or_else(|| DEFAULT_REMOTE.to_owned());
                for (key, name) in [("branch", &branch), ("remote", &remote)] {
                    if !is_ref_name(name) {
                        let at = format!("/release/ledger/git/{key}");
                        reader.report(
                            &at,
                            format!("invalid {key} `{name}`"),
                            "expected letters, digits, `.`, `_`, `-` and `/`",
                        );
                        return None;
                    }
                }
                Some(LedgerSettings::Git { branch, remote })
            }
            (None, Some(path)) => Some(LedgerSettings::Folder(path)),
            // The schema has reported both and none.
            _ => None,
        }
    }
}

/// Whether git takes a name without quoting it: a part of `git check-ref-format`, and nothing that reads as an option.
fn is_ref_name(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.ends_with(".lock")
    };
    name.split('/').all(part)
        && !name.starts_with('-')
        && !name.contains("..")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
}
