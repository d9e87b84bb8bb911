//! The one comment of the gate on a pull request, kept up to date.
//!
//! It is found by two things at once: its author is the owner of our token, and its last line is the marker. Either
//! alone would not do: anybody can write the marker, and other actions write as the same bot. All pages are looked at,
//! oldest comment first.

use serde_json::{Value, json};

use super::client::{Client, Tried};
use super::error::{ApiError, ApiErrorKind};

/// Comments a page.
const PER_PAGE: usize = 100;
/// Pages that are looked at; a pull request with more comments than that gets no further one.
const PAGES: usize = 200;
/// Characters of a comment, as GitHub counts at the strictest: UTF-16 units.
const MAX_CHARACTERS: usize = 65_536;
/// The author of what is written with the token that a workflow is given.
const WORKFLOWS: &str = "github-actions[bot]";

/// The comment.
#[derive(Debug, Clone)]
pub struct StickyComment<'a> {
    /// `owner/name`.
    pub repository: &'a str,
    /// Number of the pull request.
    pub pull_request: u64,
    /// Tells the comments of several gates apart: letters, digits, `_` and `-`.
    pub key: &'a str,
    /// What it is to say: Markdown without the marker.
    pub body: &'a str,
    /// Whether it is to be written where there is none yet.
    pub create: bool,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentOutcome {
    /// Written for the first time, with this id.
    Created(u64),
    /// Brought up to date.
    Updated(u64),
    /// It said the same already.
    Unchanged(u64),
    /// There is none, and none was wanted.
    None,
}

impl StickyComment<'_> {
    /// The last line: it is not shown, and says whose comment this is.
    fn marker(&self) -> String {
        format!("<!-- promptgate v1 key={} -->", self.key)
    }

    fn path(&self) -> String {
        format!("/repos/{}/issues/{}/comments", self.repository, self.pull_request)
    }
}

/// Writes the comment, or brings it up to date.
///
/// # Errors
/// [`ApiErrorKind::Forbidden`] where the token may only read; [`ApiErrorKind::Usage`] where text, repository, number or
/// token are wrong; [`ApiErrorKind::Unavailable`] where GitHub is not well.
pub async fn upsert_comment(client: &Client, sticky: &StickyComment<'_>) -> Result<CommentOutcome, ApiError> {
    // The last look at what leaves: a token is in no comment, whoever wrote it there.
    let body = client.redactor().redact(sticky.body).trim_end().to_owned();
    let body = format!("{body}\n\n{}", sticky.marker());
    let length = body.encode_utf16().count();
    if length > MAX_CHARACTERS {
        let message = format!("the comment has {length} characters, and GitHub takes {MAX_CHARACTERS}");
        return Err(ApiError::new(ApiErrorKind::Usage, message)
            .help("let `promptgate ci` write comment.md: it keeps to the limit"));
    }
    let owner = owner(client).await?;
    let mut attempt = 0;
    loop {
        let found = find(client, sticky, &owner).await?;
        match found {
            Some((id, said)) if same(&said, &body) => return Ok(CommentOutcome::Unchanged(id)),
            Some((id, _)) => {
                let url = client.url(&format!("/repos/{}/issues/comments/{id}", sticky.repository));
                client.patch(&url, &json!({ "body": body })).await?;
                return Ok(CommentOutcome::Updated(id));
            }
            None if !sticky.create => return Ok(CommentOutcome::None),
            None => {}
        }
        attempt += 1;
        match client.post_once(&client.url(&sticky.path()), &json!({ "body": body })).await {
            Ok(answer) => return Ok(CommentOutcome::Created(id(&answer.body).unwrap_or_default())),
            // It may have been written all the same: the next round looks before it writes.
            Err(tried) => Tried::wait(tried, attempt).await?,
        }
    }
}

/// The login that this token writes as.
async fn owner(client: &Client) -> Result<String, ApiError> {
    match client.get(&client.url("/user")).await {
        Ok(answer) => Ok(login(&answer.body).unwrap_or(WORKFLOWS).to_owned()),
        // The token of a workflow, or of another app, is no person's; GraphQL knows whose it is.
        Err(failure) if failure.kind == ApiErrorKind::Unavailable || failure.status == Some(401) => {
            Err(failure)
        }
        Err(_) => Ok(viewer(client).await.unwrap_or_else(|| WORKFLOWS.to_owned())),
    }
}

/// `viewer { login }` of GraphQL, which is at `/graphql` beside the REST API; `None` where it does not say.
async fn viewer(client: &Client) -> Option<String> {
    let rest = client.url("");
    let graphql = match rest.strip_suffix("/api/v3") {
        Some(host) => format!("{host}/api/graphql"),
        None => format!("{rest}/graphql"),
    };
    let answer = client.post_once(&graphql, &json!({ "query": "query { viewer { login } }" })).await.ok()?;
    let login = login(answer.body.get("data")?.get("viewer")?)?;
    Some(login.to_owned())
}

fn login(user: &Value) -> Option<&str> {
    user.get("login").and_then(Value::as_str).filter(|login| !login.is_empty())
}

fn id(comment: &Value) -> Option<u64> {
    comment.get("id").and_then(Value::as_u64)
}

/// Our comment: its id and what it says.
async fn find(
    client: &Client,
    sticky: &StickyComment<'_>,
    owner: &str,
) -> Result<Option<(u64, String)>, ApiError> {
    let marker = sticky.marker();
    let mut url = client.url(&format!("{}?per_page={PER_PAGE}", sticky.path()));
    for _ in 0..PAGES {
        let answer = client.get(&url).await?;
        let Some(comments) = answer.body.as_array() else {
            let failure = ApiError::new(ApiErrorKind::Unavailable, "the list of comments is no list");
            return Err(failure.help("check GITHUB_API_URL"));
        };
        let ours = comments.iter().find_map(|comment| {
            let body = comment.get("body").and_then(Value::as_str)?;
            let ours = is_by(comment.get("user")?, owner) && ends_with(body, &marker);
            Some((id(comment).filter(|_| ours)?, body.to_owned()))
        });
        if ours.is_some() {
            return Ok(ours);
        }
        match answer.next {
            Some(next) => url = next,
            None => return Ok(None),
        }
    }
    let message = format!("the pull request has more than {} comments", PAGES * PER_PAGE);
    Err(ApiError::new(ApiErrorKind::Unavailable, message)
        .help("no further one is written; the summary of the job has it all"))
}

/// Whether a user is the one we write as; an app's name ends with `[bot]`, which no person's can.
fn is_by(user: &Value, owner: &str) -> bool {
    let same = login(user).is_some_and(|login| login.eq_ignore_ascii_case(owner));
    let bot = user.get("type").and_then(Value::as_str) == Some("Bot");
    same && (bot || !owner.ends_with("[bot]"))
}

fn ends_with(body: &str, marker: &str) -> bool {
    body.trim_end().lines().next_back().is_some_and(|last| last.trim() == marker)
}

/// Whether both say the same, whatever ends their lines.
fn same(one: &str, other: &str) -> bool {
    one.trim_end().lines().eq(other.trim_end().lines())
}
