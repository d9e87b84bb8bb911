//! Error bodies: the message, codes and parameter of an error in any of the common JSON forms.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use super::message::server_text;
use super::retry_after::duration;
use promptgate_core::text::Redactor;

/// Messages of an `errors` list that are reported.
const MAX_DETAILS: usize = 5;
/// Entries of Google's `details` that are read.
const MAX_GOOGLE_DETAILS: usize = 10;
/// Codes and parameters that are reported.
const MAX_CODES: usize = 3;

/// An error as described by a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerError {
    /// The message; may be empty.
    pub message: String,
    /// Messages of an `errors` list.
    pub details: Vec<String>,
    /// Values of `code`, `error_code`, `type`, `innererror.code` and, of Google's errors, `status` and `details[].reason`.
    pub codes: Vec<String>,
    /// The code that is the `type`.
    pub kind: Option<String>,
    /// The parameter that was rejected.
    pub param: Option<String>,
    /// Ids of the quotas that were exceeded, as Google lists them.
    pub quotas: Vec<String>,
    /// The wait that the server asks for in the body.
    pub retry_delay: Option<Duration>,
}

impl ServerError {
    /// Parses the body of a response with an error status; text that is not JSON becomes the message.
    pub fn parse(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let trimmed = text.trim();
        if let Ok(value) = serde_json::from_str::<Value>(trimmed) {
            return Self::from_json(&value);
        }
        let message = if trimmed.starts_with('<') { page_title(trimmed) } else { trimmed.to_owned() };
        Self { message, ..Self::default() }
    }

    /// Parses a JSON error.
    pub fn from_json(value: &Value) -> Self {
        match value {
            Value::String(text) => Self { message: text.clone(), ..Self::default() },
            Value::Array(items) => {
                let mut errors = items.iter().take(MAX_DETAILS + 1).map(Self::from_json);
                let first = errors.next().unwrap_or_default();
                let others = errors.map(|error| error.message).filter(|message| !message.is_empty());
                Self { details: first.details.into_iter().chain(others).take(MAX_DETAILS).collect(), ..first }
            }
            Value::Object(map) => {
                if let Some(inner) = map.get("error").filter(|inner| inner.is_object() || inner.is_array()) {
                    return Self::from_json(inner);
                }
                // FastAPI and Mistral have a list of errors in place of a text.
                let inner = ["message", "detail", "error", "msg", "error_description"]
                    .iter()
                    .filter_map(|name| map.get(*name))
                    .map(|value| match value {
                        Value::Null => Self::default(),
                        Value::String(_) | Value::Array(_) | Value::Object(_) => Self::from_json(value),
                        other => Self { message: other.to_string(), ..Self::default() },
                    })
                    .find(|error| !error.message.is_empty())
                    .unwrap_or_default();
                let errors = map.get("errors").and_then(Value::as_array).into_iter().flatten();
                let details = errors.map(|error| Self::from_json(error).message);
                let word = |name: &str| match map.get(name) {
                    Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
                    Some(Value::Number(number)) => Some(number.to_string()),
                    _ => None,
                };
                let code = word("code").or_else(|| word("error_code"));
                let azure = map.get("innererror").and_then(|inner| inner.get("code")).and_then(Value::as_str);
                let kind = word("type").filter(|kind| code.as_ref() != Some(kind));
                let mut codes: Vec<String> =
                    [code, word("type"), azure.map(str::to_owned)].into_iter().flatten().collect();
                // A number is that of the response.
                codes.extend(map.get("status").and_then(Value::as_str).map(str::to_owned));
                codes.extend(inner.codes);
                let google = google_details(map.get("details"));
                codes.extend(google.codes);
                codes.dedup();
                let details = inner.details.into_iter().chain(details);
                Self {
                    message: inner.message,
                    details: details.filter(|message| !message.is_empty()).take(MAX_DETAILS).collect(),
                    codes,
                    kind: kind.or(inner.kind),
                    param: word("param").or_else(|| location(map.get("loc")?)).or(inner.param),
                    quotas: inner.quotas.into_iter().chain(google.quotas).collect(),
                    retry_delay: inner.retry_delay.or(google.retry_delay),
                }
            }
            _ => Self::default(),
        }
    }

    /// Returns the message, or the codes where there is none.
    pub fn summary(&self) -> String {
        if self.message.is_empty() { self.codes.join(", ") } else { self.message.clone() }
    }

    /// Returns the text after the label of a request: `401 Unauthorized: Incorrect API key (code invalid_api_key)`.
    pub fn describe(&self, status: StatusCode, redactor: &Redactor) -> String {
        let clean = |text: &str| server_text(redactor, text);
        let mut text = status.as_u16().to_string();
        if let Some(reason) = status.canonical_reason() {
            text.push_str(&format!(" {reason}"));
        }
        let messages =
            std::iter::once(&self.message).chain(&self.details).filter(|message| !message.is_empty());
        let message = clean(&messages.map(String::as_str).collect::<Vec<_>>().join("; "));
        if !message.is_empty() {
            text.push_str(&format!(": {message}"));
        }
        let named = |code: &String| {
            let name = if self.kind.as_ref() == Some(code) { "type" } else { "code" };
            format!("{name} {}", clean(code))
        };
        let mut extras: Vec<String> = self.codes.iter().map(named).collect();
        extras.extend(self.param.iter().map(|param| format!("parameter {}", clean(param))));
        extras.retain(|extra| !extra.ends_with(&format!(" {}", status.as_u16())));
        extras.truncate(MAX_CODES);
        if !extras.is_empty() {
            text.push_str(&format!(" ({})", extras.join(", ")));
        }
        text
    }
}

/// Reads the `details` of an error of a Google API: `ErrorInfo`, `QuotaFailure` and `RetryInfo` of `google.rpc`.
fn google_details(details: Option<&Value>) -> ServerError {
    let mut found = ServerError::default();
    for detail in details.and_then(Value::as_array).into_iter().flatten().take(MAX_GOOGLE_DETAILS) {
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        found.codes.extend(text(detail, "reason"));
        let violations = detail.get("violations").and_then(Value::as_array).into_iter().flatten();
        found
            .quotas
            .extend(violations.take(MAX_GOOGLE_DETAILS).filter_map(|violation| text(violation, "quotaId")));
        let delay = detail.get("retryDelay").and_then(Value::as_str);
        found.retry_delay = delay.and_then(duration).or(found.retry_delay);
    }
    found
}

/// Returns the parameter in a location such as `["body", "seed"]`.
fn location(path: &Value) -> Option<String> {
    let mut names = path.as_array()?.iter().filter_map(Value::as_str);
    names.find(|name| !matches!(*name, "body" | "query")).map(str::to_owned)
}

/// Returns the title of an HTML page: often the only place where a proxy reports its error.
fn page_title(text: &str) -> String {
    let title = || {
        // Lower-casing ASCII keeps all byte offsets.
        let lower = text.to_ascii_lowercase();
        let opened = lower.find("<title")?;
        let start = opened + lower.get(opened..)?.find('>')? + 1;
        let end = start + lower.get(start..)?.find("</title")?;
        text.get(start..end).map(str::trim).filter(|title| !title.is_empty())
    };
    title().map_or_else(|| "an HTML page".to_owned(), |title| format!("an HTML page titled \"{title}\""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn errors_are_read_in_every_common_form() {
        for (body, message, codes) in [
            (r#"{"error": {"message": "a", "type": "t", "code": "c", "param": null}}"#, "a", vec!["c", "t"]),
            (r#"{"error": {"message": "a", "type": null, "code": 429}}"#, "a", vec!["429"]),
            (r#"{"error": "a"}"#, "a", vec![]),
            (r#"{"message": "a", "code": "c"}"#, "a", vec!["c"]),
            (
                r#"{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "a"}"#,
                "a",
                vec!["RESOURCE_DOES_NOT_EXIST"],
            ),
            (r#"{"object": "error", "message": "a", "type": "t", "code": 400}"#, "a", vec!["400", "t"]),
            (r#"{"detail": "a"}"#, "a", vec![]),
            (r#"{"detail": [{"loc": ["body"], "msg": "a"}]}"#, "a", vec![]),
            (r#"[{"error": {"message": "a", "code": 400}}]"#, "a", vec!["400"]),
            (r#"{"error": {"message": null}}"#, "", vec![]),
            (r#""a""#, "a", vec![]),
            ("  plain words ", "plain words", vec![]),
            ("<!doctype html><p>x</p>", "an HTML page", vec![]),
            (
                "<html><TITLE class=a>\n 502 Bad Gateway </TITLE>",
                "an HTML page titled \"502 Bad Gateway\"",
                vec![],
            ),
            ("<title>ẞ", "an HTML page", vec![]),
            ("", "", vec![]),
            ("4", "", vec![]),
            ("null", "", vec![]),
        ] {
            let error = ServerError::parse(body.as_bytes());
            assert_eq!(
                (error.message.as_str(), error.codes),
                (message, codes.into_iter().map(str::to_owned).collect()),
                "{body}"
            );
        }
        let azure = r#"{"error": {"code": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}, "param": "prompt"}}"#;
        let error = ServerError::parse(azure.as_bytes());
        assert_eq!(error.codes, ["x", "ResponsibleAIPolicyViolation"]);
        assert_eq!(error.param.as_deref(), Some("prompt"));
    }

    #[test]
    fn details_of_google_are_read() {
        let body = br#"{"error": {"code": 429, "message": "a", "status": "RESOURCE_EXHAUSTED", "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [
                {"quotaMetric": "m", "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}, 7]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "21.5s"},
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"}, 7]}}"#;
        let error = ServerError::parse(body);
        assert_eq!(error.codes, ["429", "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"]);
        assert_eq!(error.quotas, ["GenerateRequestsPerDayPerProjectPerModel-FreeTier"]);
        assert_eq!(error.retry_delay, Some(Duration::from_millis(21_500)));
        for delay in ["soon", "-1s", ""] {
            let body = format!(r#"{{"error": {{"details": [{{"retryDelay": "{delay}"}}]}}}}"#);
            assert_eq!(ServerError::parse(body.as_bytes()).retry_delay, None, "{delay}");
        }
    }

    #[test]
    fn details_follow_the_message() {
        let body =
            br#"{"message": "Validation Failed", "errors": [{"message": "too long"}, "a", {"field": "b"}]}"#;
        let error = ServerError::parse(body);
        assert_eq!(
            error.describe(StatusCode::UNPROCESSABLE_ENTITY, &Redactor::default()),
            "422 Unprocessable Entity: Validation Failed; too long; a"
        );
    }

    #[test]
    fn location_of_fastapi_names_the_parameter() {
        let param = |body: &str| {
            let error = ServerError::parse(body.as_bytes());
            (error.message, error.details, error.param)
        };
        let extra = "Extra inputs are not permitted".to_owned();
        let nim = r#"{"detail": [
            {"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"], "msg": "Extra inputs are not permitted"},
            {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "no seed"}]}"#;
        assert_eq!(param(nim), (extra.clone(), vec!["no seed".into()], Some("max_completion_tokens".into())));
        let mistral = r#"{"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"],
            "msg": "Extra inputs are not permitted", "input": 7}]}, "type": "invalid_request_error", "param": null}"#;
        assert_eq!(param(mistral), (extra, vec![], Some("seed".into())));
        assert_eq!(
            param(r#"{"detail": [{"loc": ["body", "messages", 0], "msg": "a"}]}"#).2,
            Some("messages".into())
        );
        assert_eq!(param(r#"{"detail": [{"loc": ["body"], "msg": "a"}]}"#).2, None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = ServerError::parse(&bytes);
        }
    }
}
