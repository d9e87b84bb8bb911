//! The REST API: the comment of a pull request, who set its labels, and who wrote and approved a change.
//!
//! The token goes to the API's origin only, and appears in no message.

mod authors;
mod client;
mod comments;
mod error;
mod labels;
mod link;
mod members;
mod permissions;
mod read;
mod reviews;
mod runs;
#[cfg(test)]
mod tests;
mod trees;

pub use authors::{CommitPeople, GitPerson, people_of_commit, pull_request_people};
pub use client::{Client, Settings};
pub use comments::{CommentOutcome, StickyComment, upsert_comment};
pub use error::{ApiError, ApiErrorKind};
pub use labels::{Actor, IssueEvent, IssueEventKind, LabeledPullRequest, issue_events, labeled_pull_request};
pub use members::{Membership, team_membership};
pub use permissions::{Permission, comment_permission};
pub use reviews::{MergedPullRequest, Review, ReviewState, merged_pull_requests, reviews};
pub use runs::{DeploymentReview, deployment_reviews};
pub use trees::blob_names;
