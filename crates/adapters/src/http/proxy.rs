//! The proxy of a client, which messages about failed connections name.

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

use promptgate_core::model::{Diagnostic, Place};

/// Returns host and port of the proxy that requests to a URL go through by the variables of this process; never its
/// credentials.
///
/// # Errors
/// A proxy that is not an HTTP proxy: a direct connection in its place is not what was asked for.
pub(super) fn for_url(url: &Url) -> Result<Option<String>, Diagnostic> {
    let matcher = Matcher::from_system();
    if let Some(found) = of(&matcher, url) {
        return if found.is_http { Ok(Some(found.authority)) } else { Err(unsupported(url, &found.scheme)) };
    }
    // A proxy with an unknown scheme is as good as none to the matcher.
    let specific =
        if url.scheme() == "https" { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    let written = first(&specific).or_else(|| first(&["ALL_PROXY", "all_proxy"]));
    let no_proxy = first(&["NO_PROXY", "no_proxy"]).unwrap_or_default();
    written.and_then(|written| refused(url, &written, &no_proxy)).map_or(Ok(None), Err)
}

/// A proxy that applies to a URL.
struct Found {
    authority: String,
    scheme: String,
    is_http: bool,
}

fn of(matcher: &Matcher, url: &Url) -> Option<Found> {
    let proxy = matcher.intercept(&url.as_str().parse().ok()?)?;
    let host = proxy.uri().host()?;
    let authority = proxy.uri().port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let scheme = proxy.uri().scheme_str().unwrap_or("http").to_owned();
    Some(Found { authority, is_http: matches!(scheme.as_str(), "http" | "https"), scheme })
}

/// The error for a proxy whose scheme the matcher does not know, unless `no_proxy` exempts the URL.
fn refused(url: &Url, written: &str, no_proxy: &str) -> Option<Diagnostic> {
    let (scheme, _) = written.split_once("://")?;
    let is_known = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let placeholder = Matcher::builder().all("http://proxy.invalid").no(no_proxy.to_owned()).build();
    (!is_known && of(&placeholder, url).is_some()).then(|| unsupported(url, scheme))
}

fn unsupported(url: &Url, scheme: &str) -> Diagnostic {
    let variable = if url.scheme() == "https" { "HTTPS_PROXY" } else { "HTTP_PROXY" };
    let host = url.host_str().unwrap_or_default();
    Diagnostic::new(format!(
        "the proxy for {host} is a {} proxy, expected an HTTP proxy",
        scheme.escape_debug()
    ))
    .at(Place::file(format!("{variable} or ALL_PROXY")))
    .help(format!(
        "set {variable} to the URL of an HTTP proxy, like http://proxy.example:3128, or add {host} to NO_PROXY to connect \
         directly"
    ))
}

fn first(names: &[&str]) -> Option<String> {
    let written = names.iter().find_map(|name| std::env::var(name).ok())?;
    (!written.trim().is_empty()).then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_proxy_is_named_without_credentials() {
        let matcher = Matcher::builder()
            .https("http://user:hush@proxy.example:3128")
            .http("http://plain.example")
            .no("inside.example")
            .build();
        let proxy = |text: &str| of(&matcher, &url(text)).map(|found| (found.authority, found.is_http));
        assert_eq!(proxy("https://api.example/v1"), Some(("proxy.example:3128".to_owned(), true)));
        assert_eq!(proxy("http://api.example/v1"), Some(("plain.example".to_owned(), true)));
        assert_eq!(proxy("https://inside.example/v1"), None);
    }

    #[test]
    fn only_http_proxies_are_supported() {
        for scheme in ["socks4", "socks4a", "socks5", "socks5h"] {
            let matcher = Matcher::builder().all(format!("{scheme}://user:hush@localhost:1080")).build();
            assert!(
                of(&matcher, &url("https://api.example/v1")).is_some_and(|found| !found.is_http),
                "{scheme}"
            );
        }
        let refused =
            |written: &str, no_proxy: &str| refused(&url("https://api.example/v1"), written, no_proxy);
        let diagnostic = refused("socks://user:hush@localhost:1080/", "").unwrap().to_string();
        assert!(diagnostic.contains("is a socks proxy") && diagnostic.contains("NO_PROXY"), "{diagnostic}");
        assert!(!diagnostic.contains("hush"), "{diagnostic}");
        assert_eq!(refused("socks://localhost:1080/", "api.example"), None);
        for usable in ["http://p.example", "HTTPS://p.example", "p.example:3128"] {
            assert_eq!(refused(usable, ""), None, "{usable}");
        }
    }
}
