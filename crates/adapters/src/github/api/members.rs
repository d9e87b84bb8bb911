//! Members of teams.

use serde_json::Value;

use super::client::Client;
use super::error::ApiError;

/// Whether somebody is a member of a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// A member.
    Active,
    /// Invited, and not a member yet.
    Pending,
    /// Not a member, or the token may not read the team; the status of the response, 403 or 404, does not tell.
    Unknown(u16),
}

/// Returns whether `login` is a member of the team `slug` of an organization. A token of a workflow cannot read teams;
/// that of an app with `members: read` can.
///
/// # Errors
/// Failed calls.
pub async fn team_membership(
    client: &Client,
    organization: &str,
    slug: &str,
    login: &str,
) -> Result<Membership, ApiError> {
    let slug = slug.to_ascii_lowercase();
    match client.read(&format!("orgs/{organization}/teams/{slug}/memberships/{login}")).await {
        Ok(membership) if membership.get("state").and_then(Value::as_str) == Some("active") => {
            Ok(Membership::Active)
        }
        Ok(_) => Ok(Membership::Pending),
        Err(ApiError { status: Some(status @ (403 | 404)), kind, .. })
            if kind != super::ApiErrorKind::Unavailable =>
        {
            Ok(Membership::Unknown(status))
        }
        Err(error) => Err(error),
    }
}
