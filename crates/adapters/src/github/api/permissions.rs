//! The permissions of a token, found out without writing anything.

use reqwest::Method;
use serde_json::json;

use super::client::{AttemptError, Client};
use super::error::{ApiError, ApiErrorKind};
use crate::http::Request;

/// Access of a token to the comments of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Write them.
    Write,
    /// Read them.
    Read,
    /// Neither.
    Nothing,
}

/// Finds out what the token may do with the comments of a pull request. The question is a comment without a text: GitHub
/// rejects it as invalid (422) where the token may write, and before looking at it (403) where it may not.
///
/// # Errors
/// The token is invalid, or GitHub or the network fails.
pub async fn comment_permission(
    client: &Client,
    repository: &str,
    pull_request: u64,
) -> Result<Permission, ApiError> {
    let path = format!("repos/{repository}/issues/{pull_request}/comments");
    let mut url = client.url(&path);
    url.query_pairs_mut().append_pair("per_page", "1");
    match client.get(Request::new(Method::GET, url)).await {
        Ok(_) => {}
        Err(error) if matches!(error.status, Some(403 | 404)) && error.kind != ApiErrorKind::Unavailable => {
            return Ok(Permission::Nothing);
        }
        Err(error) => return Err(error),
    }
    match client.post_once(client.url(&path), &json!({})).await {
        Ok(_) => Ok(Permission::Write),
        Err(AttemptError::Final(error)) if error.status == Some(422) => Ok(Permission::Write),
        Err(AttemptError::Final(error)) if matches!(error.status, Some(403 | 404)) => Ok(Permission::Read),
        Err(AttemptError::Final(error) | AttemptError::Retriable(error, _)) => Err(error),
    }
}
