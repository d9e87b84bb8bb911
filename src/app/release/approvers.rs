//! Whether somebody is an approver of the policy, by login or as a member of a team.

use crate::app::github::{self, GitHub};
use promptgate_adapters::github::api::{ApiError, Membership, team_membership};

/// Whether somebody is an approver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApproverMatch {
    /// By login, or as a member of these teams, written `@org/team`.
    Approver {
        /// The teams; empty for a login.
        teams: Vec<String>,
    },
    /// Not, as far as can be seen.
    None {
        /// Teams whose members cannot be read, one sentence each.
        notes: Vec<String>,
    },
}

/// Returns whether `login` is one of `approvers`. Without GitHub, nobody is known to be a member of a team.
///
/// # Errors
/// Failed calls; a team that the token may not read is none.
pub(super) async fn match_approver(
    github: Option<&GitHub>,
    login: &str,
    approvers: &[String],
) -> Result<ApproverMatch, ApiError> {
    if approvers.iter().any(|approver| approver.eq_ignore_ascii_case(login)) {
        return Ok(ApproverMatch::Approver { teams: Vec::new() });
    }
    let (mut teams, mut notes) = (Vec::new(), Vec::new());
    for approver in approvers {
        let Some((organization, slug)) = approver.strip_prefix('@').and_then(|team| team.split_once('/'))
        else {
            continue;
        };
        let Some(github) = github.filter(|_| github::is_login(login)) else {
            notes.push(format!("members of {approver} are known to GitHub alone"));
            continue;
        };
        match team_membership(&github.client, organization, slug, login).await? {
            Membership::Active => teams.push(approver.clone()),
            Membership::Pending => notes.push(format!("{login} was invited to {approver} and has not joined")),
            Membership::Unknown(status) => notes.push(format!(
                "GitHub answers {status} for {login} in {approver}: not a member, or the token lacks `members: read`, \
                 which only the token of an app can have"
            )),
        }
    }
    Ok(if teams.is_empty() { ApproverMatch::None { notes } } else { ApproverMatch::Approver { teams } })
}
