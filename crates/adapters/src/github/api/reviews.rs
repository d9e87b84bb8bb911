//! Merged pull requests of a commit, and their reviews.

use std::collections::BTreeMap;

use serde_json::Value;

use super::client::Client;
use super::error::ApiError;
use super::read::{text, unexpected};

/// A merged pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedPullRequest {
    /// Its number.
    pub number: u64,
    /// Its last commit.
    pub head: String,
    /// Who opened it; `None` for a deleted account.
    pub opened_by: Option<String>,
}

/// The last review of a person that decides: comments do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The person.
    pub login: String,
    /// The decision.
    pub state: ReviewState,
    /// The commit that was reviewed; `None` where GitHub no longer knows it.
    pub commit: Option<String>,
}

/// The decision of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    /// Approved.
    Approved,
    /// Changes requested.
    ChangesRequested,
    /// Withdrawn, by its author, a maintainer, or a rule on new commits.
    Dismissed,
    /// A state that this version does not know; it approves nothing.
    Unknown,
}

/// Returns the pull requests that brought a commit to the default branch of `repository` (`OWNER/REPO`).
///
/// # Errors
/// Failed calls, and responses of another form.
pub async fn merged_pull_requests(
    client: &Client,
    repository: &str,
    commit: &str,
) -> Result<Vec<MergedPullRequest>, ApiError> {
    let all = client.list(&format!("repos/{repository}/commits/{commit}/pulls")).await?;
    let mut merged = Vec::new();
    for pull_request in &all {
        let base = text(pull_request, "/base/repo/full_name");
        let branch = text(pull_request, "/base/ref");
        // An open one, or one into another branch or repository, only happens to hold the commit.
        if text(pull_request, "/merged_at").is_none()
            || branch.is_none()
            || branch != text(pull_request, "/base/repo/default_branch")
            || !base.is_some_and(|base| base.eq_ignore_ascii_case(repository))
        {
            continue;
        }
        let number = pull_request.get("number").and_then(Value::as_u64);
        let (Some(number), Some(head)) = (number, text(pull_request, "/head/sha")) else {
            return Err(unexpected("the number and the head of a pull request"));
        };
        merged.push(MergedPullRequest { number, head, opened_by: text(pull_request, "/user/login") });
    }
    Ok(merged)
}

/// Returns the deciding review of each person, sorted by login. Reviews of deleted accounts are skipped.
///
/// # Errors
/// Failed calls, and responses of another form.
pub async fn reviews(client: &Client, repository: &str, number: u64) -> Result<Vec<Review>, ApiError> {
    let all = client.list(&format!("repos/{repository}/pulls/{number}/reviews")).await?;
    Ok(deciding(&all))
}

/// The last deciding review of each login, which is case-insensitive.
fn deciding(reviews: &[Value]) -> Vec<Review> {
    let mut ordered: Vec<&Value> = reviews.iter().collect();
    // RFC 3339 in UTC sorts by time; the sort is stable, and the list is in order already.
    ordered.sort_by_key(|review| text(review, "/submitted_at"));
    let mut last = BTreeMap::new();
    for review in ordered {
        let state = match review.get("state").and_then(Value::as_str).unwrap_or_default() {
            "APPROVED" => ReviewState::Approved,
            "CHANGES_REQUESTED" => ReviewState::ChangesRequested,
            "DISMISSED" => ReviewState::Dismissed,
            "COMMENTED" | "PENDING" => continue,
            _ => ReviewState::Unknown,
        };
        if let Some(login) = text(review, "/user/login") {
            let commit = text(review, "/commit_id");
            last.insert(login.to_ascii_lowercase(), Review { login, state, commit });
        }
    }
    last.into_values().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn review(login: &str, state: &str, minute: u32) -> Value {
        json!({
            "user": {"login": login}, "state": state, "commit_id": "c0ffee",
            "submitted_at": format!("2026-01-01T00:{minute:02}:00Z"),
        })
    }

    #[test]
    fn last_deciding_review_of_each_login_counts() {
        let cases: [(&[Value], Option<ReviewState>); 9] = [
            (&[review("ann", "APPROVED", 1)], Some(ReviewState::Approved)),
            (
                &[review("ann", "APPROVED", 1), review("Ann", "CHANGES_REQUESTED", 2)],
                Some(ReviewState::ChangesRequested),
            ),
            (
                &[review("ann", "CHANGES_REQUESTED", 1), review("ANN", "APPROVED", 2)],
                Some(ReviewState::Approved),
            ),
            (&[review("ann", "APPROVED", 1), review("ann", "COMMENTED", 2)], Some(ReviewState::Approved)),
            (&[review("ann", "APPROVED", 1), review("ann", "DISMISSED", 2)], Some(ReviewState::Dismissed)),
            // The order of the list does not decide.
            (&[review("ann", "DISMISSED", 2), review("ann", "APPROVED", 1)], Some(ReviewState::Dismissed)),
            (&[review("ann", "APPROVED", 1), review("ann", "RESET", 2)], Some(ReviewState::Unknown)),
            (&[review("ann", "COMMENTED", 1), json!({"state": "PENDING", "user": {"login": "ann"}})], None),
            (&[json!({"state": "APPROVED", "user": null, "commit_id": "c0ffee"})], None),
        ];
        for (reviews, expected) in cases {
            let found = deciding(reviews);
            assert_eq!(found.first().map(|review| review.state), expected, "{reviews:?}");
            assert!(found.len() <= 1);
        }
    }
}
