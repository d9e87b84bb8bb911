//! Polls an application until it serves a version.

use std::time::Duration;

use tokio::time::Instant;

use crate::app::Failure;
use promptgate_adapters::http::{BaseUrl, Client, ClientOptions, Request, SettingNames};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::Redactor;
use promptgate_release::Version;
use promptgate_release::ports::Staleness;

/// Time between two requests.
const INTERVAL: Duration = Duration::from_secs(1);
/// Time for one request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Time beyond the registry's bound.
const GRACE: Duration = Duration::from_secs(30);
const MAX_BYTES: usize = 1 << 20;

/// The options of `--wait`.
#[derive(Debug, Clone)]
pub(crate) struct Wait {
    /// An address whose response names the version that the application uses.
    pub(crate) url: String,
    /// For how long; by default the registry's bound and half a minute.
    pub(crate) time: Option<Duration>,
}

/// Polls until a response names `version`, as a word of its own. Returns a line for people.
///
/// # Errors
/// An invalid address, and the end of the time.
pub(crate) async fn wait(wait: &Wait, version: Version, staleness: Staleness) -> Result<String, Failure> {
    let invalid = |diagnostic: Diagnostic| diagnostic.or_at(&Place::file("--wait"));
    let base = BaseUrl::parse(&wait.url, "--wait", "https://app.example.org/version")?;
    let url = base.url().clone();
    let client = Client::new(ClientOptions {
        base,
        headers: Default::default(),
        timeout: TIMEOUT,
        max_idle_connections: 1,
        max_redirects: 0,
        max_body_bytes: MAX_BYTES,
        ca_cert: None,
        names: SettingNames {
            url: "--wait",
            ca_cert: None,
            timeout_help: "check the address",
            credential: "key",
        },
        redactor: std::sync::Arc::new(Redactor::new(&[])),
    })
    .map_err(invalid)?;
    let time = wait.time.unwrap_or(staleness.cache_ttl + GRACE);
    let start = Instant::now();
    loop {
        let last = match client.send(&Request::new(reqwest::Method::GET, url.clone())).await {
            Ok(response) if names(&String::from_utf8_lossy(&response.body), version) => {
                return Ok(format!(
                    "the application serves {version} after {:.0} s",
                    start.elapsed().as_secs_f64()
                ));
            }
            Ok(response) => format!("its response ({}) does not name {version}", response.status.as_u16()),
            Err(error) => error.to_string(),
        };
        if start.elapsed() + INTERVAL > time {
            let message = format!("the application did not follow within {} s: {last}", time.as_secs());
            let help =
                "the label is moved and verified; restart the application, or wait for its cache to expire";
            return Err(Failure::Incomplete(
                Diagnostic::new(message).at(Place::file("--wait")).help(help).into(),
            ));
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Whether a text names a version, and not a longer one like it.
fn names(text: &str, version: Version) -> bool {
    let version = version.to_string();
    let is_part = |character: char| character.is_ascii_digit() || character == '.';
    text.match_indices(&version).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let mut after = text[start + version.len()..].chars();
        let next = after.next();
        // A full stop may end a sentence.
        let goes_on = match next {
            Some('.') => after.next().is_some_and(|character| character.is_ascii_digit()),
            Some(character) => character.is_ascii_digit(),
            None => false,
        };
        !before.is_some_and(is_part) && !goes_on
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_named_as_a_word_of_its_own() {
        let version: Version = "2.3.1".parse().unwrap();
        for text in ["{\"version\":\"2.3.1\"}", "v2.3.1", "2.3.1", "serving 2.3.1.", "2.3.1\n"] {
            assert!(names(text, version), "{text}");
        }
        for text in ["12.3.1", "2.3.10", "2.3.1.4", "0.2.3.1", "2.31", ""] {
            assert!(!names(text, version), "{text}");
        }
    }
}
