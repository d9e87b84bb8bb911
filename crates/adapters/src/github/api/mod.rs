//! The REST API, for one thing: the comments of a pull request.
//!
//! [`Client`] sends a request and reads its answer, [`comments`] keeps one comment up to date, [`error`] says what
//! went wrong. The token goes to the origin of the API's address and to no other: no redirect and no page of a list
//! leads it away, and it is in no message.

mod client;
mod comments;
mod error;
mod link;

pub use client::{Client, Settings};
pub use comments::{CommentOutcome, StickyComment, upsert_comment};
pub use error::{ApiError, ApiErrorKind};
