//! The REST API, for the one comment of a pull request.
//!
//! The token goes to the API's origin only, and appears in no message.

mod client;
mod comments;
mod error;
mod link;

pub use client::{Client, Settings};
pub use comments::{CommentOutcome, StickyComment, upsert_comment};
pub use error::{ApiError, ApiErrorKind};
