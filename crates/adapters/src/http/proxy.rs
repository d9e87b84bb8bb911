//! The proxy of a client, named in messages about failed connections.

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

/// Returns host and port of the proxy that requests to a URL go through; never its credentials.
pub(super) fn for_url(matcher: &Matcher, url: &Url) -> Option<String> {
    let proxy = matcher.intercept(&url.as_str().parse().ok()?)?;
    let host = proxy.uri().host()?;
    Some(proxy.uri().port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_without_credentials() {
        let matcher = Matcher::builder()
            .https("http://user:hush@proxy.example:3128")
            .http("http://plain.example")
            .no("inside.example")
            .build();
        let proxy = |url: &str| for_url(&matcher, &Url::parse(url).unwrap());
        assert_eq!(proxy("https://api.example/v1").as_deref(), Some("proxy.example:3128"));
        assert_eq!(proxy("http://api.example/v1").as_deref(), Some("plain.example"));
        assert_eq!(proxy("https://inside.example/v1"), None);
    }
}
