//! The gate's comment on a pull request, created once and then updated.
//!
//! It is identified by its author, the owner of the token, and by a marker in its last line. Neither alone is enough:
//! anybody can write the marker, and other actions write as the same bot. All pages are searched, oldest comment first.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::Client;
use super::error::{ApiError, ApiErrorKind};
use crate::http::Request;

const COMMENTS_PER_PAGE: usize = 100;
/// Pages that are searched; a pull request with more comments gets no new one.
const MAX_PAGES: usize = 200;
/// Characters of a comment, counted as UTF-16 units, the strictest of GitHub's counts.
const MAX_CHARACTERS: usize = 65_536;
/// The author of comments written with a workflow's token.
const WORKFLOW_BOT: &str = "github-actions[bot]";

/// The comment to write.
#[derive(Debug, Clone)]
pub struct StickyComment<'a> {
    /// `OWNER/REPO`.
    pub repository: &'a str,
    /// Number of the pull request.
    pub pull_request: u64,
    /// Distinguishes the comments of several gates: letters, digits, `_` and `-`.
    pub key: &'a str,
    /// Markdown without the marker.
    pub body: &'a str,
    /// Whether a missing comment is created.
    pub create: bool,
}

/// The result of [`upsert_comment`], with the comment's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentOutcome {
    /// Created.
    Created(u64),
    /// Updated.
    Updated(u64),
    /// The comment already had this text.
    Unchanged(u64),
    /// There is no comment, and `create` is false.
    Skipped,
}

impl StickyComment<'_> {
    /// Returns the last line, an HTML comment.
    fn marker(&self) -> String {
        format!("<!-- promptgate v1 key={} -->", self.key)
    }

    fn path(&self) -> String {
        format!("repos/{}/issues/{}/comments", self.repository, self.pull_request)
    }
}

/// Creates or updates the comment.
///
/// # Errors
/// [`ApiErrorKind::Forbidden`] where the token is read-only; [`ApiErrorKind::Usage`] where text, repository, number or
/// token are wrong; [`ApiErrorKind::Unavailable`] where GitHub or the network fails.
pub async fn upsert_comment(
    client: &Client,
    comment: &StickyComment<'_>,
) -> Result<CommentOutcome, ApiError> {
    // The last check before sending: the token is in no comment, whoever wrote it there.
    let text = client.redactor().redact(comment.body).trim_end().to_owned();
    let text = format!("{text}\n\n{}", comment.marker());
    let length = text.encode_utf16().count();
    if length > MAX_CHARACTERS {
        let message = format!("the comment has {length} characters, and GitHub takes {MAX_CHARACTERS}");
        return Err(ApiError::new(ApiErrorKind::Usage, message)
            .help("use the comment.md that `promptgate ci` writes: it respects the limit"));
    }
    let author = token_owner(client).await?;
    let mut attempt = 0;
    loop {
        match find(client, comment, &author).await? {
            Some((id, current)) if same_lines(&current, &text) => return Ok(CommentOutcome::Unchanged(id)),
            Some((id, _)) => {
                let url = client.url(&format!("repos/{}/issues/comments/{id}", comment.repository));
                client.patch(url, &json!({ "body": text })).await?;
                return Ok(CommentOutcome::Updated(id));
            }
            None if !comment.create => return Ok(CommentOutcome::Skipped),
            None => {}
        }
        attempt += 1;
        match client.post_once(client.url(&comment.path()), &json!({ "body": text })).await {
            Ok(page) => return Ok(CommentOutcome::Created(id(&page.body).unwrap_or_default())),
            // It may have been created all the same: the next round searches before it posts.
            Err(error) => error.wait(attempt).await?,
        }
    }
}

/// Returns the login that the token writes as.
async fn token_owner(client: &Client) -> Result<String, ApiError> {
    match client.get(Request::new(Method::GET, client.url("user"))).await {
        Ok(page) => Ok(login(&page.body).unwrap_or(WORKFLOW_BOT).to_owned()),
        Err(error) if error.kind == ApiErrorKind::Unavailable || error.status == Some(401) => Err(error),
        // The token of a workflow or an app belongs to no user; GraphQL knows its owner.
        Err(_) => Ok(viewer(client).await.unwrap_or_else(|| WORKFLOW_BOT.to_owned())),
    }
}

/// Returns `viewer { login }` of the GraphQL API.
async fn viewer(client: &Client) -> Option<String> {
    let query = json!({ "query": "query { viewer { login } }" });
    let page = client.post_once(client.graphql_url(), &query).await.ok()?;
    let login = login(page.body.get("data")?.get("viewer")?)?;
    Some(login.to_owned())
}

fn login(user: &Value) -> Option<&str> {
    user.get("login").and_then(Value::as_str).filter(|login| !login.is_empty())
}

fn id(comment: &Value) -> Option<u64> {
    comment.get("id").and_then(Value::as_u64)
}

/// Returns id and text of the gate's comment.
async fn find(
    client: &Client,
    comment: &StickyComment<'_>,
    author: &str,
) -> Result<Option<(u64, String)>, ApiError> {
    let marker = comment.marker();
    let first = Request::new(Method::GET, client.url(&comment.path()));
    let mut page = client.get(first.query("per_page", &COMMENTS_PER_PAGE.to_string())).await?;
    for _ in 0..MAX_PAGES {
        let Some(comments) = page.body.as_array() else {
            let error =
                ApiError::new(ApiErrorKind::Unavailable, "unexpected response: expected a list of comments");
            return Err(error.help("check GITHUB_API_URL"));
        };
        let ours = comments.iter().find_map(|comment| {
            let body = comment.get("body").and_then(Value::as_str)?;
            let is_ours = is_by(comment.get("user")?, author) && ends_with(body, &marker);
            Some((id(comment).filter(|_| is_ours)?, body.to_owned()))
        });
        if ours.is_some() {
            return Ok(ours);
        }
        match page.next {
            Some(next) => page = client.get_next(&next).await?,
            None => return Ok(None),
        }
    }
    let message = format!("the pull request has more than {} comments", MAX_PAGES * COMMENTS_PER_PAGE);
    Err(ApiError::new(ApiErrorKind::Unavailable, message)
        .help("no comment is added; see the job summary for the report"))
}

/// Whether a user is the author; the name of an app ends with `[bot]`, which a person's cannot.
fn is_by(user: &Value, author: &str) -> bool {
    let same_login = login(user).is_some_and(|login| login.eq_ignore_ascii_case(author));
    let is_bot = user.get("type").and_then(Value::as_str) == Some("Bot");
    same_login && (is_bot || !author.ends_with("[bot]"))
}

fn ends_with(body: &str, marker: &str) -> bool {
    body.trim_end().lines().next_back().is_some_and(|last| last.trim() == marker)
}

/// Compares texts, ignoring line endings.
fn same_lines(one: &str, other: &str) -> bool {
    one.trim_end().lines().eq(other.trim_end().lines())
}
