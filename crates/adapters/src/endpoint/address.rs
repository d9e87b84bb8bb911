//! The address of an endpoint: its URL, whether it needs a key, and its name in messages.

use reqwest::Url;

use crate::http::{self, BaseUrl};
use promptgate_core::model::{Diagnostic, Place};

/// The setting with the base URL.
pub(super) const SETTING: &str = "endpoint.base_url";

/// Parses the base URL of an endpoint.
pub(super) fn parse(base_url: &str) -> Result<BaseUrl, Diagnostic> {
    let base = BaseUrl::parse(base_url, SETTING, "https://api.openai.com/v1")?;
    if base.url().path().ends_with("/chat/completions") {
        return Err(Diagnostic::new("the URL ends with /chat/completions")
            .at(Place::file(SETTING))
            .help("remove it; it is added to every call"));
    }
    Ok(base)
}

/// Returns the URL of the chat completions.
pub(super) fn completions(base: &BaseUrl) -> Url {
    base.join(["chat", "completions"])
}

/// Whether the endpoint at this base URL needs a key: all do except those on this machine (`localhost`, loopback
/// addresses) and in a private network (private and link-local addresses, `*.local`, `*.internal`, names without a dot,
/// as containers have). An invalid URL needs one.
pub fn needs_key(base_url: &str) -> bool {
    Url::parse(base_url.trim()).map_or(true, |url| !http::is_private(&url))
}

/// Whether a URL leads to this machine: `localhost`, or a loopback address.
pub fn is_loopback(url: &Url) -> bool {
    http::is_loopback(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_added_and_a_query_kept() {
        let cases = [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions"),
            ("http://localhost:8000", "http://localhost:8000/chat/completions"),
            (
                "https://x.example/openai/deployments/d?api-version=2025-01-01#part",
                "https://x.example/openai/deployments/d/chat/completions?api-version=2025-01-01",
            ),
        ];
        for (base, expected) in cases {
            assert_eq!(completions(&parse(base).unwrap()).as_str(), expected);
        }
        let address = parse("https://x.example:8443/v1?key=hush").unwrap();
        assert_eq!(address.authority(), "x.example:8443");
    }

    #[test]
    fn an_invalid_base_url_is_rejected_without_quoting_it() {
        for base in [
            "",
            "api.openai.com/v1",
            "ftp://x.example/v1",
            "https://",
            "https://user:hush@x.example/v1",
            "https://hush@x.example/v1",
            "https://x.example/v1/chat/completions/",
            "file:///etc/passwd",
            "http://hush.example\\@x.example/v1",
            "https://x.example\n.other.example/v1",
            "https://x.\texample/v1",
        ] {
            let diagnostic = parse(base).unwrap_err();
            assert!(diagnostic.help.is_some(), "{base}");
            assert!(!diagnostic.to_string().contains("hush"), "{diagnostic}");
        }
    }

    #[test]
    fn only_public_endpoints_need_a_key() {
        for base in [
            "http://localhost:8000/v1",
            "http://LOCALHOST./v1",
            "http://api.localhost/v1",
            "http://127.0.0.1/v1",
            "http://127.8.9.1:1/v1",
            "http://[::1]:8080/v1",
            "http://[::ffff:127.0.0.1]/v1",
            "http://0.0.0.0:8000/v1",
            "http://10.1.2.3/v1",
            "http://192.168.0.7:11434/v1",
            "http://[fd00::1]/v1",
            "http://box.local/v1",
            "http://host.docker.internal:11434/v1",
            "http://vllm:8000/v1",
        ] {
            assert!(!needs_key(base), "{base}");
        }
        for base in [
            "https://api.openai.com/v1",
            "https://localhost.example.com/v1",
            "https://8.8.8.8/v1",
            "https://[2001:db8::1]/v1",
            "not a url",
        ] {
            assert!(needs_key(base), "{base}");
        }
    }
}
