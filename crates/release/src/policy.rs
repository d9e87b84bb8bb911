//! The controls that a version has to pass, by its level.

use serde::{Deserialize, Serialize};

use crate::diff::Rules;
use crate::limits::{Monitor, StagingChecks};
use crate::rollout::{RolloutKind, RolloutPolicy};
use crate::{Digest, GateScope, Level, canonical};

/// The controls of a prompt, as they were before the change that they hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasePolicy {
    /// The controls by level.
    pub levels: Levels,
    /// Logins, and teams as `@org/team`, whose approvals count.
    #[serde(default)]
    pub approvers: Vec<String>,
    /// How long a version stays on staging before production, in seconds.
    #[serde(default)]
    pub staging_hold_seconds: u64,
    /// The checks on staging; `None` where time alone counts there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staging_checks: Option<StagingChecks>,
    /// The checks of the version that production serves; `None` without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<Monitor>,
    /// How the least level of a change is found.
    #[serde(default)]
    pub rules: Rules,
    /// Rollouts in steps; `None` where every version goes to production at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollouts: Option<RolloutPolicy>,
}

/// One set of controls for each level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    /// Of a patch.
    pub patch: Controls,
    /// Of a minor version.
    pub minor: Controls,
    /// Of a major version, and of a first one.
    pub major: Controls,
}

/// The requirements of a level before production.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Controls {
    /// The criteria that the gate has to examine.
    pub gate: GateScope,
    /// Approvals by different people.
    #[serde(default)]
    pub approvals: u32,
    /// How production gets the version.
    #[serde(default, skip_serializing_if = "RolloutKind::is_direct")]
    pub rollout: RolloutKind,
}

impl ReleasePolicy {
    /// The controls of a level.
    pub fn controls(&self, level: Level) -> Controls {
        match level {
            Level::Patch => self.levels.patch,
            Level::Minor => self.levels.minor,
            Level::Major => self.levels.major,
        }
    }

    /// Approvals that a level requires beyond those that `approvers` can give; 0 if a team is listed.
    pub fn missing_approvers(&self, level: Level) -> u32 {
        if self.approvers.iter().any(|name| name.starts_with('@')) {
            return 0;
        }
        let mut logins: Vec<String> = self.approvers.iter().map(|login| login.to_ascii_lowercase()).collect();
        logins.sort_unstable();
        logins.dedup();
        let listed = u32::try_from(logins.len()).unwrap_or(u32::MAX);
        self.controls(level).approvals.saturating_sub(listed)
    }

    /// The digest of the canonical JSON of this policy.
    pub fn digest(&self) -> Digest {
        canonical::digest(self)
    }
}

impl Default for ReleasePolicy {
    fn default() -> Self {
        Self {
            levels: Levels {
                patch: Controls { gate: GateScope::Checks, approvals: 0, rollout: RolloutKind::Direct },
                minor: Controls { gate: GateScope::Full, approvals: 0, rollout: RolloutKind::Direct },
                major: Controls { gate: GateScope::Full, approvals: 1, rollout: RolloutKind::Direct },
            },
            approvers: Vec::new(),
            staging_hold_seconds: 0,
            staging_checks: None,
            monitor: None,
            rules: Rules::default(),
            rollouts: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approvers_are_missing_where_fewer_people_are_listed_than_have_to_approve() {
        let mut policy = ReleasePolicy::default();
        policy.levels.major.approvals = 2;
        let missing = |policy: &ReleasePolicy, approvers: &[&str]| {
            let approvers = approvers.iter().map(|name| (*name).to_owned()).collect();
            ReleasePolicy { approvers, ..policy.clone() }.missing_approvers(Level::Major)
        };
        assert_eq!(missing(&policy, &[]), 2);
        assert_eq!(missing(&policy, &["alice", "Alice"]), 1);
        assert_eq!(missing(&policy, &["alice", "bob", "carol"]), 0);
        assert_eq!(missing(&policy, &["@org/team"]), 0);
        assert_eq!(policy.missing_approvers(Level::Minor), 0);
    }
}
