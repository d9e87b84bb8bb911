//! Reads: single objects, lists with all of their pages, and GraphQL queries.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, Page};
use super::error::{ApiError, ApiErrorKind};
use crate::http::Request;

const PER_PAGE: &str = "100";
/// A longer list is an error: an approval that was withdrawn may be on the pages that are not read.
const MAX_PAGES: usize = 100;
/// Permissions of the token that all reads need together.
const PERMISSIONS: &str =
    "give the job the permissions `contents: read`, `pull-requests: read` and `actions: read`";

impl Client {
    /// Returns the object at an API path.
    pub(super) async fn read(&self, path: &str) -> Result<Value, ApiError> {
        let request = Request::new(Method::GET, self.url(path));
        Ok(self.get(request).await.map_err(reading)?.body)
    }

    /// Returns all elements of a list.
    pub(super) async fn list(&self, path: &str) -> Result<Vec<Value>, ApiError> {
        let request = Request::new(Method::GET, self.url(path)).query("per_page", PER_PAGE);
        let mut page = self.get(request).await.map_err(reading)?;
        let mut all = Vec::new();
        for _ in 0..MAX_PAGES {
            let Page { body, next } = page;
            let Value::Array(elements) = body else { return Err(unexpected("a list")) };
            all.extend(elements);
            match next {
                Some(next) => page = self.get_next(&next).await.map_err(reading)?,
                None => return Ok(all),
            }
        }
        let message = format!("the list has more than {MAX_PAGES} pages: {path}");
        Err(ApiError::new(ApiErrorKind::Unavailable, message))
    }

    /// Returns the `data` of a GraphQL query, which changes nothing and is retried.
    pub(super) async fn query(&self, query: &str, variables: &Value) -> Result<Value, ApiError> {
        let body = json!({ "query": query, "variables": variables });
        let mut attempt = 0;
        let mut page = loop {
            attempt += 1;
            match self.post_once(self.graphql_url(), &body).await {
                Ok(page) => break page,
                Err(error) => error.wait(attempt).await.map_err(reading)?,
            }
        };
        if let Some(error) = page.body.pointer("/errors/0") {
            let message = error.get("message").and_then(Value::as_str).unwrap_or("no message");
            let message = crate::http::server_text(self.redactor(), message);
            return Err(ApiError::new(
                ApiErrorKind::Unavailable,
                format!("a GraphQL query failed: {message}"),
            )
            .help(PERMISSIONS));
        }
        match page.body.get_mut("data").map(Value::take) {
            Some(data) if data.is_object() => Ok(data),
            _ => Err(unexpected("`data`")),
        }
    }
}

/// Replaces the advice for comments by one for reads.
fn reading(error: ApiError) -> ApiError {
    match error.status {
        Some(403 | 404 | 410 | 422) if error.kind != ApiErrorKind::Unavailable => error.help(PERMISSIONS),
        _ => error,
    }
}

/// The error of a response of another form.
pub(super) fn unexpected(expected: &str) -> ApiError {
    ApiError::new(ApiErrorKind::Unavailable, format!("unexpected response: expected {expected}"))
        .help("check GITHUB_API_URL")
}

/// Returns the text at a JSON pointer, unless it is empty.
pub(super) fn text(value: &Value, pointer: &str) -> Option<String> {
    let text = value.pointer(pointer)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}
