//! Approvals of a version.

use serde::{Deserialize, Serialize};

use crate::{Digest, Record};

/// Where an approval was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalSource {
    /// An undismissed review on the last head of the pull request.
    Review,
    /// A required reviewer of a deployment environment.
    Environment,
    /// `approve`, dispatched on the default branch.
    Dispatch,
    /// `approve` anywhere else: the login is a claim.
    Unverified,
}

/// An approval, bound to the content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The login.
    pub login: String,
    /// Teams of the policy's approvers that the login was a member of, as `@org/team`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// Where it was given.
    pub source: ApprovalSource,
    /// The digest of the approved content.
    pub digest: Digest,
}

/// Why an approval does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalRejection {
    /// It is for another content.
    OtherDigest,
    /// The login is not in `approvers`.
    NotAnApprover,
    /// The login wrote a commit of the change.
    Author,
    /// The login is a claim, and the ledger is shared.
    Unverified,
}

impl Approval {
    /// Whether this approval of `record` counts. A claimed login counts only where `unverified_counts`: with a ledger that
    /// everybody who can read it could also write.
    ///
    /// # Errors
    /// The reason why it does not.
    pub fn check(&self, record: &Record, unverified_counts: bool) -> Result<(), ApprovalRejection> {
        let is_login = |login: &String| login.eq_ignore_ascii_case(&self.login);
        let is_person = |name: &String| !name.starts_with('@') && is_login(name);
        let is_team = |name: &String| self.teams.iter().any(|team| team.eq_ignore_ascii_case(name));
        if self.digest != record.digest {
            Err(ApprovalRejection::OtherDigest)
        } else if self.source == ApprovalSource::Unverified && !unverified_counts {
            Err(ApprovalRejection::Unverified)
        } else if record.change.authors.iter().any(is_login) {
            Err(ApprovalRejection::Author)
        } else if !record.policy.approvers.iter().any(|name| is_person(name) || is_team(name)) {
            Err(ApprovalRejection::NotAnApprover)
        } else {
            Ok(())
        }
    }
}
