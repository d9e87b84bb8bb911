//! Reviews of the deployments of a workflow run.

use serde_json::Value;

use super::client::Client;
use super::error::ApiError;
use super::read::text;

/// The decision of a required reviewer about environments of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentReview {
    /// The reviewer.
    pub login: String,
    /// Whether the deployment was approved; rejected otherwise.
    pub is_approved: bool,
    /// The environments.
    pub environments: Vec<String>,
}

/// Returns the decisions about the deployments of a run, also of its earlier attempts. Those of deleted accounts are
/// skipped.
///
/// # Errors
/// Failed calls, and responses of another form.
pub async fn deployment_reviews(
    client: &Client,
    repository: &str,
    run: u64,
) -> Result<Vec<DeploymentReview>, ApiError> {
    let all = client.list(&format!("repos/{repository}/actions/runs/{run}/approvals")).await?;
    let review = |value: &Value| {
        let environments = value.get("environments").and_then(Value::as_array).into_iter().flatten();
        Some(DeploymentReview {
            login: text(value, "/user/login")?,
            is_approved: text(value, "/state").as_deref() == Some("approved"),
            environments: environments.filter_map(|environment| text(environment, "/name")).collect(),
        })
    };
    Ok(all.iter().filter_map(review).collect())
}
