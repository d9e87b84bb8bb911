//! Base URLs: validation, the origin they stand for, and how they appear in messages.

use std::net::IpAddr;

use reqwest::Url;

use promptgate_core::model::{Diagnostic, Place};

/// A validated base URL: http or https, with a host, without credentials and fragment.
#[derive(Debug, Clone)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Parses the value of `setting`.
    ///
    /// # Errors
    /// A [`Diagnostic`] at `setting`; it never quotes the value, which may hold a password.
    pub fn parse(text: &str, setting: &str, example: &str) -> Result<Self, Diagnostic> {
        let invalid = |message: &str, help: &str| {
            Diagnostic::new(message).at(Place::file(setting)).help(help.to_owned())
        };
        let expected = format!("expected a URL such as {example}");
        let text = text.trim();
        // URL parsers read a backslash as a slash and drop line breaks and tabs, so a person would see another host.
        if text.contains(|letter: char| letter == '\\' || letter.is_whitespace() || letter.is_control()) {
            return Err(invalid("the URL has a backslash, a space or a control character", &expected));
        }
        let mut url = Url::parse(text).map_err(|_| invalid("not a valid URL", &expected))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("unsupported URL scheme, expected http or https", &expected));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(invalid("the URL has no host", &expected));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "the URL has a user name or a password",
                "remove them; credentials are read from environment variables",
            ));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        url.set_fragment(None);
        Ok(Self(url))
    }

    /// Returns the URL without a final slash.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Appends path segments, percent-encoded; the query stays.
    pub fn join<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.0.clone();
        // An http URL always has segments.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Returns host and port.
    pub fn authority(&self) -> String {
        authority(&self.0)
    }

    /// Whether the host is this machine, which no proxy can reach.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// Whether the host is this machine or in a private network.
    pub fn is_private(&self) -> bool {
        is_private(&self.0)
    }

    /// Whether the scheme is https.
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }
}

pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Returns scheme, host and port.
pub(super) fn origin(url: &Url) -> String {
    format!("{}://{}", url.scheme(), authority(url))
}

fn ip(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn host_name(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase()
}

/// Whether the host is `localhost` or a loopback address.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match ip(url) {
        Some(address) => address.is_loopback() || address.is_unspecified(),
        None => {
            let name = host_name(url);
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

/// Whether the host is loopback, a private or link-local address, `*.local`, `*.internal`, or a name without a dot, as
/// containers have.
pub(crate) fn is_private(url: &Url) -> bool {
    if is_loopback(url) {
        return true;
    }
    match ip(url) {
        Some(IpAddr::V4(address)) => address.is_private() || address.is_link_local(),
        Some(IpAddr::V6(address)) => address.is_unique_local() || address.is_unicast_link_local(),
        None => {
            let name = host_name(url);
            !name.is_empty()
                && (!name.contains('.') || name.ends_with(".local") || name.ends_with(".internal"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<BaseUrl, Diagnostic> {
        BaseUrl::parse(text, "registry.url", "https://registry.example")
    }

    #[test]
    fn segments_are_appended_and_encoded() {
        for (base, expected) in [
            ("https://x.example", "https://x.example/prompts/a%2Fb%3F%20c"),
            ("https://x.example/", "https://x.example/prompts/a%2Fb%3F%20c"),
            ("https://x.example/api//?v=1#part", "https://x.example/api/prompts/a%2Fb%3F%20c?v=1"),
        ] {
            assert_eq!(parse(base).unwrap().join(["prompts", "a/b? c"]).as_str(), expected);
        }
        assert_eq!(
            parse("https://x.example/api").unwrap().join(["..", "a"]).as_str(),
            "https://x.example/api/a"
        );
    }

    #[test]
    fn invalid_urls_are_rejected_without_quoting_them() {
        for text in
            ["", "hush.example", "ftp://hush.example", "https://user:hush@x.example", "https://a\\@hush"]
        {
            let text = parse(text).unwrap_err().to_string();
            assert!(text.starts_with("registry.url: ") && !text.contains("hush"), "{text}");
        }
    }
}
