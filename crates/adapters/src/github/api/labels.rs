//! The labels of a pull request: which it has now, and who set them.

use serde_json::Value;

use super::client::Client;
use super::error::ApiError;
use super::read::{text, unexpected};

/// A pull request as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabeledPullRequest {
    /// Its last commit.
    pub head: String,
    /// The branch that it is to be merged into.
    pub base_branch: String,
    /// Whether it is open.
    pub is_open: bool,
    /// Who opened it; `None` for a deleted account.
    pub opened_by: Option<String>,
    /// Its labels.
    pub labels: Vec<String>,
}

/// A change of the labels or of a branch of a pull request. An ordinary push is not among the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueEvent {
    /// Its number; a later event has a larger one.
    pub id: u64,
    /// When it happened: RFC 3339, in UTC.
    pub at: String,
    /// Who did it; `None` for a deleted account.
    pub actor: Option<Actor>,
    /// The change.
    pub kind: IssueEventKind,
}

/// The account behind an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Its current login: GitHub follows a rename.
    pub login: String,
    /// Whether it is a person who acted without an app.
    pub is_person: bool,
}

/// The change of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueEventKind {
    /// The label with this name was set.
    Labeled(String),
    /// The label with this name was removed.
    Unlabeled(String),
    /// The branch was replaced by a push; its new commit where GitHub names it.
    ForcePushed(Option<String>),
    /// Another branch became the one that it is to be merged into.
    Retargeted,
}

/// Returns a pull request as it is now.
///
/// # Errors
/// Failed calls, and responses of another form.
pub async fn labeled_pull_request(
    client: &Client,
    repository: &str,
    number: u64,
) -> Result<LabeledPullRequest, ApiError> {
    let found = client.read(&format!("repos/{repository}/pulls/{number}")).await?;
    let head = text(&found, "/head/sha").ok_or_else(|| unexpected("the head of a pull request"))?;
    let base_branch =
        text(&found, "/base/ref").ok_or_else(|| unexpected("the target branch of a pull request"))?;
    let state = text(&found, "/state").ok_or_else(|| unexpected("the state of a pull request"))?;
    let labels = found.get("labels").and_then(Value::as_array);
    let labels = labels.ok_or_else(|| unexpected("the labels of a pull request"))?;
    Ok(LabeledPullRequest {
        head,
        base_branch,
        is_open: state == "open",
        opened_by: text(&found, "/user/login"),
        labels: labels.iter().filter_map(|label| text(label, "/name")).collect(),
    })
}

/// Returns the changes of the labels and of the branches of a pull request, oldest first.
///
/// # Errors
/// Failed calls, and responses of another form.
pub async fn issue_events(
    client: &Client,
    repository: &str,
    number: u64,
) -> Result<Vec<IssueEvent>, ApiError> {
    let all = client.list(&format!("repos/{repository}/issues/{number}/events")).await?;
    let mut events = Vec::new();
    for event in &all {
        let label = || text(event, "/label/name").ok_or_else(|| unexpected("the label of an event"));
        let kind = match event.get("event").and_then(Value::as_str).unwrap_or_default() {
            "labeled" => IssueEventKind::Labeled(label()?),
            "unlabeled" => IssueEventKind::Unlabeled(label()?),
            "base_ref_changed" | "automatic_base_change_succeeded" => IssueEventKind::Retargeted,
            "head_ref_force_pushed" => IssueEventKind::ForcePushed(text(event, "/commit_id")),
            _ => continue,
        };
        let id = event.get("id").and_then(Value::as_u64);
        let (Some(id), Some(at)) = (id, text(event, "/created_at")) else {
            return Err(unexpected("the id and the time of an event"));
        };
        events.push(IssueEvent { id, at, actor: actor(event), kind });
    }
    events.sort_by_key(|event| event.id);
    Ok(events)
}

fn actor(event: &Value) -> Option<Actor> {
    let login = text(event, "/actor/login")?;
    let is_user = event.pointer("/actor/type").and_then(Value::as_str) == Some("User");
    let app = event.get("performed_via_github_app").is_some_and(|app| !app.is_null());
    Some(Actor { login, is_person: is_user && !app })
}
