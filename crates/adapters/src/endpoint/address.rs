//! Where an endpoint is: its URL, whether it needs a key, and how it is named in messages.

use std::net::IpAddr;

use reqwest::Url;

use promptgate_core::model::{Diagnostic, Place};

/// The path that is called below the base URL.
const PATH: &str = "/chat/completions";

/// A checked base URL.
#[derive(Debug, Clone)]
pub(super) struct Address {
    url: Url,
    label: String,
}

impl Address {
    /// Checks a base URL and adds the path that is called.
    pub(super) fn parse(base_url: &str) -> Result<Self, Diagnostic> {
        let diagnostic = |message: &str, help: &str| {
            Diagnostic::new(message).at(Place::file("endpoint.base_url")).help(help.to_owned())
        };
        let example = "write it like https://api.openai.com/v1";
        let base_url = base_url.trim();
        // A URL is read as if a backslash were a slash, and as if a line break or tab were not there: who reads it
        // otherwise, such as what names a host to people, would see another host.
        if base_url.contains(|letter: char| letter == '\\' || letter.is_whitespace() || letter.is_control()) {
            return Err(diagnostic("the URL holds a backslash, a space or a control character", example));
        }
        let mut url = Url::parse(base_url).map_err(|_| diagnostic("this is not a URL", example))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(diagnostic("only http and https can be called", example));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(diagnostic("the URL has no host", example));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(diagnostic(
                "the URL holds a user name or a password",
                "keep credentials in the environment: endpoint.api_key_env, or endpoint.headers",
            ));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        if path.ends_with(PATH) {
            return Err(diagnostic(
                "the URL ends with /chat/completions",
                "leave that off; it is added to every call",
            ));
        }
        url.set_path(&format!("{path}{PATH}"));
        url.set_fragment(None);
        let label = label(&url);
        Ok(Self { url, label })
    }

    /// What is called.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Host and port, as they stand in the URL.
    pub(super) fn host(&self) -> String {
        host_and_port(&self.url)
    }

    /// `POST host/path`: no credentials, no query.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Whether a call without a key has no chance.
    pub(super) fn needs_key(&self) -> bool {
        !is_private(&self.url)
    }

    /// Whether a key would travel over a public network in the clear.
    pub(super) fn exposes_key(&self) -> bool {
        self.url.scheme() == "http" && !is_private(&self.url)
    }

    /// Whether the endpoint is this very machine, which no proxy can reach.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }
}

/// `POST host/path` of a URL: no credentials, no query.
pub(super) fn label(url: &Url) -> String {
    format!("POST {}{}", host_and_port(url), url.path())
}

/// Scheme, host and port, and nothing else, of a URL.
pub(super) fn origin(url: &Url) -> String {
    format!("{}://{}", url.scheme(), host_and_port(url))
}

fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether the endpoint at this base URL needs a key: all do but those on this machine (`localhost`, loopback
/// addresses) and in a private network (private and link-local addresses, `*.local`, `*.internal`, names
/// without a dot, as containers have them). What is not a URL needs one.
pub fn needs_key(base_url: &str) -> bool {
    Url::parse(base_url.trim()).map_or(true, |url| !is_private(&url))
}

fn ip(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn name(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase()
}

fn is_loopback(url: &Url) -> bool {
    match ip(url) {
        Some(address) => address.is_loopback() || address.is_unspecified(),
        None => {
            let name = name(url);
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

fn is_private(url: &Url) -> bool {
    if is_loopback(url) {
        return true;
    }
    match ip(url) {
        Some(IpAddr::V4(address)) => address.is_private() || address.is_link_local(),
        Some(IpAddr::V6(address)) => address.is_unique_local() || address.is_unicast_link_local(),
        None => {
            let name = name(url);
            !name.is_empty()
                && (!name.contains('.') || name.ends_with(".local") || name.ends_with(".internal"))
        }
    }
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
            assert_eq!(Address::parse(base).unwrap().url().as_str(), expected);
        }
    }

    #[test]
    fn labels_hold_neither_query_nor_credentials() {
        let address = Address::parse("https://x.example:8443/v1?key=hush").unwrap();
        assert_eq!(address.label(), "POST x.example:8443/v1/chat/completions");
        assert_eq!(address.host(), "x.example:8443");
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
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
            let diagnostic = Address::parse(base).unwrap_err();
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
