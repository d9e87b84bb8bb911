//! Redirects by nginx: followed within the origin; no key is sent to another one.

use crate::nginx::Nginx;
use crate::prepared::ExpectText as _;
use crate::support::{Folder, KEY, MockServer};

/// Without the cache, so that every judgement is a separate call.
const ONCE: [&str; 4] = ["run", "--no-cache", "--repeats", "1"];

#[test]
fn redirect_within_the_origin_is_followed() {
    let mock = MockServer::start(&["--require-key", KEY]);
    for status in [307, 308] {
        let Some(nginx) = Nginx::start(|_| {
            format!(
                "location /v1/ {{ return {status} /moved$request_uri; }} \
                 location /moved/ {{ proxy_pass {}/; }}",
                mock.base_url.trim_end_matches("/v1")
            )
        }) else {
            return;
        };
        let code = nginx.run(&Folder::small(2).without_self_test(), &ONCE).code;
        assert!([0, 11].contains(&code), "{status}: {code}");
        let requests = nginx.site_requests();
        let at = |path: &str| requests.iter().filter(|request| request.path == path).count();
        assert_eq!((at("/v1/chat/completions"), at("/moved/v1/chat/completions")), (12, 12));
        nginx.assert_key_stayed();
    }
}

#[test]
fn redirect_to_another_origin_gets_no_key() {
    for status in [301, 302, 303, 307, 308] {
        let Some(nginx) = Nginx::start(|ports| {
            format!("location / {{ return {status} http://127.0.0.1:{}$request_uri; }}", ports.elsewhere)
        }) else {
            return;
        };
        let elsewhere = format!("redirected to http://127.0.0.1:{}", nginx.elsewhere);
        nginx
            .run(&Folder::small(3), &ONCE)
            .expect_code(12)
            .expect_text(&format!("{status}: {elsewhere}"))
            .expect_text("the key was not sent there");
        assert_eq!(nginx.site_requests().len(), 1, "{status}: one call");
        nginx.assert_key_stayed();
    }
}

#[test]
fn chained_redirect_out_of_the_origin_is_refused() {
    let Some(nginx) = Nginx::start(|ports| {
        format!(
            "location /v1/ {{ return 308 /moved$request_uri; }} \
             location /moved/ {{ return 307 http://127.0.0.1:{}/v1/chat/completions; }}",
            ports.elsewhere
        )
    }) else {
        return;
    };
    nginx.run(&Folder::small(3), &ONCE).expect_code(12).expect_text("redirected twice");
    nginx.assert_key_stayed();
}

#[test]
fn redirect_to_get_is_refused() {
    let Some(nginx) =
        Nginx::start(|ports| format!("location / {{ return 302 http://127.0.0.1:{}/login; }}", ports.here))
    else {
        return;
    };
    nginx.run(&Folder::small(3), &ONCE).expect_code(12).expect_text("302: redirected to /login");
    assert_eq!(nginx.site_requests().len(), 1);
}
