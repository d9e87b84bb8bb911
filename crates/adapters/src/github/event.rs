//! What an event asks for, read from its name and its payload.
//!
//! The payload is GitHub's, but titles, branches and names in it are anybody's. What is used of them has its form
//! checked here; which commits there are is asked of git by others.

use serde_json::Value;

use promptgate_core::model::Diagnostic;
use promptgate_core::text::{json, neutral};

/// The events that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A pull request, seen from its merge commit.
    PullRequest,
    /// A pull request, seen from the target branch, with its secrets.
    PullRequestTarget,
    /// Pull requests in a merge queue.
    MergeGroup,
    /// Commits on a branch.
    Push,
    /// Started by hand.
    WorkflowDispatch,
    /// Started by the clock.
    Schedule,
    /// Any other; `privileged` where it brings the secrets of the repository to what somebody else wrote.
    Other {
        /// Runs for comments and for the runs of others, with secrets.
        privileged: bool,
    },
}

impl EventKind {
    fn of(name: &str) -> Self {
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

    /// The word in `ci.json`.
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

    /// Whether the event is about a change that wants to be merged, and so must not be judged by its own policy.
    pub fn is_change(self) -> bool {
        matches!(self, Self::PullRequest | Self::MergeGroup)
    }
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Which.
    pub kind: EventKind,
    /// The pull request; of `pull_request` alone.
    pub pull_request: Option<PullRequest>,
    /// The commit that the event names as its start: the base of a merge group, the tip before a push. A full object
    /// name; `None` where there is none, as for a new branch.
    pub base: Option<String>,
    /// The commit that is to be judged, where the event names it.
    pub head: Option<String>,
    /// The default branch, where the event names it.
    pub default_branch: Option<String>,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// The branch that it wants to be merged into.
    pub base_branch: String,
    /// Its own last commit.
    pub head: String,
    /// Whether it comes from another repository, and so without secrets; also where that one is gone.
    pub fork: bool,
}

impl Event {
    /// Reads an event: its name (`GITHUB_EVENT_NAME`) and its payload (the text of `GITHUB_EVENT_PATH`).
    ///
    /// # Errors
    /// A payload that is no JSON object, and one that lacks what its event needs.
    pub fn read(name: &str, payload: &str) -> Result<Self, Diagnostic> {
        let broken = |why: String| {
            Diagnostic::new(format!("the event is damaged: {}", neutral::terminal(&why)))
                .help("GITHUB_EVENT_PATH names a file that GitHub writes for the job: leave it as it is")
        };
        let payload = json::parse(payload).map_err(broken)?;
        if !payload.is_object() {
            return Err(broken("it is no JSON object".to_owned()));
        }
        let missing = |path: &str| broken(format!("`{name}` without a usable `{path}`"));
        let kind = EventKind::of(name);
        let mut event = Self {
            kind,
            pull_request: None,
            base: None,
            head: None,
            default_branch: branch(&payload, "/repository/default_branch"),
        };
        match kind {
            EventKind::PullRequest => {
                let number = payload.pointer("/pull_request/number").and_then(Value::as_u64);
                let head = commit(&payload, "/pull_request/head/sha");
                let full_name = |side: &str| {
                    payload.pointer(&format!("/pull_request/{side}/repo/full_name")).and_then(Value::as_str)
                };
                let (base, other) = (full_name("base"), full_name("head"));
                let head = head.ok_or_else(|| missing("pull_request.head.sha"))?;
                event.head = Some(head.clone());
                event.pull_request = Some(PullRequest {
                    number: number
                        .filter(|number| *number > 0)
                        .ok_or_else(|| missing("pull_request.number"))?,
                    base_branch: branch(&payload, "/pull_request/base/ref")
                        .ok_or_else(|| missing("pull_request.base.ref"))?,
                    head,
                    // GitHub ignores case in names.
                    fork: !matches!((base, other), (Some(base), Some(other)) if base.eq_ignore_ascii_case(other)),
                });
            }
            EventKind::MergeGroup => {
                let base = commit(&payload, "/merge_group/base_sha");
                event.base = Some(base.ok_or_else(|| missing("merge_group.base_sha"))?);
                event.head = commit(&payload, "/merge_group/head_sha");
            }
            EventKind::Push => {
                // Zeros stand for a branch that was not there before.
                event.base = commit(&payload, "/before");
                event.head = commit(&payload, "/after");
            }
            _ => {}
        }
        Ok(event)
    }
}

/// A full object name that is not all zeros.
fn commit(payload: &Value, pointer: &str) -> Option<String> {
    let text = payload.pointer(pointer)?.as_str()?;
    let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let named = matches!(text.len(), 40 | 64) && hexadecimal && text.bytes().any(|byte| byte != b'0');
    named.then(|| text.to_ascii_lowercase())
}

/// The name of a branch, as far as its form can tell; whether there is one of that name is for git to say.
fn branch(payload: &Value, pointer: &str) -> Option<String> {
    let text = payload.pointer(pointer)?.as_str()?;
    let odd = |c: char| {
        c.is_control() || c.is_whitespace() || matches!(c, ':' | '~' | '^' | '?' | '*' | '[' | '\\')
    };
    (!text.is_empty()
        && text.len() <= 1024
        && !text.starts_with('-')
        && !text.contains(odd)
        && !text.contains(".."))
    .then(|| text.to_owned())
}
