//! Events, parsed from their name and payload.
//!
//! The payload comes from GitHub, but titles, branches and names in it are untrusted. The form of every field that is
//! used is checked here; git decides later whether commits and branches exist.

use serde_json::Value;

use promptgate_core::model::Diagnostic;
use promptgate_core::text::{json, neutral};

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A pull request, checked out at its merge commit.
    PullRequest,
    /// A pull request, checked out at the target branch, with its secrets.
    PullRequestTarget,
    /// Pull requests in a merge queue.
    MergeGroup,
    /// Commits on a branch.
    Push,
    /// A manual run.
    WorkflowDispatch,
    /// A scheduled run.
    Schedule,
    /// Any other event.
    Other {
        /// Whether it may be triggered by others and still has the repository's secrets.
        privileged: bool,
    },
}

impl EventKind {
    fn from_name(name: &str) -> Self {
        match name {
            "pull_request" => Self::PullRequest,
            "pull_request_target" => Self::PullRequestTarget,
            "merge_group" => Self::MergeGroup,
            "push" => Self::Push,
            "workflow_dispatch" => Self::WorkflowDispatch,
            "schedule" => Self::Schedule,
            "workflow_run" | "issue_comment" | "issues" | "discussion" | "discussion_comment" => {
                Self::Other { privileged: true }
            }
            _ => Self::Other { privileged: false },
        }
    }

    /// Returns the name in `ci.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PullRequest => "pull_request",
            Self::MergeGroup => "merge_group",
            Self::Push => "push",
            Self::WorkflowDispatch => "workflow_dispatch",
            Self::Schedule => "schedule",
            Self::PullRequestTarget | Self::Other { .. } => "other",
        }
    }

    /// Whether the event is about an unmerged change, whose own policy must not decide about it.
    pub fn is_change(self) -> bool {
        matches!(self, Self::PullRequest | Self::MergeGroup)
    }
}

/// A parsed event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The kind.
    pub kind: EventKind,
    /// The pull request of a `pull_request` event.
    pub pull_request: Option<PullRequest>,
    /// The base commit of the event: the base of a merge group, the tip before a push. A full object name; `None` where
    /// there is none, as for a new branch.
    pub base: Option<String>,
    /// The commit to evaluate, where the event names it.
    pub head: Option<String>,
    /// The default branch, where the event names it.
    pub default_branch: Option<String>,
    /// Whether only members see the repository; `None` where the payload does not say.
    pub is_private: Option<bool>,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// The target branch.
    pub base_branch: String,
    /// The tip of the target branch at the time of the event; `None` where the payload lacks it.
    pub base: Option<String>,
    /// Its last commit.
    pub head: String,
    /// Whether it comes from another repository, which may be deleted, and so has no secrets.
    pub fork: bool,
    /// When it last changed at the time of the event, RFC 3339; `None` where the payload lacks it.
    pub updated_at: Option<String>,
    /// The label whose setting is the event.
    pub labeled: Option<Labeled>,
}

/// The setting of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labeled {
    /// The name of the label.
    pub label: String,
    /// The login of who set it.
    pub by: String,
}

impl Event {
    /// Parses an event from its name (`GITHUB_EVENT_NAME`) and payload (the text of `GITHUB_EVENT_PATH`).
    ///
    /// # Errors
    /// The payload is not a JSON object or lacks a required field.
    pub fn read(name: &str, payload: &str) -> Result<Self, Diagnostic> {
        let invalid = |reason: String| {
            Diagnostic::new(format!("invalid event payload: {}", neutral::terminal(&reason)))
                .help("do not change the file in GITHUB_EVENT_PATH: GitHub writes it for the job")
        };
        let payload = json::parse(payload).map_err(invalid)?;
        if !payload.is_object() {
            return Err(invalid("expected a JSON object".to_owned()));
        }
        let kind = EventKind::from_name(name);
        let missing = |path: &str| invalid(format!("missing or invalid `{path}` in `{name}`"));
        let required = |read: fn(&Value, &str) -> Option<String>, path: &str| {
            read(&payload, path).ok_or_else(|| missing(path))
        };
        let mut event = Self {
            kind,
            pull_request: None,
            base: None,
            head: None,
            default_branch: branch(&payload, "repository.default_branch"),
            is_private: is_private(&payload),
        };
        match kind {
            EventKind::PullRequest => {
                let full_name = |side: &str| {
                    at(&payload, &format!("pull_request.{side}.repo.full_name")).and_then(Value::as_str)
                };
                let (base, other) = (full_name("base"), full_name("head"));
                let head = required(commit, "pull_request.head.sha")?;
                let number = at(&payload, "pull_request.number").and_then(Value::as_u64);
                event.head = Some(head.clone());
                event.pull_request = Some(PullRequest {
                    number: number
                        .filter(|number| *number > 0)
                        .ok_or_else(|| missing("pull_request.number"))?,
                    base_branch: required(branch, "pull_request.base.ref")?,
                    base: commit(&payload, "pull_request.base.sha"),
                    head,
                    // Repository names are case-insensitive.
                    fork: !matches!((base, other), (Some(base), Some(other)) if base.eq_ignore_ascii_case(other)),
                    updated_at: text(&payload, "pull_request.updated_at"),
                    labeled: labeled(&payload),
                });
            }
            EventKind::MergeGroup => {
                event.base = Some(required(commit, "merge_group.base_sha")?);
                event.head = commit(&payload, "merge_group.head_sha");
            }
            EventKind::Push => {
                // A new branch has only zeros in `before`.
                event.base = commit(&payload, "before");
                event.head = commit(&payload, "after");
            }
            _ => {}
        }
        Ok(event)
    }
}

/// Returns the value at a path of keys, such as `pull_request.number`.
fn at<'p>(payload: &'p Value, path: &str) -> Option<&'p Value> {
    path.split('.').try_fold(payload, |value, key| value.get(key))
}

/// Returns the text at a path.
fn text(payload: &Value, path: &str) -> Option<String> {
    at(payload, path)?.as_str().map(str::to_owned)
}

/// Returns the label that the event set.
fn labeled(payload: &Value) -> Option<Labeled> {
    let is_set = at(payload, "action").and_then(Value::as_str) == Some("labeled");
    let set = || Some(Labeled { label: text(payload, "label.name")?, by: text(payload, "sender.login")? });
    is_set.then(set).flatten()
}

/// Whether the repository is private, or internal to an enterprise.
fn is_private(payload: &Value) -> Option<bool> {
    match at(payload, "repository.visibility").and_then(Value::as_str) {
        Some("public") => Some(false),
        Some("private" | "internal") => Some(true),
        _ => at(payload, "repository.private").and_then(Value::as_bool),
    }
}

/// Returns a full object name that is not all zeros.
fn commit(payload: &Value, path: &str) -> Option<String> {
    let text = at(payload, path)?.as_str()?;
    let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_commit = matches!(text.len(), 40 | 64) && is_hexadecimal && text.bytes().any(|byte| byte != b'0');
    is_commit.then(|| text.to_ascii_lowercase())
}

/// Returns a syntactically valid branch name; git decides whether the branch exists.
fn branch(payload: &Value, path: &str) -> Option<String> {
    let text = at(payload, path)?.as_str()?;
    let is_invalid = |c: char| {
        c.is_control() || c.is_whitespace() || matches!(c, ':' | '~' | '^' | '?' | '*' | '[' | '\\')
    };
    (!text.is_empty()
        && text.len() <= 1024
        && !text.starts_with('-')
        && !text.contains(is_invalid)
        && !text.contains(".."))
    .then(|| text.to_owned())
}
