//! The address of an endpoint: its URL, whether it needs a key, and its name in messages.

use reqwest::Url;

use super::wire;
use crate::http::{self, BaseUrl};
use promptgate_core::model::{Diagnostic, Place, Protocol};

/// The setting with the base URL.
pub(super) const SETTING: &str = "endpoint.base_url";

/// Parses the base URL of an endpoint.
pub(super) fn parse(base_url: &str, protocol: Protocol) -> Result<BaseUrl, Diagnostic> {
    let base = BaseUrl::parse(base_url, SETTING, protocol.base_url())?;
    let call = wire::call_path(protocol);
    let calls = [call, wire::EMBEDDINGS_PATH];
    if let Some(call) = calls.into_iter().find(|call| base.url().path().ends_with(call)) {
        return Err(Diagnostic::new(format!("the URL ends with {call}"))
            .at(Place::file(SETTING))
            .help("remove it; it is added to every call"));
    }
    Ok(base)
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

    fn url(protocol: Protocol, base: &str, stream: bool) -> String {
        wire::url(protocol, &parse(base, protocol).unwrap(), "m-1", stream).to_string()
    }

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
            assert_eq!(url(Protocol::OpenAi, base, false), expected);
        }
        let address = parse("https://x.example:8443/v1?key=hush", Protocol::OpenAi).unwrap();
        assert_eq!(address.authority(), "x.example:8443");
    }

    #[test]
    fn version_is_added_where_the_base_url_has_none() {
        let anthropic = |base: &str| url(Protocol::Anthropic, base, true);
        for base in
            ["https://api.anthropic.com", "https://api.anthropic.com/", "https://api.anthropic.com/v1"]
        {
            assert_eq!(anthropic(base), "https://api.anthropic.com/v1/messages");
        }
        assert_eq!(
            anthropic("https://gate.example/anthropic?a=1"),
            "https://gate.example/anthropic/v1/messages?a=1"
        );
        let gemini = |base: &str| url(Protocol::Gemini, base, false);
        let google = "https://generativelanguage.googleapis.com";
        assert_eq!(gemini(google), format!("{google}/v1beta/models/m-1:generateContent"));
        assert_eq!(gemini(&format!("{google}/v1")), format!("{google}/v1/models/m-1:generateContent"));
        let vertex = "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google";
        assert_eq!(gemini(vertex), format!("{vertex}/models/m-1:generateContent"));
        assert_eq!(
            url(Protocol::Gemini, google, true),
            format!("{google}/v1beta/models/m-1:streamGenerateContent?alt=sse")
        );
        let base = parse(google, Protocol::Gemini).unwrap();
        let tuned = wire::url(Protocol::Gemini, &base, "tunedModels/t", false);
        assert_eq!(tuned.path(), "/v1beta/tunedModels/t:generateContent");
    }

    #[test]
    fn url_of_a_call_is_not_a_base_url() {
        for (protocol, base) in [
            (Protocol::OpenAi, "https://x.example/v1/chat/completions"),
            (Protocol::OpenAi, "https://x.example/v1/embeddings"),
            (Protocol::Anthropic, "https://x.example/v1/messages"),
            (Protocol::Gemini, "https://x.example/v1beta/models/m:generateContent"),
        ] {
            let diagnostic = parse(base, protocol).unwrap_err();
            assert!(diagnostic.message.contains("the URL ends with"), "{diagnostic}");
        }
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
            let diagnostic = parse(base, Protocol::OpenAi).unwrap_err();
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
